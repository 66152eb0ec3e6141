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
PLACE_BYTES = 20 * 2**10  # of all numbers at one place of a tile, that are transformed at a time
KERNEL_BYTES = 28 * 2**10  # the same of kernels and their gradients, of which there is less in the cache beside

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


def both_sides(small: FloatArray, tiles: FloatArray, out: FloatArray, memory: FloatArray) -> None:
    """Write small · t · smallᵀ into out (o, o, n) for each tile t of tiles (i, i, n).

    One of the two arrays lies in a row; rows of the other may be parts of longer ones. Memory (at least i·o·n,) takes
    what lies between the two products.
    """
    (o, i), n = small.shape, tiles.shape[2]
    half = memory[: i * o * n]
    if tiles.flags.c_contiguous:
        np.matmul(small, tiles.reshape(i, i * n), out=half.reshape(o, i * n))
        np.matmul(small, half.reshape(o, i, n), out=out)
    else:
        np.matmul(small, tiles, out=half.reshape(i, o, n))
        np.matmul(small, half.reshape(i, o * n), out=out.reshape(o, o * n, copy=False))


def at_a_time(channels: int, itemsize: int) -> int:
    """Return how many tiles with so many channels are transformed at a time."""
    return max(1, PLACE_BYTES // (channels * itemsize))


def kernels_at_a_time(channels: int, itemsize: int) -> int:
    """Return how many rows of kernels, each for so many channels, are transformed at a time."""
    return max(1, KERNEL_BYTES // (channels * itemsize))


def parts(batch: int, high: int, wide: int, tiles: int) -> Iterator[tuple[slice, slice]]:
    """Cut pictures of so many outputs into parts of about so many tiles: some pictures, and some lines of tiles."""
    pictures, lines = _sizes(batch, high, wide, tiles)
    down = -(-high // SIDE)
    for n in range(0, batch, pictures):
        for line in range(0, down, lines):
            yield slice(n, min(n + pictures, batch)), slice(line, min(line + lines, down))


def _sizes(batch: int, high: int, wide: int, tiles: int) -> tuple[int, int]:
    """Return how many pictures, and lines of tiles of each, such a part has at most."""
    down, across = -(-high // SIDE), -(-wide // SIDE)
    pictures = max(1, min(batch, tiles // (down * across)))
    return pictures, min(down, max(1, tiles // (across * pictures)))


def cut_inputs(x: FloatArray, transformed: FloatArray) -> None:
    """Write Bᵀ d B of all tiles of x (n, 4·down + 2, 4·across + 2, C) into transformed (6, 6, n·down·across, C)."""
    batch, high, wide, C = x.shape
    down, across = (high - 2) // SIDE, (wide - 2) // SIDE
    picture, line, pixel, channel = x.strides
    strides = (line, pixel, picture, SIDE * line, SIDE * pixel, channel)
    tiles = as_strided(x, (WIDE, WIDE, batch, down, across, C), strides, writeable=False)
    transformed, small, first = transformed.reshape(WIDE, WIDE, -1, copy=False), matrix("input", x.dtype), 0
    tiles_at_a_time = at_a_time(C, x.itemsize)
    pictures, rows = _sizes(batch, high - 2, wide - 2, tiles_at_a_time)
    most = WIDE * WIDE * pictures * rows * across * C
    with workspace.borrow((most,), x.dtype) as memory, workspace.borrow((most,), x.dtype) as between:
        for some, lines in parts(batch, high - 2, wide - 2, tiles_at_a_time):
            part = tiles[:, :, some, lines]
            copied, n = memory[: part.size], part.size // WIDE**2
            np.copyto(copied.reshape(part.shape), part)
            both_sides(small, copied.reshape(WIDE, WIDE, n), transformed[:, :, first : first + n], between)
            first += n


def cut_gradients(dy: FloatArray, transformed: FloatArray) -> None:
    """Write A dY Aᵀ of all tiles of dy (n, M, high, wide) into transformed (6, 6, n·down·across, M)."""
    batch, M, high, wide = dy.shape
    transformed, small = transformed.reshape(WIDE, WIDE, -1, copy=False), matrix("output", dy.dtype, back=True)
    for some, lines, place, tiles, channels_last, between in _in_turn(batch, M, high, wide, dy.dtype):
        part = dy[some, :, SIDE * lines.start : SIDE * lines.stop]
        rows = part.shape[2]
        if rows < channels_last.shape[1]:
            channels_last[:, rows:] = 0
        if wide < channels_last.shape[2]:
            channels_last[:, :, wide:] = 0
        np.copyto(channels_last[:, :rows, :wide], part.transpose(0, 2, 3, 1))
        np.copyto(tiles, _as_tiles(channels_last))
        both_sides(small, tiles.reshape(SIDE, SIDE, -1), transformed[:, :, place], between)


def join_outputs(products: FloatArray, b: FloatArray | None, y: FloatArray) -> None:
    """Write Aᵀ m A of products (6, 6, n·down·across, M) into y (n, M, high, wide), with b (M,) added."""
    batch, M, high, wide = y.shape
    products, small = products.reshape(WIDE, WIDE, -1, copy=False), matrix("output", y.dtype)
    for some, lines, place, tiles, channels_last, between in _in_turn(batch, M, high, wide, y.dtype):
        both_sides(small, products[:, :, place], tiles.reshape(SIDE, SIDE, -1), between)
        np.copyto(_as_tiles(channels_last), tiles)
        if b is not None:
            np.add(channels_last, b, out=channels_last)
        part = y[some, :, SIDE * lines.start : SIDE * lines.stop]
        np.copyto(part, channels_last[:, : part.shape[2], :wide].transpose(0, 3, 1, 2))


def _as_tiles(channels_last: FloatArray) -> FloatArray:
    """Return the view (4, 4, n, down, across, M) of maps (n, 4·down, 4·across, M)."""
    n, high, wide, M = channels_last.shape
    return channels_last.reshape(n, high // SIDE, SIDE, wide // SIDE, SIDE, M, copy=False).transpose(2, 4, 0, 1, 3, 5)


def _in_turn(
    batch: int, M: int, high: int, wide: int, dtype: np.dtype[Any]
) -> Iterator[tuple[slice, slice, slice, FloatArray, FloatArray, FloatArray]]:
    """Yield some pictures, some lines of tiles, which tiles of all they are, and memory for the steps with them.

    The memory is that of tiles (4, 4, n, down, across, M), of the same as maps (n, 4·down, 4·across, M), and of what
    lies between two products.
    """
    across, at_most = -(-wide // SIDE), at_a_time(M, dtype.itemsize)
    pictures, rows = _sizes(batch, high, wide, at_most)
    most, first = pictures * rows * across * M, 0
    with (
        workspace.borrow((SIDE * SIDE * most,), dtype) as tiles,
        workspace.borrow((SIDE * SIDE * most,), dtype) as channels_last,
        workspace.borrow((SIDE * WIDE * most,), dtype) as between,
    ):
        for some, lines in parts(batch, high, wide, at_most):
            n, down = some.stop - some.start, lines.stop - lines.start
            size = n * down * across * M
            yield (
                some,
                lines,
                slice(first, first + size),
                tiles[: SIDE * SIDE * size].reshape(SIDE, SIDE, n, down, across, M),
                channels_last[: SIDE * SIDE * size].reshape(n, SIDE * down, SIDE * across, M),
                between,
            )
            first += size
