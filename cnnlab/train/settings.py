"""What has to be the same for a training to go on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

import numpy as np

from cnnlab import backend
from cnnlab.backend import Array
from cnnlab.nn.loss import Loss
from cnnlab.nn.module import Module
from cnnlab.optim import Optimizer, Schedule
from cnnlab.train.early_stop import EarlyStop

Settings = dict[str, str]  # readable texts by name; "optimizer.lr" belongs to "optimizer"

_AT_ONCE = 4096  # examples of which a copy is made on the host


def describe(
    net: Module,
    *,
    data: Mapping[str, Array],
    loss: Loss,
    optimizer: Optimizer,
    schedule: Schedule | None,
    early_stop: EarlyStop | None,
    batch_size: int,
    metrics: Iterable[str],
    rng: np.random.Generator,
) -> Settings:
    """Return all that decides how a training goes on, but for the values that it changes and the number of epochs."""
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    settings = {"net": repr(net)}
    settings |= {f"net.{name}": _kind(value) for name, value in net.state_dict().items()}
    if net.training and (frozen := list(_frozen_in(net, ""))):
        settings["frozen layers"] = ", ".join(frozen)
    settings["trained parameters"] = ", ".join(names[id(parameter)] for parameter in optimizer.params)
    settings["optimizer"] = type(optimizer).__name__
    # The schedule changes the rate; what has to be the same is where it started.
    options = optimizer.options | ({} if schedule is None else {"lr": schedule.base_lr})
    settings |= {f"optimizer.{name}": repr(value) for name, value in options.items()}
    settings["schedule"] = type(schedule).__name__
    settings |= {f"schedule.{name}": repr(v) for name, v in ({} if schedule is None else schedule.options).items()}
    settings["early_stop"] = repr(early_stop)
    settings["loss"] = repr(loss) if isinstance(loss, Loss) else type(loss).__name__
    settings["batch_size"] = str(batch_size)
    settings["metrics"] = ", ".join(sorted(metrics))
    sources = generators(net, rng).items()
    settings["random numbers"] = ", ".join(f"{name}: {type(g.bit_generator).__name__}" for name, g in sources)
    return settings | {name: _kind(array) + f" with content {_digest(array)}" for name, array in data.items()}


def differences(before: Settings, now: Settings) -> list[str]:
    """Return a sentence for each setting that is not the same, without the parts of one that is another as a whole."""
    names = [name for name in before | now if before.get(name) != now.get(name)]
    names = [name for name in names if "." not in name or name.partition(".")[0] not in names]
    return [_difference(name, before.get(name, "nothing"), now.get(name, "nothing")) for name in names]


def generators(net: Module, rng: np.random.Generator) -> dict[str, np.random.Generator]:
    """Return each source of random numbers once: the order of the batches, and the attributes of modules (dropout)."""
    found: dict[int, tuple[list[str], np.random.Generator]] = {id(rng): (["order of batches"], rng)}
    for name, generator in _generators_in(net, ""):
        found.setdefault(id(generator), ([], generator))[0].append(name)
    return {" = ".join(names): generator for names, generator in found.values()}


def _generators_in(module: Module, prefix: str) -> Iterator[tuple[str, np.random.Generator]]:
    for name, value in vars(module).items():
        if isinstance(value, np.random.Generator):
            yield prefix + name, value
    for name, child in module.named_children():
        yield from _generators_in(child, f"{prefix}{name}.")


def _frozen_in(module: Module, prefix: str) -> Iterator[str]:
    """Yield the names of the parts in evaluation mode, which `fit` leaves so in a net in training mode."""
    for name, child in module.named_children():
        if not child.training:
            yield prefix + name
        yield from _frozen_in(child, f"{prefix}{name}.")


def _difference(name: str, before: str, now: str) -> str:
    if name == "net":  # of many lines: the first that is not the same says enough
        pairs = zip_longest(before.splitlines(), now.splitlines(), fillvalue="nothing")
        before, now = next((a.strip(), b.strip()) for a, b in pairs if a != b)
    return f"{name} was {before or 'nothing'} and is {now or 'nothing'}"


def _kind(array: Array) -> str:
    host = backend.to_numpy(array[:0, ...] if array.ndim else array)
    return f"{host.dtype.name} {tuple(array.shape)}"


def _digest(array: Array) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for start in range(0, array.shape[0], _AT_ONCE):
        part = backend.to_numpy(array[start : min(start + _AT_ONCE, array.shape[0]), ...])
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
