"""What the loaders ask of their arguments."""

from collections.abc import Sequence
from numbers import Real
from operator import index
from typing import Any


def how_many(n: object, what: str) -> int:
    """Return ``n`` as an int of at least 1, or say what is wrong with it."""
    try:
        number = index(n)  # type: ignore[arg-type]  # what has no __index__ raises TypeError
    except TypeError:
        raise TypeError(f"n={n!r}: ask for a whole number of {what}s") from None
    if number < 1:
        raise ValueError(f"n={number}: ask for at least 1 {what}")
    return number


def number_or_range(name: str, value: object, *, example: str) -> tuple[float, float]:
    """Return a number twice, or the two numbers of a range."""
    pair: tuple[Any, ...] = tuple(value) if isinstance(value, Sequence) else (value, value)
    if len(pair) != 2 or not all(isinstance(end, Real) for end in pair):
        raise TypeError(f"{name}={value!r} is neither a number nor a range: give {example}")
    return pair[0], pair[1]
