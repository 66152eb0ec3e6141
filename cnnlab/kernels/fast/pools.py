"""Loops of the pooling layers: those of 2×2 windows side by side, and the way back of any largest value.

They are written so that LLVM makes vectors of the innermost loop: it runs along a row, chooses between values, and
branches nowhere. A number that is not equal to itself is NaN, which counts as the largest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.kernels.fast.compiled import compiled
from cnnlab.kernels.fast.jobs import code_of, kept, share_out
from cnnlab.kernels.fast.pairs import (
    eight_largest,
    eight_largest_back,
    eight_mean,
    eight_mean_back,
    four_largest,
    four_largest_back,
    four_mean,
    four_mean_back,
)

# What `pairs` is to do, as the length of a tuple, for which each is compiled by itself.
LARGEST, LARGEST_BACK, MEAN, MEAN_BACK = (), (0,), (0, 0), (0, 0, 0)

# ruff: noqa: PLR0124  (a number that is compared with itself)


@compiled
def pairs(what: Any, x: Any, small: Any, dx: Any, counts: Any, first: int, stop: int) -> None:
    """Pool some maps by 2×2 at stride 2, or go back: float32, without gaps in memory, at least four windows a row.

    ``small`` is y or dy (maps, H_out, W_out), x and dx are (maps, H, W), counts (H_out, W_out). What is not needed may
    be any array of as many axes.
    """
    high, wide, across = small.shape[1], small.shape[2], 4 * x.shape[2]
    for n in range(first, stop):
        for r in range(high):
            a = x.ctypes.data + (n * x.shape[1] + 2 * r) * across
            c = dx.ctypes.data + (n * x.shape[1] + 2 * r) * across
            out, count = small.ctypes.data + 4 * (n * high + r) * wide, counts.ctypes.data + 4 * r * wide
            if wide >= 8:
                for begin in range(0, wide, 8):
                    q = 4 * min(begin, wide - 8)
                    if len(what) == 0:
                        eight_largest(a + 2 * q, a + across + 2 * q, out + q, 0, 0, 0)
                    elif len(what) == 1:
                        eight_largest_back(a + 2 * q, a + across + 2 * q, out + q, c + 2 * q, c + across + 2 * q, 0)
                    elif len(what) == 2:
                        eight_mean(a + 2 * q, a + across + 2 * q, out + q, 0, 0, count + q)
                    else:
                        eight_mean_back(0, 0, out + q, c + 2 * q, c + across + 2 * q, 0)
            else:
                for begin in range(0, wide, 4):
                    q = 4 * min(begin, wide - 4)
                    if len(what) == 0:
                        four_largest(a + 2 * q, a + across + 2 * q, out + q, 0, 0, 0)
                    elif len(what) == 1:
                        four_largest_back(a + 2 * q, a + across + 2 * q, out + q, c + 2 * q, c + across + 2 * q, 0)
                    elif len(what) == 2:
                        four_mean(a + 2 * q, a + across + 2 * q, out + q, 0, 0, count + q)
                    else:
                        four_mean_back(0, 0, out + q, c + 2 * q, c + across + 2 * q, 0)
        if len(what) == 1 or len(what) == 3:
            _clear_rest(dx[n], high, wide)


@compiled
def pairs_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(pairs, fixed), kept(fixed), shares)


@compiled
def _clear_rest(dx: Any, high: int, wide: int) -> None:
    """Put zeros into the row and the column that no pair covers."""
    if 2 * high < dx.shape[0]:
        dx[2 * high] = 0
    if 2 * wide < dx.shape[1]:
        dx[:, 2 * wide] = 0


@compiled
def largest_back(step: Any, dy: Any, x: Any, dx: Any, g: Any, first: int, stop: int) -> None:
    """Write dx (maps, *sizes) for some maps of x: each gradient at the first place of its window's largest value.

    ``g`` is a `cnnlab.kernels.fast.pooling.Windows`. All maps have three axes; a size of 1 stands for one that is not
    there. The step along a row is the length of a tuple, for which each is compiled by itself.
    """
    tops = np.empty(dy.shape[3], x.dtype)
    places = np.empty(dy.shape[3], np.int32)  # in the map; few maps have over two thousand million
    for n in range(first, stop):
        dx[n] = 0
        flat = dx[n].reshape(-1)
        for i in range(dy.shape[1]):
            for r in range(dy.shape[2]):
                places[:] = -1
                for a in range(g.kernel[0]):
                    d = i * g.stride[0] + a * g.dilation[0] - g.before[0]
                    for b in range(g.kernel[1]):
                        h = r * g.stride[1] + b * g.dilation[1] - g.before[1]
                        if d < 0 or d >= x.shape[1] or h < 0 or h >= x.shape[2]:
                            continue
                        for c in range(g.kernel[2]):
                            begin, end, at = _seers(c * g.dilation[2] - g.before[2], len(step), x.shape[3], dy.shape[3])
                            row, top, place = x[n, d, h, at:], tops[begin:end], places[begin:end]
                            base = (d * x.shape[2] + h) * x.shape[3] + at
                            for q in range(end - begin):
                                v, best, was = row[q * len(step)], top[q], place[q]
                                wins = (was < 0) | (v > best) | ((v != v) & (best == best))
                                top[q] = v if wins else best
                                place[q] = np.int32(base + q * len(step)) if wins else was
                for q in range(dy.shape[3]):
                    if places[q] >= 0:
                        flat[places[q]] += dy[n, i, r, q]


@compiled
def largest_back_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(largest_back, fixed), kept(fixed), shares)


@compiled
def _seers(offset: int, step: int, inputs: int, outputs: int) -> tuple[int, int, int]:
    """Return the outputs that see an input by a tap at this offset, first and end, and what the first of them sees."""
    begin = max(0, -(offset // step))
    end = max(begin, min(outputs, (inputs - 1 - offset) // step + 1))
    return begin, end, max(0, begin * step + offset)
