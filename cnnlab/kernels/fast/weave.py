"""Weaving maps together: every S-th number of a row from the same one, and every S-th row from the same ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from cnnlab.kernels.fast import vectors as v
from cnnlab.kernels.fast.compiled import compiled
from cnnlab.kernels.fast.jobs import code_of, kept, share_out
from cnnlab.kernels.fast.micro import BYTES, get, put
from cnnlab.kernels.fast.vectors import WIDE


@intrinsic  # type: ignore[untyped-decorator]
def in_turns(context: Any, masked: Any, even: Any, odd: Any, target: Any, evens: Any, odds: Any, count: Any) -> Any:
    """Write two vectors of numbers in turn: at most so many of each, and zeros for those that are not there.

    If ``masked`` is not empty only so many numbers are written.
    """
    del context, even, odd, target, evens, odds, count

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        even, odd, target, evens, odds, count = arguments[1:]
        both = v.load_first(b, even, evens), v.load_first(b, odd, odds)
        for half in range(2):
            turns = [half * WIDE // 2 + k // 2 + WIDE * (k % 2) for k in range(WIDE)]
            woven, here = v.shuffle(b, *both, turns), v.at(b, target, half * BYTES)
            if signature.args[0].count:
                v.store_masked(b, woven, here, v.below(b, b.sub(count, v.word(half * WIDE))))
            else:
                v.store(b, woven, here)
        return context.get_dummy_value()

    return types.void(masked, *[types.intp] * 6), build


@compiled
def weave(
    table: Any, size: Any, channels: int, dx: int, begin: int, first: int, stop: int, first_map: int, stop_map: int
) -> None:
    """Write some maps of some pictures of dx.

    ``table``, of the shape of the stride, says where the maps of the picture ``begin`` are that each rest modulo the
    stride comes from; 0 means that they are zeros.
    """
    deep, down, across = table.shape
    plane = size[1] * size[2]
    for i in range(first, stop):
        for c in range(first_map, stop_map):
            one, of_map = (i - begin) * channels + c, dx + 4 * (i * channels + c) * size[0] * plane
            for front in range(deep):
                some_deep = (size[0] - front + deep - 1) // deep
                for top in range(down):
                    some_down = (size[1] - top + down - 1) // down
                    for d in range(some_deep):
                        row = (one * some_deep + d) * some_down
                        target = of_map + 4 * ((front + d * deep) * plane + top * size[2])
                        step = 4 * down * size[2]
                        if across == 2:
                            even, odd = table[front, top, 0], table[front, top, 1]
                            _rows_in_turns(even, odd, row, some_down, size[2], target, step)
                        else:
                            for w in range(across):
                                source = table[front, top, w]
                                _rows_apart(source, row, some_down, size[2] - w, across, target + 4 * w, step)


@compiled
def weave_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(weave, fixed), kept(fixed), shares)


@compiled
def _rows_in_turns(even: int, odd: int, row: int, count: int, wide: int, target: int, step: int) -> None:
    evens, odds = (wide + 1) // 2, wide // 2
    # Where nothing is to be read an address has to be good all the same, or it takes very long.
    evens, even = (evens, even + 4 * row * evens) if even else (0, target)
    odds, odd = (odds, odd + 4 * row * odds) if odd else (0, target)
    whole = wide // (2 * WIDE) * WIDE
    for r in range(count):
        out = target + r * step
        for q in range(0, whole, WIDE):
            in_turns((), even + 4 * q, odd + 4 * q, out + 8 * q, evens - q, odds - q, 0)
        if wide > 2 * whole:
            q = whole
            in_turns((0,), even + 4 * q, odd + 4 * q, out + 8 * q, evens - q, odds - q, wide - 2 * q)
        even, odd = even + 4 * evens, odd + 4 * odds


@compiled
def _rows_apart(source: int, row: int, count: int, wide: int, across: int, target: int, step: int) -> None:
    some = (wide + across - 1) // across
    for r in range(count):
        for q in range(some):
            number = get(source + 4 * ((row + r) * some + q)) if source else np.float32(0)
            put(target + r * step + 4 * q * across, number)
