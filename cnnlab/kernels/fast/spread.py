"""The gradient to an input of few channels: each place of dy is spread over all that its window saw.

With the channels last, what a window sees in one row of the kernel is one run of numbers, kernel width × channels long.
For two places of dy the runs of all rows of the kernel are summed over its channels in registers, and then added to the
input's gradient: as many multiply-adds as the definition has, and vectors that are nearly full.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnnlab.kernels.fast import vectors as v
from cnnlab.kernels.fast.compiled import compiled
from cnnlab.kernels.fast.jobs import code_of, kept, share_out
from cnnlab.kernels.fast.micro import BYTES, get, put, put_zeros
from cnnlab.kernels.fast.vectors import WIDE


@intrinsic  # type: ignore[untyped-decorator]
def add_windows(
    context: Any,
    rows: Any,
    vectors: Any,
    valid: Any,
    places: Any,
    dy: Any,
    dy_step: Any,
    channels: Any,
    w: Any,
    dx: Any,
    line_step: Any,
    place_step: Any,
) -> Any:
    """Add to dx what some places of dy, side by side, give to their windows.

    The first four are tuples, of which the lengths count: rows of the kernel, vectors of a run, numbers in the last of
    them, and places. ``w`` holds (channels, rows, vectors) for the channels of dy.
    """
    del context
    rest = dy, dy_step, channels, w, dx, line_step, place_step

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        kernel, wide, valid, places = (kind.count for kind in signature.args[:4])
        dy, dy_step, channels, w, dx, line_step, place_step = arguments[4:]
        parts = [(k, i) for k in range(kernel) for i in range(wide)]
        before, loop, done = b.block, b.append_basic_block("channel"), b.append_basic_block("done")
        b.branch(loop)
        b.position_at_end(loop)
        m, upstream, weights = b.phi(v.WORD), b.phi(v.WORD), b.phi(v.WORD)
        sums = {(p, part): b.phi(v.VECTOR) for p in range(places) for part in parts}
        numbers = [v.broadcast(b, v.load(b, v.at(b, upstream, 4 * p), v.FLOAT)) for p in range(places)]
        new = {}
        for number, part in enumerate(parts):
            column = v.load(b, v.at(b, weights, number * BYTES))
            for p in range(places):
                new[p, part] = v.fma(b, numbers[p], column, sums[p, part])
        next_m = b.add(m, v.word(1))
        steps = [
            (m, v.word(0), next_m),
            (upstream, dy, b.add(upstream, dy_step)),
            (weights, w, v.at(b, weights, len(parts) * BYTES)),
            *((sums[place], v.splat(0), vector) for place, vector in new.items()),
        ]
        for phi, begin, end in steps:
            phi.add_incoming(begin, before)
            phi.add_incoming(end, loop)
        b.cbranch(b.icmp_signed("<", next_m, channels), loop, done)
        b.position_at_end(done)
        # Behind the end of a run nothing is added, not even a 0 times infinity.
        inside = ir.Constant(ir.VectorType(ir.IntType(1), WIDE), [int(k < valid) for k in range(WIDE)])
        for p in range(places):
            line = b.add(dx, b.mul(place_step, v.word(p))) if p else dx
            for k in range(kernel):
                line = b.add(line, line_step) if k else line
                for i in range(wide):
                    given = new[p, (k, i)]
                    given = b.select(inside, given, v.splat(0)) if i == wide - 1 else given
                    here = v.at(b, line, i * BYTES)
                    v.store(b, b.fadd(v.load(b, here), given), here)
        return context.get_dummy_value()

    return types.void(rows, vectors, valid, places, *[types.intp] * len(rest)), build


@compiled
def grad_input(
    rows: Any, vectors: Any, valid: Any, places: Any, g: Any, dy: int, w: int, dx: int, sums: int, first: int, stop: int
) -> None:
    """Compute some units of dx: a unit is a group of a picture; ``g`` is a `cnnlab.kernels.fast.narrow.Spread`.

    ``sums`` is room for one, (rows, pitch), with the channels last.
    """
    area, run = g.high * g.wide, len(rows) * len(vectors) * BYTES
    line, step = 4 * g.pitch * g.gap, 4 * g.step * g.channels
    for one in range(first, stop):
        for i in range(0, g.lines * g.pitch + WIDE, WIDE):
            put_zeros(sums + 4 * i)
        weights = w + one % g.groups * g.filters * run
        for r in range(g.high):
            upstream = dy + 4 * (one * g.filters * area + r * g.wide)
            target = sums + 4 * r * g.down * g.pitch
            whole = g.wide // len(places) * len(places)
            for q in range(0, whole, len(places)):
                add_windows(
                    rows, vectors, valid, places, upstream + 4 * q, 4 * area, g.filters, weights, target + step * q,
                    line, step,
                )  # fmt: skip
            for q in range(whole, g.wide):
                add_windows(
                    rows, vectors, valid, (0,), upstream + 4 * q, 4 * area, g.filters, weights, target + step * q, line,
                    step,
                )  # fmt: skip
        for c in range(g.channels):
            for r in range(g.size_high):
                source = sums + 4 * ((r + g.top) * g.pitch + g.left * g.channels + c)
                target = dx + 4 * (((one * g.channels + c) * g.size_high + r) * g.size_wide)
                for q in range(g.size_wide):
                    put(target + 4 * q, get(source + 4 * q * g.channels))


@compiled
def grad_input_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(grad_input, fixed), kept(fixed), shares)
