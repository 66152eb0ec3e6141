"""Winograd's minimal filtering F(4×4, 3×3): a tile of 4×4 outputs by 36 products in place of 144.

Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", section 4.3, with the interpolation points
0, 1, -1, 2, -2 and infinity. A tile of 6×6 inputs d and a kernel g are transformed, multiplied number by number and
added up over the channels, and the sum is transformed back: Y = Aᵀ [Σ_c (G g Gᵀ) ⊙ (Bᵀ d B)] A. For each of the 36
places of a tile that sum over channels is a product of matrices. The transforms are small products as well, by the
Kronecker squares of the three matrices. Large factors cancel in them, so it is less exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnlab.kernels.algorithm import Algorithm, register
from cnnlab.kernels.arrays import FloatArray
from cnnlab.kernels.case import Case
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import PASS_MACS, bind, run_parts, shares_of, split
from cnnlab.kernels.workspace import workspace

TILES = 256  # that are worked on at a time
KERNEL_BYTES = 512 * 2**10  # of kernels that are transformed at a time, before and after
WORKSPACE_BYTES = 24 * 2**20

_B = [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0]]
_B += [[0, 4, 0, -5, 0, 1]]
_G = [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6]]
_G += [[1 / 24, -1 / 12, 1 / 6], [0, 0, 1]]
_A = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
_INPUT, _KERNEL, _OUTPUT = (np.kron(matrix, matrix) for matrix in (_B, _G, _A))  # (36, 36), (36, 9), (16, 36)


class Winograd(Algorithm):
    """F(4×4, 3×3), for 3×3 kernels on pictures at stride 1."""

    name = "winograd"
    idea = "4×4 outputs by 36 products in place of 144 (Winograd), between transforms of input, kernel and output"
    memory = "N * C"
    rows = 4
    has_grad_weight = False
    tolerance = {"float32": 1e-4, "float64": 1e-12}  # noqa: RUF012  (of the class, like its base)

    def fault(self, case: Case) -> str | None:
        """Refuse all but 3×3 kernels at stride 1."""
        if case.kernel != (3, 3):
            return f"the kernel is {'×'.join(map(str, case.kernel))}, not 3×3"
        if not case.dense:
            return f"stride {case.stride} and dilation {case.dilation} must be 1"
        return None

    def flops(self, case: Case) -> int:
        """Return the operations of the products and of the transforms of input and output."""
        tiles = case.batch * -(-case.out[0] // 4) * -(-case.out[1] // 4)
        C, M = case.in_channels, case.out_channels
        return 2 * 36 * tiles * (C * case.filters + 36 * C + 16 * M)

    def workspace(self, case: Case) -> int:
        """Return the bytes of the transformed kernels, and of inputs and products of the tiles in work."""
        C, M = case.in_channels // case.groups, case.filters
        tiles = min(_tiles(C, M, case.itemsize), case.batch * -(-case.out[0] // 4) * -(-case.out[1] // 4))
        return (36 * C * M + tiles * _numbers(C, M)) * case.itemsize

    def prepare(self, w: FloatArray, case: Case) -> Any:
        """Return G g Gᵀ for each kernel, (36, C_in/G, C_out/G)."""
        del case
        M, C = w.shape[:2]
        transformed = results.empty((36, C, M), w.dtype)
        many = max(1, KERNEL_BYTES // ((9 + 36) * M * w.itemsize))

        def transform(share: slice) -> None:
            with workspace.borrow((9, many * M), w.dtype) as memory:
                for first in range(share.start, share.stop, many):
                    some = slice(first, min(first + many, share.stop))
                    turned = memory[:, : (some.stop - first) * M]
                    np.copyto(turned.reshape(3, 3, -1, M, copy=False), w[:, some].transpose(2, 3, 1, 0))
                    np.matmul(_KERNEL.astype(w.dtype), turned, out=transformed[:, some].reshape(36, -1, copy=False))

        run_parts([bind(transform, share) for share in split(C, shares_of(PASS_MACS * transformed.size))])
        return transformed

    def forward(self, x: FloatArray, weights: Any, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Transform tiles of the input, multiply, and transform back, some rows of tiles at a time."""
        del case
        (N, M, high, wide), C = y.shape, x.shape[1]
        down, across = -(-high // 4), -(-wide // 4)
        many = _tiles(C, M, x.itemsize)
        pictures = max(1, min(N, many // (down * across)))
        lines = min(down, max(1, many // (across * pictures)))
        seen = np.moveaxis(x, 1, -1)  # (N, 4·down + 2, 4·across + 2, C)
        for n in range(0, N, pictures):
            for line in range(0, down, lines):
                rows = slice(4 * line, 4 * (line + lines) + 2)
                place = y[n : n + pictures, :, 4 * line : 4 * (line + lines)]
                _some_tiles(seen[n : n + pictures, rows], weights, b, place)


def _some_tiles(x: FloatArray, weights: FloatArray, b: FloatArray | None, y: FloatArray) -> None:
    """Write y (n, M, ≤ 4·down, ≤ 4·across) for x (n, 4·down + 2, 4·across + 2, C)."""
    (n, high, wide, C), M = x.shape, weights.shape[2]
    down, across = (high - 2) // 4, (wide - 2) // 4
    T = n * down * across
    picture, line, pixel, channel = x.strides
    cut = as_strided(
        x, (6, 6, n, down, across, C), (line, pixel, picture, 4 * line, 4 * pixel, channel), writeable=False
    )
    with (
        workspace.borrow((36, T * C), x.dtype) as inputs,
        workspace.borrow((36, T * C), x.dtype) as transformed,
        workspace.borrow((36, T, M), x.dtype) as products,
        workspace.borrow((16, T * M), x.dtype) as outputs,
        workspace.borrow((n, 4 * down, 4 * across, M), x.dtype) as turned,
    ):
        np.copyto(inputs.reshape(cut.shape), cut)
        np.matmul(_INPUT.astype(x.dtype), inputs, out=transformed)
        np.matmul(transformed.reshape(36, T, C), weights, out=products)
        np.matmul(_OUTPUT.astype(x.dtype), products.reshape(36, T * M), out=outputs)
        tiles = outputs.reshape(4, 4, n, down, across, M)
        np.copyto(turned.reshape(n, down, 4, across, 4, M), tiles.transpose(2, 3, 0, 4, 1, 5))
        if b is not None:
            np.add(turned, b, out=turned)
        np.copyto(y, np.moveaxis(turned[:, : y.shape[2], : y.shape[3]], -1, 1))


def _numbers(C: int, M: int) -> int:
    """Return how many numbers are kept for a tile: its inputs twice, products, and outputs twice."""
    return 2 * 36 * C + (36 + 2 * 16) * M


def _tiles(C: int, M: int, itemsize: int) -> int:
    """Return how many tiles are worked on at a time."""
    return max(16, min(TILES, WORKSPACE_BYTES // (_numbers(C, M) * itemsize)))


register(Winograd())
