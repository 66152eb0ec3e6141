"""Depthwise convolution, compiled: each map by itself, with vectors along its rows."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from cnnlab.geometry.options import Pads
from cnnlab.kernels.algorithm import Whole
from cnnlab.kernels.arrays import FloatArray
from cnnlab.kernels.case import Case
from cnnlab.kernels.fast.direct import FLOAT, fault, lanes
from cnnlab.kernels.fast.plans import Three, address, shapes, steps
from cnnlab.kernels.passes import Layer, pieces
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import bind, run_parts, split
from cnnlab.kernels.workspace import workspace


class Numbers(NamedTuple):
    """Sizes, in numbers of four bytes."""

    groups: int
    filters: int  # of a channel
    phases: int  # rows into which a row is dealt out
    pitch: int
    slab: int
    plane: int


class Plan(NamedTuple):
    """What the compiled loops are told. All shapes have three axes."""

    numbers: Numbers
    box: Three
    out: Three
    size: Three
    stride: Three
    before: Three


class CompiledDepthwise(Whole):
    """One channel for each filter: no sum over channels, so vectors hold neighbors in a row."""

    name = "depthwise_compiled"
    provider = "numba"
    idea = "each channel by itself: vectors of neighbors times the weight of each tap, summed in registers"

    def fault(self, case: Case) -> str | None:
        """Refuse filters that see several channels."""
        seen = case.in_channels // case.groups
        return fault(case) if seen == 1 else f"each filter sees {seen} channels, not one"

    def workspace(self, case: Case) -> int:
        """Return the bytes of one padded map, and of a gradient's."""
        return 4 * (prod(case.padded) + (case.positions if case.work == "grad_weight" else 0))

    def correlate(self, x: FloatArray, w: FloatArray, b: FloatArray | None, layer: Layer, case: Case) -> FloatArray:
        """Pad each map and sum over the taps."""
        from cnnlab.kernels.fast import lines

        plan, offsets = _plan(case, layer.pads)
        x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
        y = results.empty((case.batch, case.out_channels, *case.out), FLOAT)
        bias: FloatArray = np.zeros(case.out_channels, FLOAT) if b is None else np.ascontiguousarray(b)
        wide = max(1, min(2, plan.out[2] // lanes()))
        tile = (0,) * min(4 if lanes() == 16 else 3, plan.out[1]), (0,) * wide

        def some(maps: slice) -> None:
            with (
                workspace.borrow((plan.numbers.plane + 4 * lanes(),), FLOAT) as box,
                workspace.borrow((8 * lanes(),), FLOAT) as edge,
            ):
                lines.forward(
                    *tile, plan, offsets, address(x), address(w), address(bias), address(y), address(box),
                    address(edge), maps.start, maps.stop,
                )  # fmt: skip

        run_parts([bind(some, maps) for maps in split(case.batch * case.groups, pieces(case))])
        return y

    def correlate_weights(self, dy: FloatArray, x: FloatArray, layer: Layer, case: Case) -> FloatArray:
        """Sum the products of each map with its gradient, a vector of sums for each tap."""
        from cnnlab.kernels.fast import lines

        plan, offsets = _plan(case, layer.pads)
        x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
        most = 12 if lanes() == 16 else 6
        some_taps = max(t for t in range(1, most + 1) if len(offsets) % t == 0)
        shares = split(case.batch * case.groups, pieces(case))
        sums = np.zeros((len(shares), case.out_channels, len(offsets), lanes()), FLOAT)

        def some(target: FloatArray, maps: slice) -> None:
            rows = plan.out[0] * plan.out[1] * -(-plan.out[2] // lanes()) * lanes()
            with (
                workspace.borrow((plan.numbers.plane + 4 * lanes(),), FLOAT) as box,
                workspace.borrow((rows,), FLOAT) as upstream,
            ):
                box[plan.numbers.slab * plan.box[0] :] = 0
                lines.grad_weight(
                    (0,) * some_taps, plan, offsets, address(x), address(dy), address(target), address(box),
                    address(upstream), maps.start, maps.stop,
                )  # fmt: skip

        run_parts([bind(some, sums[i], maps) for i, maps in enumerate(shares)])
        dw: FloatArray = sums.sum(axis=3).sum(axis=0).reshape(case.out_channels, 1, *case.kernel)
        return dw


@lru_cache(maxsize=256)
def _plan(case: Case, pads: Pads) -> tuple[Plan, Any]:
    size, kernel, stride, gap, before, out = shapes(case, pads)
    sees = [(out[i] - 1) * stride[i] + gap[i] * (kernel[i] - 1) + 1 for i in range(3)]
    box, phases = (sees[0], sees[1], sees[2]), stride[2]
    pitch, slab, plane = steps(box, phases)
    d, h, w = (np.arange(kernel[i]) * gap[i] for i in range(3))
    taps = d[:, None, None] * slab + h[:, None] * pitch + w % phases * (pitch // phases) + w // phases
    numbers = Numbers(case.groups, case.out_channels // case.groups, phases, pitch, slab, plane)
    return Plan(numbers, box, out, size, stride, before), 4 * taps.ravel().astype(np.int64)
