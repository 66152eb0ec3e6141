"""One convolution with exchangeable parts, from which the known mistakes of the forward exercises are made.

The right convolutions are not made from it: they stand by themselves in `conv2d_loops` and `conv2d_forward`, so that a
slip here cannot make a wrong answer pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Sizes:
    """What the number of windows is computed from; pairs are (rows, columns), and `image` includes the padding."""

    image: Pair
    kernel: Pair
    stride: Pair
    padding: Pair


Grid = Callable[[Sizes], tuple[range, range]]


def full_windows(length: int, size: int, step: int) -> range:
    """Return where the windows start that fit entirely."""
    return range(0, length - size + 1, step)


def every_full_window(s: Sizes) -> tuple[range, range]:
    """Return where windows start along rows and columns: the right answer."""
    return full_windows(s.image[0], s.kernel[0], s.stride[0]), full_windows(s.image[1], s.kernel[1], s.stride[1])


def zeros_around(x: Array, padding: Pair) -> Array:
    """Return `x` with zeros around each map."""
    P_H, P_W = padding
    return np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)))


def sum_of_products(windows: Array, w: Array) -> Array:
    """Return one number for each sample, filter and window.

    Parameters
    ----------
    windows
        Shape (N, C_in, H_out, K_H, W_out, K_W).
    w
        Shape (C_out, C_in, K_H, K_W).
    """
    y = np.tensordot(windows, w, axes=((1, 3, 5), (1, 2, 3)))  # (N, H_out, W_out, C_out)
    return np.asarray(np.moveaxis(y, 3, 1))


def one_bias_each(y: Array, b: Array, w: Array) -> Array:
    """Return `y` with the bias of each filter added."""
    return np.asarray(y + b[:, None, None])


def convolve(
    x: Array,
    w: Array,
    b: Array,
    stride: Pair,
    padding: Pair,
    *,
    pad: Callable[[Array, Pair], Array] = zeros_around,
    kernel: Callable[[Array], Array] = lambda w: w,
    steps: Callable[[Pair], Pair] = lambda stride: stride,
    grid: Grid = every_full_window,
    combine: Callable[[Array, Array], Array] = sum_of_products,
    bias: Callable[[Array, Array, Array], Array] = one_bias_each,
    frame: Callable[[Array, Sizes], Array] = lambda y, sizes: y,
    then: Callable[[Array], Any] = lambda y: y,
) -> Any:
    """Convolve, with other parts.

    Parameters
    ----------
    x, w, b, stride, padding
        As in `conv2d_forward`.
    pad
        From x and padding to the padded x.
    kernel
        What is done to the weights first.
    steps
        The strides that are used.
    grid
        Where windows start; one that hangs over the end raises, as it does in NumPy.
    combine
        From windows (N, C_in, H_out, K_H, W_out, K_W) and weights to (N, C_out, H_out, W_out).
    bias
        Adds the bias, from that array, b and w.
    frame
        Puts the answer into an array of another size.
    then
        What is done to the answer at the end.
    """
    padded, w = pad(x, padding), kernel(w)
    sizes = Sizes(padded.shape[2:], w.shape[2:], steps(stride), padding)
    rows, columns = (np.asarray(starts, dtype=int)[:, None] for starts in grid(sizes))
    K_H, K_W = sizes.kernel
    windows = padded[:, :, rows + np.arange(K_H)][..., columns + np.arange(K_W)]
    # (N, C_in, H_out, K_H, W_out, K_W)
    return then(frame(bias(combine(windows, w), b, w), sizes))
