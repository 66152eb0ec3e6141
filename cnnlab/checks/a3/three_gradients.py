"""The three gradients of a convolution with exchangeable parts, from which the known mistakes are made.

The right gradients are not made from it: they stand by themselves in `conv2d_backward`, so that a slip here cannot
make a wrong answer pass. There, windows are taken one by one; here, all edges of a tap or a window at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]
Backward = Callable[[Array, Array, Array, Pair, Pair], Any]


@dataclass(frozen=True)
class Sizes:
    """Rows and columns of everything; `span` is what all windows cover together, from the first to the last."""

    image: Pair
    kernel: Pair
    out: Pair
    stride: Pair
    padding: Pair

    @property
    def span(self) -> Pair:
        """Rows and columns from the start of the first window to the end of the last."""
        rows, columns = ((o - 1) * s + k for o, s, k in zip(self.out, self.stride, self.kernel, strict=True))
        return rows, columns


def unchanged(value: Any, *_: Any) -> Any:
    """Return the first argument."""
    return value


def zeros_around(x: Array, padding: Pair) -> Array:
    """Return `x` with zeros around each map."""
    P_H, P_W = padding
    return np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)))


def cut_out(frame: Array, s: Sizes) -> Array:
    """Return the picture's place in the padded frame."""
    (top, left), (H, W) = s.padding, s.image
    return frame[:, :, top : top + H, left : left + W]


def shares_of_all_filters(dy: Array, w: Array) -> Array:
    """Return what each window sends back to each of its pixels, shape (N, C_in, P_H, K_H, P_W, K_W)."""
    return np.asarray(np.tensordot(dy, w, axes=(1, 0)).transpose(0, 3, 1, 4, 2, 5))


def added_up(shares: Array, rows: Array, columns: Array, frame: Array) -> None:
    """Add every share to its pixel of `frame`; `rows` is (P_H, K_H) and `columns` (P_W, K_W)."""
    for p, q in np.ndindex(len(rows), len(columns)):
        i, j = np.ix_(rows[p], columns[q])
        frame[:, :, i, j] += shares[:, :, p, :, q]


def products(dy: Array, windows: Array) -> Array:
    """Return the sum over samples and places of dy times what each weight saw, shape (C_out, C_in, K_H, K_W).

    Parameters
    ----------
    dy
        Shape (N, C_out, P_H, P_W).
    windows
        Shape (N, C_in, P_H, K_H, P_W, K_W).
    """
    return np.asarray(np.tensordot(dy, windows, axes=((0, 2, 3), (0, 2, 4))))


def taps_of_kernel(image: Pair, s: Sizes) -> Pair:
    """Return the rows and columns of dw."""
    return s.kernel


def sum_of_all(dy: Array) -> Array:
    """Return db."""
    return np.asarray(dy.sum(axis=(0, 2, 3)))


def assemble(
    *,
    dx_padding: Callable[[Pair], Pair] = unchanged,
    dx_stride: Callable[[Pair], Pair] = unchanged,
    dx_kernel: Callable[[Array], Array] = unchanged,
    dx_shares: Callable[[Array, Array], Array] = shares_of_all_filters,
    dx_collect: Callable[[Array, Array, Array, Array], None] = added_up,
    dx_cut: Callable[[Array, Sizes], Array] = cut_out,
    dx_scale: Callable[[Array, Array], Array] = unchanged,
    dw_image: Callable[[Array, Pair], Array] = zeros_around,
    dw_stride: Callable[[Pair], Pair] = unchanged,
    dw_taps: Callable[[Pair, Sizes], Pair] = taps_of_kernel,
    dw_products: Callable[[Array, Array], Array] = products,
    dw_turn: Callable[[Array], Array] = unchanged,
    dw_scale: Callable[[Array, Array], Array] = unchanged,
    db: Callable[[Array], Any] = sum_of_all,
    results: Callable[[Any, Any, Any], Any] = lambda dx, dw, db: (dx, dw, db),
) -> Backward:
    """Return a `conv2d_backward` with other parts.

    Parameters
    ----------
    dx_padding, dx_stride, dw_stride
        What is done to these pairs first.
    dx_kernel
        What is done to the weights for dx; turned here is the same as not turned in a convolution of dy.
    dx_shares, dx_collect
        What each window sends back, and how it gets into the padded frame.
    dx_cut
        From the frame to dx.
    dx_scale, dw_scale
        What dx and dw are multiplied with, from them and dy.
    dw_image
        The image that the weights saw, from x and padding.
    dw_taps
        Rows and columns of dw, from those of that image.
    dw_products
        From dy and windows (N, C_in, P_H, K_H, P_W, K_W) to dw.
    dw_turn
        What is done to dw.
    db
        From dy.
    results
        What is returned of the three.
    """

    def input_gradient(dy: Array, x: Array, w: Array, sizes: Sizes) -> Array:
        frame = np.zeros_like(zeros_around(x, sizes.padding))
        rows, columns = places(sizes, sizes.kernel)
        dx_collect(dx_shares(dy, dx_kernel(w)), rows, columns, frame)
        return dx_scale(dx_cut(frame, sizes), dy)

    def weight_gradient(dy: Array, x: Array, sizes: Sizes) -> Array:
        image = dw_image(x, sizes.padding)
        rows, columns = places(sizes, dw_taps(image.shape[2:], sizes))
        windows = image[:, :, rows][..., columns]  # (N, C_in, P_H, K_H, P_W, K_W)
        return dw_scale(dw_turn(dw_products(dy, windows)), dy)

    def conv2d_backward(dy: Array, x: Array, w: Array, stride: Pair, padding: Pair) -> Any:
        image, kernel, out = x.shape[2:], w.shape[2:], dy.shape[2:]
        dx = input_gradient(dy, x, w, Sizes(image, kernel, out, dx_stride(stride), dx_padding(padding)))
        dw = weight_gradient(dy, x, Sizes(image, kernel, out, dw_stride(stride), padding))
        return results(dx, dw, db(dy))

    return conv2d_backward


def places(s: Sizes, taps: Pair) -> tuple[Array, Array]:
    """Return the rows (P_H, K_H) and the columns (P_W, K_W) of all windows in the padded picture."""
    rows, columns = (
        np.arange(o)[:, None] * step + np.arange(k) for o, step, k in zip(s.out, s.stride, taps, strict=True)
    )
    return rows, columns
