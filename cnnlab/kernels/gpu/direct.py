"""The definition, one number of the result a thread: for depthwise layers, where columns are all overhead."""

from __future__ import annotations

from typing import Any

from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.case import Case
from cnnlab.kernels.gpu import device
from cnnlab.kernels.gpu.algorithm import OnGPU, pictures, weight_shape
from cnnlab.kernels.gpu.device import LIMIT, launch
from cnnlab.kernels.gpu.elementwise import add_bias
from cnnlab.kernels.gpu.window import of_convolution
from cnnlab.kernels.passes import Layer
from cnnlab.kernels.settings import workspace_limit

SHARES = 256  # parts of the batch's places that each weight's gradient is summed in, at most. Not measured


class Direct(OnGPU):
    """Sums over the taps in registers; nothing is laid out."""

    name = "gpu_direct"
    idea = "one output a thread, summed over channels and taps: for depthwise layers"

    def workspace(self, case: Case) -> int:
        """Return the bytes of the parts that a gradient of weights is summed in."""
        return case.out_channels * case.depth * _shares(case) * case.itemsize if case.work == "grad_weight" else 0

    def correlate(self, x: Any, w: Any, b: Any, layer: Layer, case: Case) -> Any:
        """Let each output gather what it sees."""
        shape = of_convolution(layer, case)
        y = device.empty((case.batch, case.out_channels, *case.out), x.dtype)
        channels = case.in_channels, case.out_channels, case.groups
        bias = (w, 0) if b is None else (b, 1)  # some array has to stand there
        for n in range(0, case.batch, pictures(case)):
            some, target = x[n : n + pictures(case)], y[n : n + pictures(case)]
            arrays = (some, w, bias[0], target)
            launch("direct_forward", x.dtype, target.size, *arrays, target.size, *channels, bias[1], shape.argument)
        return add_bias(y, None, relu=True) if layer.relu else y

    def correlate_weights(self, dy: Any, x: Any, layer: Layer, case: Case) -> Any:
        """Let each thread add up a share of the places for one weight, and add up the shares."""
        shape, shares = of_convolution(layer, case), _shares(case)
        channels = case.in_channels, case.out_channels, case.groups
        dw = None
        for n in range(0, case.batch, pictures(case)):
            some, upstream = x[n : n + pictures(case)], dy[n : n + pictures(case)]
            parts = device.empty((case.out_channels * case.depth, shares), x.dtype)
            sizes = (parts.size, len(some), *channels, shares)
            launch("direct_grad_weight", x.dtype, parts.size, upstream, some, parts, *sizes, shape.argument)
            sums = parts.sum(axis=1)
            dw = sums if dw is None else dw + sums
        return None if dw is None else dw.reshape(weight_shape(case))

    def correlate_back(self, dy: Any, w: Any, spatial: Ints, layer: Layer, case: Case) -> Any:
        """Let each input gather from the outputs that saw it."""
        shape = of_convolution(layer, case)
        dx = device.empty((case.batch, case.in_channels, *spatial), dy.dtype)
        channels = case.in_channels, case.out_channels, case.groups
        for n in range(0, case.batch, pictures(case)):
            upstream, target = dy[n : n + pictures(case)], dx[n : n + pictures(case)]
            sizes = (target.size, *channels)
            launch("direct_grad_input", dy.dtype, target.size, upstream, w, target, *sizes, shape.argument)
        return dx


def _shares(case: Case) -> int:
    places = min(case.batch, pictures(case)) * case.positions
    numbers = min(workspace_limit() // case.itemsize, LIMIT)
    return max(1, min(SHARES, places, numbers // max(case.out_channels * case.depth, 1)))
