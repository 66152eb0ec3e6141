"""Compare a student's answer with the expected one, and say the first thing that is wrong.

An answer is an array, of whole numbers or of others, a whole number, a number, or a tuple of those; an entry of the
tuple may be a tuple in turn, and stands for a list in the student's answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cnnlab.checks.model import Target
from cnnlab.checks.results import Kind

# How far apart two right answers may be when they add the same numbers in another order, in units of the largest
# expected number. The wrong answers that the checks know are off by far more.
TOLERANCE = {np.dtype(np.float16): 2e-2, np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-9}


@dataclass(frozen=True)
class Finding:
    """What is wrong with one answer, in words for the student, and where.

    Attributes
    ----------
    kind, message
        As in `CheckOutcome`.
    index
        Of the first wrong number.
    part
        Which of several named results is wrong; empty when there is one only, or all are.
    entry
        Where in it the wrong array or number is, when the result is a list.
    """

    kind: Kind
    message: str
    index: tuple[int, ...] | None = None
    part: str = ""
    entry: tuple[int, ...] = ()


def tolerance(expected: np.ndarray[Any, Any]) -> float:
    """Return the largest difference from `expected` that still counts as equal, from its dtype and its size."""
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    return TOLERANCE.get(expected.dtype, 0.0) * scale


def differs(expected: np.ndarray[Any, Any], got: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return where two arrays of one shape differ; NaN and infinity always do."""
    with np.errstate(invalid="ignore", over="ignore"):
        close: np.ndarray[Any, np.dtype[np.bool_]] = np.abs(got.astype(np.float64) - expected) <= tolerance(expected)
    return ~close


def alike(one: Any, other: Any) -> bool:
    """Return whether two answers are the `same`, where NaN and infinity are equal to themselves."""
    if isinstance(one, tuple):
        return (
            isinstance(other, tuple | list)
            and len(one) == len(other)
            and all(alike(a, b) for a, b in zip(one, other, strict=True))
        )
    one, other = _unpacked(one), _unpacked(other)
    if _holds_whole(one) and _holds_whole(other):
        return np.array_equal(one, other)  # never right, but two wrong answers may be the same
    if not (_is_float(one) and _is_float(other)) or np.shape(one) != np.shape(other):
        return same(one, other)
    one, other = np.asarray(one), np.asarray(other)
    odd = ~np.isfinite(one)
    if not np.array_equal(odd, ~np.isfinite(other)) or not np.array_equal(one[odd], other[odd], equal_nan=True):
        return False
    return same(np.where(odd, one.dtype.type(0), one), np.where(odd, other.dtype.type(0), other))


def same(expected: Any, got: Any) -> bool:
    """Return whether `got` is what `expected` is, in kind, shape and, within the tolerance, values."""
    if isinstance(expected, tuple):
        return (
            isinstance(got, tuple | list)
            and len(got) == len(expected)
            and all(same(e, g) for e, g in zip(expected, got, strict=True))
        )
    if isinstance(expected, np.ndarray) and expected.ndim:
        return (
            isinstance(got, np.ndarray)
            and got.dtype.kind in ("iu" if expected.dtype.kind in "iu" else "f")
            and got.shape == expected.shape
            and not differs(expected, got).any()
        )
    expected, got = _unpacked(expected), _unpacked(got)
    if _is_whole(expected):
        return _is_whole(got) and int(got) == int(expected)
    return _is_number(expected) and _is_number(got) and not differs(np.asarray(expected), _as_float(got)).any()


def part_of(value: Any, names: Sequence[str], part: str) -> Any:
    """Return one named result of an answer, or the whole answer when there are no names; None if it is not there."""
    if not part:
        return value
    return value[names.index(part)] if isinstance(value, tuple | list) and len(value) == len(names) else None


def find_fault(expected: Any, got: Any, *, names: Sequence[str] = (), part: str = "") -> Finding | None:
    """Return what is wrong with an answer, or None when it is right.

    Parameters
    ----------
    expected
        The right answer; the dtype of an array is that of the exercise's input and sets the tolerance.
    got
        Whatever the student's function returned.
    names
        What the results are called, when `expected` is a tuple of named results.
    part
        The one of them that counts; empty: all.

    Examples
    --------
    >>> print(find_fault(np.array([1.0, 2.0]), np.array([1.0, 2.5])).message)
    First wrong number at [1]: expected 2, got 2.5; 1 of 2 numbers is wrong.
    >>> print(find_fault(5, 5.0).message)
    The function returned 5.0, a float; this is a whole number. Divide with //, which gives an int.
    """
    if not isinstance(expected, tuple):
        return _fault_of_one(expected, got)
    fault = _fault_of_tuple(len(expected), got, names)
    if fault is not None:
        return fault
    labels = names or [f"number {i + 1} of the answer" for i in range(len(expected))]
    for label, one, other in zip(labels, expected, got, strict=True):
        if part and label != part:
            continue
        fault = _labeled_fault(label, one, other)
        if fault is not None:
            return replace(fault, part=label) if names else replace(fault, entry=())
    return None


def entry_of(value: Any, entry: Sequence[int]) -> Any:
    """Return an entry of a list, of a list in a list, and so on; without an entry the value itself."""
    for index in entry:
        value = value[index]
    return value


def _labeled_fault(label: str, expected: Any, got: Any) -> Finding | None:
    """Return what is wrong with one result; it may be a list, and then its first wrong entry is told."""
    if not isinstance(expected, tuple):
        fault = _fault_of_one(expected, got)
        message = "" if fault is None else fault.message.replace("The function returned", "It is", 1)
        return None if fault is None else replace(fault, message=f"{label}: {message}")
    if not isinstance(got, tuple | list):
        name = "one array" if isinstance(got, np.ndarray) else f"one {type(got).__name__}"
        return Finding("wrong_type", f"{label}: It is {name}. A list of {len(expected)} is expected.")
    if len(got) != len(expected):
        return Finding("wrong_shape", f"{label}: Its length is {len(got)}; it should be {len(expected)}.")
    for i, pair in enumerate(zip(expected, got, strict=True)):
        fault = _labeled_fault(f"{label}[{i}]", *pair)
        if fault is not None:
            return replace(fault, entry=(i, *fault.entry))
    return None


def find_shortfall(target: Target, got: Any) -> Finding | None:
    """Return what is wrong with an answer that has to reach a target, or None when it does.

    Examples
    --------
    >>> print(find_shortfall(Target(np.array([0, 1, 2, -1]), 0.9), np.array([0, 1, 1, 5])).message)
    2 of 3 are right (67 %); at least 90 % must be.
    """
    fault = _fault_of_kind(target.labels, got)
    if fault is not None:
        return fault
    counted = target.labels >= 0
    right = int((got[counted] == target.labels[counted]).sum())
    total = int(counted.sum())
    if right >= target.at_least * total:
        return None
    return Finding(
        "wrong_value",
        f"{right} of {total} are right ({right / total:.0%}); at least {target.at_least:.0%} must be.".replace(
            "%", " %"
        ),
    )


def _fault_of_one(expected: Any, got: Any) -> Finding | None:
    fault = _fault_of_kind(expected, got)
    if fault is not None:
        return fault
    if not isinstance(expected, np.ndarray) or not expected.ndim:
        return _fault_of_number(_unpacked(expected), _unpacked(got))
    return _fault_of_values(expected, got)


def _fault_of_kind(expected: Any, got: Any) -> Finding | None:
    """Return what is wrong with type and shape; numbers by themselves are judged elsewhere."""
    if got is None:
        return Finding("wrong_type", "The function returned None. Does it end with a return line?")
    if not isinstance(expected, np.ndarray) or not expected.ndim:
        return None
    fault = _fault_of_type(expected, got)
    if fault is not None:
        return fault
    if got.shape != expected.shape:
        return Finding("wrong_shape", f"The answer has shape {got.shape}; it should have shape {expected.shape}.")
    return None


def _fault_of_values(expected: np.ndarray[Any, Any], got: np.ndarray[Any, Any]) -> Finding | None:
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


def _fault_of_number(expected: Any, got: Any) -> Finding | None:
    if not _is_number(got):
        name = f"an array of shape {got.shape}" if isinstance(got, np.ndarray) else f"a {type(got).__name__}"
        return Finding("wrong_type", f"The function returned {name}. A number is expected.")
    if same(expected, got):
        return None
    if _is_whole(expected) and not _is_whole(got) and float(got) == expected:
        return Finding(
            "wrong_type",
            f"The function returned {float(got)!r}, a float; this is a whole number. "
            f"Divide with //, which gives an int.",
        )
    if isinstance(got, np.float32 | np.float16) and same(type(got)(expected), got):
        return Finding(
            "wrong_type", f"The answer is {got.dtype}, so digits are lost. Add up in the dtype of the input."
        )
    return Finding("wrong_value", f"Expected {_short(expected)}, got {_short(got)}.")


def _fault_of_tuple(length: int, got: Any, names: Sequence[str]) -> Finding | None:
    wanted = f"({', '.join(names)})" if names else f"of {length} numbers"
    if got is None:
        hint = "Does it end with a return line?"
        return Finding("wrong_type", f"The function returned None. {hint} Return a tuple {wanted}.")
    if not isinstance(got, tuple | list):
        name = "one array" if isinstance(got, np.ndarray) else f"one {type(got).__name__}"
        return Finding("wrong_type", f"The function returned {name}. Return a tuple {wanted}.")
    if len(got) != length:
        return Finding("wrong_type", f"The function returned {len(got)} results. Return a tuple {wanted}.")
    return None


def _fault_of_type(expected: np.ndarray[Any, Any], got: Any) -> Finding | None:
    if isinstance(got, list | tuple):
        name = type(got).__name__
        return Finding("wrong_type", f"The function returned a {name}. Return a NumPy array: np.array(…) makes one.")
    if not isinstance(got, np.ndarray):
        name = type(got).__name__
        return Finding("wrong_type", f"The function returned one {name}. Return a NumPy array that holds all results.")
    if expected.dtype.kind in "iu":
        if got.dtype.kind in "iu":
            return None
        what = "Whole numbers are expected: np.argmax gives them, and floats become some by .astype(int)."
        # A shape says more than a type: scores in the place of classes.
        shape = f" of shape {got.shape}, not {expected.shape}" if got.shape != expected.shape else ""
        return Finding("wrong_type", f"The answer holds {got.dtype} numbers{shape}. {what}")
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


def _unpacked(value: Any) -> Any:
    """Return the number in an array without axes; anything else stays."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _as_float(number: Any) -> np.ndarray[Any, Any]:
    """Return a number as an array without axes; a whole number beyond all floats as infinity."""
    try:
        return np.asarray(number, dtype=np.float64)
    except OverflowError:
        return np.asarray(np.inf)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _is_float(value: Any) -> bool:
    return isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


def _holds_whole(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iu"


def _short(value: Any) -> str:
    if not _is_whole(value):
        return f"{float(value):.6g}"
    text = f"{int(value):,}"
    return text if len(text) <= 40 else f"a whole number of {sum(map(str.isdigit, text))} digits"
