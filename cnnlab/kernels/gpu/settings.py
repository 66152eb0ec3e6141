"""What is asked of cuDNN: whether its plans are timed, and whether they have to give the same bits at every run."""

from __future__ import annotations

import os

VARIABLE = "CNNLAB_CUDNN_BENCHMARK"

_benchmark: bool | None = None  # None: the variable is to be read
_deterministic = True


def cudnn_benchmark(on: bool | None) -> None:
    """Say whether cuDNN's plans are timed when a case is met first, beside our own ways, from here on.

    Off, the rules and cuDNN's heuristics choose, and a program gives the same bits at every run. On, a first call takes
    up to a second longer, later ones may be faster, and another run may choose otherwise, with other last digits.

    Parameters
    ----------
    on : bool or None
        None leaves it to the environment variable CNNLAB_CUDNN_BENCHMARK, as at first: 1 turns it on.
    """
    global _benchmark  # noqa: PLW0603
    _benchmark = None if on is None else bool(on)


def cudnn_deterministic(on: bool) -> None:
    """Say whether cuDNN's plans have to give the same bits at every run, as they do at first, from here on.

    Off, gradients to the input may be twice as fast; in PyTorch that is the way at first.
    """
    global _deterministic  # noqa: PLW0603
    _deterministic = bool(on)


def benchmarks() -> bool:
    """Return whether plans are timed."""
    global _benchmark  # noqa: PLW0603
    if _benchmark is None:
        _benchmark = os.environ.get(VARIABLE, "0") not in {"", "0"}
    return _benchmark


def deterministic() -> bool:
    """Return whether plans have to give the same bits at every run."""
    return _deterministic
