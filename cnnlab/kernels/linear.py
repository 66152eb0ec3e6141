"""A kernel as large as the map: every filter sees the whole input once, so the layer is a fully connected one.

One matrix product each way, on arrays as they lie there: (N, C·K) by (C_out, C·K).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cnnlab.kernels.algorithm import Whole, register
from cnnlab.kernels.arrays import FloatArray, Ints
from cnnlab.kernels.case import Case
from cnnlab.kernels.results import results

if TYPE_CHECKING:
    from cnnlab.kernels.passes import Layer


class Linear(Whole):
    """A product of the flattened inputs with the flattened filters."""

    name = "linear"
    idea = "the kernel sees the whole map: a fully connected layer, one matrix product"
    has_grad_input = True

    def fault(self, case: Case) -> str | None:
        """Refuse kernels that are smaller than the map, or larger with padding, and groups."""
        if case.groups > 1:
            return f"there are {case.groups} groups, not one"
        size = tuple(n - more for n, more in zip(case.padded, case.added or (0,) * len(case.padded), strict=True))
        if case.kernel == size == case.padded:
            return None
        return f"the kernel is {_times(case.kernel)}, not as large as the map, {_times(size)}, without padding"

    def correlate(self, x: FloatArray, w: FloatArray, b: FloatArray | None, layer: Layer, case: Case) -> FloatArray:
        """Multiply."""
        y = results.empty((case.batch, case.out_channels, *case.out), x.dtype)
        flat = y.reshape(y.shape[:2])
        np.matmul(x.reshape(len(x), -1), w.reshape(len(w), -1).T, out=flat)
        if b is not None:
            flat += b
        return y if not layer.relu else np.maximum(y, 0, out=y)

    def correlate_weights(self, dy: FloatArray, x: FloatArray, layer: Layer, case: Case) -> FloatArray:
        """Multiply."""
        del layer
        dw: FloatArray = dy.reshape(dy.shape[:2]).T @ x.reshape(len(x), -1)
        return dw.reshape(case.out_channels, case.in_channels, *case.kernel)

    def correlate_back(self, dy: FloatArray, w: FloatArray, spatial: Ints, layer: Layer, case: Case) -> FloatArray:
        """Multiply."""
        del layer
        dx = results.empty((case.batch, case.in_channels, *spatial), dy.dtype)
        np.matmul(dy.reshape(dy.shape[:2]), w.reshape(len(w), -1), out=dx.reshape(len(dx), -1))
        return dx


def _times(sizes: tuple[int, ...]) -> str:
    return "×".join(map(str, sizes))


register(Linear())
