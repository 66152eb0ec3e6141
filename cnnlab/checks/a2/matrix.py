"""A scan's matrix with exchangeable parts, from which the known mistakes are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Sizes = tuple[int, ...]
Count = Callable[[int, int, int, int], int]
Land = Callable[[Sizes, Sizes, Sizes, Sizes], int | None]
Layout = Callable[[Array, Sizes, Sizes], Array]


def as_given(numbers: Sizes) -> Sizes:
    """Return the stride or the padding as it was given."""
    return numbers


def full_windows(n: int, K: int, stride: int, padding: int) -> int:
    """Return how many windows lie inside the padded input."""
    return (n + 2 * padding - K) // stride + 1


def moved_by_stride(q: int, stride: int, padding: int) -> int:
    """Return where window number q starts, in the input without padding."""
    return q * stride - padding


def upright(tap: Sizes, kernel: Sizes) -> Sizes:
    """Return the tap of the kernel that meets number `tap` of the window."""
    return tap


def number_of(position: Sequence[int], n: Sizes) -> int:
    """Return the number of a position in C order; it may lie outside."""
    number = 0
    for index, size in zip(position, n, strict=True):
        number = number * size + index
    return number


def place_of(first: Sizes, tap: Sizes) -> Sizes:
    """Return the position of a tap of the window that starts at `first`."""
    return tuple(start + t for start, t in zip(first, tap, strict=True))


def inside_only(first: Sizes, tap: Sizes, kernel: Sizes, n: Sizes) -> int | None:
    """Return the column within a block of columns; None for a zero of the padding."""
    position = place_of(first, tap)
    if all(0 <= index < size for index, size in zip(position, n, strict=True)):
        return number_of(position, n)
    return None


def by_channel(blocks: Array, counts: Sizes, n: Sizes) -> Array:
    """Return the matrix from an array (C_out, P, C_in, inputs): channels first in rows and columns."""
    C_out, P, C_in, inputs = blocks.shape
    return blocks.reshape(C_out * P, C_in * inputs)


def assemble(
    *,
    strides: Callable[[Sizes], Sizes] = as_given,
    paddings: Callable[[Sizes], Sizes] = as_given,
    sizes: Callable[[Sizes, Sizes], Sizes] = lambda n, padding: n,
    weights: Callable[[Array], Array] = lambda w: w,
    count: Count = full_windows,
    start: Callable[[int, int, int], int] = moved_by_stride,
    turn: Callable[[Sizes, Sizes], Sizes] = upright,
    land: Land = inside_only,
    layout: Layout = by_channel,
) -> Callable[[Array, Sizes, Sizes, Sizes], Array]:
    """Return a `scan_matrix` with other parts.

    Parameters
    ----------
    strides, paddings
        What is made of the stride and the padding first.
    sizes
        What is made of the sizes of the input first, from them and the padding.
    weights
        What is made of the weights first.
    count
        How many windows there are along an axis, from size, kernel, stride and padding.
    start
        Where a window starts along an axis, from its number, stride and padding.
    turn
        Which tap of the kernel belongs to a tap of the window, from that and the kernel's sizes.
    land
        Which column of a block a tap falls on, from the window's start, the tap, the kernel's sizes and the input's.
    layout
        The matrix, from all entries (C_out, P, C_in, inputs), the windows along each axis and the sizes.
    """

    def scan_matrix(w: Array, n: Sizes, stride: Sizes, padding: Sizes) -> Array:
        n, stride, padding = sizes(n, padding), strides(stride), paddings(padding)
        w = weights(w)
        kernel = w.shape[2:]
        counts = tuple(map(count, n, kernel, stride, padding))
        blocks = np.zeros((w.shape[0], prod(counts), w.shape[1], prod(n)), dtype=w.dtype)
        for row, place in enumerate(np.ndindex(*counts)):
            first = tuple(map(start, place, stride, padding))
            for tap in np.ndindex(*kernel):
                column = land(first, tap, kernel, n)
                if column is not None:
                    weights_there: tuple[Any, ...] = (..., *turn(tap, kernel))
                    blocks[:, row, :, column] = w[weights_there]
        return layout(blocks, counts, n)

    return scan_matrix
