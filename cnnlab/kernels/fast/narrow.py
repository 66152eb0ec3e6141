"""Direct convolutions for few channels on one side.

Few filters: vectors run along the rows of the output, not along its channels. Few channels of the input: on the way
back to it vectors run along the rows of the windows, with the channels last.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from cnnlab.kernels.algorithm import Whole
from cnnlab.kernels.arrays import FloatArray, Ints, address
from cnnlab.kernels.case import Case
from cnnlab.kernels.fast.depthwise import map_plan, room, window
from cnnlab.kernels.fast.plans import forward_plan
from cnnlab.kernels.fast.processor import fault, lanes
from cnnlab.kernels.fast.sharing import FLOAT, lent, sum_shares
from cnnlab.kernels.passes import Layer, pieces
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import run_shared, split

WIDEST = 16  # floats: a register of AVX-512, of which there are 32


class Spread(NamedTuple):
    """What the loops of the way back are told. Channels and filters are those of a group."""

    groups: int
    channels: int
    filters: int
    high: int  # of dy
    wide: int
    size_high: int  # of dx
    size_wide: int
    top: int  # padding
    left: int
    down: int  # stride
    step: int
    gap: int  # from row to row of the kernel
    lines: int  # of the padded input
    pitch: int


def spread_tile(case: Case) -> tuple[int, int, int, int] | None:
    """Return rows of the kernel, vectors and numbers of a window's row, and places of dy; None if none fit."""
    if len(case.kernel) > 2 or case.dilation[-1] > 1:
        return None
    rows, run = prod(case.kernel[:-1]), case.kernel[-1] * (case.in_channels // case.groups)
    vectors, most = -(-run // lanes()), 28 if lanes() == WIDEST else 12
    places = min(2, most // (rows * vectors))
    return (rows, vectors, run - (vectors - 1) * lanes(), places) if places else None


class Narrow(Whole):
    """A few filters, rows and vectors along them in registers, over all taps."""

    name = "narrow"
    provider = "numba"
    idea = "vectors along the rows of a few output maps in registers, while all taps pass by"
    has_grad_input = True

    def fault(self, case: Case) -> str | None:
        """Refuse float64, and processors without AVX2; for gradients of weights large kernels too."""
        if case.work == "grad_weight" and window(case) is None:
            return "its gradient of the weights is for kernels of at most 5×5"
        known = fault(case)
        if known is None and case.work == "grad_input" and spread_tile(case) is None:
            return "its way back is for one or two axes, and windows of few channels that fit into the registers"
        return known

    def workspace(self, case: Case) -> int:
        """Return the bytes of a box of the input."""
        if case.work == "grad_weight":
            pairs = case.out_channels * case.depth * lanes()
            return 4 * (case.in_channels // case.groups * prod(case.padded) + pairs)
        if case.work == "grad_input":
            return 4 * (case.in_channels // case.groups * prod(case.padded) + case.out_channels * case.depth)
        return 4 * forward_plan(case, tuple((0, 0) for _ in case.kernel), lanes(), 1, narrow=True).box

    def correlate(self, x: FloatArray, w: FloatArray, b: FloatArray | None, layer: Layer, case: Case) -> FloatArray:
        """Sum tile by tile; the filters' rows are their first axis."""
        from cnnlab.kernels.fast.lines import narrow_shared

        threads = pieces(case, compiled=True)
        cut = forward_plan(case, layer.pads, lanes(), threads, narrow=True)
        rows = gap = 1
        if len(case.kernel) == 2 or (len(case.kernel) == 3 and case.kernel[0] == 1):
            rows, gap, w = (
                case.kernel[-2],
                case.dilation[-2],
                w.transpose(0, w.ndim - 2, *range(1, w.ndim - 2), w.ndim - 1),
            )
        x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
        y = results.empty((case.batch, case.out_channels, *case.out), FLOAT)
        bias: FloatArray = np.zeros(case.out_channels, FLOAT) if b is None else np.ascontiguousarray(b)
        arrays, parts = (address(x), address(w), address(bias), address(y)), split(cut.units, threads)
        with lent(len(parts), cut.box + 4 * lanes(), 32 * lanes()) as memory:
            fixed = *cut.tile, cut.plan, rows, gap, cut.offsets, *arrays, layer.floor
            shares = [(*own, units.start, units.stop) for units, own in zip(parts, memory, strict=True)]
            run_shared(narrow_shared, fixed, shares)
        return y

    def correlate_weights(self, dy: FloatArray, x: FloatArray, layer: Layer, case: Case) -> FloatArray:
        """Sum the products of each map with each gradient, a vector of sums for each tap."""
        from cnnlab.kernels.fast.strips import grad_weight_of_pairs_shared

        (plan, offsets), taps = map_plan(case, layer.pads), window(case)
        if taps is None:
            raise ValueError(self.fault(case))
        x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
        channels = case.in_channels // case.groups
        parts = split(case.batch * case.groups, pieces(case, compiled=True))
        sums = np.zeros((len(parts), case.out_channels, case.depth, lanes()), FLOAT)
        size = (channels - 1) * plan.numbers.plane + room(plan)
        with lent(len(parts), size) as memory:
            fixed = *taps, plan, channels, case.filters, offsets, address(x), address(dy), size
            first, step = address(sums), sums.strides[0]
            shares = [
                (first + i * step, *own, units.start, units.stop)
                for i, (units, own) in enumerate(zip(parts, memory, strict=True))
            ]
            run_shared(grad_weight_of_pairs_shared, fixed, shares)
        return sum_shares(sums).reshape(case.out_channels, channels, *case.kernel)

    def correlate_back(self, dy: FloatArray, w: FloatArray, spatial: Ints, layer: Layer, case: Case) -> FloatArray:
        """Spread each place of dy over its window, with the channels last, and put the channels in order."""
        from cnnlab.kernels.fast.spread import grad_input_shared

        tile, channels = spread_tile(case), case.in_channels // case.groups
        if tile is None:
            raise ValueError(self.fault(case))
        rows, vectors, valid, places = tile
        dy = np.ascontiguousarray(dy)
        dx = results.empty((case.batch, case.in_channels, *spatial), FLOAT)
        runs = np.zeros((case.out_channels, rows, vectors * lanes()), FLOAT)
        by_rows = w.reshape(case.out_channels, channels, rows, case.kernel[-1]).transpose(0, 2, 3, 1)
        runs[:, :, : channels * case.kernel[-1]] = by_rows.reshape(case.out_channels, rows, -1)
        down, gap = (case.stride[0], case.dilation[0]) if len(case.kernel) > 1 else (1, 1)
        before = [0, *(before for before, _ in layer.pads)]
        lines = prod(case.padded[:-1])
        plan = Spread(
            case.groups, channels, case.filters, prod(case.out[:-1]), case.out[-1], prod(spatial[:-1]), spatial[-1],
            before[-2], before[-1], down, case.stride[-1], gap, lines, case.padded[-1] * channels,
        )  # fmt: skip
        fixed = (0,) * rows, (0,) * vectors, (0,) * valid, (0,) * places, plan, address(dy), address(runs), address(dx)
        parts = split(case.batch * case.groups, pieces(case, compiled=True))
        with lent(len(parts), lines * plan.pitch + 2 * lanes()) as memory:
            shares = [(*own, units.start, units.stop) for units, own in zip(parts, memory, strict=True)]
            run_shared(grad_input_shared, fixed, shares)
        return dx
