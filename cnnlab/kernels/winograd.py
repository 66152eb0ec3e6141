"""Winograd's minimal filtering F(4×4, 3×3): a tile of 4×4 outputs by 36 products in place of 144.

Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", section 4.3, with the interpolation points
0, 1, -1, 2, -2 and infinity. A tile of 6×6 inputs d and a kernel g are transformed, multiplied number by number and
added up over the channels, and the sum is transformed back: Y = Aᵀ [Σ_c (G g Gᵀ) ⊙ (Bᵀ d B)] A. For each of the 36
places of a tile that sum over channels is a product of matrices. Large factors cancel in the transforms, so it is less
exact.

The gradient of the weights is the adjoint of that map in g: dg = Gᵀ [Σ_tiles (A dY Aᵀ) ⊙ (Bᵀ d B)] G. What was summed
over the channels is summed over the tiles.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.kernels.algorithm import Algorithm, register
from cnnlab.kernels.arrays import FloatArray
from cnnlab.kernels.case import Case
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import PASS_MACS, bind, run_parts, shares_of, split
from cnnlab.kernels.winograd_tiles import (
    SIDE,
    at_a_time,
    both_sides,
    cut_gradients,
    cut_inputs,
    join_outputs,
    kernels_at_a_time,
    matrix,
    parts,
)
from cnnlab.kernels.workspace import workspace

TILES = 256  # that are multiplied at a time
TILES_BYTES = 16 * 2**20
SUMS_BYTES = 4 * 2**20  # of gradients of transformed kernels at a time


class Winograd(Algorithm):
    """F(4×4, 3×3), for 3×3 kernels on pictures at stride 1."""

    name = "winograd"
    idea = "4×4 outputs by 36 products in place of 144 (Winograd), between transforms of input, kernel and output"
    memory = "N * C"
    rows = SIDE
    in_rows = False
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
        C, M = case.in_channels, case.out_channels
        return 2 * _all_tiles(case) * (36 * C * case.filters + 2 * 6**3 * C + (16 + 24) * 6 * M)

    def workspace(self, case: Case) -> int:
        """Return the bytes of transformed kernels or of their gradients, and of the tiles in work."""
        C, M = case.in_channels // case.groups, case.filters
        some = _filters(C, M, case.itemsize) if case.work == "grad_weight" else M
        tiles = min(_tiles(C + some, case.itemsize), _all_tiles(case))
        in_transform = 3 * 36 * max(C, some) * min(at_a_time(max(C, some), case.itemsize), tiles)
        return (36 * C * some + 36 * (C + some) * tiles + in_transform) * case.itemsize

    def prepare(self, w: FloatArray, case: Case) -> Any:
        """Return G g Gᵀ for each kernel, (36, C_in/G, C_out/G)."""
        del case
        M, C = w.shape[:2]
        transformed = results.empty((6, 6, C, M), w.dtype)
        many, small = kernels_at_a_time(M, w.itemsize), matrix("kernel", w.dtype)

        def transform(share: slice) -> None:
            most = min(many, share.stop - share.start) * M
            with (
                workspace.borrow((9 * most,), w.dtype) as turned,
                workspace.borrow((18 * most,), w.dtype) as between,
            ):
                for first in range(share.start, share.stop, many):
                    part = w[:, first : min(first + many, share.stop)]
                    some, size = part.shape[1], part.size
                    if w.strides[0] > w.strides[1]:  # filters far apart: side by side they are turned twice as fast
                        near = between[:size].reshape(part.shape)
                        np.copyto(near, part)
                        part = near
                    np.copyto(turned[:size].reshape(3, 3, some, M), part.transpose(2, 3, 1, 0))
                    target = transformed[:, :, first : first + some].reshape(6, 6, -1, copy=False)
                    both_sides(small, turned[:size].reshape(3, 3, -1), target, between)

        run_parts([bind(transform, share) for share in split(C, shares_of(PASS_MACS * transformed.size))])
        return transformed.reshape(36, C, M)

    def forward(self, x: FloatArray, weights: Any, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Transform tiles of the input, multiply, and transform back, some rows of tiles at a time."""
        del case
        (N, M, high, wide), C, seen = y.shape, x.shape[1], np.moveaxis(x, 1, -1)
        for some, lines in parts(N, high, wide, _tiles(C + M, x.itemsize)):
            part, T = _of(seen, some, lines)
            with (
                workspace.borrow((36, T, C), x.dtype) as transformed,
                workspace.borrow((36, T, M), x.dtype) as products,
            ):
                cut_inputs(part, transformed.reshape(6, 6, T, C))
                np.matmul(transformed, weights, out=products)
                place = y[some, :, SIDE * lines.start : SIDE * lines.stop]
                join_outputs(products.reshape(6, 6, T, M), b, place)

    def grad_weight(self, dy: FloatArray, x: FloatArray, dw: FloatArray, case: Case) -> None:
        """Transform tiles of the input and of the gradients, multiply, and transform back, some filters at a time."""
        del case
        (N, M, high, wide), C, seen = dy.shape, x.shape[1], np.moveaxis(x, 1, -1)
        filters = _filters(C, M, x.itemsize)
        for some, lines in parts(N, high, wide, _tiles(C + filters, x.itemsize)):
            part, T = _of(seen, some, lines)
            with workspace.borrow((36, T, C), x.dtype) as transformed:
                cut_inputs(part, transformed.reshape(6, 6, T, C))
                for first in range(0, M, filters):
                    outs = slice(first, min(first + filters, M))
                    upstream = dy[some, outs, SIDE * lines.start : SIDE * lines.stop]
                    _add_products(upstream, transformed, dw[outs])

    def in_order(self, dw: FloatArray, case: Case) -> FloatArray:
        """Return dw as an array (C_out, C_in/G, 3, 3)."""
        return np.moveaxis(dw.reshape(case.out_channels, 3, 3, case.in_channels // case.groups), -1, 1)


def _of(seen: FloatArray, some: slice, lines: slice) -> tuple[FloatArray, int]:
    """Return what some pictures' lines of tiles see of the input (N, 4·down + 2, 4·across + 2, C), and their number."""
    part = seen[some, SIDE * lines.start : SIDE * lines.stop + 2]
    return part, len(part) * (lines.stop - lines.start) * ((part.shape[2] - 2) // SIDE)


def _add_products(dy: FloatArray, transformed: FloatArray, dw: FloatArray) -> None:
    """Add to dw (M, 9·C), taps before channels, for dy (n, M, high, wide) and the tiles of its input (36, T, C)."""
    M, (_, T, C), dtype = dy.shape[1], transformed.shape, dy.dtype
    with workspace.borrow((36, T, M), dtype) as upstream, workspace.borrow((36, M, C), dtype) as products:
        cut_gradients(dy, upstream.reshape(6, 6, T, M))
        np.matmul(upstream.transpose(0, 2, 1), transformed, out=products)
        many, back = kernels_at_a_time(C, dtype.itemsize), matrix("kernel", dtype, back=True)
        most = min(many, M) * C
        with (
            workspace.borrow((9 * most,), dtype) as memory,
            workspace.borrow((18 * most,), dtype) as between,
        ):
            for first in range(0, M, many):
                target = dw[first : first + many].reshape(-1, 9, C, copy=False)
                part, taps = products[:, first : first + many], memory[: target.size]
                both_sides(back, part.reshape(6, 6, -1, copy=False), taps.reshape(3, 3, -1), between)
                target += taps.reshape(9, -1, C).transpose(1, 0, 2)


def _all_tiles(case: Case) -> int:
    return case.batch * -(-case.out[0] // SIDE) * -(-case.out[1] // SIDE)


def _tiles(channels: int, itemsize: int) -> int:
    """Return how many tiles are multiplied at a time, of inputs and outputs of so many channels together."""
    return max(16, min(TILES, TILES_BYTES // (36 * channels * itemsize)))


def _filters(C: int, M: int, itemsize: int) -> int:
    """Return for how many filters gradients are summed at a time."""
    return min(M, max(16, SUMS_BYTES // (36 * C * itemsize)))


register(Winograd())
