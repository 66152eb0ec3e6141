"""Windows laid out as the columns of a matrix: one product computes all outputs of a tile.

Chellapilla, Puri and Simard 2006, "High performance convolutional neural networks for document processing". Laid out
whole, the matrix is as many times larger than the input as the kernel has taps. A tile of it fits the cache, is used at
once, and its memory again for the next tile.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnnlab.kernels.algorithm import Algorithm, register
from cnnlab.kernels.arrays import FloatArray, Ints, at, tile_size, tiles, windows
from cnnlab.kernels.case import Case
from cnnlab.kernels.workspace import workspace

COLUMNS = 1024  # of a tile: OpenBLAS is at its best from 256 to about so many
SMALL_TILE_BYTES = 256 * 2**10  # with a small kernel a tile has more columns, up to so many bytes
LARGE_MAP = 200  # places: such maps fill a tile well enough by themselves, and y can be written as it lies
TILE_BYTES = 4 * 2**20  # of a tile's columns, to stay in the cache
GRAD_TILE_BYTES = 8 * 2**20  # larger: after each tile all of dw is added to


class Im2col(Algorithm):
    """Columns in tiles; several small pictures share a tile."""

    name = "im2col"
    idea = "windows as columns, in tiles that fit the cache, one matrix product each"

    def columns(self, case: Case) -> int:
        """Return how many columns a tile has at most."""
        budget = TILE_BYTES if case.work == "forward" else GRAD_TILE_BYTES
        column = case.depth * case.itemsize
        return max(64, min(max(COLUMNS, SMALL_TILE_BYTES // column), budget // column))

    def workspace(self, case: Case) -> int:
        """Return the bytes of a tile's columns, and of its products if pictures share it."""
        columns, P = self.columns(case), case.positions
        pictures = _pictures(case.batch, P, columns)
        columns = pictures * tile_size(case.out, columns)
        products = case.filters * columns if pictures > 1 else 0
        if case.work == "grad_weight":
            products += case.filters * case.depth
        return (case.depth * columns + products) * case.itemsize

    def forward(self, x: FloatArray, weights: FloatArray, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Lay out the columns of each tile and multiply."""
        N, M, out = y.shape[0], y.shape[1], y.shape[2:]
        y = y.reshape(N, M, -1, copy=False)
        bias = None if b is None else b[:, None]
        columns = self.columns(case)
        pictures = _pictures(N, y.shape[2], columns)
        size = pictures * tile_size(out, columns)
        with workspace.borrow((weights.shape[1] * size,), x.dtype) as memory:
            if pictures == 1:
                for n in range(N):
                    for tile, start, stop in _columns(x[n : n + 1], out, columns, memory, case):
                        place = y[n, :, start:stop]
                        np.matmul(weights, tile, out=place)
                        if bias is not None:
                            place += bias
                return
            with workspace.borrow((M * size,), x.dtype) as products:
                for n in range(0, N, pictures):
                    some = x[n : n + pictures]
                    for tile, start, stop in _columns(some, out, columns, memory, case):
                        product = products[: M * tile.shape[1]].reshape(M, tile.shape[1])
                        np.matmul(weights, tile, out=product)
                        if bias is not None:
                            product += bias
                        y[n : n + pictures, :, start:stop] = product.reshape(M, len(some), -1).transpose(1, 0, 2)

    def grad_weight(self, dy: FloatArray, x: FloatArray, dw: FloatArray, case: Case) -> None:
        """Multiply the gradients at the places of each tile with its columns, and add up over the tiles."""
        N, M, out = dy.shape[0], dy.shape[1], dy.shape[2:]
        dy = dy.reshape(N, M, -1)
        columns = self.columns(case)
        pictures = _pictures(N, dy.shape[2], columns)
        size = pictures * tile_size(out, columns)
        with (
            workspace.borrow((dw.shape[1] * size,), x.dtype) as memory,
            workspace.borrow(dw.shape, x.dtype) as product,
            workspace.borrow((M * size if pictures > 1 else 0,), x.dtype) as joined,
        ):
            for n in range(0, N, pictures):
                some = x[n : n + pictures]
                for tile, start, stop in _columns(some, out, columns, memory, case):
                    if pictures == 1:
                        upstream = dy[n, :, start:stop]
                    else:
                        upstream = joined[: M * tile.shape[1]].reshape(M, tile.shape[1])
                        upstream.reshape(M, len(some), -1)[...] = dy[n : n + pictures, :, start:stop].transpose(1, 0, 2)
                    np.matmul(upstream, tile.T, out=product)
                    dw += product


class FullIm2col(Im2col):
    """All columns of a picture at once, as in the textbook."""

    name = "im2col_full"
    idea = "all windows of a picture as columns, one matrix product"

    def columns(self, case: Case) -> int:
        """Return the places of a map: a tile is a picture."""
        return case.positions


def _pictures(batch: int, positions: int, columns: int) -> int:
    """Return how many pictures share a tile: several where the maps are small."""
    if positions >= LARGE_MAP:
        return 1
    return max(1, min(batch, columns // max(positions, 1)))


def _columns(
    x: FloatArray, out: Ints, columns: int, memory: FloatArray, case: Case
) -> Iterator[tuple[FloatArray, int, int]]:
    """Yield the columns (K, pictures·places) of each tile of x (pictures, C, *padded), and the places they are for."""
    rank, K = len(out), x.shape[1] * case.taps
    seen = [windows(one, case.kernel, out, case.stride, case.dilation) for one in x]  # each (C, *kernel, *out)
    for box, start, stop in tiles(out, columns):
        sizes = tuple(axis.stop - axis.start for axis in box)
        tile = memory[: K * len(x) * (stop - start)]
        laid_out = tile.reshape(x.shape[1], *case.kernel, len(x), *sizes)
        for i, picture in enumerate(seen):
            place = laid_out[(slice(None),) * (rank + 1) + (i,)]
            np.copyto(place, picture[at(box)])
        yield tile.reshape(K, -1), start, stop


register(Im2col())
register(FullIm2col())
