"""Whatever came back, as numbers where there are numbers, and in words where there are none."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_CELLS = 20_000  # of each array on the page; more are cut to a block around the first wrong number
_TOLERANCE = {"float16": 2e-2, "float32": 1e-4}
_WIDEST = 128


@dataclass(frozen=True)
class Answer:
    """What was returned: its numbers (None where it holds none), its shape and dtype as it came, and a remark."""

    numbers: NDArray[np.float64] | None
    shape: list[int] | None
    dtype: str | None
    words: str = ""


def tolerance_of(expected: NDArray[Any], *, scaled: bool = True) -> float:
    """Return the largest difference that counts as equal, as the checks have it: by dtype and largest number."""
    finite = expected[np.isfinite(expected)] if expected.dtype.kind == "f" else expected
    largest = float(np.max(np.abs(finite.astype(float)), initial=0.0))
    return _TOLERANCE.get(str(expected.dtype), 1e-9) * (max(1.0, largest) if scaled else 1.0)


def describe(name: str, got: Any) -> Answer:
    """Return an answer as numbers, or in words why there are none.

    Raises
    ------
    TypeError
        It lies on a GPU.

    Examples
    --------
    >>> describe("got", None).words
    'The answer is None. Does the function end with a return line?'
    """
    if hasattr(got, "__cuda_array_interface__"):
        raise TypeError(f"{name} lies on a GPU: pass cnnlab.to_numpy(…)")
    if got is None:
        return Answer(None, None, None, "The answer is None. Does the function end with a return line?")
    kind = type(got).__name__
    if not isinstance(got, np.ndarray | np.generic | list | tuple | int | float | bool):
        return Answer(None, None, None, f"The answer is an object of type {kind}: return a NumPy array of numbers.")
    words = ""
    if isinstance(got, list | tuple):
        words = f"The answer is a {kind}, not a NumPy array: np.array(…) makes one."
    elif not isinstance(got, np.ndarray):
        words = "The answer is one number, not an array."
    try:
        array = np.asarray(got)
    except ValueError:  # lists of different lengths
        return Answer(None, None, None, f"{words} Its parts have different lengths, so it has no shape.")
    shape = [int(n) for n in array.shape]
    if array.dtype.kind not in "fiub":
        what = "complex numbers" if array.dtype.kind == "c" else "no real numbers"
        remark = f"{words} It holds {what} (dtype {array.dtype}).".strip()
        return Answer(None, shape, str(array.dtype), remark)
    return Answer(array.astype(np.float64), shape, str(array.dtype), words)


def aligned(
    expected: NDArray[Any], got: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, str]:
    """Return both with the same number of axes, at least one, and in words how they were brought together.

    Arrays that differ in axes of length 1 only are compared as if they had them; otherwise the shorter shape gets axes
    in front, and what lies in both is compared.
    """
    right = np.atleast_1d(expected).astype(np.float64)
    if got is None:
        return right, None, ""
    if got.shape == expected.shape:
        return right, got.reshape(right.shape), ""
    squeezed = [tuple(n for n in a.shape if n != 1) for a in (expected, got)]
    if squeezed[0] == squeezed[1]:
        words = "Apart from axes of length 1 the shapes agree, so all cells are compared."
        return right, got.reshape(right.shape), words
    axes = max(right.ndim, got.ndim)
    right, other = (a.reshape((1,) * (axes - a.ndim) + a.shape) for a in (right, got))
    both = prod(min(pair) for pair in zip(right.shape, other.shape, strict=True))
    front = "" if expected.ndim == got.ndim else "The shorter shape was given axes in front. "
    return right, other, f"{front}Compared are the {both} cells that both have, counted from the first of each axis."


def block_around(
    expected: NDArray[np.float64],
    got: NDArray[np.float64] | None,
    first: tuple[int, ...] | None,
    wrong: NDArray[np.bool_] | None,
) -> tuple[dict[str, Any], NDArray[np.float64], NDArray[np.float64] | None]:
    """Return a part of both arrays around the first wrong number, with its place in the whole."""
    shape = expected.shape if got is None else tuple(map(max, zip(expected.shape, got.shape, strict=True)))
    at = first or (0,) * len(shape)
    room = MOST_CELLS
    cuts: list[slice] = []
    for i, size in reversed(list(zip(at, shape, strict=True))):
        take = max(1, min(size, room, _WIDEST))
        start = min(max(0, i - take // 2), size - take)
        cuts.insert(0, slice(start, start + take))
        room //= take
    block = {
        "start": [cut.start for cut in cuts],
        "whole": [int(n) for n in shape],
        "wrong": None if wrong is None else int(wrong.sum()),
        "cells": int(prod(shape)),
    }
    return block, expected[tuple(cuts)], None if got is None else got[tuple(cuts)]
