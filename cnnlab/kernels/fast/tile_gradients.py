"""The loops of Winograd's algorithm for gradients of kernels, from tiles of gradients of outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.kernels.fast import micro
from cnnlab.kernels.fast.compiled import compiled
from cnnlab.kernels.fast.jobs import code_of, kept, share_out
from cnnlab.kernels.fast.loops import begins_and_ends, clear, unpack_filters
from cnnlab.kernels.fast.tiles import apart, side_by_side
from cnnlab.kernels.fast.transforms import add_weights, transform_input, transform_kernel
from cnnlab.kernels.fast.vectors import WIDE


@compiled
def grad_weight(
    kernel: Any,
    outputs: Any,
    some: Any,
    vectors: Any,
    g: Any,
    x: int,
    dy: int,
    taps: Any,
    between: int,
    dw: int,
    cleared: int,
    total: int,
    lines: int,
    seen: int,
    upstream: int,
    sums: int,
    first: int,
    stop: int,
    first_block: int,
    stop_block: int,
) -> None:
    """Add some units to the total; ``g`` is a `...fast.winograd.Plan`.

    Each of 36 products sums over the tiles of a unit, for ``len(some)`` channels and a block of filters at a time.
    ``total`` is so many bytes from block to block, each (channels, taps, block), and goes to dw as in
    `cnnlab.kernels.fast.loops.grad_weight`.
    """
    block, width, side, area = g.block, len(some), len(outputs), len(kernel) ** 2
    parts = -(-g.channels // WIDE)
    pixel = 4 * parts * WIDE  # bytes of the channels of a tile
    of_sum = 4 * apart(width * block)  # from one of the 36 sums to the next
    offsets = np.empty(g.pictures * -(-g.down // g.pieces) * g.across, np.int64)
    clear(total, cleared)
    for unit in range(first, stop):
        piece, rest = unit % g.pieces, unit // g.pieces
        group, chunk = rest % g.groups, rest // g.groups
        begins, ends = begins_and_ends(g, unit, first, stop)
        picture = g.batch * chunk // g.chunks
        pictures = g.batch * (chunk + 1) // g.chunks - picture
        begin, end = g.down * piece // g.pieces, g.down * (piece + 1) // g.pieces
        high = end - begin
        tiles = pictures * high * g.across
        rows, columns = side * (high - 1) + 6, side * (g.across - 1) + 6
        step, of_place = 4 * apart(tiles * parts * WIDE), 4 * apart(tiles * block)
        for i in range(pictures):
            here = x + 4 * ((picture + i) * g.groups + group) * g.channels * g.high * g.wide
            side_by_side(here, g.channels, g.high, g.wide, side * begin - g.top, -g.left, rows, columns, lines)
            for c in range(parts):
                for r in range(high):
                    for q in range(g.across):
                        source = lines + 4 * ((c * rows + side * r) * columns + side * q) * WIDE
                        t = (i * high + r) * g.across + q
                        transform_input(source, 4 * columns * WIDE, seen + t * pixel + 4 * c * WIDE, step)
        for t in range(tiles):
            offsets[t] = t * pixel
        rows, columns = side * high, side * g.across
        for o in range(first_block, stop_block):
            there = min(block, g.filters - o * block)
            of_block = total + (group * g.blocks + o) * between
            if dw != 0 and begins:
                clear(of_block, g.channels * area * block)
            for i in range(pictures):
                filter_ = ((picture + i) * g.groups + group) * g.filters + o * block
                here = dy + 4 * filter_ * g.out_high * g.out_wide
                side_by_side(here, there, g.out_high, g.out_wide, side * begin, 0, rows, columns, lines)
                for part in range(-(-there // WIDE)):
                    for r in range(high):
                        for q in range(g.across):
                            source = lines + 4 * ((part * rows + side * r) * columns + side * q) * WIDE
                            t = (i * high + r) * g.across + q
                            target = upstream + 4 * (t * block + part * WIDE)
                            transform_kernel(outputs, source, 4 * columns * WIDE, 4 * WIDE, target, of_place)
            for c in range(0, g.channels, width):
                for place in range(36):
                    micro.to_tiles(
                        some, vectors, (0,), seen + place * step + 4 * c, offsets.ctypes.data, tiles,
                        upstream + place * of_place, 4 * block, sums + place * of_sum, 4 * block, 0,
                    )  # fmt: skip
                for k in range(min(width, g.channels - c)):
                    for part in range(0, there, WIDE):
                        target = of_block + 4 * ((c + k) * area * block + part)
                        add_weights(kernel, sums + 4 * (k * block + part), of_sum, target, 4 * block)
            if dw != 0 and ends:
                filters = dw + 4 * (group * g.filters + o * block) * len(taps)
                unpack_filters(of_block, taps, there, filters, block, g.channels * area)


@compiled
def grad_weight_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(grad_weight, fixed), kept(fixed), shares)
