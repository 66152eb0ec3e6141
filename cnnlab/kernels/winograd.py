"""Winograd's minimal filtering: small tiles of outputs by fewer products than they have taps, 36 for 144 at 3×3.

Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", section 4. A tile d of 6×6 or 8×8 inputs and a
kernel g are transformed, multiplied number by number and added up over the channels, and the sum is transformed back:
Y = Aᵀ [Σ_c (G g Gᵀ) ⊙ (Bᵀ d B)] A. For each place of a tile that sum over channels is a product of matrices. Large
factors cancel in the transforms, so it is less exact.

The gradient of the weights is the adjoint of that map in g: dg = Gᵀ [Σ_tiles (A dY Aᵀ) ⊙ (Bᵀ d B)] G. What was summed
over the channels is summed over the tiles.

How dilations, groups and a third axis come in says `cnnlab.kernels.winograd_tiling`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from cnnlab.kernels.algorithm import Algorithm, register
from cnnlab.kernels.arrays import FloatArray, Ints
from cnnlab.kernels.case import Case
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import PASS_MACS, bind, run_parts, shares_of, split
from cnnlab.kernels.winograd_tiles import (
    at_a_time,
    both_sides,
    cut_gradients,
    cut_inputs,
    join_outputs,
    kernels_at_a_time,
    parts,
)
from cnnlab.kernels.winograd_tiling import Tiling, fault, tiling, zeros_behind
from cnnlab.kernels.workspace import workspace

TILES = 256  # that are multiplied at a time
TILES_BYTES = 16 * 2**20
FILTERS = 16  # that kernels are transformed for at a time, or gradients summed, at least
SUMS_BYTES = 4 * 2**20  # of gradients of transformed kernels at a time
FILTERS_A_TILE = 5  # at least: then threads share filters, and each transforms all inputs


class Winograd(Algorithm):
    """F(m×n, r×s) on the last two axes."""

    name = "winograd"
    idea = "4×4 outputs by fewer products (Winograd): 36, not 144, for 3×3, 64, not 400, for 5×5; between transforms"
    memory = "N * C"
    grouped = True
    in_rows = False
    weights_lie = False
    tolerance = {"float32": 1e-4, "float64": 1e-12}  # noqa: RUF012  (of the class, like its base)

    def fault(self, case: Case) -> str | None:
        """Refuse what cannot be dealt out to kernels of a few taps on two axes."""
        return fault(case)

    def rows_at_a_time(self, case: Case) -> int:
        """Return the rows of a tile, of each picture that a dilation makes; with a third axis any number."""
        how = tiling(case)
        return how.tile.outs[0] * how.dilation[0] if len(case.kernel) == len(how.tile.outs) else 1

    def few_places(self, case: Case) -> bool:
        """Return whether there are so many filters for few tiles."""
        return case.groups == 1 and case.filters >= FILTERS_A_TILE * tiling(case).tiles(case)

    def filters_at_a_time(self, case: Case) -> int:
        """Return how many transformed kernels are as large as the working memory may be."""
        how = tiling(case)
        numbers = how.tile.places * how.depth * how.channels
        return max(FILTERS, workspace.limit // (numbers * case.itemsize))

    def zeros_behind(self, case: Case, out: Ints) -> Ints:
        """Return the zeros that fill the last tiles."""
        return zeros_behind(case, out)

    def flops(self, case: Case) -> int:
        """Return the operations of the products and of the transforms of input and output."""
        how = tiling(case)
        C, M, (o, p), wide = how.depth * how.channels, case.filters, how.tile.outs, how.tile.wide
        ins, outs = 2 * wide**3 * C, (wide**2 * o + wide * o * p) * M
        return 2 * how.tiles(case) * case.groups * (how.tile.places * C * M + ins + outs)

    def workspace(self, case: Case) -> int:
        """Return the bytes of transformed kernels or of their gradients, and of the tiles in work."""
        how = tiling(case)
        G, C, M, places = case.groups, how.depth * how.channels, case.filters, how.tile.places
        if case.work == "grad_weight":
            groups, filters = _most(_filters_blocks(how, M, case.itemsize))
            some, kernels = groups * filters, places * groups * filters * C
        else:
            some = G * M if G > 1 else min(M, self.filters_at_a_time(case))
            kernels = places * C * some
        tiles = min(_at_most(how, some, case.itemsize), how.tiles(case))
        widest = max(G * C, some)
        in_transform = 3 * places * widest * min(at_a_time(widest, case.itemsize), tiles)
        return (kernels + places * (G * C + some) * tiles + in_transform) * case.itemsize

    def prepare(self, w: FloatArray, case: Case) -> Any:
        """Return G g Gᵀ for each kernel, (places, groups, channels, filters)."""
        how = tiling(case)
        tile, w = how.tile, how.kernels(w)
        (G, M, C), wide, taps = w.shape[:3], tile.wide, tile.kernel
        transformed = results.empty((wide, wide, G, C, M), w.dtype)
        blocks = _blocks(G, C, kernels_at_a_time(M, w.itemsize))
        most, sides = prod(_most(blocks)) * M, tile.sides("kernel", w.dtype)

        def transform(share: slice) -> None:
            sizes = prod(taps) * most, wide * max(taps) * most
            with workspace.borrow_rows(*sizes, dtype=w.dtype) as (turned, between):
                for groups, channels in blocks[share]:
                    part = w[groups, :, channels]
                    if w.strides[1] > w.strides[2]:  # filters far apart: side by side they are turned twice as fast
                        near = between[: part.size].reshape(part.shape)
                        np.copyto(near, part)
                        part = near
                    kernels = turned[: part.size].reshape(*taps, len(part), -1, M)
                    np.copyto(kernels, part.transpose(3, 4, 0, 2, 1))
                    target = transformed[:, :, groups, channels].reshape(wide, wide, -1, copy=False)
                    both_sides(sides, kernels.reshape(*taps, -1), target, between)

        shares = split(len(blocks), shares_of(PASS_MACS * transformed.size))
        run_parts([bind(transform, share) for share in shares])
        return transformed.reshape(-1, G, C, M)

    def forward(self, x: FloatArray, weights: Any, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Transform tiles of the input, multiply, and transform back, some rows of tiles at a time."""
        how = tiling(case)
        tile, wide, (places, G, C, M) = how.tile, how.tile.wide, weights.shape
        for seen, place, count in _parts(how, x, y, _at_most(how, G * M, x.itemsize)):
            T = _number(seen, count)
            with workspace.borrow_rows(places * T * G * C, places * T * G * M, dtype=x.dtype) as (ins, outs):
                transformed, products = ins.reshape(places, T, G, C), outs.reshape(places, T, G, M)
                cut_inputs(tile, seen, count, transformed.reshape(wide, wide, T, -1))
                np.matmul(transformed.swapaxes(1, 2), weights, out=products.swapaxes(1, 2))
                join_outputs(tile, products.reshape(wide, wide, T, -1), b, place, how.dilation)

    def grad_weight(self, dy: FloatArray, x: FloatArray, dw: FloatArray, case: Case, *, add: bool) -> None:
        """Transform tiles of the input and of the gradients, multiply, and transform back, some filters at a time."""
        how = tiling(case)
        tile, G, C, M = how.tile, case.groups, how.depth * how.channels, case.filters
        blocks = _filters_blocks(how, M, x.itemsize)
        for seen, upstream, count in _parts(how, x, dy, _at_most(how, prod(_most(blocks)), x.itemsize)):
            T = _number(seen, count)
            with workspace.borrow((tile.places, T, G, C), x.dtype) as transformed:
                cut_inputs(tile, seen, count, transformed.reshape(tile.wide, tile.wide, T, -1))
                for groups, filters in blocks:
                    outs = slice(groups.start * M + filters.start, (groups.stop - 1) * M + filters.stop)
                    _products(how, upstream[:, outs], transformed[:, :, groups], dw[outs], add=add)
            add = True

    def in_order(self, dw: FloatArray, case: Case) -> FloatArray:
        """Return dw as an array (C_out, C_in/G, *kernel)."""
        return np.moveaxis(dw.reshape(case.out_channels, *case.kernel, case.in_channels // case.groups), -1, 1)


def _parts(how: Tiling, x: FloatArray, y: FloatArray, tiles: int) -> Iterator[tuple[FloatArray, FloatArray, Ints]]:
    """Yield about so many tiles at a time: what they see, their outputs, and their number down and across."""
    (o, _), d = how.tile.outs, how.dilation[0]
    down, across = how.count(y.shape[2:])
    more = how.tile.kernel[0] - 1
    for seen, place in how.stacks(x, y):
        for some, lines in parts(len(place), down, prod(how.dilation) * across, tiles):
            first, last = o * lines.start, o * lines.stop
            count = lines.stop - lines.start, across
            yield seen[some, :, :, first : last + more], place[some, :, d * first : d * last], count


def _number(seen: FloatArray, count: Ints) -> int:
    """Return how many tiles there are of pictures with so many each, on all maps that a dilation makes of them."""
    return int(prod(seen.shape[:3]) * prod(count))


def _products(how: Tiling, dy: FloatArray, transformed: FloatArray, dw: FloatArray, *, add: bool) -> None:
    """Write to dw (groups·filters, K), or add to it, the products of dy with the transformed tiles of its input.

    Shapes: dy (n, groups·filters, high, wide), tiles (places, T, groups, channels).
    """
    tile, wide, taps, dtype = how.tile, how.tile.wide, how.tile.kernel, dw.dtype
    (places, T, groups, C), rows = transformed.shape, len(dw)
    many = kernels_at_a_time(C, dtype.itemsize)
    most = min(many, rows) * C
    sizes = places * T * rows, places * rows * C, prod(taps) * most, wide * max(taps) * most
    with workspace.borrow_rows(*sizes, dtype=dtype) as (dealt, numbers, memory, between):
        upstream = dealt.reshape(places, T, groups, -1)
        products = numbers.reshape(places, groups, -1, C)
        cut_gradients(tile, dy, how.dilation, upstream.reshape(wide, wide, T, rows))
        np.matmul(upstream.transpose(0, 2, 3, 1), transformed.swapaxes(1, 2), out=products)
        sums, sides = products.reshape(wide, wide, rows, C), tile.sides("kernel", dtype, back=True)
        for first in range(0, rows, many):
            some = sums[:, :, first : first + many]
            kernels = memory[: prod(taps) * some.shape[2] * C].reshape(*taps, -1)
            both_sides(sides, some.reshape(wide, wide, -1, copy=False), kernels, between)
            how.gather(kernels.reshape(prod(taps), -1, C), dw[first : first + many], add=add)


@lru_cache(maxsize=256)
def _blocks(groups: int, size: int, many: int) -> tuple[tuple[slice, slice], ...]:
    """Cut so many groups of so many rows each into blocks of about `many`: some groups, or some rows of one."""
    if many >= size:
        at_once = many // max(size, 1)
        return tuple((slice(g, min(g + at_once, groups)), slice(0, size)) for g in range(0, groups, at_once))
    rows = [slice(first, min(first + many, size)) for first in range(0, size, many)]
    return tuple((slice(g, g + 1), some) for g in range(groups) for some in rows)


def _most(blocks: tuple[tuple[slice, slice], ...]) -> Ints:
    """Return how many groups and rows of each the first, which is the largest, of such blocks has."""
    groups, rows = blocks[0]
    return groups.stop - groups.start, rows.stop - rows.start


def _filters_blocks(how: Tiling, M: int, itemsize: int) -> tuple[tuple[slice, slice], ...]:
    """Return for which groups and filters gradients are summed at a time."""
    many = max(FILTERS, SUMS_BYTES // (how.tile.places * how.depth * how.channels * itemsize))
    return _blocks(how.groups, M, many)


def _at_most(how: Tiling, outputs: int, itemsize: int) -> int:
    """Return how many tiles are multiplied at a time, of all inputs and so many channels of outputs."""
    numbers = how.tile.places * (how.groups * how.depth * how.channels + outputs)
    return max(16, min(TILES, TILES_BYTES // (numbers * itemsize)))


register(Winograd())
