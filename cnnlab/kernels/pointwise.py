"""A 1×1 kernel: the same linear layer at every pixel, so one matrix product on the input as it lies there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnnlab.kernels.algorithm import Algorithm, register
from cnnlab.kernels.arrays import FloatArray, at, put, put_product
from cnnlab.kernels.case import Case
from cnnlab.kernels.workspace import workspace

COLUMNS = 1024  # of a product, as in `cnnlab.kernels.im2col`


class Pointwise(Algorithm):
    """A product on a view; with a stride, on the pixels that it keeps."""

    name = "pointwise"
    idea = "one matrix product on a view of the input: a 1×1 kernel sees one pixel"
    in_rows = False  # BLAS takes a transposed factor

    def fault(self, case: Case) -> str | None:
        """Refuse larger kernels."""
        return None if case.taps == 1 else f"the kernel is {'×'.join(map(str, case.kernel))}, not 1×1"

    def workspace(self, case: Case) -> int:
        """Return the bytes of the pixels that a stride keeps."""
        kept = 0 if set(case.stride) == {1} else case.in_channels // case.groups * case.positions
        product = case.filters * case.depth if case.work == "grad_weight" else 0
        return (kept + product) * case.itemsize

    def forward(self, x: FloatArray, weights: Any, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Multiply the weights with all pixels."""
        pixels = _pixels(x, y.shape[2:], case)
        y = y.reshape(*y.shape[:2], -1, copy=False)
        for n, places in _places(pixels):
            np.matmul(weights, pixels[n, :, places], out=y[n, :, places])
            if b is not None:
                y[n, :, places] += b[:, None]

    def grad_weight(self, dy: FloatArray, x: FloatArray, dw: FloatArray, case: Case, *, add: bool) -> None:
        """Multiply the gradients with all pixels, and add up over the batch."""
        pixels = _pixels(x, dy.shape[2:], case)
        dy = dy.reshape(*dy.shape[:2], -1)
        if len(dy) > 1 and dy.shape[2] < 256:  # few pixels a picture: all pictures side by side
            put(dw, np.tensordot(dy, pixels, axes=((0, 2), (0, 2))), add=add)
            return
        with workspace.borrow(dw.shape, x.dtype) as product:
            for upstream, seen in zip(dy, pixels, strict=True):
                put_product(dw, upstream, seen.T, product, add=add)
                add = True


def _pixels(x: FloatArray, out: tuple[int, ...], case: Case) -> FloatArray:
    """Return the pixels that are seen, (N, C, P)."""
    kept = tuple(slice(0, (size - 1) * step + 1, step) for size, step in zip(out, case.stride, strict=True))
    pixels: FloatArray = x[at(kept)].reshape(*x.shape[:2], -1)
    return pixels


def _places(pixels: FloatArray) -> Iterator[tuple[int, slice]]:
    for n in range(pixels.shape[0]):
        for start in range(0, pixels.shape[2], COLUMNS):
            yield n, slice(start, start + COLUMNS)


register(Pointwise())
