"""Direct convolutions for few channels on one side.

Few filters: vectors run along the rows of the output, not along its channels. Few channels of the input: on the way
back to it vectors run along the rows of the windows, with the channels last.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from cnnlab.kernels.algorithm import Whole
from cnnlab.kernels.arrays import FloatArray, Ints, address
from cnnlab.kernels.case import Case
from cnnlab.kernels.fast.depthwise import map_plan, room, window
from cnnlab.kernels.fast.plans import forward_plan
from cnnlab.kernels.fast.processor import fault, lanes
from cnnlab.kernels.fast.sharing import FLOAT, in_memory_of, lent, sum_shares
from cnnlab.kernels.passes import Layer, pieces
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import in_turn, run_shared, split

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
    uses_blas = False

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

        fixed, y_shape, order, sizes, parts, at_once = _forward(case, layer, pieces(case, compiled=True))
        x, w = np.ascontiguousarray(x), np.ascontiguousarray(w.transpose(order) if order else w)
        y = results.empty(y_shape, FLOAT)
        bias: FloatArray = np.zeros(case.out_channels, FLOAT) if b is None else np.ascontiguousarray(b)
        arrays = address(x), address(w), address(bias), address(y), layer.floor
        with lent(at_once, *sizes) as memory:
            run_shared(narrow_shared, (*fixed, *arrays), in_memory_of(memory, parts), at_once, own=len(sizes))
        return y

    def correlate_weights(self, dy: FloatArray, x: FloatArray, layer: Layer, case: Case) -> FloatArray:
        """Sum the products of each map with each gradient, a vector of sums for each tap."""
        from cnnlab.kernels.fast.strips import grad_weight_of_pairs_shared

        head, size, parts = _weights(case, layer, pieces(case, compiled=True))
        x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
        sums = np.zeros((len(parts), case.out_channels, case.depth, lanes()), FLOAT)
        first, step = address(sums), sums.strides[0]
        with lent(len(parts), size) as memory:
            rows = [
                (first + i * step, *own, units.start, units.stop)
                for i, (units, own) in enumerate(zip(parts, memory, strict=True))
            ]
            run_shared(grad_weight_of_pairs_shared, (*head, address(x), address(dy), size), rows)
        return sum_shares(sums).reshape(case.out_channels, case.in_channels // case.groups, *case.kernel)

    def correlate_back(self, dy: FloatArray, w: FloatArray, spatial: Ints, layer: Layer, case: Case) -> FloatArray:
        """Spread each place of dy over its window, with the channels last, and put the channels in order."""
        from cnnlab.kernels.fast.spread import grad_input_shared

        channels = case.in_channels // case.groups
        head, (rows, filled, wide), room, parts, at_once = _back(
            case, layer, pieces(case, compiled=True), tuple(spatial)
        )
        dy = np.ascontiguousarray(dy)
        dx = results.empty((case.batch, case.in_channels, *spatial), FLOAT)
        runs = np.zeros((case.out_channels, rows, wide), FLOAT)
        by_rows = w.reshape(case.out_channels, channels, rows, case.kernel[-1]).transpose(0, 2, 3, 1)
        runs[:, :, :filled] = by_rows.reshape(case.out_channels, rows, -1)
        fixed = *head, address(dy), address(runs), address(dx)
        with lent(at_once, room) as memory:
            run_shared(grad_input_shared, fixed, in_memory_of(memory, parts), at_once, own=1)
        return dx


@lru_cache(maxsize=512)
def _forward(
    case: Case, layer: Layer, threads: int
) -> tuple[tuple[Any, ...], Ints, Ints | None, Ints, tuple[slice, ...], int]:
    """Return what all shares have in common, the output's shape, the weights' order, and what to borrow.

    Then come the shares, and how many of them are done at once.
    """
    cut = forward_plan(case, layer.pads, lanes(), threads, narrow=True)
    rows, gap, order = 1, 1, None
    if len(case.kernel) == 2 or (len(case.kernel) == 3 and case.kernel[0] == 1):
        rank = 2 + len(case.kernel)
        rows, gap, order = case.kernel[-2], case.dilation[-2], (0, rank - 2, *range(1, rank - 2), rank - 1)
    y_shape = case.batch, case.out_channels, *case.out
    fixed, memory = (*cut.tile, cut.plan, rows, gap, cut.offsets), (cut.box + 4 * lanes(), 32 * lanes())
    parts = in_turn(cut.units, threads)
    return fixed, y_shape, order, memory, parts, min(threads, len(parts))


@lru_cache(maxsize=512)
def _weights(case: Case, layer: Layer, threads: int) -> tuple[tuple[Any, ...], int, tuple[slice, ...]]:
    """Return what all shares have in common, numbers to borrow, and the shares."""
    (plan, offsets), taps = map_plan(case, layer.pads), window(case)
    if taps is None:
        raise ValueError(Narrow().fault(case))
    channels = case.in_channels // case.groups
    size = (channels - 1) * plan.numbers.plane + room(plan)
    return (*taps, plan, channels, case.filters, offsets), size, split(case.batch * case.groups, threads)


@lru_cache(maxsize=512)
def _back(
    case: Case, layer: Layer, threads: int, spatial: Ints
) -> tuple[tuple[Any, ...], tuple[int, int, int], int, tuple[slice, ...], int]:
    """Return likewise, after rows of a window, numbers in one and in its vectors."""
    tile, channels = spread_tile(case), case.in_channels // case.groups
    if tile is None:
        raise ValueError(Narrow().fault(case))
    rows, vectors, valid, places = tile
    down, gap = (case.stride[0], case.dilation[0]) if len(case.kernel) > 1 else (1, 1)
    before = [0, *(before for before, _ in layer.pads)]
    lines = prod(case.padded[:-1])
    plan = Spread(
        case.groups, channels, case.filters, prod(case.out[:-1]), case.out[-1], prod(spatial[:-1]), spatial[-1],
        before[-2], before[-1], down, case.stride[-1], gap, lines, case.padded[-1] * channels,
    )  # fmt: skip
    head = (0,) * rows, (0,) * vectors, (0,) * valid, (0,) * places, plan
    of_window = rows, channels * case.kernel[-1], vectors * lanes()
    parts = in_turn(case.batch * case.groups, threads)
    return head, of_window, lines * plan.pitch + 2 * lanes(), parts, min(threads, len(parts))
