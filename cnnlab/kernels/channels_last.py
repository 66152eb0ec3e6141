"""im2col with the channels as the last axis of memory, (N, *spatial, C): windows as the rows of a matrix.

In this order the part of a window that lies in one row of the kernel is one run of memory, kernel width × channels
long, whatever the stride and the size of the map. So laying out windows is fast, and rows of windows times columns of
weights is the form of product at which OpenBLAS is fast with few filters too.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnnlab.kernels.algorithm import Algorithm, register
from cnnlab.kernels.arrays import FloatArray, Ints, at, put_product, tile_size, tiles, windows
from cnnlab.kernels.case import Case
from cnnlab.kernels.im2col import STEP_MACS
from cnnlab.kernels.results import results
from cnnlab.kernels.workspace import workspace

ROWS = 1024  # of a tile
TILE_BYTES = 4 * 2**20
FEW_FILTERS = 96  # below so many the product is made as (windows, filters) and turned; above it is made as y lies


class ChannelsLast(Algorithm):
    """Windows in tiles; several small pictures share a tile."""

    name = "channels_last"
    idea = "im2col in memory laid out (N, *spatial, C): windows as rows, in tiles that fit the cache"
    memory = "N * C"
    lays_out = True
    weights_lie = False

    def _sizes(self, batch: int, out: Ints, case: Case) -> tuple[int, int]:
        """Return how many pictures and how many places of each a tile has."""
        rows = max(64, min(ROWS, TILE_BYTES // (case.depth * case.itemsize)))
        places = tile_size(out, rows)
        step = -(-STEP_MACS // max(case.filters * case.depth * places, 1))
        fitting = TILE_BYTES // max(case.depth * places * case.itemsize, 1)
        return max(1, min(batch, max(rows // max(places, 1), min(step, fitting)))), places

    def workspace(self, case: Case) -> int:
        """Return the bytes of a tile's windows and of its products."""
        pictures, places = self._sizes(case.batch, case.out, case)
        if case.work == "grad_weight":
            products = case.filters * (case.depth + (pictures * places if pictures > 1 else 0))
        else:
            products = case.filters * pictures * places
        return (pictures * places * case.depth + products) * case.itemsize

    def prepare(self, w: FloatArray, case: Case) -> FloatArray:
        """Return w as a matrix (K, C_out/G), the channels of a tap side by side."""
        del case
        turned = results.empty((*w.shape[2:], *w.shape[1::-1]), w.dtype)
        np.copyto(turned, np.moveaxis(w, (1, 0), (-2, -1)))
        return turned.reshape(-1, w.shape[0])

    def forward(self, x: FloatArray, weights: FloatArray, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Lay out the windows of each tile and multiply."""
        N, M, out = y.shape[0], y.shape[1], y.shape[2:]
        pictures, places = self._sizes(N, out, case)
        y = y.reshape(N, M, -1, copy=False)
        as_it_lies = pictures == 1 and M >= FEW_FILTERS
        with (
            workspace.borrow((len(weights) * pictures * places,), x.dtype) as memory,
            workspace.borrow((0 if as_it_lies else M * pictures * places,), x.dtype) as products,
        ):
            for some, start, stop, rows in _windows(x, out, pictures, places, memory, case):
                place = y[some, :, start:stop]
                if as_it_lies:
                    np.matmul(weights.T, rows.T, out=place[0])
                    if b is not None:
                        place += b[:, None]
                else:
                    product = products[: M * len(rows)].reshape(-1, M)
                    np.matmul(rows, weights, out=product)
                    if b is not None:
                        product += b
                    place[...] = product.reshape(len(place), -1, M).transpose(0, 2, 1)

    def grad_weight(self, dy: FloatArray, x: FloatArray, dw: FloatArray, case: Case, *, add: bool) -> None:
        """Multiply the gradients at the places of each tile with its windows, and add up over the tiles."""
        N, M, out = dy.shape[0], dy.shape[1], dy.shape[2:]
        pictures, places = self._sizes(N, out, case)
        dy = dy.reshape(N, M, -1)
        with (
            workspace.borrow((dw.shape[1] * pictures * places,), x.dtype) as memory,
            workspace.borrow((M * pictures * places if pictures > 1 else 0,), x.dtype) as joined,
            workspace.borrow(dw.shape, x.dtype) as product,
        ):
            for some, start, stop, rows in _windows(x, out, pictures, places, memory, case):
                upstream = dy[some, :, start:stop]
                if len(upstream) == 1:
                    one = upstream[0]
                else:
                    one = joined[: upstream.size].reshape(M, -1)
                    one.reshape(M, len(upstream), -1)[...] = upstream.transpose(1, 0, 2)
                put_product(dw, one, rows, product, add=add)
                add = True

    def in_order(self, dw: FloatArray, case: Case) -> FloatArray:
        """Return dw as an array (C_out, C_in/G, *kernel)."""
        return np.moveaxis(dw.reshape(case.out_channels, *case.kernel, case.in_channels // case.groups), -1, 1)


def _windows(  # noqa: PLR0917
    x: FloatArray, out: Ints, pictures: int, places: int, memory: FloatArray, case: Case
) -> Iterator[tuple[slice, int, int, FloatArray]]:
    """Yield for each tile its pictures, its places and its windows (pictures·places, K)."""
    rank = len(out)
    seen = windows(np.moveaxis(x, 1, -1), case.kernel, out, case.stride, case.dilation)  # (N, *kernel, *out, C)
    kernel, place = range(1, 1 + rank), range(1 + rank, 1 + 2 * rank)
    seen = seen.transpose(0, *place, *kernel, 1 + 2 * rank)  # (N, *out, *kernel, C)
    inside = [slice(None)] * (rank + 1)
    for n in range(0, len(x), pictures):
        some = slice(n, min(n + pictures, len(x)))
        for box, start, stop in tiles(out, places):
            part = seen[some][at((*box, *inside))]
            rows = memory[: part.size].reshape((some.stop - n) * (stop - start), -1)
            np.copyto(rows.reshape(part.shape), part)
            yield some, start, stop, rows


register(ChannelsLast())
