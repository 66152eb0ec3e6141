"""The loops of Winograd's algorithm around the transforms and the micro-kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.kernels.fast import micro
from cnnlab.kernels.fast.compiled import compiled
from cnnlab.kernels.fast.jobs import code_of, kept, share_out
from cnnlab.kernels.fast.loops import pack_filters
from cnnlab.kernels.fast.micro import put_zeros
from cnnlab.kernels.fast.transforms import transform_edge, transform_input, transform_kernel, transform_output
from cnnlab.kernels.fast.vectors import WIDE

VECTOR = (0,) * WIDE


@compiled
def apart(numbers: int) -> int:
    """Return so many whole vectors or one more: an odd count, else 36 places would share few lines of the cache."""
    return (numbers // WIDE | 1) * WIDE


@compiled
def transform_kernels(
    kernel: Any, w: int, taps: Any, filters: int, per_filter: int, o: int, packed: int, target: int, block: int
) -> None:
    """Transform the kernels of a block of filters, as `pack_filters` takes them, to (36, channels, block)."""
    pack_filters(taps, filters, per_filter, block, w, packed - 4 * o * taps.shape[0] * block, o, o + 1)
    side, area = len(kernel), len(kernel) ** 2
    channels = taps.shape[0] // area
    step = 4 * apart(channels * block)
    for c in range(channels):
        for part in range(0, block, WIDE):
            source = packed + 4 * (c * area * block + part)
            transform_kernel(kernel, source, 4 * side * block, 4 * block, target + 4 * (c * block + part), step)


@compiled
def side_by_side(
    x: int, channels: int, high: int, wide: int, top: int, left: int, rows: int, across: int, target: int
) -> None:
    """Write rows of a picture (channels, high, wide) as (channels/WIDE, rows, across, WIDE), with zeros around.

    Behind the last there must be room for a square: what is written there is overwritten with the next row.
    """
    for c in range(0, channels, WIDE):
        there = min(WIDE, channels - c)
        for r in range(rows):
            out = target + 4 * (c * rows + r * WIDE) * across
            y = top + r
            low = min(max(0, -left), across)
            end = max(low, min(across, wide - left))
            if y < 0 or y >= high:
                low = end = across
            source = x + 4 * ((c * high + y) * wide + left)
            for i in range(low):
                put_zeros(out + 4 * i * WIDE)
            for i in range(low, end, WIDE):
                micro.part_of_square(
                    source + 4 * i, 4 * high * wide, there, min(WIDE, end - i), out + 4 * i * WIDE, 4 * WIDE
                )
            for i in range(min(across, low + -(-(end - low) // WIDE) * WIDE), across):
                put_zeros(out + 4 * i * WIDE)


@compiled
def forward(
    kernel: Any,
    outputs: Any,
    tile: Any,
    vectors: Any,
    g: Any,
    taps: Any,
    x: int,
    w: int,
    per_filter: int,
    bias: int,
    y: int,
    floor: float,
    lines: int,
    seen: int,
    packed: int,
    weights: int,
    sums: int,
    first: int,
    stop: int,
    first_block: int,
    stop_block: int,
) -> None:
    """Compute some units of y: a unit is a group of some pictures, or of some rows of tiles of one.

    A kernel of ``len(kernel)`` squared taps makes ``len(outputs)`` squared outputs of 6×6 inputs. ``g`` is a
    `cnnlab.kernels.fast.winograd.Plan`. Kernels are transformed where they are used, for each unit anew: for
    some fifty tiles that is little work. That is done for some channels at a time, so that they are still in the cache.
    """
    block, wide, side, kernel_area = g.block, len(tile), len(outputs), len(kernel) ** 2
    parts = -(-g.channels // WIDE)
    area = g.out_high * g.out_wide
    between = 4 * apart(g.room * block)  # bytes from one of the 36 products to the next
    offsets = np.empty(g.channels, np.int64)
    for unit in range(first, stop):
        piece, rest = unit % g.pieces, unit // g.pieces
        group, chunk = rest % g.groups, rest // g.groups
        picture = g.batch * chunk // g.chunks
        pictures = g.batch * (chunk + 1) // g.chunks - picture
        begin, end = g.down * piece // g.pieces, g.down * (piece + 1) // g.pieces
        high = end - begin
        each = high * g.across
        tiles = pictures * each
        room = -(-tiles // wide) * wide
        step = 4 * apart(parts * room * WIDE)
        rows, columns = side * (high - 1) + 6, side * (g.across - 1) + 6
        for i in range(pictures):
            here = x + 4 * ((picture + i) * g.groups + group) * g.channels * g.high * g.wide
            side_by_side(here, g.channels, g.high, g.wide, side * begin - g.top, -g.left, rows, columns, lines)
            for c in range(parts):
                for r in range(high):
                    for q in range(g.across):
                        source = lines + 4 * ((c * rows + side * r) * columns + side * q) * WIDE
                        t = c * room + i * each + r * g.across + q
                        transform_input(source, 4 * columns * WIDE, seen + 4 * t * WIDE, step)
        for c in range(parts):  # what only fills up the last tiles must be numbers
            for place in range(36):
                for t in range(tiles, room):
                    put_zeros(seen + place * step + 4 * (c * room + t) * WIDE)
        for c in range(g.channels):
            offsets[c] = 4 * (c // WIDE * room * WIDE + c % WIDE)
        for o in range(first_block, stop_block):
            some = min(block, g.filters - o * block)
            of_group = w + 4 * group * g.filters * per_filter
            for c in range(0, g.channels, g.some):
                more = min(g.some, g.channels - c)
                some_taps = taps[c * kernel_area : (c + more) * kernel_area]
                transform_kernels(kernel, of_group, some_taps, g.filters, per_filter, o, packed, weights, block)
                of_place = apart(more * block)
                for place in range(36):
                    for t in range(0, tiles, wide):
                        micro.to_tiles(
                            tile, vectors, VECTOR, seen + place * step + 4 * t * WIDE, offsets.ctypes.data + 8 * c,
                            more, weights + 4 * place * of_place, 4 * block, sums + place * between + 4 * t * block,
                            4 * block, c,
                        )  # fmt: skip
            for i in range(pictures):
                maps = y + 4 * (((picture + i) * g.groups + group) * g.filters + o * block) * area
                for r in range(high):
                    for q in range(g.across):
                        source = sums + 4 * (i * each + r * g.across + q) * block
                        for part in range(0, some, WIDE):
                            b = bias + 4 * ((group * g.blocks + o) * block + part)
                            top, left = side * (begin + r), side * q
                            target = maps + 4 * (part * area + top * g.out_wide + left)
                            if part + WIDE <= some and top + side <= g.out_high and left + side <= g.out_wide:
                                transform_output(
                                    outputs, source + 4 * part, between, b, target, 4 * area, 4 * g.out_wide, floor
                                )
                            else:
                                transform_edge(
                                    outputs, source + 4 * part, between, b, target, 4 * area, 4 * g.out_wide,
                                    some - part, g.out_high - top, g.out_wide - left, floor,
                                )  # fmt: skip


@compiled
def forward_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(forward, fixed), kept(fixed), shares)
