"""What `fit` asks of its arguments before it starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cnnlab.backend import Array, namespace
from cnnlab.nn.loss import Loss
from cnnlab.nn.module import Module
from cnnlab.optim import Optimizer, Schedule
from cnnlab.train.early_stop import EarlyStop


def checked_data(x: Array, y: Array, validation: tuple[Array, Array] | None) -> dict[str, Array]:
    """Return all arrays by name, or say what is wrong with them."""
    _check_pair("x", x, "y", y)
    if validation is None:
        return {"x": x, "y": y}
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise ValueError(f"validation is a {type(validation).__name__}: pass inputs and targets, validation=(x, y)")
    names = "validation x", "validation y"
    _check_pair(names[0], validation[0], names[1], validation[1])
    return {"x": x, "y": y} | dict(zip(names, validation, strict=True))


def _check_pair(x_name: str, x: Array, y_name: str, y: Array) -> None:
    namespace(**{x_name: x, y_name: y})  # names what is no array, or on another device
    for name, array in ((x_name, x), (y_name, y)):
        if array.ndim == 0:
            raise ValueError(f"{name} is a single number: pass an array with one example after the other")
    if x.shape[0] != y.shape[0] or x.shape[0] == 0:
        raise ValueError(
            f"{x_name} holds {x.shape[0]} examples and {y_name} {y.shape[0]}: pass as many of each, at least one"
        )


def check_parts(net: object, loss: object, optimizer: object, metrics: object) -> None:
    """Say which argument is not what `fit` can use; a class in place of an object of it is the usual slip."""
    wanted = (
        ("net", net, Module, "a Module, such as nn.mlp([600, 32, 1])"),
        ("loss", loss, Loss, "a loss, such as nn.CrossEntropyLoss(), or an object of your own subclass of nn.Loss"),
        ("optimizer", optimizer, Optimizer, "an optimizer, such as optim.Adam(net.parameters())"),
    )
    for name, value, kind, example in wanted:
        if not isinstance(value, kind):
            what = f"the class {value.__name__}, not an object of it" if isinstance(value, type) else repr(value)
            raise TypeError(f"{name} is {what}: pass {example}")
    if metrics is not None and not isinstance(metrics, Mapping):
        raise TypeError(
            f"metrics is a {type(metrics).__name__}: pass functions by name, {{'accuracy': train.accuracy}}"
        )
    for name, metric in (metrics or {}).items():
        if not callable(metric):
            raise TypeError(f"metrics[{name!r}] is {metric!r}: pass a function of (prediction, target)")


def check_plan(
    net: Module,
    optimizer: Optimizer,
    schedule: object,
    early_stop: object,
    metrics: Iterable[str],
    *,
    measured: bool,
) -> None:
    """Say what is wrong if the parts do not belong together; `measured` tells whether there are validation data."""
    if not {id(p) for p in optimizer.params} <= {id(p) for p in net.parameters()}:
        raise ValueError(
            "the optimizer holds parameters that are not in this net, so the net would not learn with them: "
            "make it anew from net.parameters() after building or changing the net"
        )
    if schedule is not None and not isinstance(schedule, Schedule):
        raise TypeError(f"schedule is {schedule!r}: pass one such as optim.StepLR(optimizer, step_size=10)")
    if schedule is not None and schedule.optimizer is not optimizer:
        raise ValueError("the schedule belongs to another optimizer: make it anew with the one that fit gets")
    if early_stop is not None and not isinstance(early_stop, EarlyStop):
        raise TypeError(f"early_stop is {early_stop!r}: pass one such as train.EarlyStop(patience=5)")
    if early_stop is not None:
        curves = ["loss", *metrics]
        early_stop.check(curves + [f"validation {name}" for name in curves] * measured)
