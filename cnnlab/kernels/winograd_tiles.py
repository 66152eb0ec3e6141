"""Tiles for Winograd's F(4×4, 3×3): cut out of pictures, transformed, and put together again.

A transform of a tile t is M t Mᵀ with a small matrix M. For many tiles it is two products with M: for each of the 36
places of a tile the numbers of all tiles and channels lie side by side, so M is multiplied by matrices with long rows.
That is done for so many tiles at a time that what they become stays in the cache, and is twice as fast then as one
product with the Kronecker square of M, which multiplies three times as often.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnlab.kernels.arrays import FloatArray
from cnnlab.kernels.workspace import workspace

SIDE = 4  # of a tile of outputs
WIDE = 6  # of a tile of inputs: neighbors share two lines
PLACE_BYTES = 14 * 2**10  # of all numbers at one place of a tile, that are transformed at a time

_B = [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0]]
_B += [[0, 4, 0, -5, 0, 1]]
_G = [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6]]
_G += [[1 / 24, -1 / 12, 1 / 6], [0, 0, 1]]
_A = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
_MATRICES = {"input": _B, "kernel": _G, "output": _A}


@cache
def matrix(name: str, dtype: np.dtype[Any], *, back: bool = False) -> FloatArray:
    """Return Bᵀ for "input", G for "kernel" or Aᵀ for "output"; `back` turns it, for the gradient."""
    found = np.array(_MATRICES[name], dtype)
    return np.ascontiguousarray(found.T) if back else found


def both_sides(small: FloatArray, tiles: FloatArray, out: FloatArray) -> None:
    """Write small · t · smallᵀ into out (o, o, n) for each tile t of tiles (i, i, n).

    One of the two arrays lies in a row; rows of the other may be parts of longer ones.
    """
    (o, i), n = small.shape, tiles.shape[2]
    with workspace.borrow((i * o * n,), tiles.dtype) as half:
        if tiles.flags.c_contiguous:
            np.matmul(small, tiles.reshape(i, i * n), out=half.reshape(o, i * n))
            np.matmul(small, half.reshape(o, i, n), out=out)
        else:
            np.matmul(small, tiles, out=half.reshape(i, o, n))
            np.matmul(small, half.reshape(i, o * n), out=out.reshape(o, o * n, copy=False))


def at_a_time(channels: int, itemsize: int) -> int:
    """Return how many tiles, or filters, with so many channels are transformed at a time."""
    return max(1, PLACE_BYTES // (channels * itemsize))


def parts(batch: int, high: int, wide: int, tiles: int) -> Iterator[tuple[slice, slice]]:
    """Cut pictures of so many outputs into parts of about so many tiles: some pictures, and some lines of tiles."""
    down, across = -(-high // SIDE), -(-wide // SIDE)
    pictures = max(1, min(batch, tiles // (down * across)))
    lines = min(down, max(1, tiles // (across * pictures)))
    for n in range(0, batch, pictures):
        for line in range(0, down, lines):
            yield slice(n, min(n + pictures, batch)), slice(line, min(line + lines, down))


def cut_inputs(x: FloatArray, transformed: FloatArray) -> None:
    """Write Bᵀ d B of all tiles of x (n, 4·down + 2, 4·across + 2, C) into transformed (6, 6, n·down·across, C)."""
    batch, high, wide, C = x.shape
    down, across = (high - 2) // SIDE, (wide - 2) // SIDE
    picture, line, pixel, channel = x.strides
    strides = (line, pixel, picture, SIDE * line, SIDE * pixel, channel)
    tiles = as_strided(x, (WIDE, WIDE, batch, down, across, C), strides, writeable=False)
    transformed, small, first = transformed.reshape(WIDE, WIDE, -1, copy=False), matrix("input", x.dtype), 0
    for some, lines in parts(batch, high - 2, wide - 2, at_a_time(C, x.itemsize)):
        part = tiles[:, :, some, lines]
        with workspace.borrow(part.shape, x.dtype) as copied:
            np.copyto(copied, part)
            both_sides(small, copied.reshape(WIDE, WIDE, -1), transformed[:, :, first : first + part[0, 0].size])
        first += part[0, 0].size


def cut_gradients(dy: FloatArray, transformed: FloatArray) -> None:
    """Write A dY Aᵀ of all tiles of dy (n, M, high, wide) into transformed (6, 6, n·down·across, M)."""
    batch, M, high, wide = dy.shape
    across = -(-wide // SIDE)
    transformed, small = transformed.reshape(WIDE, WIDE, -1, copy=False), matrix("output", dy.dtype, back=True)
    first = 0
    for some, lines in parts(batch, high, wide, at_a_time(M, dy.itemsize)):
        part = dy[some, :, SIDE * lines.start : SIDE * lines.stop]
        n, _, rows, _ = part.shape
        down = lines.stop - lines.start
        size = n * down * across * M
        with (
            workspace.borrow((n, SIDE * down, SIDE * across, M), dy.dtype) as channels_last,
            workspace.borrow((SIDE, SIDE, n, down, across, M), dy.dtype) as tiles,
        ):
            channels_last[:, rows:] = 0
            channels_last[:, :, wide:] = 0
            np.copyto(channels_last[:, :rows, :wide], np.moveaxis(part, 1, -1))
            np.copyto(tiles, channels_last.reshape(n, down, SIDE, across, SIDE, M).transpose(2, 4, 0, 1, 3, 5))
            both_sides(small, tiles.reshape(SIDE, SIDE, size), transformed[:, :, first : first + size])
        first += size


def join_outputs(products: FloatArray, b: FloatArray | None, y: FloatArray) -> None:
    """Write Aᵀ m A of products (6, 6, n·down·across, M) into y (n, M, high, wide), with b (M,) added."""
    batch, M, high, wide = y.shape
    across = -(-wide // SIDE)
    products, small, first = products.reshape(WIDE, WIDE, -1, copy=False), matrix("output", y.dtype), 0
    for some, lines in parts(batch, high, wide, at_a_time(M, y.itemsize)):
        place = y[some, :, SIDE * lines.start : SIDE * lines.stop]
        n, _, rows, _ = place.shape
        down = lines.stop - lines.start
        size = n * down * across * M
        with (
            workspace.borrow((SIDE, SIDE, n, down, across, M), y.dtype) as tiles,
            workspace.borrow((n, SIDE * down, SIDE * across, M), y.dtype) as channels_last,
        ):
            both_sides(small, products[:, :, first : first + size], tiles.reshape(SIDE, SIDE, size))
            np.copyto(channels_last.reshape(n, down, SIDE, across, SIDE, M), tiles.transpose(2, 3, 0, 4, 1, 5))
            if b is not None:
                np.add(channels_last, b, out=channels_last)
            np.copyto(place, np.moveaxis(channels_last[:, :rows, :wide], -1, 1))
        first += size
