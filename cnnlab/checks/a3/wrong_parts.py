"""Parts of a convolution as they go wrong; `convolving.convolve` takes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from cnnlab.checks.a3.convolving import Array, Grid, Pair, Sizes, every_full_window, full_windows, sum_of_products

Rule = Callable[[int, int, int], range]


def stops_early(length: int, size: int, step: int) -> range:
    """Forget that a window may end exactly at the end: ``range(0, length - size, step)``."""
    return range(0, length - size, step)


def counts_one_less(length: int, size: int, step: int) -> range:
    """Forget the + 1 in the number of windows."""
    return range(0, (length - size) // step * step, step)


def neighbors(length: int, size: int, step: int) -> range:
    """Use the step for the number of windows, but start them at 0, 1, 2, …."""
    return range(len(full_windows(length, size, step)))


def side_by_side(length: int, size: int, step: int) -> range:
    """Step by the size of the window."""
    return full_windows(length, size, size)


def grid_by(rows: Rule = full_windows, columns: Rule = full_windows) -> Grid:
    """Return a grid with other rules along the rows and along the columns."""

    def grid(s: Sizes) -> tuple[range, range]:
        return rows(s.image[0], s.kernel[0], s.stride[0]), columns(s.image[1], s.kernel[1], s.stride[1])

    return grid


def grid_of(change: Callable[[Sizes], Sizes]) -> Grid:
    """Return the right grid for other sizes."""
    return lambda sizes: every_full_window(change(sizes))


def with_image(change: Callable[[Sizes], Pair]) -> Grid:
    """Return the right grid for an image of another size."""
    return grid_of(lambda s: replace(s, image=change(s)))


def with_kernel(change: Callable[[Sizes], Pair]) -> Grid:
    """Return the right grid for a kernel of another size."""
    return grid_of(lambda s: replace(s, kernel=change(s)))


def less_padding(times: int) -> Grid:
    """Return the right grid for an image with so many paddings less."""
    return with_image(lambda s: (s.image[0] - times * s.padding[0], s.image[1] - times * s.padding[1]))


def last_tap(windows: Array, w: Array) -> Array:
    """Let each product of a channel's window overwrite the one before: ``=`` for ``+=`` in the loop over taps."""
    return sum_of_products(windows[:, :, :, -1:, :, -1:], w[:, :, -1:, -1:])


def last_product(windows: Array, w: Array) -> Array:
    """Let every product overwrite the one before it."""
    return last_tap(windows[:, -1:], w[:, -1:])


def sums_of_batch(windows: Array, w: Array) -> Array:
    """Add up the samples, and lose their axis."""
    return np.asarray(sum_of_products(windows, w).sum(axis=0))


def kept_sums_of_batch(windows: Array, w: Array) -> Array:
    """Add up the samples, and keep an axis of length 1."""
    return np.asarray(sum_of_products(windows, w).sum(axis=0, keepdims=True))


def first_sample_for_all(windows: Array, w: Array) -> Array:
    """Look at the first sample only, and give all samples its numbers."""
    return np.repeat(sum_of_products(windows[:1], w), len(windows), axis=0)


def cut_each_time(windows: Array, w: Array) -> Array:
    """Add up in an array of whole numbers, which cuts after each product."""
    N, C_in, H_out, K_H, W_out, K_W = windows.shape
    y = np.zeros((N, len(w), H_out, W_out), dtype=int)
    for c, i, j in np.ndindex(C_in, K_H, K_W):
        y = (y + windows[:, c, None, :, i, :, j] * w[:, c, i, j, None, None]).astype(int)
    return y


def whole(y: Array) -> Array:
    """Cut what stands after the point."""
    return y.astype(int)


def larger(rows: Callable[[Sizes], Pair], *, at_start: bool = False) -> Callable[[Array, Sizes], Array]:
    """Return a `frame` that puts the answer into a larger array of zeros.

    Parameters
    ----------
    rows
        The number of rows and of columns of that array.
    at_start
        Write each number where its window starts.
    """

    def frame(y: Array, sizes: Sizes) -> Array:
        step = sizes.stride if at_start else (1, 1)
        framed = np.zeros((*y.shape[:2], *rows(sizes)), dtype=y.dtype)
        framed[:, :, : y.shape[2] * step[0] : step[0], : y.shape[3] * step[1] : step[1]] = y
        return framed

    return frame


def rounded_up(s: Sizes) -> Pair:
    """Return the number of windows with the division rounded up."""
    first, second = (-(-(s.image[a] - s.kernel[a]) // s.stride[a]) + 1 for a in (0, 1))
    return first, second


def at_stride_one(s: Sizes) -> Pair:
    """Return the number of windows without stride."""
    return s.image[0] - s.kernel[0] + 1, s.image[1] - s.kernel[1] + 1


def read_as(*order: int) -> Callable[[Array], Array]:
    """Return a `kernel` that reads the memory of the weights as if their axes stood in another order.

    This is what a matrix product does whose two sides were flattened in different orders.
    """
    back = [order.index(axis) for axis in range(4)]

    def kernel(w: Array) -> Array:
        shape = [w.shape[axis] for axis in order]
        return np.ascontiguousarray(w).reshape(shape).transpose(back)

    return kernel


def read_answer_as(*order: int) -> Callable[[Array], Array]:
    """Return a `then` that flattens the answer with its axes in this order and reshapes it as if they were right."""

    def then(y: Array) -> Array:
        return np.ascontiguousarray(y.transpose(order)).reshape(y.shape)

    return then


def padded_with(mode: Any) -> Callable[[Array, Pair], Array]:
    """Return a `pad` of another mode of `numpy.pad`."""
    return lambda x, p: np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])), mode=mode)


def padded_by(
    change: Callable[[int, int], tuple[Pair, Pair]], *, batch: Callable[[int, int], int] = lambda P_H, P_W: 0
) -> Callable[[Array, Pair], Array]:
    """Return a `pad` by other widths, given as ((top, bottom), (left, right))."""

    def pad(x: Array, padding: Pair) -> Array:
        samples = batch(*padding)
        return np.pad(x, ((samples, samples), (0, 0), *change(*padding)))

    return pad


def zeros_over_border(x: Array, padding: Pair) -> Array:
    """Overwrite the border of each map with zeros."""
    P_H, P_W = padding
    x = x.copy()
    for axis, P in ((2, P_H), (3, P_W)):
        if P:
            there = np.moveaxis(x, axis, 0)
            there[:P] = there[-P:] = 0
    return x
