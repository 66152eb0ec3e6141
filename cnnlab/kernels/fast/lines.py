"""Few channels: vectors run along the rows of a map, and each weight is one number for all of them.

For depthwise layers, and where there are so few filters that a vector of channels would stay half empty.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from cnnlab.kernels.fast import vectors as v
from cnnlab.kernels.fast.compiled import compiled
from cnnlab.kernels.fast.jobs import code_of, kept, share_out
from cnnlab.kernels.fast.loops import clear, pack_box
from cnnlab.kernels.fast.micro import BYTES, get, put
from cnnlab.kernels.fast.vectors import WIDE


@intrinsic  # type: ignore[untyped-decorator]
def weighted(
    context: Any,
    channels: Any,
    lines: Any,
    vectors: Any,
    x: Any,
    line_step: Any,
    offsets: Any,
    taps: Any,
    w: Any,
    w_step: Any,
    bias: Any,
    out: Any,
    out_step: Any,
    out_channel: Any,
    floor: Any,
) -> Any:
    """Write rows of vectors of outputs, Σ w[m, t] · x[offset[t] + place] and the bias of m, for some channels m.

    Nothing is written below the floor.

    The first three are tuples whose lengths say how many channels, rows, and vectors in a row; steps are in bytes.
    """
    del context, floor
    rest = x, line_step, offsets, taps, w, w_step, bias, out, out_step, out_channel

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        deep, high, wide = (kind.count for kind in signature.args[:3])
        x, line_step, offsets, taps, w, w_step, bias, out, out_step, out_channel, floor = arguments[3:]
        places = [(m, h, i) for m in range(deep) for h in range(high) for i in range(wide)]
        first = [v.broadcast(b, v.load(b, v.at(b, bias, 4 * m), v.FLOAT)) for m in range(deep)]
        before, loop, after = b.block, b.append_basic_block("taps"), b.append_basic_block("done")
        b.branch(loop)
        b.position_at_end(loop)
        t = b.phi(v.WORD)
        sums = {place: b.phi(v.VECTOR) for place in places}
        seen = b.add(x, v.load(b, b.add(offsets, b.shl(t, v.word(3))), v.WORD))
        inputs = {}
        for h in range(high):
            seen = b.add(seen, line_step) if h else seen
            for i in range(wide):
                inputs[h, i] = v.load(b, v.at(b, seen, i * BYTES))
        new = {}
        weights = b.add(w, b.shl(t, v.word(2)))
        for m in range(deep):
            weights = b.add(weights, w_step) if m else weights
            weight = v.broadcast(b, v.load(b, weights, v.FLOAT))
            for (h, i), vector in inputs.items():
                new[m, h, i] = v.fma(b, vector, weight, sums[m, h, i])
        following = b.add(t, v.word(1))
        for phi, begin, end in [(t, v.word(0), following), *((sums[p], first[p[0]], new[p]) for p in places)]:
            phi.add_incoming(begin, before)
            phi.add_incoming(end, loop)
        b.cbranch(b.icmp_signed("<", following, taps), loop, after)
        b.position_at_end(after)
        floor = v.broadcast(b, floor)
        for m, h, i in places:
            row = b.add(b.add(out, b.mul(out_channel, v.word(m))), b.mul(out_step, v.word(h)))
            v.store(b, v.at_least(b, floor, new[m, h, i]), v.at(b, row, i * BYTES))
        return context.get_dummy_value()

    return types.void(channels, lines, vectors, *[types.intp] * len(rest), types.float32), build


@intrinsic  # type: ignore[untyped-decorator]
def correlated(
    context: Any,
    taps: Any,
    x: Any,
    line_step: Any,
    offsets: Any,
    dy: Any,
    dy_step: Any,
    high: Any,
    vectors: Any,
    sums: Any,
) -> Any:
    """Add dy · x[offset[t] + place] to a vector of sums for each of ``len(taps)`` taps, over rows of whole vectors."""
    del context
    rest = x, line_step, offsets, dy, dy_step, high, vectors, sums

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        count = signature.args[0].count
        x, line_step, offsets, dy, dy_step, high, vectors, sums = arguments[1:]
        gaps = [v.load(b, v.at(b, offsets, 8 * t), v.WORD) for t in range(count)]
        start = [v.load(b, v.at(b, sums, BYTES * t)) for t in range(count)]
        before, row = b.block, b.append_basic_block("row")
        column, next_row, done = (b.append_basic_block(name) for name in ("column", "next", "done"))
        b.branch(row)
        b.position_at_end(row)
        r, x_row, dy_row = (b.phi(v.WORD) for _ in range(3))
        outer = [b.phi(v.VECTOR) for _ in range(count)]
        b.branch(column)
        b.position_at_end(column)
        q = b.phi(v.WORD)
        inner = [b.phi(v.VECTOR) for _ in range(count)]
        along = b.mul(q, v.word(BYTES))
        upstream = v.load(b, b.add(dy_row, along))
        here = b.add(x_row, along)
        new = [v.fma(b, upstream, v.load(b, b.add(here, gaps[t])), inner[t]) for t in range(count)]
        next_q = b.add(q, v.word(1))
        for phi, begin, end in [(q, v.word(0), next_q), *zip(inner, outer, new, strict=True)]:
            phi.add_incoming(begin, row)
            phi.add_incoming(end, column)
        b.cbranch(b.icmp_signed("<", next_q, vectors), column, next_row)
        b.position_at_end(next_row)
        next_r = b.add(r, v.word(1))
        steps = [(r, v.word(0), next_r), (x_row, x, b.add(x_row, line_step)), (dy_row, dy, b.add(dy_row, dy_step))]
        for phi, begin, end in [*steps, *zip(outer, start, new, strict=True)]:
            phi.add_incoming(begin, before)
            phi.add_incoming(end, next_row)
        b.cbranch(b.icmp_signed("<", next_r, high), row, done)
        b.position_at_end(done)
        for t in range(count):
            v.store(b, new[t], v.at(b, sums, BYTES * t))
        return context.get_dummy_value()

    return types.void(taps, *[types.intp] * len(rest)), build


@compiled
def forward(
    lines: Any,
    vectors: Any,
    plan: Any,
    offsets: Any,
    x: int,
    w: int,
    bias: int,
    y: int,
    floor: float,
    box: int,
    edge: int,
    first: int,
    stop: int,
) -> None:
    """Compute some maps of the input's; ``plan`` is a `cnnlab.kernels.fast.depthwise.Plan`."""
    g, out, step = plan.numbers, plan.out, plan.stride
    high, wide = len(lines), len(vectors) * WIDE
    taps = offsets.shape[0]
    size, area = plan.size[0] * plan.size[1] * plan.size[2], out[0] * out[1] * out[2]
    starts = (-plan.before[0], -plan.before[1], -plan.before[2])
    row_step = 4 * step[1] * g.pitch
    for one in range(first, stop):
        pack_box(x + 4 * one * size, 1, plan.size, starts, plan.box, g.phases, box, g.plane)
        channel = one % g.groups
        for f in range(g.filters):
            weights = w + 4 * (channel * g.filters + f) * taps
            start = bias + 4 * (channel * g.filters + f)
            target = y + 4 * (one * g.filters + f) * area
            for d in range(out[0]):
                for r in range(0, out[1], high):
                    row = min(r, out[1] - high)
                    seen = box + 4 * d * step[0] * g.slab + row * row_step
                    place = target + 4 * (d * out[1] + row) * out[2]
                    if out[2] >= wide:
                        for q in range(0, out[2], wide):
                            at = 4 * min(q, out[2] - wide)
                            weighted(
                                (0,), lines, vectors, seen + at, row_step, offsets.ctypes.data, taps, weights, 0, start,
                                place + at, 4 * out[2], 0, floor,
                            )  # fmt: skip
                    else:
                        weighted(
                            (0,), lines, vectors, seen, row_step, offsets.ctypes.data, taps, weights, 0, start, edge,
                            4 * wide, 0, floor,
                        )  # fmt: skip
                        for h in range(high):
                            for q in range(out[2]):
                                put(place + 4 * (h * out[2] + q), get(edge + 4 * (h * wide + q)))


@compiled
def forward_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(forward, fixed), kept(fixed), shares)


@compiled
def narrow(
    channels: Any,
    lines: Any,
    vectors: Any,
    plan: Any,
    rows: int,
    gap: int,
    offsets: Any,
    x: int,
    w: int,
    bias: int,
    y: int,
    floor: float,
    box: int,
    edge: int,
    first: int,
    stop: int,
) -> None:
    """Compute some units of y, as `cnnlab.kernels.fast.loops.forward` does, for few filters.

    With more than one of ``rows``, ``gap`` apart, weights and offsets have the rows of the kernel as their first axis,
    and those that see only zeros are left out.
    """
    g, out, size, step, before = plan.numbers, plan.out, plan.size, plan.stride, plan.before
    K = offsets.shape[0]
    per_row = K // rows
    deep, high, wide = len(channels), len(lines), len(vectors) * WIDE
    area, inner = out[0] * out[1] * out[2], 1
    for axis in range(g.axis + 1, 3):
        inner *= out[axis]
    row_step = 4 * step[1] * g.pitch
    for unit in range(first, stop):
        piece, rest = unit % g.pieces, unit // g.pieces
        group, n = rest % g.groups, rest // g.groups
        begin = out[g.axis] * piece // g.pieces
        end = out[g.axis] * (piece + 1) // g.pieces
        starts = (
            (begin * step[0] if g.axis == 0 else 0) - before[0],
            (begin * step[1] if g.axis == 1 else 0) - before[1],
            (begin * step[2] if g.axis == 2 else 0) - before[2],
        )
        here = x + 4 * (n * g.groups + group) * g.channels * size[0] * size[1] * size[2]
        pack_box(here, g.channels, size, starts, plan.box, g.phases, box, g.plane)
        deepness = end - begin if g.axis == 0 else out[0]
        height = end - begin if g.axis == 1 else out[1]
        width = end - begin if g.axis == 2 else out[2]
        for m in range(0, g.filters, deep):
            filter_ = group * g.filters + min(m, g.filters - deep)
            target = y + 4 * ((n * g.groups * g.filters + filter_) * area + begin * inner)
            weights, start = w + 4 * filter_ * K, bias + 4 * filter_
            for d in range(deepness):
                for r in range(0, height, high):
                    row = min(r, height - high)
                    seen = box + 4 * d * step[0] * g.slab + row * row_step
                    place = target + 4 * (d * height + row) * width
                    top = starts[1] + row * step[1]
                    skipped, end_row = 0, rows
                    if rows > 1:
                        skipped = min(rows - 1, max(0, -((top + (high - 1) * step[1]) // gap)))
                        end_row = max(skipped + 1, min(rows, -((top - size[1]) // gap)))
                    table, some = offsets.ctypes.data + 8 * skipped * per_row, (end_row - skipped) * per_row
                    of_rows = weights + 4 * skipped * per_row
                    if width >= wide:
                        for q in range(0, width, wide):
                            at = 4 * min(q, width - wide)
                            weighted(
                                channels, lines, vectors, seen + at, row_step, table, some, of_rows, 4 * K,
                                start, place + at, 4 * width, 4 * area, floor,
                            )  # fmt: skip
                    else:
                        weighted(
                            channels, lines, vectors, seen, row_step, table, some, of_rows, 4 * K, start,
                            edge, 4 * wide, 4 * wide * high, floor,
                        )  # fmt: skip
                        for k in range(deep):
                            for h in range(high):
                                for q in range(width):
                                    number = get(edge + 4 * ((k * high + h) * wide + q))
                                    put(place + 4 * (k * area + h * width + q), number)


@compiled
def narrow_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(narrow, fixed), kept(fixed), shares)


@compiled
def grad_weight(
    taps: Any, plan: Any, offsets: Any, x: int, dy: int, filled: int, room: int, sums: int, box: int, rows: int,
    first: int, stop: int,
) -> None:  # fmt: skip
    """Add some maps to sums (filters, taps rounded up, WIDE) of one share.

    Of the room for a map so many numbers are filled by it; the others are read as well.
    """
    clear(box + 4 * filled, room - filled)
    g, out, step = plan.numbers, plan.out, plan.stride
    count, some = offsets.shape[0], len(taps)
    size, area = plan.size[0] * plan.size[1] * plan.size[2], out[0] * out[1] * out[2]
    starts = (-plan.before[0], -plan.before[1], -plan.before[2])
    wide = -(-out[2] // WIDE) * WIDE
    for one in range(first, stop):
        pack_box(x + 4 * one * size, 1, plan.size, starts, plan.box, g.phases, box, g.plane)
        for f in range(g.filters):
            whole = (out[0], out[1], wide)
            pack_box(dy + 4 * (one * g.filters + f) * area, 1, out, (0, 0, 0), whole, 1, rows, 0)
            target = sums + 4 * (one % g.groups * g.filters + f) * count * WIDE
            for d in range(out[0]):
                for t in range(0, count, some):
                    correlated(
                        taps, box + 4 * d * step[0] * g.slab, 4 * step[1] * g.pitch, offsets.ctypes.data + 8 * t,
                        rows + 4 * d * out[1] * wide, 4 * wide, out[1], wide // WIDE, target + BYTES * t,
                    )  # fmt: skip


@compiled
def grad_weight_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(grad_weight, fixed), kept(fixed), shares)
