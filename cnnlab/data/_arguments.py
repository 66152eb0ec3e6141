"""What the loaders ask of their arguments."""

from collections.abc import Sequence
from numbers import Real
from operator import index
from typing import Any


def how_many(n: object, what: str, *, name: str = "n") -> int:
    """Return ``n`` as an int of at least 1, or say what is wrong with it."""
    try:
        number = index(n)  # type: ignore[arg-type]  # what has no __index__ raises TypeError
    except TypeError:
        raise TypeError(f"{name}={n!r}: ask for a whole number of {_several(what)}") from None
    if number < 1:
        raise ValueError(f"{name}={number}: ask for at least 1 {what}")
    return number


def number_or_range(name: str, value: object, *, example: str) -> tuple[float, float]:
    """Return a number twice, or the two numbers of a range."""
    pair: tuple[Any, ...] = tuple(value) if isinstance(value, Sequence) else (value, value)
    if len(pair) != 2 or not all(isinstance(end, Real) for end in pair):
        raise TypeError(f"{name}={value!r} is neither a number nor a range: give {example}")
    return pair[0], pair[1]


def rows_and_columns(name: str, value: object, *, example: str) -> tuple[int, int]:
    """Return a whole number twice, or a pair of them: first along the rows (down), then along the columns."""
    pair: tuple[Any, ...] = tuple(value) if isinstance(value, Sequence) else (value, value)
    try:
        down, right = (index(number) for number in pair)
    except (TypeError, ValueError):
        raise TypeError(f"{name}={value!r}: give whole pixels, {example}") from None
    return down, right


def number_at_least_zero(name: str, value: object) -> float:
    """Return a finite number that is not negative, or say what is wrong with it."""
    if not isinstance(value, Real):
        raise TypeError(f"{name}={value!r} is not a number: give 0 or a positive number")
    number = float(value)
    if not 0 <= number < float("inf"):
        raise ValueError(f"{name}={value!r}: give 0 or a positive number")
    return number


def one_of(name: str, value: object, known: Sequence[str]) -> str:
    """Return a word that is known, or list those that are."""
    if not isinstance(value, str) or value not in known:
        *others, last = (f'"{word}"' for word in known)
        raise ValueError(f"{name} {value!r} is unknown: use {', '.join(others)} or {last}")
    return value


def _several(what: str) -> str:
    return f"{what[:-1]}ies" if what.endswith("py") else f"{what}s"
