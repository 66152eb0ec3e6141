"""The loops around the micro-kernel, compiled by numba, on addresses and sizes in numbers.

Spatial sizes are always three; axes that a layer lacks come first, with size 1. Each function works on a share of the
whole, so that several threads can call it at once, and none keeps the interpreter's lock.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.kernels.fast import micro
from cnnlab.kernels.fast.compiled import compiled
from cnnlab.kernels.fast.jobs import code_of, kept, share_out
from cnnlab.kernels.fast.micro import deal, get, move, move_between, put, put_zeros
from cnnlab.kernels.fast.vectors import WIDE


@compiled
def pack_filters(
    offsets: Any, filters: int, per_filter: int, block: int, w: int, target: int, first: int, stop: int
) -> None:
    """Write blocks of filters as (blocks, K, block), with any numbers behind the last filter.

    ``w`` is the address of the first weight, ``per_filter`` the step from filter to filter, in numbers, and offsets
    (K,) where the weights of a filter are.
    """
    K = offsets.shape[0]
    plain = True
    for k in range(K):
        if offsets[k] != k:
            plain = False
    scratch = np.empty(WIDE * WIDE, np.float32)
    turned = scratch.ctypes.data
    for o in range(first, stop):
        for part in range(0, block, WIDE):
            start = o * block + part
            there = min(max(filters - start, 1), WIDE)
            source = w + 4 * min(start, filters - 1) * per_filter
            out = target + 4 * (o * K * block + part)
            if per_filter == 1 and there == WIDE:
                for k in range(K):
                    move(source + 4 * offsets[k], out + 4 * k * block)
            elif plain and K >= WIDE:
                for first_k in range(0, K, WIDE):
                    k = min(first_k, K - WIDE)
                    micro.square(source + 4 * k, 4 * per_filter, there, out + 4 * k * block, 4 * block)
            else:
                k = 0
                while k < K:
                    low = high = offsets[k]
                    end = k + 1
                    step = offsets[end] - low if end < K else 0
                    if abs(step) == 1:  # forwards, or backwards: a flipped kernel
                        while end < K and end - k < WIDE and offsets[end] == offsets[end - 1] + step:
                            end += 1
                        begin = k if step == 1 else end - 1
                        micro.columns_of_square(
                            source + 4 * min(low, offsets[end - 1]), 4 * per_filter, there, end - k,
                            out + 4 * begin * block, 4 * step * block,
                        )  # fmt: skip
                        k = end
                        continue
                    # Others that lie within a vector are turned over together, then taken in their order.
                    while end < K and max(high, offsets[end]) - min(low, offsets[end]) < WIDE:
                        low, high = min(low, offsets[end]), max(high, offsets[end])
                        end += 1
                    micro.part_of_square(source + 4 * low, 4 * per_filter, there, high - low + 1, turned, 4 * WIDE)
                    for i in range(k, end):
                        move(turned + 4 * WIDE * (offsets[i] - low), out + 4 * i * block)
                    k = end
    scratch[0] = 0  # its memory is needed up to here


@compiled
def pack_filters_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(pack_filters, fixed), kept(fixed), shares)


@compiled
def pack_box(x: int, channels: int, size: Any, start: Any, box: Any, phases: int, target: int, plane: int) -> None:
    """Copy a box of a picture (channels, *size), with zeros where it reaches over the border.

    A row of the box is stored as so many rows of every phases-th number, so that a stride reads neighbors. Behind the
    box there must be room for a vector.
    """
    high, wide = size[1], size[2]
    across = -(-box[2] // phases)
    for c in range(channels):
        source, out = x + 4 * c * size[0] * high * wide, target + 4 * c * plane
        for d in range(box[0]):
            for h in range(box[1]):
                z, y = start[0] + d, start[1] + h
                inside = 0 <= z < size[0] and 0 <= y < high
                row = source + 4 * (z * high + y) * wide
                # What is written behind the last number of a row is overwritten with what comes next.
                if not inside:
                    for i in range(0, phases * across, WIDE):
                        put_zeros(out + 4 * i)
                elif phases == 1:
                    for i in range(0, across, WIDE):
                        left = start[2] + i
                        move_between(row + 4 * left, out + 4 * i, -left, wide - left)
                elif phases == 2:  # from the end on: what reaches into a row from before is then overwritten, too
                    for i in range((across - 1) // WIDE * WIDE, -1, -WIDE):
                        left = start[2] + 2 * i
                        deal((0, 0), row + 4 * left, out + 4 * i, 4 * across, -left, wide - left)
                elif phases == 4:
                    for i in range((across - 1) // WIDE * WIDE, -1, -WIDE):
                        left = start[2] + 4 * i
                        deal((0, 0, 0, 0), row + 4 * left, out + 4 * i, 4 * across, -left, wide - left)
                else:
                    for phase in range(phases):
                        first = start[2] + phase  # of the input, for the first number of this row
                        row_out = out + 4 * phase * across
                        low = min(max(0, -(first // phases)), across)
                        top = max(low, min(across, (wide - 1 - first) // phases + 1))
                        for i in range(low):
                            put(row_out + 4 * i, 0.0)
                        for i in range(low, top):
                            put(row_out + 4 * i, get(row + 4 * (first + i * phases)))
                        for i in range(top, across):
                            put(row_out + 4 * i, 0.0)
                out += 4 * phases * across


@compiled
def pad_maps(size: Any, start: Any, box: Any, plane: int, x: int, maps: int, target: int) -> None:
    """Copy a box of each of some maps likewise, and write nothing behind the last, where another share's maps are."""
    pack_box(x, maps - 1, size, start, box, 1, target, plane)
    last, end = np.empty(plane + WIDE, np.float32), target + 4 * (maps - 1) * plane
    pack_box(x + 4 * (maps - 1) * size[0] * size[1] * size[2], 1, size, start, box, 1, last.ctypes.data, plane)
    for i in range(plane):
        put(end + 4 * i, last[i])


@compiled
def pad_maps_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(pad_maps, fixed), kept(fixed), shares)


@compiled
def pack_places(dy: int, filters: int, step: int, first: int, count: int, target: int, block: int, rows: int) -> None:
    """Write count places of maps as (blocks, rows, block): all filters at a place side by side.

    Behind the last filter there are any numbers. ``step`` is from filter to filter.
    """
    for start in range(0, -(-filters // block) * block, WIDE):
        out = target + 4 * (start // block * rows * block + start % block)
        there = min(max(filters - start, 1), WIDE)
        source = dy + 4 * (min(start, filters - 1) * step + first)
        if count >= WIDE:
            for first_k in range(0, count, WIDE):
                k = min(first_k, count - WIDE)
                micro.square(source + 4 * k, 4 * step, there, out + 4 * k * block, 4 * block)
        else:
            for k in range(count):
                for i in range(there):
                    put(out + 4 * (k * block + i), get(source + 4 * (i * step + k)))


@compiled
def see_unit(plan: Any, unit: int, x: int, buffer: int) -> Any:
    """Return where the first number is that a unit of the output sees, in a copy with its padding if one is needed."""
    g, size, step, before = plan.numbers, plan.size, plan.stride, plan.before
    piece, rest = unit % g.pieces, unit // g.pieces
    begin = plan.out[g.axis] * piece // g.pieces
    here = x + 4 * rest * g.channels * size[0] * size[1] * size[2]
    starts = (
        (begin * step[0] if g.axis == 0 else 0) - before[0],
        (begin * step[1] if g.axis == 1 else 0) - before[1],
        (begin * step[2] if g.axis == 2 else 0) - before[2],
    )
    if g.packed:
        pack_box(here, g.channels, size, starts, plan.box, g.phases, buffer, g.plane)
        return buffer
    return here + 4 * ((starts[0] * size[1] + starts[1]) * size[2] + starts[2])


@compiled
def sum_block(
    lines: Any, places: Any, vectors: Any, run: Any, plan: Any, offsets: Any, unit: int, block: int, here: int, w: int,
    bias: int, y: int, floor: float,
) -> None:  # fmt: skip
    """Compute a block of filters of a unit of y, from what the unit sees and the packed weights of the block."""
    g, out, step = plan.numbers, plan.out, plan.stride
    high, wide, deep, K = len(lines), len(places), 4 * g.block, offsets.shape[0]
    area, inner = out[0] * out[1] * out[2], 1
    for axis in range(g.axis + 1, 3):
        inner *= out[axis]
    piece, rest = unit % g.pieces, unit // g.pieces
    begin, end = out[g.axis] * piece // g.pieces, out[g.axis] * (piece + 1) // g.pieces
    deepness = end - begin if g.axis == 0 else out[0]
    height = end - begin if g.axis == 1 else out[1]
    width = end - begin if g.axis == 2 else out[2]
    target = y + 4 * (rest * g.filters * area + begin * inner)
    some = min(g.block, g.filters - block * g.block)
    row_step = 4 * step[1] * g.pitch
    for d in range(deepness):
        for r in range(0, height, high):
            row = min(r, height - high)
            seen = here + 4 * d * step[0] * g.slab + row * row_step
            place = target + 4 * (block * g.block * area + (d * height + row) * width)
            for q in range(0, width, wide):
                at = 4 * min(q, width - wide)
                micro.to_channels(
                    lines, places, vectors, run, seen + at, row_step, offsets.ctypes.data, K, w, deep,
                    bias + 4 * (rest % g.groups * g.blocks + block) * g.block, place + at, 4 * area, some, floor,
                )  # fmt: skip


@compiled
def forward(
    lines: Any,
    places: Any,
    vectors: Any,
    run: Any,
    plan: Any,
    offsets: Any,
    taps: Any,
    x: int,
    per_filter: int,
    bias: int,
    y: int,
    floor: float,
    packed: int,
    buffer: int,
    w: int,
    first: int,
    stop: int,
    first_block: int,
    stop_block: int,
) -> None:
    """Compute some units of y: a unit is a group of a picture and a piece of its outputs.

    ``plan`` is a `cnnlab.kernels.fast.direct.Plan`'s numbers. At ``packed`` is room for all blocks of weights, which
    are brought there first, or are there already if ``w`` is 0. ``taps`` and ``per_filter`` say where they lie, as
    `pack_filters` takes them.
    """
    g = plan.numbers
    of_block = 4 * g.block * offsets.shape[0] * len(run)
    for group in range(g.groups if w != 0 else 0):
        of_group, target = w + 4 * group * g.filters * per_filter, packed + group * g.blocks * of_block
        pack_filters(taps, g.filters, per_filter, g.block, of_group, target, first_block, stop_block)
    for unit in range(first, stop):
        here = see_unit(plan, unit, x, buffer)
        group = unit // g.pieces % g.groups
        for block in range(first_block, stop_block):
            of_filters = packed + (group * g.blocks + block) * of_block
            sum_block(lines, places, vectors, run, plan, offsets, unit, block, here, of_filters, bias, y, floor)


@compiled
def forward_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(forward, fixed), kept(fixed), shares)


@compiled
def forward_by_blocks(
    lines: Any,
    places: Any,
    vectors: Any,
    run: Any,
    plan: Any,
    offsets: Any,
    taps: Any,
    x: int,
    w: int,
    per_filter: int,
    bias: int,
    y: int,
    box: int,
    units: int,
    floor: float,
    boxes: int,
    packed: int,
    first_block: int,
    stop_block: int,
) -> None:
    """Compute some blocks of all units of y, of one group, with the weights of a block packed just before their use.

    ``taps`` and ``per_filter`` say where the weights lie, as `pack_filters` takes them, and ``box`` how many numbers a
    unit sees at most.
    """
    g = plan.numbers
    here = np.empty(units, np.int64)
    for unit in range(units):
        here[unit] = see_unit(plan, unit, x, boxes + 4 * unit * box)
    of_block = 4 * g.block * offsets.shape[0] * len(run)
    for block in range(first_block, stop_block):
        pack_filters(taps, g.filters, per_filter, g.block, w, packed - block * of_block, block, block + 1)
        for unit in range(units):
            sum_block(lines, places, vectors, run, plan, offsets, unit, block, here[unit], packed, bias, y, floor)


@compiled
def forward_by_blocks_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(forward_by_blocks, fixed), kept(fixed), shares)


@compiled
def clear(target: int, count: int) -> None:
    """Write so many zeros."""
    for i in range(count):
        put(target + 4 * i, 0.0)


@compiled
def unpack_filters(packed: int, rows: Any, filters: int, target: int, block: int, in_block: int) -> None:
    """Write (filters, K) from blocks (in_block, block), of which rows (K,) are wanted."""
    K = rows.shape[0]
    plain = True
    for k in range(K):
        if rows[k] != k:
            plain = False
    for start in range(0, filters, WIDE):
        source = packed + 4 * (start // block * in_block * block + start % block)
        if plain and K >= WIDE and start + WIDE <= filters:
            for first in range(0, K, WIDE):
                k = min(first, K - WIDE)
                micro.square(source + 4 * k * block, 4 * block, WIDE, target + 4 * (start * K + k), 4 * K)
        else:
            for i in range(min(WIDE, filters - start)):
                for k in range(K):
                    put(target + 4 * ((start + i) * K + k), get(source + 4 * (rows[k] * block + i)))


@compiled
def begins_and_ends(g: Any, unit: int, first: int, stop: int) -> tuple[bool, bool]:
    """Return whether, of the units from first to stop, this is the first of its group, and whether it is the last."""
    piece, others = unit % g.pieces, g.pieces * (g.groups - 1)
    before = unit - 1 - (0 if piece > 0 else others)
    after = unit + 1 + (0 if piece < g.pieces - 1 else others)
    return before < first, after >= stop


@compiled
def grad_weight(
    lines: Any,
    places: Any,
    vectors: Any,
    run: Any,
    apart: Any,
    plan: Any,
    offsets: Any,
    line_offsets: Any,
    x: int,
    dy: int,
    room: int,
    slack: int,
    taps: Any,
    between: int,
    dw: int,
    cleared: int,
    sums: int,
    boxes: int,
    rows: int,
    first: int,
    stop: int,
    first_block: int,
    stop_block: int,
) -> None:
    """Add some units to sums: a unit is a group of some pictures, or of a piece of one.

    ``sums`` are so many bytes from block to block, each (lines, places, block), lines and places rounded up to
    whole tiles; so many numbers of them are cleared first. If ``dw`` is an address, the sums of a block are cleared,
    and go there in order, of which ``taps`` are wanted. ``boxes`` has so much room, of which the last numbers are read
    without ever being written, but for zeros at first.
    """
    clear(boxes + 4 * (room - slack), slack)
    clear(sums, cleared)
    g, box, out, size, step, before = plan.numbers, plan.box, plan.out, plan.size, plan.stride, plan.before
    high, wide = len(lines), len(places)
    area, inner = out[0] * out[1] * out[2], 1
    for axis in range(g.axis + 1, 3):
        inner *= out[axis]
    pixel = 4 * g.block
    of_block = g.lines * g.places
    for unit in range(first, stop):
        piece, rest = unit % g.pieces, unit // g.pieces
        group, chunk = rest % g.groups, rest // g.groups
        begins, ends = begins_and_ends(g, unit, first, stop)
        pictures = min(g.pictures, g.batch - chunk * g.pictures)
        begin = out[g.axis] * piece // g.pieces
        end = out[g.axis] * (piece + 1) // g.pieces
        count = (end - begin) * inner * (1 if g.axis == 0 else out[0]) * (1 if g.axis < 2 else out[1])
        starts = (
            (begin * step[0] if g.axis == 0 else 0) - before[0],
            (begin * step[1] if g.axis == 1 else 0) - before[1],
            (begin * step[2] if g.axis == 2 else 0) - before[2],
        )
        for i in range(pictures):
            n = chunk * g.pictures + i
            here = x + 4 * (n * g.groups + group) * g.channels * size[0] * size[1] * size[2]
            pack_box(here, g.channels, size, starts, box, g.phases, boxes + 4 * i * g.channels * g.plane, g.plane)
        for block in range(first_block, stop_block):
            some = min(g.block, g.filters - block * g.block)
            for i in range(pictures):
                n = chunk * g.pictures + i
                maps = dy + 4 * ((n * g.groups + group) * g.filters + block * g.block) * area
                pack_places(maps, some, area, begin * inner, count, rows + pixel * i * count, g.block, count)
            target = sums + (group * g.blocks + block) * between
            if dw != 0 and begins:
                clear(target, of_block * g.block)
            for line in range(0, g.lines, high):
                for place in range(0, g.places, wide):
                    micro.to_rows(
                        lines, places, vectors, run, apart, boxes + 4 * place, line_offsets.ctypes.data + 8 * line,
                        offsets.ctypes.data, pictures * count // len(run), rows, pixel,
                        target + (line * g.places + place) * pixel, g.places * pixel, pixel,
                    )  # fmt: skip
            if dw != 0 and ends:
                filters = dw + 4 * (group * g.filters + block * g.block) * len(taps)
                unpack_filters(target, taps, some, filters, g.block, of_block)


@compiled
def grad_weight_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(grad_weight, fixed), kept(fixed), shares)
