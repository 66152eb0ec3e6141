"""Options of an optimizer: checked whenever they are set, also between two steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Generic, Self, TypeVar, overload

Value = TypeVar("Value")


class Hyperparameter(Generic[Value]):
    """An attribute that refuses what its check refuses, and keeps what the check returns.

    Parameters
    ----------
    check
        Takes the attribute's name and the value to set; returns the value to keep, or raises an error that names both.
    """

    def __init__(self, check: Callable[[str, object], Value]) -> None:
        self.check = check
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        if instance is None:
            return self
        try:
            value: Value = vars(instance)[self.name]
        except KeyError:
            raise AttributeError(f"{type(instance).__name__} has no {self.name} yet: call super().__init__()") from None
        return value

    def __set__(self, instance: object, value: object) -> None:
        vars(instance)[self.name] = self.check(self.name, value)


def number(name: str, value: object) -> float:
    """Return a finite real number as a plain float, or raise an error that names it.

    A plain float, because NumPy's own scalars would decide the dtype of the parameters: float32 times float64.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if _is_not_finite(value):
        raise ValueError(f"{name} (={value}) must be a finite number")
    return float(value)


def at_least_zero(name: str, value: object) -> float:
    """Return `value` if it is a finite number of 0 or more."""
    result = math.nan if _is_not_finite(value) else number(name, value)
    if not result >= 0:
        raise ValueError(f"{name} (={value}) must be a finite number of 0 or more")
    return result


def fraction(name: str, value: object) -> float:
    """Return `value` if it is a number from 0 to below 1."""
    result = math.nan if _is_not_finite(value) else number(name, value)
    if not 0 <= result < 1:
        raise ValueError(f"{name} (={value}) must be from 0 to below 1")
    return result


def pair_of_fractions(name: str, value: object) -> tuple[float, float]:
    """Return `value` if it is a pair of numbers from 0 to below 1."""
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{name} must be a pair of numbers such as (0.9, 0.999), not {value!r}")
    if len(value) != 2:
        raise ValueError(f"{name} (={value}) has {len(value)} entries: give two, such as (0.9, 0.999)")
    return fraction(f"{name}[0]", value[0]), fraction(f"{name}[1]", value[1])


def yes_or_no(name: str, value: object) -> bool:
    """Return `value` if it is a bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {value!r}")
    return value


def _is_not_finite(value: object) -> bool:
    try:
        return isinstance(value, Real) and not math.isfinite(value)
    except OverflowError:  # a whole number beyond the largest float
        return True
