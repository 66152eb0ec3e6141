"""One convolution over any number of axes with exchangeable parts, from which the known mistakes are made.

The right convolution is not made from it: it stands by itself in `conv_nd`, so that a slip here cannot make a wrong
answer pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Ints = tuple[int, ...]
Pairs = Sequence[tuple[int, int]]
# From the length of an axis and the padding before and after it to the cells that stand there.
Cells = Callable[[int, int, int], Sequence[int]]


def both_sides(padding: Ints) -> Pairs:
    """Return how much stands before and after each axis."""
    return [(P, P) for P in padding]


def reflected(n: int, before: int, after: int) -> Sequence[int]:
    """Mirror without repeating the edge."""
    return [*range(before, 0, -1), *range(n), *range(n - 2, n - 2 - after, -1)]


def replicated(n: int, before: int, after: int) -> Sequence[int]:
    """Repeat the edge."""
    return [0] * before + [*range(n)] + [n - 1] * after


def circled(n: int, before: int, after: int) -> Sequence[int]:
    """Go on at the other end."""
    return [*range(n - before, n), *range(n), *range(after)]


def full_windows(n: int, reach: int, S: int, P: int) -> Sequence[int]:
    """Return where the windows start that fit entirely."""
    return range(0, n - reach + 1, S)


def without_change(x: Array, dilation: Ints) -> Array:
    """Leave the input as it is."""
    return x


def own_channels(windows: Array, w: Array, groups: int) -> Array:
    """Return one number for each sample, filter and window; each filter sees the channels of its group.

    Parameters
    ----------
    windows
        Shape (N, C_in, *positions, *kernel).
    w
        Shape (C_out, C_in / groups, *kernel).
    groups
        Consecutive blocks.
    """
    return by_blocks(np.split(windows, groups, axis=1), np.split(w, groups))


def by_blocks(windows: Sequence[Array], filters: Sequence[Array]) -> Array:
    """Return the outputs of each block of channels with its block of filters, one after another."""
    return np.concatenate([_products(v, w) for v, w in zip(windows, filters, strict=True)], axis=1)


def _products(windows: Array, w: Array) -> Array:
    kernel_axes = tuple(range(windows.ndim - (w.ndim - 2), windows.ndim))
    y = np.tensordot(windows, w, axes=((1, *kernel_axes), tuple(range(1, w.ndim))))  # (N, *positions, C_out)
    return np.asarray(np.moveaxis(y, -1, 1))


def one_bias_each(y: Array, b: Array, w: Array, groups: int) -> Array:
    """Return `y` with the bias of each filter added."""
    return np.asarray(y + b.reshape(-1, *[1] * (y.ndim - 2)))


def assemble(
    *,
    amounts: Callable[[Ints], Pairs] = both_sides,
    mode: Callable[[str], str] = lambda mode: mode,
    reflect: Cells = reflected,
    replicate: Cells = replicated,
    circular: Cells = circled,
    corners: Callable[[Array, Pairs, str], Array] = lambda padded, pairs, mode: padded,
    first: Callable[[Array, Ints], Array] = without_change,
    last: Callable[[Array, Ints], Array] = without_change,
    gaps: Callable[[Ints], Ints] = lambda dilation: dilation,
    steps: Callable[[Ints], Ints] = lambda stride: stride,
    reach: Callable[[int, int], int] = lambda K, D: D * (K - 1) + 1,
    starts: Callable[[int, int, int, int], Sequence[int]] = full_windows,
    kernel: Callable[[Array], Array] = lambda w: w,
    combine: Callable[[Array, Array, int], Array] = own_channels,
    bias: Callable[[Array, Array, Array, int], Array] = one_bias_each,
    then: Callable[[Array], Any] = lambda y: y,
) -> Callable[..., Any]:
    """Return a `conv_nd` with other parts.

    Parameters
    ----------
    amounts
        From padding to what stands before and after each axis.
    mode
        What is done to padding_mode first.
    reflect, replicate, circular
        Which cells stand along a padded axis.
    corners
        Changes the padded input, which it gets with the amounts and the mode.
    first, last
        Change the input before and after it is padded; they get the dilation too.
    gaps, steps
        What is done to dilation and stride.
    reach
        How far a kernel of K with dilation D reaches, for the number of windows; what hangs over the end is zero.
    starts
        Where windows start, from the length of the padded axis, the reach, the stride and the padding.
    kernel
        What is done to the weights.
    combine
        From windows, weights and groups to the products.
    bias
        Adds the bias.
    then
        What is done to the answer at the end.
    """
    rules = {"reflect": reflect, "replicate": replicate, "circular": circular}

    def pad(x: Array, pairs: Pairs, how: str) -> Array:
        for axis, (before, after) in enumerate(pairs, start=2):
            if how == "zeros":
                x = np.pad(x, [(before, after) if a == axis else (0, 0) for a in range(x.ndim)])
            else:
                x = np.take(x, rules[how](x.shape[axis], before, after), axis)
        return corners(x, pairs, how)

    def conv_nd(  # noqa: PLR0917  the student's signature
        x: Array, w: Array, b: Array, stride: Ints, padding: Ints, dilation: Ints, groups: int, padding_mode: str
    ) -> Any:
        windows = last(pad(first(x, dilation), amounts(padding), mode(padding_mode)), dilation)
        sizes = zip(windows.shape[2:], w.shape[2:], steps(stride), padding, gaps(dilation), strict=True)
        for axis, (n, K, S, P, D) in enumerate(sizes):
            first_taps = np.asarray(starts(n, reach(K, D), S, P), dtype=int)
            taps = first_taps[:, None] + D * np.arange(K)  # (places, K)
            over = max(0, int(taps.max(initial=0)) + 1 - n)
            at = 2 + axis
            longer = np.pad(windows, [(0, over) if a == at else (0, 0) for a in range(windows.ndim)])
            # The taps of all axes stand behind the positions of all axes.
            windows = np.moveaxis(np.take(longer, taps, at), at + 1, -1)
        return then(bias(combine(windows, kernel(w), groups), b, w, groups))

    return conv_nd
