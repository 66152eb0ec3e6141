"""What layers ask of their input and their options."""

from __future__ import annotations

import sys
from numbers import Real

from cnnlab.backend import Array, namespace

_AXES = {1: "(N, C, T)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}


def check_rank(layer: str, x: Array, rank: int) -> None:
    """Raise unless `x` is an array (TypeError) with batch axis, channel axis and `rank` spatial axes (ValueError)."""
    namespace(x=x)
    if x.ndim == rank + 2:
        return
    axes = _AXES.get(rank, f"(N, C, {rank} spatial axes)")
    hint = "add the batch axis, x[None]" if x.ndim == rank + 1 else f"give it {rank} spatial axes"
    raise ValueError(f"{layer} takes x {axes}, but x has shape {tuple(x.shape)}: {hint}")


def number_between(name: str, value: object, low: float, high: float) -> float:
    """Return `value` as a plain float, or raise unless it is a number (TypeError) from `low` to `high` (ValueError)."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, not {value!r}")
    number = float(value)
    if not low <= number <= high:  # also if it is not a number
        allowed = f"from {low} to {high}" if high < sys.float_info.max else f"a finite number of {low} or more"
        raise ValueError(f"{name} (={value}) must be {allowed}")
    return number
