"""Compare a student's answer with the expected array, and say the first thing that is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnlab.checks.model import Kind

# How far apart two right answers may be when they add the same numbers in another order, in units of the largest
# expected number. The wrong answers that the checks know are off by far more.
TOLERANCE = {np.dtype(np.float16): 2e-2, np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-9}


@dataclass(frozen=True)
class Finding:
    """What is wrong with one answer, in words for the student, and where."""

    kind: Kind
    message: str
    index: tuple[int, ...] | None = None


def tolerance(expected: np.ndarray[Any, Any]) -> float:
    """Return the largest difference from `expected` that still counts as equal, from its dtype and its size."""
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    return TOLERANCE[expected.dtype] * scale


def differs(expected: np.ndarray[Any, Any], got: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return where two arrays of one shape differ; NaN and infinity always do."""
    with np.errstate(invalid="ignore", over="ignore"):
        close: np.ndarray[Any, np.dtype[np.bool_]] = np.abs(got.astype(np.float64) - expected) <= tolerance(expected)
    return ~close


def same(expected: Any, got: Any) -> bool:
    """Return whether `got` is an array of numbers equal to `expected` in shape and, within the tolerance, values."""
    return (
        isinstance(expected, np.ndarray)
        and isinstance(got, np.ndarray)
        and got.dtype.kind == "f"
        and got.shape == expected.shape
        and not differs(expected, got).any()
    )


def find_fault(expected: np.ndarray[Any, Any], got: Any) -> Finding | None:
    """Return what is wrong with an answer, or None when it is right.

    Parameters
    ----------
    expected
        The right answer; its dtype is that of the exercise's input and sets the tolerance.
    got
        Whatever the student's function returned.

    Examples
    --------
    >>> print(find_fault(np.array([1.0, 2.0]), np.array([1.0, 2.5])).message)
    First wrong number at [1]: expected 2, got 2.5; 1 of 2 numbers is wrong.
    """
    fault = _fault_of_type(expected, got)
    if fault is not None:
        return fault
    if got.shape != expected.shape:
        return Finding("wrong_shape", f"The answer has shape {got.shape}; it should have shape {expected.shape}.")
    wrong = differs(expected, got)
    if not wrong.any():
        return None
    unusable = ~np.isfinite(got)
    index = tuple(int(i) for i in np.argwhere(unusable if unusable.any() else wrong)[0])
    place = f"[{', '.join(map(str, index))}]"
    if unusable.any():
        name = "NaN (not a number)" if np.isnan(got[index]) else "an infinite number"
        return Finding("wrong_value", f"The answer contains {name}, first at {place}.", index)
    first = f"expected {expected[index]:.6g}, got {got[index]:.6g}"
    if wrong.size == 1:
        return Finding("wrong_value", f"The only number is wrong: {first}.", index)
    count = int(wrong.sum())
    rest = f"{count} of {wrong.size} numbers {'is' if count == 1 else 'are'} wrong"
    return Finding("wrong_value", f"First wrong number at {place}: {first}; {rest}.", index)


def _fault_of_type(expected: np.ndarray[Any, Any], got: Any) -> Finding | None:
    if got is None:
        return Finding("wrong_type", "The function returned None. Does it end with a return line?")
    if isinstance(got, list | tuple):
        name = type(got).__name__
        return Finding("wrong_type", f"The function returned a {name}. Return a NumPy array: np.array(…) makes one.")
    if not isinstance(got, np.ndarray):
        name = type(got).__name__
        return Finding("wrong_type", f"The function returned one {name}. Return a NumPy array that holds all results.")
    if got.dtype.kind in "iub":
        return Finding(
            "wrong_type",
            f"The answer holds {got.dtype} numbers, so fractions are lost. Make the result with a floating type, "
            f"for example np.zeros(shape) without dtype=int.",
        )
    if got.dtype.kind != "f":
        return Finding("wrong_type", f"The answer has dtype {got.dtype}; {expected.dtype} numbers are expected.")
    if got.dtype.itemsize < expected.dtype.itemsize:
        return Finding(
            "wrong_type",
            f"The answer is {got.dtype} although the input is {expected.dtype}, so digits are lost. "
            f"Keep the dtype of the input.",
        )
    return None
