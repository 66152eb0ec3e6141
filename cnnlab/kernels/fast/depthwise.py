"""Depthwise convolution, compiled: each map by itself, with vectors along its rows."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from cnnlab.geometry.options import Pads
from cnnlab.kernels.algorithm import Whole
from cnnlab.kernels.arrays import FloatArray, Ints, address
from cnnlab.kernels.case import Case
from cnnlab.kernels.fast.plans import Three, shapes, steps, three
from cnnlab.kernels.fast.processor import fault, lanes
from cnnlab.kernels.fast.sharing import FLOAT, in_memory_of, lent, sum_shares
from cnnlab.kernels.passes import Layer, pieces
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import in_turn, run_shared, split


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
    has_grad_input = True
    uses_blas = False
    idea = "each channel by itself: vectors of neighbors times the weight of each tap, summed in registers"

    def fault(self, case: Case) -> str | None:
        """Refuse filters that see several channels."""
        seen = case.in_channels // case.groups
        if seen != 1:
            return f"each filter sees {seen} channels, not one"
        if case.work == "grad_input" and not _by_twos(case):
            return "its gradient to the input is for one filter a channel, and a stride of 2 on both of two axes"
        return fault(case)

    def workspace(self, case: Case) -> int:
        """Return the bytes of one padded map, and of a gradient's."""
        return 4 * (prod(case.padded) + (case.positions if case.work == "grad_weight" else 0))

    def correlate(self, x: FloatArray, w: FloatArray, b: FloatArray | None, layer: Layer, case: Case) -> FloatArray:
        """Pad each map and sum over the taps."""
        from cnnlab.kernels.fast import lines, strips

        plan, offsets = map_plan(case, layer.pads)
        x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
        y = results.empty((case.batch, case.out_channels, *case.out), FLOAT)
        bias: FloatArray = np.zeros(case.out_channels, FLOAT) if b is None else np.ascontiguousarray(b)
        wide = max(1, min(2, plan.out[2] // lanes()))
        tile = (0,) * min(4 if lanes() == 16 else 3, plan.out[1]), (0,) * wide
        whole, parts, at_once = window(case), *_turns(case)
        vectors = (0,) * (2 if plan.out[2] > lanes() and case.taps <= 9 else 1)
        fixed = plan, offsets, address(x), address(w), address(bias), address(y), layer.floor
        with lent(at_once, room(plan), *[8 * lanes()] * (whole is None)) as memory:
            rows, own = in_memory_of(memory, parts), len(memory[0])
            if whole:
                run_shared(strips.forward_shared, (*whole, vectors, *fixed), rows, at_once, own)
            else:
                run_shared(lines.forward_shared, (*tile, *fixed), rows, at_once, own)
        return y

    def correlate_weights(self, dy: FloatArray, x: FloatArray, layer: Layer, case: Case) -> FloatArray:
        """Sum the products of each map with its gradient, a vector of sums for each tap."""
        from cnnlab.kernels.fast import lines, strips

        plan, offsets = map_plan(case, layer.pads)
        x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
        most = 12 if lanes() == 16 else 6
        some_taps = max(t for t in range(1, most + 1) if len(offsets) % t == 0)
        parts, whole, filled = _shares(case), window(case), plan.numbers.slab * plan.box[0]
        sums = np.zeros((len(parts), case.out_channels, len(offsets), lanes()), FLOAT)
        places = plan.out[0] * plan.out[1] * -(-plan.out[2] // lanes()) * lanes()
        fixed = plan, offsets, address(x), address(dy), filled, room(plan)
        first, step = address(sums), sums.strides[0]
        with lent(len(parts), room(plan), *[places] * (whole is None)) as memory:
            rows = [
                (first + i * step, *own, maps.start, maps.stop)
                for i, (maps, own) in enumerate(zip(parts, memory, strict=True))
            ]
            if whole:
                run_shared(strips.grad_weight_shared, (*whole, *fixed), rows)
            else:
                run_shared(lines.grad_weight_shared, ((0,) * some_taps, *fixed), rows)
        return sum_shares(sums).reshape(case.out_channels, 1, *case.kernel)

    def correlate_back(self, dy: FloatArray, w: FloatArray, spatial: Ints, layer: Layer, case: Case) -> FloatArray:
        """Compute even and odd rows and columns of each map from one padded map of dy."""
        from cnnlab.kernels.fast.strips import grad_input_shared

        back = _back_plan(case, layer.pads)
        dy, w = np.ascontiguousarray(dy), w.reshape(case.out_channels, -1)[:, back.order]
        w, zero = np.ascontiguousarray(w), np.zeros(1, FLOAT)
        dx = results.empty((case.batch, case.in_channels, *spatial), FLOAT)
        vectors = (0,) * (2 if spatial[1] > 2 * lanes() and case.taps <= 9 else 1)
        arrays, (parts, at_once) = (address(dy), address(w), address(zero), address(dx)), _turns(case)
        fixed = *back.tile, vectors, back.plan, back.below, back.offsets, *arrays
        with lent(at_once, room(back.plan)) as memory:
            run_shared(grad_input_shared, fixed, in_memory_of(memory, parts), at_once, own=1)
        return dx


def _shares(case: Case) -> tuple[slice, ...]:
    return split(case.batch * case.groups, pieces(case, compiled=True))


def _turns(case: Case) -> tuple[tuple[slice, ...], int]:
    """Return the shares for where nothing is summed, and how many of them are done at once."""
    parts = in_turn(case.batch * case.groups, threads := pieces(case, compiled=True))
    return parts, min(threads, len(parts))


def _by_twos(case: Case) -> bool:
    return case.stride == (2, 2) and case.filters == 1 and min(case.kernel) > 1 and window(case) is not None


class Back(NamedTuple):
    """How the gradient to the input is computed for a stride of 2."""

    plan: Plan
    tile: tuple[Ints, Ints, Ints, Ints]  # taps of even and of odd rows, and columns, as tuples so long
    below: tuple[int, int]  # rows of the box where the windows of even and of odd rows begin
    offsets: Any  # of the columns
    order: Any  # of the weights


@lru_cache(maxsize=256)
def _back_plan(case: Case, pads: Pads) -> Back:
    # Input i lies at i + before = 2·o + k: so with i = 2·u + rest, tap k = first + 2·j leads to the output
    # o = u + last - j, with first = (rest + before) % 2 and last = (rest + before) // 2.
    size = tuple(n - sum(p) for n, p in zip(case.padded, pads, strict=True))
    taps, begins, starts, ends = [], [], [], []
    for n, kernel, (before, _) in zip(size, case.kernel, pads, strict=True):
        both = [list(range((rest + before) % 2, kernel, 2))[::-1] for rest in range(2)]
        begin = [(rest + before) // 2 - len(some) + 1 for rest, some in enumerate(both)]
        end = [(n - rest + 1) // 2 - 1 + (rest + before) // 2 for rest in range(2)]
        taps.append(both)
        begins.append(begin)
        starts.append(min(begin))
        ends.append(max(end))
    box = (1, ends[0] - starts[0] + 1, ends[1] - starts[1] + 1)
    pitch, slab, plane = steps(box, 1)
    below = begins[0][0] - starts[0], begins[0][1] - starts[0]
    columns = [begin - starts[1] + i for begin, some in zip(begins[1], taps[1], strict=True) for i in range(len(some))]
    across = [k for some in taps[1] for k in some]
    order = [row * case.kernel[1] + k for some in taps[0] for row in some for k in across]
    even, odd, first, second = ((0,) * len(some) for axis in taps for some in axis)
    numbers = Numbers(case.groups, 1, 1, pitch, slab, plane)
    plan = Plan(numbers, box, three(size, 1), three(case.out, 1), (1, 1, 1), (0, -starts[0], -starts[1]))
    return Back(plan, (even, odd, first, second), below, 4 * np.array(columns, np.int64), np.array(order))


def window(case: Case) -> tuple[Ints, Ints, Ints] | None:
    """Return rows of the kernel, stride of rows and columns as tuples so long, if a strip's weights fit registers."""
    *depth, rows, columns = (1, *case.kernel) if len(case.kernel) == 1 else case.kernel
    step, gap = (1, 1) if len(case.kernel) == 1 else (case.stride[-2], case.dilation[-2])
    if depth or gap > 1 or max(rows, columns) > 5 or step > 4 or case.taps > (25 if lanes() == 16 else 9):
        return None
    return (0,) * rows, (0,) * step, (0,) * columns


def room(plan: Plan) -> int:
    """Return how many numbers the copy needs: strips read on to the right, and below as far as the stride reaches."""
    return plan.numbers.plane + plan.stride[1] * plan.numbers.pitch + 4 * lanes()


@lru_cache(maxsize=256)
def map_plan(case: Case, pads: Pads) -> tuple[Plan, Any]:
    """Plan the copy of one map with its padding; return also where its taps lie, in bytes."""
    size, kernel, stride, gap, before, out = shapes(case, pads)
    sees = [(out[i] - 1) * stride[i] + gap[i] * (kernel[i] - 1) + 1 for i in range(3)]
    box, phases = (sees[0], sees[1], sees[2]), stride[2]
    pitch, slab, plane = steps(box, phases)
    d, h, w = (np.arange(kernel[i]) * gap[i] for i in range(3))
    taps = d[:, None, None] * slab + h[:, None] * pitch + w % phases * (pitch // phases) + w // phases
    numbers = Numbers(case.groups, case.out_channels // case.groups, phases, pitch, slab, plane)
    return Plan(numbers, box, out, size, stride, before), 4 * taps.ravel().astype(np.int64)
