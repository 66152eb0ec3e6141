"""Views of NumPy arrays that the algorithms work on, and tiles of the output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ctypes import addressof, c_byte
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Ints: TypeAlias = tuple[int, ...]


def windows(x: FloatArray, kernel: Ints, out: Ints, stride: Ints, dilation: Ints) -> FloatArray:
    """Return the view (C, *kernel, *out) of x (C, *padded): what each tap sees at each place.

    Axes of x behind the padded ones, such as the batch, come behind the places. Nothing is copied, and the view cannot
    be written to.
    """
    rank = len(kernel)
    steps = x.strides[1 : 1 + rank]
    shape = (x.shape[0], *kernel, *out, *x.shape[1 + rank :])
    strides = (
        x.strides[0],
        *(step * d for step, d in zip(steps, dilation, strict=True)),
        *(step * s for step, s in zip(steps, stride, strict=True)),
        *x.strides[1 + rank :],
    )
    return as_strided(x, shape, strides, writeable=False)


def tiles(out: Ints, positions: int) -> Iterator[tuple[tuple[slice, ...], int, int]]:
    """Cut the places of a map into boxes of at most so many places, each without a gap in row-major order.

    Yields
    ------
    box : tuple of slices
        One for each axis.
    start, stop : int
        The places that it covers, counted in row-major order.

    Examples
    --------
    >>> for box, start, stop in tiles((3, 4), 8):
    ...     print(box, start, stop)
    (slice(0, 2, None), slice(0, 4, None)) 0 8
    (slice(2, 3, None), slice(0, 4, None)) 8 12
    """
    axis = len(out) - 1  # the axis that is cut; those after it are taken whole, of those before it one place at a time
    while axis > 0 and prod(out[axis:]) <= positions:
        axis -= 1
    inner = prod(out[axis + 1 :])
    step = min(out[axis], max(1, positions // max(inner, 1)))
    step = -(-out[axis] // -(-out[axis] // step))  # tiles of about equal size
    whole = tuple(slice(0, size) for size in out[axis + 1 :])
    for number, before in enumerate(product(*map(range, out[:axis]))):
        first = tuple(slice(i, i + 1) for i in before)
        base = number * out[axis] * inner
        for a in range(0, out[axis], step):
            b = min(out[axis], a + step)
            yield (*first, slice(a, b), *whole), base + a * inner, base + b * inner


def tile_size(out: Ints, positions: int) -> int:
    """Return the number of places in the largest of the `tiles`."""
    return max((stop - start for _, start, stop in tiles(out, positions)), default=0) if prod(out) else 0


def at(box: Iterable[int | slice]) -> Any:
    """Return the index that takes the box from the last axes of an array."""
    return (..., *box)


def put(target: FloatArray, array: FloatArray, *, add: bool) -> None:
    """Copy an array to its place, or add it to what is there."""
    if add:
        target += array
    else:
        np.copyto(target, array)


def put_product(target: FloatArray, a: FloatArray, b: FloatArray, memory: FloatArray, *, add: bool) -> None:
    """Write a @ b to its place, or into memory of that shape and add it to what is there."""
    np.matmul(a, b, out=memory if add else target)
    if add:
        target += memory


def flip(w: FloatArray, rank: int) -> FloatArray:
    """Return w with its last axes reversed, as a view."""
    flipped: FloatArray = w[at([slice(None, None, -1)] * rank)]
    return flipped


def address(array: np.ndarray[Any, np.dtype[Any]]) -> int:
    """Return where the first number of an array is."""
    try:
        return addressof(c_byte.from_buffer(array))  # type: ignore[arg-type]  # three times as fast as what always works
    except (TypeError, ValueError, BufferError):  # read-only, or not in a row
        return int(array.__array_interface__["data"][0])


def sum_rows(array: FloatArray) -> FloatArray:
    """Return the sums along the last axis, as a product with ones: several times as fast as a sum."""
    sums: FloatArray = array @ _ones(array.shape[-1], array.dtype)
    return sums


@lru_cache(maxsize=16)
def _ones(count: int, dtype: np.dtype[Any]) -> FloatArray:
    return np.ones(count, dtype)


def correlation_size(padded: Sequence[int], kernel: Ints, stride: Ints, dilation: Ints) -> Ints:
    """Return how many windows fit on each axis of an input that is padded already."""
    axes = zip(padded, kernel, stride, dilation, strict=True)
    return tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in axes)
