"""The columns of im2col with the batch as the last axis of memory, (C, *spatial, N).

NumPy copies and BLAS multiplies long runs fast and short ones slowly. In (N, C, H, W) a run is a row of a small map,
and with a stride each number is a run of its own. In (C, H, W, N) a run is the whole batch at least. Bringing the
arrays to that order and back costs two copies; with few channels the columns are so many times larger that it pays.
"""

from __future__ import annotations

from math import prod

import numpy as np

from cnnlab.kernels.algorithm import Algorithm, register
from cnnlab.kernels.arrays import FloatArray, at, put, tile_size, tiles, windows
from cnnlab.kernels.case import Case
from cnnlab.kernels.workspace import workspace

COLUMNS = 1024  # of a tile that is laid out
TILE_BYTES = 2 * 2**20
COLUMNS_BACK = 8192  # of a tile that is added up: each tap adds a box, and large boxes have long runs
TILE_BYTES_BACK = 8 * 2**20
LONG_RUN = 16  # pictures
LARGE_MAP = 1000  # places


class BatchLast(Algorithm):
    """im2col in tiles, in memory laid out batch-last."""

    name = "batch_last"
    memory = "C * N"
    has_grad_input = True
    idea = "im2col in memory laid out (C, *spatial, N), so that copies run along the batch"

    def fault(self, case: Case) -> str | None:
        """Refuse a batch of one, whose memory is laid out so already, but for the gradient to the input."""
        return "the batch is 1" if case.batch == 1 and case.work != "grad_input" else None

    def _places(self, batch: int, case: Case) -> int:
        back = case.work == "grad_input"
        most, size = (COLUMNS_BACK, TILE_BYTES_BACK) if back else (COLUMNS, TILE_BYTES)
        columns = max(64, min(most, size // (case.depth * case.itemsize)))
        return max(1, columns // batch)

    def workspace(self, case: Case) -> int:
        """Return the bytes of the input in the new order, of a tile's columns and of its products."""
        columns = tile_size(case.out, self._places(case.batch, case)) * case.batch
        size = columns * (case.depth + case.filters)
        if case.work != "forward":
            size += case.filters * case.positions * case.batch
        if case.work == "grad_input":
            size += case.in_channels // case.groups * prod(case.padded) * case.batch
        return size * case.itemsize

    def forward(self, x: FloatArray, weights: FloatArray, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Lay out the columns of each tile and multiply; then bring the products back to the order of y."""
        N, M, out = y.shape[0], y.shape[1], y.shape[2:]
        places, K = self._places(N, case), weights.shape[1]
        y = y.reshape(N, M, -1, copy=False)
        size = tile_size(out, places) * N
        with (
            workspace.borrow((K * size,), x.dtype) as memory,
            workspace.borrow((M * size,), x.dtype) as products,
        ):
            seen = windows(np.moveaxis(x, 0, -1), case.kernel, out, case.stride, case.dilation)  # (C, *kernel, *out, N)
            for box, start, stop in tiles(out, places):
                L = (stop - start) * N
                tile = memory[: K * L].reshape(K, L)
                view = seen[at((*box, slice(None)))]
                np.copyto(tile.reshape(view.shape), view)
                product = products[: M * L].reshape(M, L)
                np.matmul(weights, tile, out=product)
                if b is not None:
                    product += b[:, None]
                y[:, :, start:stop] = product.reshape(M, stop - start, N).transpose(2, 0, 1)

    def grad_weight(self, dy: FloatArray, x: FloatArray, dw: FloatArray, case: Case, *, add: bool) -> None:
        """Multiply the gradients at the places of each tile with its columns, and add up over the tiles."""
        N, M, out = dy.shape[0], dy.shape[1], dy.shape[2:]
        places, K = self._places(N, case), dw.shape[1]
        size = tile_size(out, places) * N
        with (
            workspace.borrow((K * size,), x.dtype) as memory,
            workspace.borrow((*dy.shape[1:], N), x.dtype) as turned,
            workspace.borrow((K, M), x.dtype) as product,
        ):
            np.copyto(turned, np.moveaxis(dy, 0, -1))
            upstream = turned.reshape(M, -1)
            seen = windows(np.moveaxis(x, 0, -1), case.kernel, out, case.stride, case.dilation)
            for box, start, stop in tiles(out, places):
                tile = memory[: K * (stop - start) * N].reshape(K, -1)
                view = seen[at((*box, slice(None)))]
                np.copyto(tile.reshape(view.shape), view)
                # This way around, with the longer side first, OpenBLAS is up to 1.5 times as fast.
                np.matmul(tile, upstream[:, start * N : stop * N].T, out=product)
                put(dw, product.T, add=add)
                add = True

    def grad_input(self, dy: FloatArray, weights: FloatArray, dx: FloatArray, case: Case) -> None:
        """Multiply back to columns, and add each tap's part to the inputs that it sees: the adjoint of laying out."""
        strided, large = case.stride[-1] > 1, case.positions >= LARGE_MAP
        if 1 < len(dy) < LONG_RUN and (strided or large):  # turning costs more than the runs gain in length
            for one in range(len(dy)):
                self.grad_input(dy[one : one + 1], weights, dx[one : one + 1], case)
            return
        N, M, out, padded = dy.shape[0], dy.shape[1], dy.shape[2:], dx.shape[2:]
        places, (_, K), C = self._places(N, case), weights.shape, dx.shape[1]
        alone = N == 1  # a picture by itself lies in this order already
        with (
            workspace.borrow((0 if alone else dy.size,), dy.dtype) as turned,
            workspace.borrow((0 if alone else dx.size,), dy.dtype) as memory_of_sums,
            workspace.borrow((K * tile_size(out, places) * N,), dy.dtype) as memory,
        ):
            if alone:
                upstream, sums = dy.reshape(M, -1), np.moveaxis(dx, 0, -1)
            else:
                upstream, sums = turned.reshape(M, -1), memory_of_sums.reshape(C, *padded, N)
                np.copyto(turned.reshape(*dy.shape[1:], N), np.moveaxis(dy, 0, -1))
            sums[...] = 0
            for box, start, stop in tiles(out, places):
                sizes = [axis.stop - axis.start for axis in box]
                columns = memory[: K * (stop - start) * N].reshape(K, -1)
                np.matmul(weights.T, upstream[:, start * N : stop * N], out=columns)
                parts = columns.reshape(C, *case.kernel, *sizes, N)
                for tap in np.ndindex(*case.kernel):
                    steps = zip(tap, case.dilation, box, case.stride, strict=True)
                    seen = [
                        slice(t * d + axis.start * s, t * d + (axis.stop - 1) * s + 1, s) for t, d, axis, s in steps
                    ]
                    sums[at((*seen, slice(None)))] += parts[(slice(None), *tap)]
            if not alone:
                np.copyto(dx, np.moveaxis(sums, -1, 0))


register(BatchLast())
