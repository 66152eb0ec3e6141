"""Pooling 2×2 for some windows of a row at once, as vectors.

LLVM makes vectors of plain loops too (`pools.py`), but it takes so many windows at a time that rows of small maps are
left to its rest, one by one. Here the last vector of a row begins early enough to end with the row; what it computes a
second time is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from cnnlab.kernels.fast import vectors as v


class _Windows:
    """So many windows side by side, of rows of the input and rows of the output, which come as addresses."""

    def __init__(self, b: Any, count: int) -> None:
        self.b, self.count = b, count
        self.one, self.two = ir.VectorType(v.FLOAT, count), ir.VectorType(v.FLOAT, 2 * count)
        self.nothing = ir.Constant(self.one, [0.0] * count)

    def neighbors(self, row: Any) -> tuple[Any, Any]:
        """Return the left and the right entries of the windows in a row of the input."""
        both = v.load(self.b, row, self.two)
        left, right = (v.shuffle(self.b, both, both, range(first, 2 * self.count, 2)) for first in (0, 1))
        return left, right

    def put(self, left: Any, right: Any, row: Any) -> None:
        """Store left and right entries in a row of the gradient."""
        woven = [i // 2 + self.count * (i % 2) for i in range(2 * self.count)]
        v.store(self.b, v.shuffle(self.b, left, right, woven), row)

    def wins(self, x: Any, y: Any) -> Any:
        """Return where x is the largest: the first of equal ones, and NaN above all."""
        return self.b.or_(self.b.fcmp_ordered(">=", x, y), self.b.fcmp_unordered("uno", x, x))

    def larger(self, x: Any, y: Any) -> Any:
        """Return the larger of each pair."""
        return self.b.select(self.wins(x, y), x, y)


def _largest(w: _Windows, upper: Any, lower: Any, out: Any, *_: Any) -> None:
    top, bottom = (w.larger(*w.neighbors(row)) for row in (upper, lower))
    v.store(w.b, w.larger(top, bottom), out)


def _largest_back(w: _Windows, upper: Any, lower: Any, dy: Any, over: Any, under: Any, _: Any) -> None:
    gradient, rows = v.load(w.b, dy, w.one), [w.neighbors(row) for row in (upper, lower)]
    high = w.wins(*(w.larger(*row) for row in rows))
    for row, target, pair in zip(rows, (over, under), ((gradient, w.nothing), (w.nothing, gradient)), strict=True):
        left, share = w.wins(*row), w.b.select(high, *pair)
        w.put(w.b.select(left, share, w.nothing), w.b.select(left, w.nothing, share), target)


def _mean(w: _Windows, upper: Any, lower: Any, out: Any, over: Any, under: Any, counts: Any) -> None:
    del over, under
    total = None
    for entries in (*w.neighbors(upper), *w.neighbors(lower)):
        total = entries if total is None else w.b.fadd(total, entries)
    v.store(w.b, w.b.fdiv(total, v.load(w.b, counts, w.one)), out)


def _mean_back(w: _Windows, upper: Any, lower: Any, share: Any, over: Any, under: Any, _: Any) -> None:
    del upper, lower
    entries = v.load(w.b, share, w.one)
    for row in (over, under):
        w.put(entries, entries, row)


def _compiled_into(what: Callable[..., None], count: int) -> Any:
    """Return an intrinsic for so many windows, given addresses: two rows of x, y or dy, two rows of dx, and counts."""

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        what(_Windows(b, count), *arguments)
        return context.get_dummy_value()

    def typing(context: Any, upper: Any, lower: Any, small: Any, over: Any, under: Any, counts: Any) -> Any:
        del context, upper, lower, small, over, under, counts
        return types.void(*[types.intp] * 6), build

    return intrinsic(typing)


eight_largest, four_largest = (_compiled_into(_largest, count) for count in (8, 4))
eight_largest_back, four_largest_back = (_compiled_into(_largest_back, count) for count in (8, 4))
eight_mean, four_mean = (_compiled_into(_mean, count) for count in (8, 4))
eight_mean_back, four_mean_back = (_compiled_into(_mean_back, count) for count in (8, 4))
