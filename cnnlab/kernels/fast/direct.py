"""The direct convolution: the definition's sum, with the part that is in work held in registers."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

from cnnlab.kernels.algorithm import Whole
from cnnlab.kernels.arrays import FloatArray, Ints, address, at
from cnnlab.kernels.case import Case
from cnnlab.kernels.fast.plans import Cut, forward_plan, weight_plan
from cnnlab.kernels.fast.processor import fault, lanes
from cnnlab.kernels.fast.sharing import (
    FLOAT,
    LINE,
    Share,
    add_gradients,
    filter_offsets,
    in_blocks,
    lent,
    pack,
    shares,
    turns,
)
from cnnlab.kernels.fast.strided import LARGEST, WOVEN, gradient
from cnnlab.kernels.passes import Layer, pieces
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import run_shared, split

FEW_WEIGHTS = 2**14  # packed, at most: then each share packs all of them for itself


class Direct(Whole):
    """Tiles of output pixels and channels in registers, over all taps of all input channels."""

    name = "direct"
    provider = "numba"
    idea = "14 pixels times 32 channels of the output in registers, while all taps pass by; nothing is laid out"
    has_grad_input = True
    uses_blas = False

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
        ready = _forward(case, layer, threads)
        x = np.ascontiguousarray(x)
        y, bias = results.empty(ready.y_shape, FLOAT), in_blocks(b, ready.cut.plan.numbers)
        taps, at_w, per_filter = filter_offsets(w), address(w), w.strides[0] // 4
        with lent(*ready.memory) as memory:
            if ready.by_blocks:
                rows = [(*own, *row) for own, row in zip(memory, ready.rows, strict=True)]
                fixed = *ready.head, taps, address(x), at_w, per_filter, address(bias), address(y), *ready.tail
                run_shared(forward_by_blocks_shared, fixed, rows)
                return y
            if not ready.apart:
                [[packed, *boxes]] = memory
                if not ready.packs:
                    pack(w, packed, ready.cut.plan.numbers, threads)
            # Only with its first share a thread packs what it needs.
            at_once = memory if ready.apart else [[packed, box] for box in boxes]
            given = [at_w if ready.packs and i < len(at_once) else 0 for i in range(len(ready.rows))]
            rows = [(*own, at, *row) for own, at, row in zip(cycle(at_once), given, ready.rows, strict=False)]
            fixed = *ready.head, taps, address(x), per_filter, address(bias), address(y), *ready.tail
            run_shared(forward_shared, fixed, rows, len(at_once), own=2)
        return y

    def correlate_weights(self, dy: FloatArray, x: FloatArray, layer: Layer, case: Case) -> FloatArray:
        """Sum over places, a block of filters times a tile of taps at a time."""
        from cnnlab.kernels.fast.loops import grad_weight_shared

        threads = pieces(case, compiled=True)
        x, layer, case = _only_seen(x, layer, case)
        cut, dw_shape, slack, parts = _weights(case, layer, threads)
        g, x, dy = cut.plan.numbers, np.ascontiguousarray(x), np.ascontiguousarray(dy)
        dw = results.empty(dw_shape, FLOAT)
        fixed = *cut.tile, cut.plan, cut.offsets, cut.line_offsets, address(x), address(dy), cut.box, slack
        rows = g.lines * g.places
        with lent(len(parts), cut.box, cut.rows) as memory:
            add_gradients(dw, g, rows, cut.taps, cut.units, parts, memory, grad_weight_shared, fixed)
        return dw

    def correlate_back(self, dy: FloatArray, w: FloatArray, spatial: Ints, layer: Layer, case: Case) -> FloatArray:
        """Compute the inputs of each rest modulo the stride, and weave them together."""
        return gradient(dy, w, spatial, layer, case)


class Forward(NamedTuple):
    """What is known of a correlation before its arrays are."""

    cut: Cut
    y_shape: Ints
    head: tuple[Any, ...]  # of what all shares have in common
    tail: tuple[Any, ...]
    memory: Ints  # to be lent: to how many shares, and numbers of each kind
    rows: list[Ints]
    by_blocks: bool  # whether the weights of a block are packed just before their use
    packs: bool  # whether each share packs what it needs
    apart: bool  # whether it has memory of its own for that


@lru_cache(maxsize=512)
def _forward(case: Case, layer: Layer, threads: int) -> Forward:
    cut = forward_plan(case, layer.pads, lanes(), 1 if case.few_places else threads)
    g, head, floor = cut.plan.numbers, (*cut.tile, cut.plan, cut.offsets), layer.floor
    y_shape = case.batch, case.out_channels, *case.out
    of_block = case.depth * g.block
    filters, box = g.groups * g.blocks * of_block, cut.box if g.packed else LINE
    if case.few_places:  # packed in a large array a weight would be read again from afar
        rows: list[Ints] = [(some.start, some.stop) for some in split(g.blocks, threads)]
        memory: Ints = (len(rows), cut.units * box if g.packed else LINE, of_block)
        return Forward(cut, y_shape, head, (cut.box, cut.units, floor), memory, rows, True, True, True)
    parts = turns(cut.units, g.blocks, threads)
    rows = [(units.start, units.stop, blocks.start, blocks.stop) for units, blocks in parts]
    at_once = min(threads, len(parts))
    alone = len(parts) == 1 or parts[0][1] != slice(0, g.blocks)  # nobody else needs a share's filters
    apart = not alone and filters <= FEW_WEIGHTS
    memory = (at_once, filters, box) if apart else (1, filters, *[box] * at_once)
    return Forward(cut, y_shape, head, (floor,), memory, rows, False, alone or apart, apart)


def _only_seen(x: FloatArray, layer: Layer, case: Case) -> tuple[FloatArray, Layer, Case]:
    """Return the places that a 1×1 kernel with a stride sees, and the layer without it."""
    if case.taps > 1 or set(case.stride) == {1} or any(map(any, layer.pads)):
        return x, layer, case
    x = x[at(slice(0, None, step) for step in case.stride)]
    layer = replace(layer, stride=(1,) * len(case.stride))
    w_shape = (case.out_channels, case.in_channels // case.groups, *case.kernel)
    return x, layer, layer.case(x.shape, w_shape, case.dtype, case.work)


@lru_cache(maxsize=512)
def _weights(case: Case, layer: Layer, threads: int) -> tuple[Cut, Ints, int, tuple[Share, ...]]:
    """Return a gradient's plan, the shape of its result, numbers of a box that are not written, and the shares."""
    cut = weight_plan(case, layer.pads, lanes())
    g = cut.plan.numbers
    shape = case.out_channels, case.in_channels // case.groups, *case.kernel
    parts = shares(cut.units, g.blocks, threads, by_blocks=case.few_places)
    return cut, shape, cut.box - g.pictures * g.channels * g.plane, parts
