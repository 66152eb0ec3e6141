"""Winograd's minimal filtering F(4×4, 3×3): a tile of 4×4 outputs by 36 products in place of 144.

Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", section 4.3, with interpolation points 0,
1, -1, 2, -2 and infinity. A tile of 6×6 inputs d and a kernel g are transformed, multiplied number by number and added up
over the channels, and the sum is transformed back: Y = Aᵀ [Σ_c (G g Gᵀ) ⊙ (Bᵀ d B)] A. For each of the 36 places of a
tile that sum over channels is a product of matrices. The transforms are small products as well, by the Kronecker
squares of the three matrices. Large factors cancel in them, so it is less exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.kernels.algorithm import Algorithm, register
from cnnlab.kernels.arrays import FloatArray
from cnnlab.kernels.case import Case
from cnnlab.kernels.workspace import workspace

TILES = 256  # that are worked on at a time
WORKSPACE_BYTES = 12 * 2**20

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
        """Return the operations of the products and of the three transforms."""
        tiles = case.batch * -(-case.out[0] // 4) * -(-case.out[1] // 4)
        C, M = case.in_channels, case.out_channels
        return 2 * (
            36 * tiles * C * case.filters * case.groups // case.groups + 36 * 36 * tiles * C + 16 * 36 * tiles * M
        )

    def workspace(self, case: Case) -> int:
        """Return the bytes of the transformed kernels, and of inputs and products of the tiles in work."""
        C, M = case.in_channels // case.groups, case.filters
        tiles = min(_tiles(C, M, case.itemsize), case.batch * -(-case.out[0] // 4) * -(-case.out[1] // 4))
        return (36 * C * M + tiles * (72 * C + (36 + 16) * M)) * case.itemsize

    def prepare(self, w: FloatArray, case: Case) -> Any:
        """Return G g Gᵀ for each kernel, (36, C_out/G, C_in/G)."""
        del case
        M, C = w.shape[:2]
        return (_KERNEL.astype(w.dtype) @ w.reshape(M * C, 9).T).reshape(36, M, C)

    def forward(self, x: FloatArray, weights: Any, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Transform tiles of the input, multiply, and transform back, some rows of tiles at a time."""
        del case
        N, M, high, wide = y.shape
        C = x.shape[1]
        down, across = -(-high // 4), -(-wide // 4)
        many = _tiles(C, M, x.itemsize)
        pictures = max(1, min(N, many // (down * across)))
        rows = min(down, max(1, many // (across * pictures)))
        # The last tiles may reach beyond the input.
        with workspace.borrow((pictures, C, rows * 4 + 2, across * 4 + 2), x.dtype) as seen:
            for n in range(0, N, pictures):
                for row in range(0, down, rows):
                    some, lines = x[n : n + pictures, :, 4 * row : 4 * (row + rows) + 2], min(rows, down - row)
                    part = seen[: len(some), :, : 4 * lines + 2]
                    _fill(part, some)
                    place = y[n : n + pictures, :, 4 * row : 4 * (row + rows)]
                    self._some_tiles(part, weights, b, place, (len(some), lines, across))

    @staticmethod
    def _some_tiles(
        x: FloatArray, weights: FloatArray, b: FloatArray | None, y: FloatArray, tiles: tuple[int, int, int]
    ) -> None:
        """Write y (n, M, ≤ 4·down, ≤ 4·across) for x (n, C, 4·down + 2, 4·across + 2)."""
        (n, down, across), C, M = tiles, x.shape[1], weights.shape[1]
        T = n * down * across
        steps = x.strides
        view = np.lib.stride_tricks.as_strided(
            x, (6, 6, C, n, down, across), (*steps[2:], steps[1], steps[0], 4 * steps[2], 4 * steps[3]), writeable=False
        )
        with (
            workspace.borrow((36, C * T), x.dtype) as cut,
            workspace.borrow((36, C, T), x.dtype) as transformed,
            workspace.borrow((36, M, T), x.dtype) as products,
        ):
            np.copyto(cut.reshape(view.shape), view)
            np.matmul(_INPUT.astype(x.dtype), cut, out=transformed.reshape(36, C * T))
            np.matmul(weights, transformed, out=products)
            with workspace.borrow((16, M * T), x.dtype) as back:
                np.matmul(_OUTPUT.astype(x.dtype), products.reshape(36, M * T), out=back)
                outputs = back.reshape(4, 4, M, n, down, across)
                if b is not None:
                    outputs += b.reshape(M, 1, 1, 1)
                _, _, high, wide = y.shape
                for i in range(4):
                    lines = -(-(high - i) // 4)
                    for j in range(4):
                        runs = -(-(wide - j) // 4)
                        if lines > 0 and runs > 0:
                            y[:, :, i::4, j::4] = outputs[i, j, :, :, :lines, :runs].transpose(1, 0, 2, 3)


def _tiles(C: int, M: int, itemsize: int) -> int:
    """Return how many tiles are worked on at a time."""
    return max(16, min(TILES, WORKSPACE_BYTES // ((72 * C + 52 * M) * itemsize)))


def _fill(part: FloatArray, x: FloatArray) -> None:
    """Copy x into the first rows and columns of part, and zeros into the rest."""
    high, wide = min(x.shape[2], part.shape[2]), min(x.shape[3], part.shape[3])
    part[:, :, :high, :wide] = x[:, :, :high, :wide]
    part[:, :, high:] = 0
    part[:, :, :, wide:] = 0


register(Winograd())
