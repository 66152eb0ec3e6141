"""Windows laid out as the columns of a matrix: one product computes all outputs of a tile.

Chellapilla, Puri and Simard 2006, "High performance convolutional neural networks for document processing". Laid out
whole, the matrix is as many times larger than the input as the kernel has taps. A tile of it fits the cache, is used at
once, and its memory again for the next tile.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from cnnlab.kernels.algorithm import Algorithm, register
from cnnlab.kernels.arrays import FloatArray, Ints, at, put, put_product, tile_size, tiles, windows
from cnnlab.kernels.case import Case
from cnnlab.kernels.workspace import workspace

COLUMNS = 1024  # of a tile: OpenBLAS is at its best from 256 to about so many
SMALL_TILE_BYTES = 512 * 2**10  # with a small kernel a tile has more columns, up to so many bytes
STEP_MACS = 4_000_000  # of a tile, if there are pictures enough: threads hold each other up at each step in Python
LARGE_MAP = 100  # places: so large a map is multiplied by itself, so that y can be written as it lies
FEW_FILTERS = 64  # with fewer OpenBLAS is up to twice as fast at the product that has the longer side first
TILE_BYTES = 4 * 2**20  # of a tile's columns, to stay in the cache
GRAD_TILE_BYTES = 8 * 2**20  # larger: after each tile all of dw is added to


class Im2col(Algorithm):
    """Columns in tiles; several small pictures share a tile."""

    name = "im2col"
    idea = "windows as columns, in tiles that fit the cache, one matrix product each"
    lays_out = True

    def columns(self, case: Case) -> int:
        """Return how many columns a tile has at most."""
        budget = TILE_BYTES if case.work == "forward" else GRAD_TILE_BYTES
        column = case.depth * case.itemsize
        return max(64, min(max(COLUMNS, SMALL_TILE_BYTES // column), budget // column))

    def workspace(self, case: Case) -> int:
        """Return the bytes of a tile's columns, and of its products where they do not go to their place at once."""
        columns = self.columns(case)
        pictures, places = _pictures(case.batch, case, columns), tile_size(case.out, columns)
        products = 0
        if case.work == "grad_weight":
            products = case.filters * case.depth * (pictures if case.positions >= LARGE_MAP else 1)
        if pictures > 1 and case.positions < LARGE_MAP:
            products += case.filters * pictures * places
        return (case.depth * pictures * places + products) * case.itemsize

    def forward(self, x: FloatArray, weights: FloatArray, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Lay out the columns of each tile and multiply."""
        N, M, out = y.shape[0], y.shape[1], y.shape[2:]
        y = y.reshape(N, M, -1, copy=False)
        columns = self.columns(case)
        size = _pictures(N, case, columns) * tile_size(out, columns)
        joined = _joined(N, y.shape[2])
        with (
            workspace.borrow((weights.shape[1] * size,), x.dtype) as memory,
            workspace.borrow((M * size if joined else 0,), x.dtype) as products,
        ):
            for some, start, stop, tile in _columns(x, out, columns, memory, case):
                place = y[some, :, start:stop]
                if joined:
                    product = products[: place.size].reshape(M, -1)
                    np.matmul(weights, tile, out=product)
                    if b is not None:
                        product += b[:, None]
                    place[...] = product.reshape(M, len(place), -1).transpose(1, 0, 2)
                else:
                    np.matmul(weights, tile, out=place)
                    if b is not None:
                        place += b[:, None]

    def grad_weight(self, dy: FloatArray, x: FloatArray, dw: FloatArray, case: Case, *, add: bool) -> None:
        """Multiply the gradients at the places of each tile with its columns, and add up over the tiles."""
        N, M, out = dy.shape[0], dy.shape[1], dy.shape[2:]
        dy = dy.reshape(N, M, -1)
        columns = self.columns(case)
        pictures = _pictures(N, case, columns)
        size, joined = pictures * tile_size(out, columns), _joined(N, dy.shape[2])
        with (
            workspace.borrow((dw.shape[1] * size,), x.dtype) as memory,
            workspace.borrow(((1 if joined else pictures) * dw.size,), x.dtype) as products,
            workspace.borrow((M * size if joined else 0,), x.dtype) as turned,
        ):
            for some, start, stop, laid_out in _columns(x, out, columns, memory, case):
                upstream, tile = dy[some, :, start:stop], laid_out
                if joined:
                    one = turned[: upstream.size].reshape(M, -1)
                    one.reshape(M, len(upstream), -1)[...] = upstream.transpose(1, 0, 2)
                    upstream, tile = one[None], tile[None]
                product = products[: len(tile) * dw.size]
                if M < FEW_FILTERS:
                    product = product.reshape(len(tile), *dw.shape[::-1])
                    np.matmul(tile, upstream.transpose(0, 2, 1), out=product)
                    put(dw, _sum(product).T, add=add)
                elif len(tile) == 1:
                    put_product(dw, upstream[0], tile[0].T, product.reshape(dw.shape), add=add)
                else:
                    product = product.reshape(len(tile), *dw.shape)
                    np.matmul(upstream, tile.transpose(0, 2, 1), out=product)
                    put(dw, _sum(product), add=add)
                add = True


class FullIm2col(Im2col):
    """All columns of a picture at once, as in the textbook."""

    name = "im2col_full"
    idea = "all windows of a picture as columns, one matrix product"

    def columns(self, case: Case) -> int:
        """Return the places of a map: a tile is a picture."""
        return case.positions


def _pictures(batch: int, case: Case, columns: int) -> int:
    """Return how many pictures share a tile: several where the maps are small, or have little to be multiplied."""
    many = columns // max(case.positions, 1)
    if case.positions >= LARGE_MAP:
        fitting = TILE_BYTES // (case.depth * case.positions * case.itemsize)
        many = max(many, min(-(-STEP_MACS // (case.filters * case.depth * case.positions)), fitting))
    return max(1, min(batch, many))


def _sum(products: FloatArray) -> FloatArray:
    """Return the sum over the first axis."""
    total: FloatArray = products[0] if len(products) == 1 else products.sum(axis=0)
    return total


def _joined(batch: int, positions: int) -> bool:
    """Return whether pictures are laid out side by side for one product, (K, n·P), and not one by one, (n, K, P)."""
    return batch > 1 and positions < LARGE_MAP


def _columns(
    x: FloatArray, out: Ints, columns: int, memory: FloatArray, case: Case
) -> Iterator[tuple[slice, int, int, FloatArray]]:
    """Yield for each tile of x (N, C, *padded) its pictures, its places, and its columns."""
    N, rank, K = x.shape[0], len(out), x.shape[1] * case.taps
    seen = windows(np.moveaxis(x, 0, -1), case.kernel, out, case.stride, case.dilation)  # (C, *kernel, *out, N)
    joined, pictures = _joined(N, prod(out)), _pictures(N, case, columns)
    seen = np.moveaxis(seen, -1, 1 + rank if joined else 0)  # (C, *kernel, N, *out) or (N, C, *kernel, *out)
    for n in range(0, N, pictures):
        some = slice(n, min(n + pictures, N))
        few = seen[(slice(None),) * (1 + rank) + (some,)] if joined else seen[some]
        for box, start, stop in tiles(out, columns):
            part = few[at(box)]
            tile = memory[: part.size]
            np.copyto(tile.reshape(part.shape), part)
            yield some, start, stop, tile.reshape((K, -1) if joined else (some.stop - n, K, stop - start))


register(Im2col())
register(FullIm2col())
