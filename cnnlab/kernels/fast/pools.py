"""Max pooling of pairs of neighbors in rows and columns, compiled: one pass over the input both ways."""

from __future__ import annotations

from typing import Any

from cnnlab.kernels.fast.loops import compiled

# In comparisons here a number that is not itself is NaN, which counts as the largest.


@compiled
def largest(x: Any, y: Any, first: int, stop: int) -> None:
    """Write y (maps, H_out, W_out) for some maps of x (maps, H, W)."""
    for n in range(first, stop):
        for r in range(y.shape[1]):
            upper, lower, out = x[n, 2 * r], x[n, 2 * r + 1], y[n, r]
            for q in range(y.shape[2]):
                a, b, c, d = upper[2 * q], upper[2 * q + 1], lower[2 * q], lower[2 * q + 1]
                top = a if a >= b or a != a else b  # noqa: PLR0124
                bottom = c if c >= d or c != c else d  # noqa: PLR0124
                out[q] = top if top >= bottom or top != top else bottom  # noqa: PLR0124


@compiled
def back(dy: Any, x: Any, dx: Any, first: int, stop: int) -> None:
    """Write dx (maps, H, W): each gradient at the first place of its window's largest value."""
    zero = x.dtype.type(0)
    for n in range(first, stop):
        for r in range(dy.shape[1]):
            upper, lower, upstream = x[n, 2 * r], x[n, 2 * r + 1], dy[n, r]
            over, under = dx[n, 2 * r], dx[n, 2 * r + 1]
            for q in range(dy.shape[2]):
                a, b, c, d = upper[2 * q], upper[2 * q + 1], lower[2 * q], lower[2 * q + 1]
                ab, cd = a >= b or a != a, c >= d or c != c  # noqa: PLR0124
                top, bottom = a if ab else b, c if cd else d
                high = top >= bottom or top != top  # noqa: PLR0124
                g = upstream[q]
                over[2 * q] = g if high and ab else zero
                over[2 * q + 1] = g if high and not ab else zero
                under[2 * q] = g if not high and cd else zero
                under[2 * q + 1] = g if not high and not cd else zero
