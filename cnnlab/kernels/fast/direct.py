"""The direct convolution: the definition's sum, with the part that is in work held in registers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cnnlab.kernels.algorithm import Whole
from cnnlab.kernels.arrays import FloatArray, Ints, address, at
from cnnlab.kernels.case import Case
from cnnlab.kernels.fast.plans import Cut, forward_plan, weight_plan
from cnnlab.kernels.fast.processor import fault, lanes
from cnnlab.kernels.fast.sharing import FLOAT, LINE, add_gradients, filter_offsets, in_blocks, lent, pack, shares
from cnnlab.kernels.fast.strided import LARGEST, WOVEN, gradient
from cnnlab.kernels.passes import Layer, pieces
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import run_shared, split


class Direct(Whole):
    """Tiles of output pixels and channels in registers, over all taps of all input channels."""

    name = "direct"
    provider = "numba"
    idea = "14 pixels times 32 channels of the output in registers, while all taps pass by; nothing is laid out"
    has_grad_input = True

    def fault(self, case: Case) -> str | None:
        """Refuse float64, processors without AVX2, and ways back that are one correlation, or none at all."""
        if case.work == "grad_input":
            if set(case.stride) == {1}:
                return "without a stride its way back is a correlation with flipped kernels"
            if any(s > 1 and d > 1 for s, d in zip(case.stride, case.dilation, strict=True)):
                return "with a stride and a dilation on one axis there are no correlations with flipped kernels"
            if case.in_channels * case.inputs > LARGEST:
                return "a picture is too large to be computed in parts and woven together"
        return fault(case)

    def workspace(self, case: Case) -> int:
        """Return the bytes of the packed filters and of a box of the input."""
        if case.work == "grad_weight":
            plan = weight_plan(case, tuple((0, 0) for _ in case.kernel), lanes())
            return 4 * (plan.box + plan.rows + case.out_channels * case.depth)
        if case.work == "grad_input":
            return 4 * (max(WOVEN, case.in_channels * case.inputs) + case.out_channels * case.depth)
        plan = forward_plan(case, tuple((0, 0) for _ in case.kernel), lanes(), 1)
        return 4 * (plan.box + case.out_channels * case.depth)

    def correlate(self, x: FloatArray, w: FloatArray, b: FloatArray | None, layer: Layer, case: Case) -> FloatArray:
        """Pack the filters, and sum tile by tile."""
        from cnnlab.kernels.fast.loops import forward_by_blocks_shared, forward_shared

        threads = pieces(case, compiled=True)
        x, layer, case = _only_seen(x, layer, case)
        cut = forward_plan(case, layer.pads, lanes(), 1 if case.few_places else threads)
        g, x = cut.plan.numbers, np.ascontiguousarray(x)
        y = results.empty((case.batch, case.out_channels, *case.out), FLOAT)
        bias = in_blocks(b, g)
        if case.few_places:  # packed in a large array a weight would be read again from afar
            arrays = address(x), address(w), w.strides[0] // 4, address(bias), address(y)
            by_blocks = *cut.tile, cut.plan, cut.offsets, filter_offsets(w), *arrays, cut.box, cut.units, layer.floor
            some_blocks = split(g.blocks, threads)
            sizes = cut.units * cut.box if g.packed else LINE, case.depth * g.block
            with lent(len(some_blocks), *sizes) as memory:
                own = [(*own, some.start, some.stop) for some, own in zip(some_blocks, memory, strict=True)]
                run_shared(forward_by_blocks_shared, by_blocks, own)
            return y
        parts = shares(cut.units, g.blocks, threads)
        filters, of_share = g.groups * g.blocks * case.depth * g.block, cut.box if g.packed else LINE
        with lent(1, filters, *[of_share] * len(parts)) as [[packed, *boxes]]:
            pack(w, packed, g, threads)
            fixed = *cut.tile, cut.plan, cut.offsets, address(x), packed, address(bias), address(y), layer.floor
            rows = [
                (box, units.start, units.stop, blocks.start, blocks.stop)
                for (units, blocks), box in zip(parts, boxes, strict=True)
            ]
            run_shared(forward_shared, fixed, rows)
        return y

    def correlate_weights(self, dy: FloatArray, x: FloatArray, layer: Layer, case: Case) -> FloatArray:
        """Sum over places, a block of filters times a tile of taps at a time."""
        from cnnlab.kernels.fast.loops import grad_weight_shared

        threads = pieces(case, compiled=True)
        x, layer, case = _only_seen(x, layer, case)
        cut = weight_plan(case, layer.pads, lanes())
        g, x, dy = cut.plan.numbers, np.ascontiguousarray(x), np.ascontiguousarray(dy)
        parts = shares(cut.units, g.blocks, threads, by_blocks=case.few_places)
        dw = results.empty((case.out_channels, case.in_channels // case.groups, *case.kernel), FLOAT)
        fixed = *cut.tile, cut.plan, cut.offsets, address(x), address(dy), cut.box, _slack(cut)
        rows = g.outer * g.lines * g.places
        with lent(len(parts), cut.box, cut.rows) as memory:
            add_gradients(dw, g, rows, cut.taps, cut.units, parts, memory, grad_weight_shared, fixed)
        return dw

    def correlate_back(self, dy: FloatArray, w: FloatArray, spatial: Ints, layer: Layer, case: Case) -> FloatArray:
        """Compute the inputs of each rest modulo the stride, and weave them together."""
        return gradient(dy, w, spatial, layer, case)


def _only_seen(x: FloatArray, layer: Layer, case: Case) -> tuple[FloatArray, Layer, Case]:
    """Return the places that a 1×1 kernel with a stride sees, and the layer without it."""
    if case.taps > 1 or set(case.stride) == {1} or any(map(any, layer.pads)):
        return x, layer, case
    x = x[at(slice(0, None, step) for step in case.stride)]
    layer = replace(layer, stride=(1,) * len(case.stride))
    w_shape = (case.out_channels, case.in_channels // case.groups, *case.kernel)
    return x, layer, layer.case(x.shape, w_shape, case.dtype, case.work)


def _slack(cut: Cut) -> int:
    g = cut.plan.numbers
    return cut.box - g.pictures * g.channels * g.plane
