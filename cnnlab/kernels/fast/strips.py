"""Depthwise layers of two axes: strips of a map, a vector or two wide, from the top to the bottom.

A row of the input is read once and multiplied with all rows of the kernel: for the row of the output that begins there,
and for those that began above. So as many rows of sums are in work as rows of the kernel reach one row of the input,
and the uppermost of them is complete. The weights stay in registers for the whole strip.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from cnnlab.kernels.fast import vectors as v
from cnnlab.kernels.fast.compiled import compiled
from cnnlab.kernels.fast.jobs import code_of, kept, share_out
from cnnlab.kernels.fast.loops import clear, pack_box
from cnnlab.kernels.fast.micro import BYTES
from cnnlab.kernels.fast.vectors import WIDE

BELOW = float("-inf")  # all numbers


@intrinsic  # type: ignore[untyped-decorator]
def strip(
    context: Any,
    rows: Any,
    step: Any,
    first: Any,
    second: Any,
    vectors: Any,
    masked: Any,
    paired: Any,
    x: Any,
    line_step: Any,
    columns: Any,
    w: Any,
    bias: Any,
    out: Any,
    out_step: Any,
    high: Any,
    count: Any,
    floor: Any,
) -> Any:
    """Write a strip of ``high`` rows of outputs, from the bias on, none below the floor.

    The first seven are tuples, of which the lengths count: rows of the kernel; rows from output to output; columns of
    the kernel, whose offsets stand in ``columns``; vectors in a row; one if only ``count`` numbers of a row are to be
    written; and one if there are two outputs in turn, the second of which has the columns of ``second``.
    """
    del context, floor
    rest = x, line_step, columns, w, bias, out, out_step, high, count

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        kernel, step, first, second, wide, masked, paired = (kind.count for kind in signature.args[:7])
        x, line_step, columns, w, bias, out, out_step, high, count, floor = arguments[7:]
        floor = v.broadcast(b, floor)
        taps = [0] * first + [1] * second  # which of two outputs a column is for
        depth = -(-kernel // step)  # rows of sums in work
        sums = [(p, i) for p in range(1 + paired) for i in range(wide)]
        weights = [
            [v.broadcast(b, v.load(b, v.at(b, w, 4 * (k * len(taps) + c)), v.FLOAT)) for c in range(len(taps))]
            for k in range(kernel)
        ]
        gaps = [v.load(b, v.at(b, columns, 8 * c), v.WORD) for c in range(len(taps))]
        start = v.broadcast(b, v.load(b, bias, v.FLOAT))
        masks = [v.below(b, b.sub(count, v.word(i * WIDE))) for i in range(wide * (1 + paired))] if masked else []
        before, row, store, following, done = (
            b.block, *(b.append_basic_block(name) for name in ("row", "store", "next", "done")),
        )  # fmt: skip
        b.branch(row)
        b.position_at_end(row)
        r, x_row, out_row = b.phi(v.WORD), b.phi(v.WORD), b.phi(v.WORD)
        kept = [{place: b.phi(v.VECTOR) for place in sums} for _ in range(depth - 1)]
        work = [dict.fromkeys(sums, start), *(dict(one) for one in kept)]
        seen = x_row
        for j in range(step):
            seen = b.add(seen, line_step) if j else seen
            for c, output in enumerate(taps):
                here = b.add(seen, gaps[c])
                for i in range(wide):
                    numbers = v.load(b, v.at(b, here, i * BYTES))
                    for d in range(depth):
                        if d * step + j < kernel:
                            place = output, i
                            work[d][place] = v.fma(b, numbers, weights[d * step + j][c], work[d][place])
        b.cbranch(b.icmp_signed(">=", r, v.word(depth - 1)), store, following)
        b.position_at_end(store)
        ready = [v.at_least(b, floor, work[-1][0, i]) for i in range(wide)]
        if paired:
            ready = []
            for i in range(wide):
                for half in (0, WIDE // 2):
                    turns = [half + k // 2 + WIDE * (k % 2) for k in range(WIDE)]
                    ready.append(v.shuffle(b, work[-1][0, i], work[-1][1, i], turns))
        for i, vector in enumerate(ready):
            if masked:
                v.store_masked(b, vector, v.at(b, out_row, i * BYTES), masks[i])
            else:
                v.store(b, vector, v.at(b, out_row, i * BYTES))
        b.branch(following)
        b.position_at_end(following)
        next_r = b.add(r, v.word(1))
        next_out = b.select(b.icmp_signed(">=", r, v.word(depth - 1)), b.add(out_row, out_step), out_row)
        steps = [
            (r, v.word(0), next_r),
            (x_row, x, b.add(x_row, b.mul(line_step, v.word(step)))),
            (out_row, out, next_out),
        ]
        for d, one in enumerate(kept):
            steps += [(phi, start, work[d][place]) for place, phi in one.items()]
        for phi, begin, end in steps:
            phi.add_incoming(begin, before)
            phi.add_incoming(end, following)
        b.cbranch(b.icmp_signed("<", next_r, b.add(high, v.word(depth - 1))), row, done)
        b.position_at_end(done)
        return context.get_dummy_value()

    kinds = rows, step, first, second, vectors, masked, paired
    return types.void(*kinds, *[types.intp] * len(rest), types.float32), build


@intrinsic  # type: ignore[untyped-decorator]
def strip_gradient(
    context: Any,
    rows: Any,
    step: Any,
    width: Any,
    of: Any,
    x: Any,
    line_step: Any,
    columns: Any,
    dy: Any,
    dy_step: Any,
    high: Any,
    count: Any,
    sums: Any,
) -> Any:
    """Add to a vector of sums for each tap, over a strip of dy of at most a vector's width.

    ``len(width)`` columns of ``len(of)`` that the kernel has are summed: too many sums would not stay in registers.
    """
    del context
    rest = x, line_step, columns, dy, dy_step, high, count, sums

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        kernel, step, width, of = (kind.count for kind in signature.args[:4])
        x, line_step, columns, dy, dy_step, high, count, sums = arguments[4:]
        depth = -(-kernel // step)
        taps = [(k, c) for k in range(kernel) for c in range(width)]
        gaps = [v.load(b, v.at(b, columns, 8 * c), v.WORD) for c in range(width)]
        start = {(k, c): v.load(b, v.at(b, sums, BYTES * (k * of + c))) for k, c in taps}
        before, row, done = b.block, b.append_basic_block("row"), b.append_basic_block("done")
        b.branch(row)
        b.position_at_end(row)
        r, x_row, dy_row = b.phi(v.WORD), b.phi(v.WORD), b.phi(v.WORD)
        above = [b.phi(v.VECTOR) for _ in range(depth - 1)]
        work = {tap: b.phi(v.VECTOR) for tap in taps}
        new = dict(work)
        inside = b.icmp_signed("<", r, high)
        upstream = [v.load_first(b, dy_row, b.select(inside, count, v.word(0))), *above]
        seen = x_row
        for j in range(step):
            seen = b.add(seen, line_step) if j else seen
            for c in range(width):
                numbers = v.load(b, b.add(seen, gaps[c]))
                for d in range(depth):
                    if d * step + j < kernel:
                        tap = d * step + j, c
                        new[tap] = v.fma(b, numbers, upstream[d], new[tap])
        next_r = b.add(r, v.word(1))
        steps = [
            (r, v.word(0), next_r),
            (x_row, x, b.add(x_row, b.mul(line_step, v.word(step)))),
            (dy_row, dy, b.add(dy_row, dy_step)),
            *((phi, v.splat(0), vector) for phi, vector in zip(above, upstream, strict=False)),
            *((work[tap], start[tap], new[tap]) for tap in taps),
        ]
        for phi, begin, end in steps:
            phi.add_incoming(begin, before)
            phi.add_incoming(end, row)
        b.cbranch(b.icmp_signed("<", next_r, b.add(high, v.word(depth - 1))), row, done)
        b.position_at_end(done)
        for k, c in taps:
            v.store(b, new[k, c], v.at(b, sums, BYTES * (k * of + c)))
        return context.get_dummy_value()

    return types.void(rows, step, width, of, *[types.intp] * len(rest)), build


@compiled
def forward(
    rows: Any,
    step: Any,
    columns: Any,
    vectors: Any,
    plan: Any,
    offsets: Any,
    x: int,
    w: int,
    bias: int,
    y: int,
    floor: float,
    box: int,
    first: int,
    stop: int,
) -> None:
    """Compute some maps of the input's; ``plan`` is a `cnnlab.kernels.fast.depthwise.Plan`."""
    g, high, across = plan.numbers, plan.out[1], plan.out[2]
    size, taps, wide = plan.size[1] * plan.size[2], len(rows) * len(columns), len(vectors) * WIDE
    starts = (0, -plan.before[1], -plan.before[2])
    for one in range(first, stop):
        pack_box(x + 4 * one * size, 1, plan.size, starts, plan.box, g.phases, box, g.plane)
        for f in range(g.filters):
            channel = one % g.groups * g.filters + f
            target = y + 4 * (one * g.filters + f) * high * across
            for q in range(0, across, wide):
                if q + wide <= across:
                    strip(
                        rows, step, columns, (), vectors, (), (), box + 4 * q, 4 * g.pitch, offsets.ctypes.data,
                        w + 4 * channel * taps, bias + 4 * channel, target + 4 * q, 4 * across, high, wide,
                        floor,
                    )  # fmt: skip
                else:
                    strip(
                        rows, step, columns, (), vectors, (0,), (), box + 4 * q, 4 * g.pitch, offsets.ctypes.data,
                        w + 4 * channel * taps, bias + 4 * channel, target + 4 * q, 4 * across, high, across - q,
                        floor,
                    )  # fmt: skip


@compiled
def forward_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(forward, fixed), kept(fixed), shares)


@compiled
def grad_weight(
    rows: Any, step: Any, columns: Any, plan: Any, offsets: Any, x: int, dy: int, filled: int, room: int, sums: int,
    box: int, first: int, stop: int,
) -> None:  # fmt: skip
    """Add some maps to sums (filters, taps, WIDE) of one share.

    Of the room for a map so many numbers are filled by it; the others are read as well.
    """
    clear(box + 4 * filled, room - filled)
    g, high, across = plan.numbers, plan.out[1], plan.out[2]
    size, taps = plan.size[1] * plan.size[2], len(rows) * len(columns)
    starts = (0, -plan.before[1], -plan.before[2])
    for one in range(first, stop):
        pack_box(x + 4 * one * size, 1, plan.size, starts, plan.box, g.phases, box, g.plane)
        for f in range(g.filters):
            upstream = dy + 4 * (one * g.filters + f) * high * across
            target = sums + 4 * (one % g.groups * g.filters + f) * taps * WIDE
            for q in range(0, across, WIDE):
                strip_gradient(
                    rows, step, columns[:3], columns, box + 4 * q, 4 * g.pitch, offsets.ctypes.data,
                    upstream + 4 * q, 4 * across, high, min(WIDE, across - q), target,
                )  # fmt: skip
                if len(columns) > 3:
                    strip_gradient(
                        rows, step, columns[3:], columns, box + 4 * q, 4 * g.pitch, offsets.ctypes.data + 24,
                        upstream + 4 * q, 4 * across, high, min(WIDE, across - q), target + 3 * BYTES,
                    )  # fmt: skip


@compiled
def grad_weight_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(grad_weight, fixed), kept(fixed), shares)


@compiled
def grad_weight_of_pairs(
    rows: Any, step: Any, columns: Any, plan: Any, channels: int, filters: int, offsets: Any, x: int, dy: int,
    room: int, sums: int, box: int, first: int, stop: int,
) -> None:  # fmt: skip
    """Add some groups of pictures to sums (groups, filters, channels, taps, WIDE) of one share: each pair by itself.

    The box has room for so many numbers, some of which are read without being written, but for zeros at first.
    """
    clear(box, room)
    g, high, across = plan.numbers, plan.out[1], plan.out[2]
    size, area, taps = plan.size[1] * plan.size[2], high * across, len(rows) * len(columns)
    starts = (0, -plan.before[1], -plan.before[2])
    for one in range(first, stop):
        pack_box(x + 4 * one * channels * size, channels, plan.size, starts, plan.box, g.phases, box, g.plane)
        for f in range(filters):
            upstream = dy + 4 * (one * filters + f) * area
            for c in range(channels):
                target = sums + 4 * ((one % g.groups * filters + f) * channels + c) * taps * WIDE
                for q in range(0, across, WIDE):
                    strip_gradient(
                        rows, step, columns[:3], columns, box + 4 * (c * g.plane + q), 4 * g.pitch,
                        offsets.ctypes.data, upstream + 4 * q, 4 * across, high, min(WIDE, across - q), target,
                    )  # fmt: skip
                    if len(columns) > 3:
                        strip_gradient(
                            rows, step, columns[3:], columns, box + 4 * (c * g.plane + q), 4 * g.pitch,
                            offsets.ctypes.data + 24, upstream + 4 * q, 4 * across, high, min(WIDE, across - q),
                            target + 3 * BYTES,
                        )  # fmt: skip


@compiled
def grad_weight_of_pairs_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(grad_weight_of_pairs, fixed), kept(fixed), shares)


@compiled
def _turns(
    rows: Any, first: Any, second: Any, vectors: Any, offsets: int, box: int, pitch: int, w: int, zero: int, dx: int,
    high: int, across: int,
) -> None:  # fmt: skip
    """Write every other row of a map's gradient, with its even and odd columns in turn."""
    wide = 2 * len(vectors) * WIDE
    for q in range(0, across, wide):
        if q + wide <= across:
            strip(
                rows, (0,), first, second, vectors, (), (0,), box + 2 * q, 4 * pitch, offsets, w, zero, dx + 4 * q,
                8 * across, high, wide, BELOW,
            )  # fmt: skip
        else:
            strip(
                rows, (0,), first, second, vectors, (0,), (0,), box + 2 * q, 4 * pitch, offsets, w, zero, dx + 4 * q,
                8 * across, high, across - q, BELOW,
            )  # fmt: skip


@compiled
def grad_input(
    even: Any,
    odd: Any,
    first: Any,
    second: Any,
    vectors: Any,
    plan: Any,
    below: Any,
    offsets: Any,
    dy: int,
    w: int,
    zero: int,
    dx: int,
    box: int,
    start: int,
    stop: int,
) -> None:
    """Compute some maps of dx for a stride of 2: its even and odd rows have taps of their own, and so its columns.

    In the plan, ``size`` is that of dy and ``out`` that of dx; ``below`` are the rows of the box where each begins.
    """
    g, high, across = plan.numbers, plan.out[1], plan.out[2]
    size, columns = plan.size[1] * plan.size[2], len(first) + len(second)
    starts = (0, -plan.before[1], -plan.before[2])
    for one in range(start, stop):
        pack_box(dy + 4 * one * size, 1, plan.size, starts, plan.box, 1, box, g.plane)
        target = dx + 4 * one * high * across
        weights = w + 4 * (one % g.groups) * (len(even) + len(odd)) * columns
        _turns(
            even, first, second, vectors, offsets.ctypes.data, box + 4 * below[0] * g.pitch, g.pitch, weights, zero,
            target, (high + 1) // 2, across,
        )  # fmt: skip
        if high > 1:
            _turns(
                odd, first, second, vectors, offsets.ctypes.data, box + 4 * below[1] * g.pitch, g.pitch,
                weights + 4 * len(even) * columns, zero, target + 4 * across, high // 2, across,
            )  # fmt: skip


@compiled
def grad_input_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(grad_input, fixed), kept(fixed), shares)
