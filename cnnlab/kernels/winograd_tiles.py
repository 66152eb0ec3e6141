"""Tiles for Winograd's algorithm: cut out of pictures, transformed, and put together again.

A transform of a tile t is L t Rᵀ with two small matrices. For many tiles it is two products: for each place of a tile
the numbers of all tiles and channels lie side by side, so L and R are multiplied by matrices with long rows. That is
done for so many tiles at a time that what they become stays in the cache, and is twice as fast then as one product with
the Kronecker product of L and R, which multiplies three times as often.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnlab.kernels.arrays import FloatArray, Ints
from cnnlab.kernels.winograd_matrices import Name, matrix
from cnnlab.kernels.workspace import workspace

PLACE_BYTES = 20 * 2**10  # of all numbers at one place of a tile, that are transformed at a time
KERNEL_BYTES = 28 * 2**10  # the same of kernels and their gradients, of which there is less in the cache beside


@dataclass(frozen=True)
class Tile:
    """A tile of wide×wide inputs, and the outputs that a kernel has there.

    Neighbors share the lines that the kernel sees beyond its first tap.
    """

    wide: int
    kernel: Ints

    @cached_property
    def outs(self) -> Ints:
        """Outputs of a tile, down and across."""
        down, across = self.kernel
        return self.wide + 1 - down, self.wide + 1 - across

    @property
    def places(self) -> int:
        """Products for a tile and a pair of channels."""
        return self.wide**2

    def count(self, high: int, wide: int) -> Ints:
        """Return how many tiles, down and across, a map of so many outputs has; the last may hang over."""
        return -(-high // self.outs[0]), -(-wide // self.outs[1])

    def sides(self, name: Name, dtype: np.dtype[Any], *, back: bool = False) -> tuple[FloatArray, FloatArray]:
        """Return the matrices of that name for the two sides of a tile."""
        return _sides(name, self.outs, self.kernel, dtype, back)


@lru_cache(maxsize=256)
def _sides(name: Name, outs: Ints, kernel: Ints, dtype: np.dtype[Any], back: bool) -> tuple[FloatArray, FloatArray]:
    down, across = zip(outs, kernel, strict=True)
    return matrix(name, *down, dtype, back=back), matrix(name, *across, dtype, back=back)


def both_sides(sides: tuple[FloatArray, FloatArray], tiles: FloatArray, out: FloatArray, memory: FloatArray) -> None:
    """Write L t Rᵀ into out (o, p, n) for each tile t of tiles (i, j, n), with L and R for its two sides.

    One of the two arrays lies in a row; rows of the other may be parts of longer ones. Memory (at least the larger of
    o·j·n and i·p·n,) takes what lies between the two products.
    """
    left, right = sides
    (o, i), (p, j), n = left.shape, right.shape, tiles.shape[2]
    if tiles.flags.c_contiguous:
        half = memory[: o * j * n]
        np.matmul(left, tiles.reshape(i, j * n), out=half.reshape(o, j * n))
        np.matmul(right, half.reshape(o, j, n), out=out)
    else:
        half = memory[: i * p * n]
        np.matmul(right, tiles, out=half.reshape(i, p, n))
        np.matmul(left, half.reshape(i, p * n), out=out.reshape(o, p * n, copy=False))


def at_a_time(channels: int, itemsize: int) -> int:
    """Return how many tiles with so many channels are transformed at a time."""
    return max(1, PLACE_BYTES // (channels * itemsize))


def kernels_at_a_time(channels: int, itemsize: int) -> int:
    """Return how many rows of kernels, each for so many channels, are transformed at a time."""
    return max(1, KERNEL_BYTES // (channels * itemsize))


def parts(batch: int, down: int, line: int, tiles: int) -> Iterator[tuple[slice, slice]]:
    """Cut pictures with so many lines, each of so many tiles, into parts of about `tiles`: pictures, and lines."""
    pictures, lines = _sizes(batch, down, line, tiles)
    for n in range(0, batch, pictures):
        for first in range(0, down, lines):
            yield slice(n, min(n + pictures, batch)), slice(first, min(first + lines, down))


def _sizes(batch: int, down: int, line: int, tiles: int) -> tuple[int, int]:
    """Return how many pictures, and lines of tiles of each, such a part has at most."""
    pictures = max(1, min(batch, tiles // (down * line)))
    return pictures, min(down, max(1, tiles // (line * pictures)))


def cut_inputs(tile: Tile, x: FloatArray, count: Ints, transformed: FloatArray) -> None:
    """Write the transforms of all tiles of x into transformed (wide, wide, tiles, channels).

    x (n, d, e, high, wide, *channels) has `count` tiles down and across on each of its d·e maps; a line of tiles is one
    of all these, map by map. The channels may be on several axes.
    """
    (batch, *rests, _, _), channels, (down, across) = x.shape[:5], x.shape[5:], count
    C, line = prod(channels), prod(rests) * across
    picture, *apart, row, pixel = x.strides[:5]
    strides = (row, pixel, picture, tile.outs[0] * row, *apart, tile.outs[1] * pixel, *x.strides[5:])
    shape = (tile.wide, tile.wide, batch, down, *rests, across, *channels)
    tiles = as_strided(x, shape, strides, writeable=False)
    transformed, first = transformed.reshape(tile.wide, tile.wide, -1, copy=False), 0
    sides, at_most = tile.sides("input", x.dtype), at_a_time(C, x.itemsize)
    most = tile.places * prod(_sizes(batch, down, line, at_most)) * line * C
    with workspace.borrow_rows(most, most, dtype=x.dtype) as (memory, between):
        for some, lines in parts(batch, down, line, at_most):
            part = tiles[:, :, some, lines]
            copied, n = memory[: part.size], part.size // tile.places
            np.copyto(copied.reshape(part.shape), part)
            both_sides(sides, copied.reshape(tile.wide, tile.wide, n), transformed[:, :, first : first + n], between)
            first += n


def cut_gradients(tile: Tile, dy: FloatArray, dilation: Ints, transformed: FloatArray) -> None:
    """Write the transforms of all tiles of dy (n, M, high, wide) into transformed (wide, wide, tiles, M)."""
    (o, p), sides = tile.outs, tile.sides("output", dy.dtype, back=True)
    transformed = transformed.reshape(tile.wide, tile.wide, -1, copy=False)
    for place, tiles, channels_last, maps, between in _in_turn(tile, dy, dilation):
        for last, part in maps:
            high, wide = part.shape[2:]
            if high < last.shape[1]:
                last[:, high:] = 0
            if wide < last.shape[2]:
                last[:, :, wide:] = 0
            np.copyto(last[:, :high, :wide], part.transpose(0, 2, 3, 1))
        np.copyto(tiles, _as_tiles(tile, channels_last))
        both_sides(sides, tiles.reshape(o, p, -1), transformed[:, :, place], between)


def join_outputs(tile: Tile, products: FloatArray, b: FloatArray | None, y: FloatArray, dilation: Ints) -> None:
    """Write what the products (wide, wide, tiles, M) become into y (n, M, high, wide), with b (M,) added."""
    (o, p), sides = tile.outs, tile.sides("output", y.dtype)
    products = products.reshape(tile.wide, tile.wide, -1, copy=False)
    for place, tiles, channels_last, maps, between in _in_turn(tile, y, dilation):
        both_sides(sides, products[:, :, place], tiles.reshape(o, p, -1), between)
        np.copyto(_as_tiles(tile, channels_last), tiles)
        if b is not None:
            np.add(channels_last, b, out=channels_last)
        for last, part in maps:
            high, wide = part.shape[2:]
            np.copyto(part, last[:, :high, :wide].transpose(0, 3, 1, 2))


def _as_tiles(tile: Tile, channels_last: FloatArray) -> FloatArray:
    """Return the view (o, p, n, down, maps, across, M) of maps (n, maps, o·down, p·across, M)."""
    (n, maps, high, wide, M), (o, p) = channels_last.shape, tile.outs
    apart = channels_last.reshape(n, maps, high // o, o, wide // p, p, M, copy=False)
    return apart.transpose(3, 5, 0, 2, 1, 4, 6)


def _in_turn(
    tile: Tile, y: FloatArray, dilation: Ints
) -> Iterator[tuple[slice, FloatArray, FloatArray, list[tuple[FloatArray, FloatArray]], FloatArray]]:
    """Yield which tiles of all are next, and memory for the steps with them: some pictures, and some lines of tiles.

    The memory is that of tiles (o, p, n, down, maps, across, M), of the same as maps (n, maps, o·down, p·across, M),
    and of what lies between two products. With a dilation a picture has several maps; of each there is a pair, the
    memory (n, o·down, p·across, M) and its part of y (n, M, high, wide).
    """
    (batch, M, high, wide), (o, p), dtype, rests = y.shape, tile.outs, y.dtype, prod(dilation)
    down, across = tile.count(-(-high // dilation[0]), -(-wide // dilation[1]))
    line, at_most, first = rests * across, at_a_time(M, dtype.itemsize), 0
    most = prod(_sizes(batch, down, line, at_most)) * line * M
    sizes = o * p * most, o * p * most, max(o, p) * tile.wide * most
    with workspace.borrow_rows(*sizes, dtype=dtype) as (tiles, channels_last, between):
        for some, lines in parts(batch, down, line, at_most):
            n, rows = some.stop - some.start, lines.stop - lines.start
            size, outs = n * rows * line * M, slice(o * lines.start, o * lines.stop)
            maps = channels_last[: o * p * size].reshape(n, rests, o * rows, p * across, M)
            pairs = []
            for i in range(rests):
                a, b = divmod(i, dilation[1])
                pairs.append((maps[:, i], y[some, :, a :: dilation[0], b :: dilation[1]][:, :, outs]))
            yield (
                slice(first, first + size),
                tiles[: o * p * size].reshape(o, p, n, rows, rests, across, M),
                maps,
                pairs,
                between,
            )
            first += size
