"""Checkpoints: a training that was stopped, by whatever it was, goes on as if it had not been."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cnnlab.geometry.options import whole_number
from cnnlab.nn.archive import check_writable, npz_path, read_arrays, remove_leftovers, write_arrays
from cnnlab.nn.module import Module
from cnnlab.optim import Optimizer, Schedule
from cnnlab.train.history import History
from cnnlab.train.settings import Settings, differences, generators

FORMAT = "cnnlab checkpoint 1"
_ABOUT = "about"  # the entry with all that is no array, as JSON
_START_OVER = "to start over, give another path or move that file away"

Arrays = dict[str, np.ndarray[Any, Any]]


class CheckpointError(ValueError):
    """A file cannot be taken up by this training. The file, the net and the optimizer are as they were."""


@dataclass(frozen=True)
class Checkpoint:
    """Where `fit` writes down how far it is.

    Parameters
    ----------
    path
        A file's name that ends in .npz.
    every
        Write after each so many epochs, and after the last.

    Raises
    ------
    TypeError, ValueError
        If the path does not end in .npz, or `every` is no whole number of at least 1.
    """

    path: str | os.PathLike[str]
    every: int = field(default=1, kw_only=True)

    def __post_init__(self) -> None:
        npz_path(self.path)
        whole_number("every", self.every, at_least=1)

    @property
    def file(self) -> Path:
        """The path as a `Path`."""
        return npz_path(self.path)


@dataclass
class Run:
    """All that changes while `fit` works: what a checkpoint has to hold.

    Attributes
    ----------
    net, optimizer, schedule, rng
        As given to `fit`.
    history
        The epochs so far.
    best
        State of the net at its best epoch, if early stopping shall put it back.
    """

    net: Module
    optimizer: Optimizer
    schedule: Schedule | None
    rng: np.random.Generator
    history: History = field(default_factory=History)
    best: Arrays | None = None

    def write(self, path: Path, settings: Settings) -> None:
        """Write everything to `path`; whenever this is stopped, the old file or the new one is there, whole."""
        optimizer = self.optimizer.state_dict()
        arrays = {f"net/{name}": value for name, value in self.net.state_dict().items()}
        arrays |= {f"best/{name}": value for name, value in (self.best or {}).items()}
        numbers: list[dict[str, int]] = []
        for i, entry in enumerate(optimizer["state"]):
            arrays |= {f"optimizer/{i}/{name}": v for name, v in entry.items() if not isinstance(v, int)}
            numbers.append({name: v for name, v in entry.items() if isinstance(v, int)})
        about = {
            "format": FORMAT,
            "settings": settings,
            "history": {name: getattr(self.history, name) for name in ("loss", "metrics", "validation")},
            "optimizer": optimizer | {"state": numbers},
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "generators": {name: g.bit_generator.state for name, g in generators(self.net, self.rng).items()},
        }
        # Some bit generators keep small arrays in their state; they take them back as lists.
        text = json.dumps(about, default=lambda array: array.tolist())
        write_arrays(path, {_ABOUT: np.array(text), **arrays})

    def resume(self, path: Path, settings: Settings, epochs: int) -> None:
        """Take over everything from `path`.

        Raises
        ------
        CheckpointError
            If the file is no whole checkpoint, is one of another training, or holds more than `epochs` epochs.
        """
        arrays, about = _read(path)
        different = differences(about["settings"], settings)
        if different:
            raise CheckpointError(
                f"{path} is a checkpoint of another training: {'; '.join(different)}. "
                f"To go on with it, build everything as it was then; {_START_OVER}"
            )
        done = len(about["history"]["loss"])
        if done > epochs:
            raise CheckpointError(
                f"{path} holds {done} epochs, more than epochs (={epochs}): ask for {done} or more; {_START_OVER}"
            )
        state = about["optimizer"]
        state["state"] = [numbers | _part(arrays, f"optimizer/{i}/") for i, numbers in enumerate(state["state"])]
        self.net.load_state_dict(_part(arrays, "net/"))
        self.optimizer.load_state_dict(state)
        if self.schedule is not None:
            self.schedule.load_state_dict(about["schedule"])
        for name, generator in generators(self.net, self.rng).items():
            generator.bit_generator.state = about["generators"][name]
        self.history = History(**about["history"], resumed=done)
        self.best = _part(arrays, "best/") or None


def prepare(checkpoint: str | os.PathLike[str] | Checkpoint) -> Checkpoint:
    """Return `checkpoint` as a `Checkpoint`, having made sure, before any work, that its file can be written."""
    if not isinstance(checkpoint, Checkpoint):
        checkpoint = Checkpoint(checkpoint)
    check_writable(checkpoint.file)
    remove_leftovers(checkpoint.file)
    return checkpoint


def _read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    try:
        arrays = read_arrays(path)
    except ValueError as error:
        raise CheckpointError(f"{error}. This training was not started; {_START_OVER}") from error
    try:
        about = json.loads(str(arrays.pop(_ABOUT)))
        found = about["format"]
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(f"{path} is no checkpoint of train.fit and was left as it is: {_START_OVER}") from None
    if found != FORMAT:
        raise CheckpointError(f"{path} is a {found!r}, not a {FORMAT!r}: go on with the cnnlab of then; {_START_OVER}")
    return arrays, about


def _part(arrays: Mapping[str, np.ndarray[Any, Any]], prefix: str) -> Arrays:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
