"""The direct convolution for few filters: vectors along the rows of the output, not along its channels."""

from __future__ import annotations

from math import prod

import numpy as np

from cnnlab.kernels.algorithm import Whole
from cnnlab.kernels.arrays import FloatArray
from cnnlab.kernels.case import Case
from cnnlab.kernels.fast.depthwise import map_plan, room, window
from cnnlab.kernels.fast.direct import FLOAT, fault, lanes
from cnnlab.kernels.fast.plans import address, forward_plan
from cnnlab.kernels.passes import Layer, pieces
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import bind, run_parts, split
from cnnlab.kernels.workspace import workspace


class Narrow(Whole):
    """A few filters, rows and vectors along them in registers, over all taps."""

    name = "narrow"
    provider = "numba"
    idea = "vectors along the rows of a few output maps in registers, while all taps pass by"

    def fault(self, case: Case) -> str | None:
        """Refuse float64, and processors without AVX2; for gradients of weights large kernels too."""
        if case.work == "grad_weight" and window(case) is None:
            return "its gradient of the weights is for kernels of at most 5×5"
        return fault(case)

    def workspace(self, case: Case) -> int:
        """Return the bytes of a box of the input."""
        if case.work == "grad_weight":
            pairs = case.out_channels * case.depth * lanes()
            return 4 * (case.in_channels // case.groups * prod(case.padded) + pairs)
        return 4 * forward_plan(case, tuple((0, 0) for _ in case.kernel), lanes(), 1, narrow=True).box

    def correlate(self, x: FloatArray, w: FloatArray, b: FloatArray | None, layer: Layer, case: Case) -> FloatArray:
        """Sum tile by tile; the filters' rows are their first axis."""
        from cnnlab.kernels.fast import lines

        threads = pieces(case)
        cut = forward_plan(case, layer.pads, lanes(), threads, narrow=True)
        rows = gap = 1
        if len(case.kernel) == 2 or (len(case.kernel) == 3 and case.kernel[0] == 1):
            rows, gap, w = case.kernel[-2], case.dilation[-2], np.moveaxis(w, -2, 1)
        x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
        y = results.empty((case.batch, case.out_channels, *case.out), FLOAT)
        bias: FloatArray = np.zeros(case.out_channels, FLOAT) if b is None else np.ascontiguousarray(b)

        def some(units: slice) -> None:
            with (
                workspace.borrow((cut.box + 4 * lanes(),), FLOAT) as box,
                workspace.borrow((32 * lanes(),), FLOAT) as edge,
            ):
                lines.narrow(
                    *cut.tile, cut.plan, rows, gap, cut.offsets, address(x), address(w), address(bias), address(y),
                    address(box), address(edge), units.start, units.stop,
                )  # fmt: skip

        run_parts([bind(some, units) for units in split(cut.units, threads)])
        return y

    def correlate_weights(self, dy: FloatArray, x: FloatArray, layer: Layer, case: Case) -> FloatArray:
        """Sum the products of each map with each gradient, a vector of sums for each tap."""
        from cnnlab.kernels.fast import strips

        (plan, offsets), taps = map_plan(case, layer.pads), window(case)
        if taps is None:
            raise ValueError(self.fault(case))
        x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
        channels = case.in_channels // case.groups
        parts = split(case.batch * case.groups, pieces(case))
        sums = np.zeros((len(parts), case.out_channels, case.depth, lanes()), FLOAT)

        def some(target: FloatArray, units: slice) -> None:
            size = (channels - 1) * plan.numbers.plane + room(plan)
            with workspace.borrow((size,), FLOAT) as box:
                box[:] = 0  # what strips read beyond a map must be numbers
                strips.grad_weight_of_pairs(
                    *taps, plan, channels, case.filters, offsets, address(x), address(dy), address(target),
                    address(box), units.start, units.stop,
                )  # fmt: skip

        run_parts([bind(some, sums[i], units) for i, units in enumerate(parts)])
        dw: FloatArray = sums.sum(axis=3).sum(axis=0).reshape(case.out_channels, channels, *case.kernel)
        return dw
