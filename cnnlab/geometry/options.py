"""Reading the options of a layer: numbers, True and False, one int for all axes or one for each."""

import sys
from collections.abc import Sequence
from math import inf
from numbers import Real
from operator import index
from typing import Literal, TypeAlias

PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]
PADDING_MODES: tuple[PaddingMode, ...] = ("zeros", "reflect", "replicate", "circular")

Pads: TypeAlias = tuple[tuple[int, int], ...]  # (before, after) for each axis
Padding: TypeAlias = int | Sequence[int | tuple[int, int]] | str


def whole_number(name: str, value: object, *, at_least: int) -> int:
    """Return ``value`` as an int, or say what is wrong with it."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = index(value)  # type: ignore[arg-type]  # what has no __index__ raises TypeError
    except TypeError:
        raise TypeError(f"{name} must be a whole number, not {value!r}") from None
    if number < at_least:
        raise ValueError(f"{name} (={number}) must be at least {at_least}")
    return number


def truth(name: str, value: object) -> bool:
    """Return ``value`` as a bool if it is True or False, Python's or NumPy's, or say what is wrong with it."""
    if not isinstance(value, bool) and type(value).__name__ != "bool":  # NumPy's, which geometry does not import
        raise TypeError(f"{name} must be True or False, not {value!r}")
    return bool(value)


def number(name: str, value: object) -> float:
    """Return ``value`` as a plain float if it is a number, or say what is wrong with it."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, not {value!r}")
    try:
        return float(value)
    except OverflowError:  # a whole number beyond the largest float
        return -inf if value < 0 else inf


def number_between(name: str, value: object, low: float, high: float) -> float:
    """Return ``value`` as a plain float if it is a number from `low` to `high`, or say what is wrong with it."""
    result = number(name, value)
    if not low <= result <= high:  # also if it is not a number
        allowed = f"from {low} to {high}" if high < sys.float_info.max else f"a finite number of {low} or more"
        raise ValueError(f"{name} (={value}) must be {allowed}")
    return result


def above_zero(name: str, value: object) -> float:
    """Return ``value`` as a plain float if it is a number above 0, or say what is wrong with it."""
    result = number(name, value)
    if not result > 0:
        raise ValueError(f"{name} (={value}) must be above 0")
    return result


def channels_in_groups(groups: int, **channels: int) -> int:
    """Return the number of groups, or say which number of channels it does not divide."""
    groups = whole_number("groups", groups, at_least=1)
    for name, count in channels.items():
        if whole_number(name, count, at_least=1) % groups:
            raise ValueError(f"{name} (={count}) must be divisible by groups (={groups})")
    return groups


def per_axis(name: str, value: int | Sequence[int], rank: int, *, at_least: int) -> tuple[int, ...]:
    """Return one int an axis: a single int holds for all ``rank`` axes."""
    values = _spread(name, value, rank)
    return tuple(whole_number(name, v, at_least=at_least) for v in values)


def kernel_size(kernel: int | Sequence[int]) -> tuple[int, ...]:
    """Return the kernel's size an axis; its length is the rank of the layer."""
    values = tuple(kernel) if isinstance(kernel, Sequence) else (kernel,)
    if not values:
        raise ValueError("kernel has no axis: give one size for each spatial axis, as (3, 3) for pictures")
    return tuple(whole_number("kernel", v, at_least=1) for v in values)


def pads(padding: Padding, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> Pads:
    """Return how many positions are added before and after each axis.

    "valid" adds none. "same" adds D·(K−1) in all, so that the output has the size of the input; when that is odd, the
    one more goes to the end, as in PyTorch (deck row D36).
    """
    if padding == "valid":
        return tuple((0, 0) for _ in kernel)
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ValueError(f'padding "same" needs stride 1, not {stride}: give the padding as numbers')
        totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, str):
        raise ValueError(f'padding {padding!r} is unknown: give a number, one for each axis, "same" or "valid"')
    return tuple(_before_and_after(p) for p in _spread("padding", padding, len(kernel)))


def known_padding_mode(mode: str) -> PaddingMode:
    """Return the mode, or list those there are."""
    for known in PADDING_MODES:
        if mode == known:
            return known
    raise ValueError(f"padding_mode {mode!r} is unknown: choose one of {', '.join(PADDING_MODES)}")


def _spread(name: str, value: object, rank: int) -> tuple[object, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return (value,) * rank
    if len(value) != rank:
        raise ValueError(f"{name} {tuple(value)} has {len(value)} entries for {rank} spatial axes: give one for each")
    return tuple(value)


def _before_and_after(value: object) -> tuple[int, int]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) != 2:
            raise ValueError(f"padding {value!r} of one axis must be a number or a pair (before, after)")
        before, after = value
    else:
        before = after = value
    return whole_number("padding", before, at_least=0), whole_number("padding", after, at_least=0)
