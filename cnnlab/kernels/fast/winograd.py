"""Winograd's F(4×4, 3×3) and F(2×2, 5×5), compiled: transforms on vectors of channels, products by the micro-kernel."""

from __future__ import annotations

from functools import lru_cache
from itertools import cycle
from math import prod
from typing import NamedTuple

import numpy as np

from cnnlab.kernels.algorithm import Whole
from cnnlab.kernels.arrays import FloatArray, address
from cnnlab.kernels.case import Case
from cnnlab.kernels.fast.plans import filter_vectors
from cnnlab.kernels.fast.processor import fault, lanes
from cnnlab.kernels.fast.sharing import FLOAT, add_gradients, filter_offsets, in_blocks, lent, shares, turns
from cnnlab.kernels.passes import Layer, pieces
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import run_shared

TRANSFORMED = 2**18  # numbers of transformed input that are worked on at a time, about
# Tiles that are summed at a time, for registers of so many floats and so many of them along the filters: each size is
# compiled by itself.
TOGETHER = {(16, 1): (14, 8), (16, 2): (14, 8), (16, 3): (9, 5), (8, 1): (6, 4), (8, 2): (6, 4), (8, 3): (4, 2)}
TILES = 64  # that are worked on at a time, at least
CHANNELS = 128  # of which kernels are transformed at a time, at most: 36 planes of them stay in the cache


class Plan(NamedTuple):
    """Sizes that the loops have to know."""

    batch: int
    groups: int
    channels: int  # of a group
    filters: int  # of a group
    block: int
    blocks: int
    high: int
    wide: int
    top: int  # zeros above
    left: int
    out_high: int
    out_wide: int
    down: int  # tiles
    across: int
    pieces: int  # into which the rows of tiles are cut
    chunks: int  # into which the batch is cut
    pictures: int  # in the largest of them: so many are worked on at a time
    together: int  # tiles that are summed at a time
    room: int  # for so many tiles
    some: int  # channels of which kernels are transformed at a time


class CompiledWinograd(Whole):
    """36 products for 4×4 outputs of 3×3 taps in place of 144, or for 2×2 of 5×5 in place of 100."""

    name = "winograd_compiled"
    provider = "numba"
    uses_blas = False
    idea = "Winograd's 4×4 outputs (2×2 for 5×5 kernels) by 36 products, the sums over channels in registers"
    tolerance = {"float32": 1e-4}  # noqa: RUF012  (of the class, like its base)

    def fault(self, case: Case) -> str | None:
        """Refuse all but 3×3 and 5×5 kernels at stride 1 in float32."""
        if case.kernel not in {(3, 3), (5, 5)} or not case.dense:
            return "the kernel is not 3×3 or 5×5 at stride 1 and dilation 1"
        return fault(case)

    def flops(self, case: Case) -> int:
        """Return the operations of the products and of the transforms of input and output."""
        tiles = case.batch * tiles_of(case)
        C, M = case.in_channels, case.out_channels
        return 2 * tiles * (36 * C * case.filters + 144 * C + 96 * M)

    def workspace(self, case: Case) -> int:
        """Return the bytes of the tiles in work, and of a block of transformed kernels or all of their gradients."""
        channels = case.in_channels // case.groups
        own = case.out_channels * case.depth if case.work == "grad_weight" else 48 * 45 * min(channels, CHANNELS)
        return 4 * (2 * max(TRANSFORMED, 36 * TILES * channels) + own)

    def correlate(self, x: FloatArray, w: FloatArray, b: FloatArray | None, layer: Layer, case: Case) -> FloatArray:
        """Transform the kernels, then some tiles at a time."""
        from cnnlab.kernels.fast.tiles import forward_shared

        threads, width = pieces(case, compiled=True), lanes()
        by_blocks = _many_filters(case, threads, width)
        g = _plan(case, (layer.pads[0][0], layer.pads[1][0]), x.shape[2:], width, 1 if by_blocks else threads)
        x = np.ascontiguousarray(x)
        y = results.empty((case.batch, case.out_channels, *case.out), FLOAT)
        bias = in_blocks(b, g)
        padded = -(-g.channels // width) * width
        seen = _seen(case, -(-g.down // g.pieces), g.across)
        tile, vectors = (0,) * g.together, (0,) * (g.block // width)
        shape = (0,) * case.kernel[0], (0,) * side(case), tile, vectors, g
        arrays = filter_offsets(w), address(x), address(w), w.strides[0] // 4, address(bias), address(y), layer.floor
        parts = turns(_units(g), g.blocks, threads, by_blocks=by_blocks)
        sizes = (
            padded * seen + width * width,
            36 * apart(padded * g.room, width),
            g.some * case.taps * g.block,
            36 * apart(g.some * g.block, width),
            36 * apart(g.room * g.block, width),
        )
        with lent(min(threads, len(parts)), *sizes) as memory:
            rows = [
                (*own, units.start, units.stop, blocks.start, blocks.stop)
                for (units, blocks), own in zip(parts, cycle(memory), strict=False)
            ]
            run_shared(forward_shared, (*shape, *arrays), rows, len(memory), own=len(sizes))
        return y

    def correlate_weights(self, dy: FloatArray, x: FloatArray, layer: Layer, case: Case) -> FloatArray:
        """Transform some tiles of inputs and gradients at a time, and sum their products over the tiles."""
        from cnnlab.kernels.fast.tile_gradients import grad_weight_shared

        threads, width = pieces(case, compiled=True), lanes()
        by_blocks = _many_filters(case, threads, width)
        g = _plan(case, (layer.pads[0][0], layer.pads[1][0]), x.shape[2:], width, 1 if by_blocks else threads)
        x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
        parts = shares(_units(g), g.blocks, threads, by_blocks=by_blocks)
        padded = -(-g.channels // width) * width
        tiles = g.pictures * -(-g.down // g.pieces) * g.across
        rows = _seen(case, -(-g.down // g.pieces), g.across)
        some_channels, vectors = _channels(g.channels, width, g.block // width), (0,) * (g.block // width)
        dw = results.empty((case.out_channels, g.channels, *case.kernel), FLOAT)
        sizes = (
            max(padded, g.block) * rows + width * width,
            36 * apart(padded * tiles, width) + 16,
            36 * apart(tiles * g.block, width),
            36 * apart(len(some_channels) * g.block, width),
        )
        fixed = (0,) * case.kernel[0], (0,) * side(case), some_channels, vectors, g, address(x), address(dy)
        taps = np.arange(case.depth)
        with lent(len(parts), *sizes) as memory:
            add_gradients(dw, g, case.depth, taps, _units(g), parts, memory, grad_weight_shared, fixed)
        return dw


def side(case: Case) -> int:
    """Return how many outputs a tile has on each axis."""
    return 7 - case.kernel[0]


def tiles_of(case: Case) -> int:
    """Return how many tiles a map of the output has."""
    return prod(-(-size // side(case)) for size in case.out)


def _many_filters(case: Case, threads: int, width: int) -> bool:
    """Return whether threads shall share the filters: if their transforms are more work than those of the tiles."""
    blocks = case.filters // (filter_vectors(case.filters, width) * width)
    return case.filters > 1.5 * case.batch * tiles_of(case) and (blocks % threads == 0 or blocks >= 4 * threads)


def _seen(case: Case, down: int, across: int) -> int:
    # Places that so many tiles see: each sees 6×6.
    return (side(case) * (down - 1) + 6) * (side(case) * (across - 1) + 6)


def apart(numbers: int, width: int) -> int:
    """Return how far apart the 36 places lie, as `cnnlab.kernels.fast.tiles.apart` has it."""
    return (numbers // width | 1) * width


def _units(g: Plan) -> int:
    return g.chunks * g.groups * g.pieces


def _channels(channels: int, width: int, vectors: int) -> tuple[int, ...]:
    """Return as many zeros as there shall be channels in a tile: what fills the registers, with little beyond."""
    most = (28 if width == 16 else 12) // vectors
    return (0,) * max(range(1, most + 1), key=lambda n: channels / (-(-channels // n) * n) * n / (n + 2))


@lru_cache(maxsize=512)
def _plan(case: Case, before: tuple[int, int], size: tuple[int, int], width: int, threads: int) -> Plan:
    down, across = (-(-size // side(case)) for size in case.out)
    channels = case.in_channels // case.groups
    fitting = max(TILES, TRANSFORMED // (36 * channels))
    cuts = min(down, -(-down // max(1, fitting // across)))
    if case.batch * case.groups < threads:
        cuts = min(down, max(cuts, threads))
    chunks = case.batch
    if cuts == 1:
        chunks = -(-case.batch // max(1, fitting // (down * across)))
        chunks = min(case.batch, -(-chunks // threads) * threads)  # of three for two threads one would wait for long
    pictures = -(-case.batch // chunks)
    vectors = filter_vectors(case.filters, width)
    block = vectors * width
    blocks = -(-case.filters // block)
    tiles = pictures * -(-down // cuts) * across
    together = min(TOGETHER[width, vectors], key=lambda n: -(-tiles // n) * (n + 2))
    some = -(-channels // -(-channels // CHANNELS))
    return Plan(
        case.batch, case.groups, channels, case.filters, block, blocks, *size, *before, case.out[0], case.out[1],
        down, across, cuts, chunks, pictures, together, -(-tiles // together) * together, some,
    )  # fmt: skip
