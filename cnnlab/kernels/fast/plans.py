"""How a case is cut for the micro-kernel: sizes of tiles and pieces, and the tables of offsets."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from cnnlab.geometry.options import Pads
from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.case import Case

BOX = 2**17  # numbers of the input that are worked on at a time, about: they stay in the cache next to the weights
PLACES = 512  # of the output that a sum of weights takes at a time, about
RUN = 8  # neighbors in a row of summands that a step takes, at most
APART = 6  # lines of a tile, at most, where each needs an address of its own: so many have registers
CHAINS = 8  # sums that are in work at least, or a product waits for the one before

Three = tuple[int, int, int]


class Numbers(NamedTuple):
    """Sizes, in numbers of four bytes: what the loops have to know besides the shapes."""

    batch: int
    groups: int
    channels: int  # of a group
    filters: int  # of a group
    block: int  # filters that are worked on at a time
    blocks: int
    axis: int  # that is cut
    pieces: int  # into so many
    packed: int  # whether the input is copied first
    phases: int  # rows into which a row is dealt out
    pitch: int  # from row to row
    slab: int  # from map to map of the first axis
    plane: int  # from channel to channel
    pictures: int  # that one sum of weights takes at a time
    lines: int  # taps of all axes but the last, times channels, rounded up to whole tiles
    places: int  # taps of the last axis, likewise


class Plan(NamedTuple):
    """What the compiled loops are told. All shapes have three axes."""

    numbers: Numbers
    box: Three
    out: Three
    size: Three
    stride: Three
    before: Three


class Cut(NamedTuple):
    """A plan, its tile as tuples whose lengths count, its tables, and sizes for Python.

    A tile is (lines, places, vectors, run), for the gradient of weights with whether its lines lie apart.
    """

    plan: Plan
    tile: tuple[Ints, ...]
    offsets: Any
    line_offsets: Any
    taps: Any
    units: int
    box: int
    rows: int


def three(values: Ints, fill: int) -> Three:
    """Return the values behind so many fills that there are three."""
    a, b, c = (*[fill] * (3 - len(values)), *values)
    return a, b, c


@lru_cache(maxsize=512)
def forward_plan(case: Case, pads: Pads, wide: int, pieces: int, *, narrow: bool = False) -> Cut:
    """Plan a correlation for registers of so many floats; cut it in so many units at least where that can be.

    For ``narrow``, a tile is so many filters, rows, and vectors along them.
    """
    size, kernel, stride, gap, before, out = shapes(case, pads)
    registers = 28 if wide == 16 else 12
    channels = case.in_channels // case.groups
    vectors = filter_vectors(case.filters, wide)
    copied = narrow or any(max(both) > 0 for both in pads) or stride[2] > 1
    if prod(kernel) == 1 and not copied and set(stride) == {1} and not any(map(any, pads)):
        size = out = (1, 1, prod(size))  # a 1×1 kernel sees no rows
    axis = next((i for i in range(3) if out[i] > 1), 2)
    lines, places = _forward_tile(out, min(registers // vectors, wide))
    if narrow:
        seen = [_rows_seen(row, size[1], kernel[1], stride[1], gap[1], before[1]) for row in range(out[1])]
        deep, lines, vectors = _narrow_tile(out, case.filters, wide, seen)
        places = vectors * wide if out[2] >= wide else out[2]
    least = places if axis == 2 else lines if axis == 1 else 1
    cuts = _pieces(out, axis, least, channels, size, kernel, stride, gap, case.batch * case.groups, pieces)
    box, phases = _box(out, axis, cuts, kernel, stride, gap), stride[2]
    pitch, slab, plane = steps(box, phases) if copied else (size[2], size[1] * size[2], prod(size))
    block = vectors * wide
    numbers = Numbers(
        case.batch, case.groups, channels, case.filters, block, -(-case.filters // block), axis, cuts, int(copied),
        phases, pitch, slab, plane, 1, 0, 0,
    )  # fmt: skip
    across = -(-box[2] // phases)
    d, h, w = (np.arange(kernel[i]) * gap[i] for i in range(3))
    taps = d[:, None, None] * slab + h[:, None] * pitch + w % phases * across + w // phases
    offsets = 4 * (np.arange(channels)[:, None, None, None] * plane + taps)
    if narrow and kernel[0] == 1:
        offsets = offsets.transpose(2, 0, 1, 3)  # rows of the kernel first: some see only zeros
    offsets = offsets.ravel()
    plan = Plan(numbers, box, out, size, stride, before)
    if narrow:
        tile: tuple[Ints, ...] = (0,) * deep, (0,) * lines, (0,) * vectors
    else:
        run = _run(kernel[2] if stride[2] == gap[2] == 1 else 1, lines, places, vectors, wide)
        tile, offsets = ((0,) * lines, (0,) * places, (0,) * vectors, (0,) * run), offsets[::run]
    units, room = case.batch * case.groups * cuts, channels * plane + 64
    return Cut(plan, tile, offsets.astype(np.int64), None, None, units, room, 0)


@lru_cache(maxsize=512)
def weight_plan(case: Case, pads: Pads, wide: int) -> Cut:
    """Plan the gradient of the weights likewise."""
    size, kernel, stride, gap, before, out = shapes(case, pads)
    channels = case.in_channels // case.groups
    if prod(kernel) == 1 and not any(map(any, pads)) and set(stride) == {1}:
        size = out = (1, 1, prod(size))
    axis = next((i for i in range(3) if out[i] > 1), 2)
    area = prod(out)
    padded = prod(_box(out, axis, 1, kernel, stride, gap))
    cuts = max(1, min(out[axis], -(-area // (2 * PLACES)), out[axis]))
    cuts = min(out[axis], max(cuts, -(-channels * padded // (2 * BOX))))
    pictures = 1
    if cuts == 1:
        pictures = max(1, min(case.batch, PLACES // area, BOX // (channels * padded)))
        pictures = -(-case.batch // -(-case.batch // pictures))
    neighbors = out[2] if stride[2] == gap[2] == 1 and (axis < 2 or cuts == 1) else 1
    equal = channels if kernel[0] == kernel[1] == 1 else kernel[1]  # lines, with equal steps
    line_count = channels * kernel[0] * kernel[1]
    lines, places, vectors, run = _weight_tile(line_count, equal, kernel[2], case.filters, wide, neighbors)
    all_lines, place_count = -(-line_count // lines) * lines, -(-kernel[2] // places) * places
    box, phases = _box(out, axis, cuts, kernel, stride, gap), gap[2]
    pitch, slab, plane = steps(box, phases)
    block = vectors * wide
    numbers = Numbers(
        case.batch, case.groups, channels, case.filters, block, -(-case.filters // block), axis, cuts, 1, phases, pitch,
        slab, plane, pictures, all_lines, place_count,
    )  # fmt: skip
    across = -(-box[2] // phases)
    some = tuple(-(-out[i] // cuts) if i == axis else out[i] for i in range(3))
    d, h, w = (np.arange(some[i]) * stride[i] for i in range(3))
    seen = (d[:, None, None] * slab + h[:, None] * pitch + w % phases * across + w // phases).ravel()
    offsets = 4 * (np.arange(pictures)[:, None] * channels * plane + seen).ravel()
    c, d, h = np.ix_(*map(np.arange, (channels, kernel[0], kernel[1])))
    line_offsets = 4 * (c * plane + d * gap[0] * slab + h * gap[1] * pitch).ravel()
    apart = equal % lines > 0 and equal < line_count
    step = 0 if apart or line_count == 1 else int(line_offsets[1])
    filling = line_offsets[-1] + step * np.arange(1, all_lines - line_count + 1)
    taps = (np.arange(line_count)[:, None] * place_count + np.arange(kernel[2])).ravel()
    plan = Plan(numbers, box, out, size, stride, before)
    tile = (0,) * lines, (0,) * places, (0,) * vectors, (0,) * run, (0,) * apart
    slack = lines * step // 4 + places + 64  # taps that only fill up a tile read behind the last box
    return Cut(
        plan, tile, offsets[::run].astype(np.int64), np.concatenate((line_offsets, filling)).astype(np.int64),
        taps.astype(np.int64), -(-case.batch // pictures) * case.groups * cuts,
        pictures * channels * plane + slack, block * len(offsets),
    )  # fmt: skip


def _run(neighbors: int, lines: int, places: int, vectors: int, wide: int) -> int:
    """Return how many of so many neighbors in a row of summands a tile takes at a time: a divisor."""
    if vectors > 1 or lines > APART:  # several vectors use each number of the input: then loads are few anyhow
        return 1
    most = min(2 * wide - lines * places - 1, RUN)
    return max((run for run in range(1, most + 1) if neighbors % run == 0), default=1)


def shapes(case: Case, pads: Pads) -> tuple[Three, Three, Three, Three, Three, Three]:
    """Return size, kernel, stride, dilation, padding before, and output, with three axes each."""
    size = tuple(n - sum(p) for n, p in zip(case.padded, pads, strict=True))
    before = tuple(p for p, _ in pads)
    return (
        three(size, 1), three(case.kernel, 1), three(case.stride, 1), three(case.dilation, 1), three(before, 0),
        three(case.out, 1),
    )  # fmt: skip


def filter_vectors(filters: int, wide: int) -> int:
    """Return how many vectors of filters to work on at a time: two, or three where that leaves fewer lanes empty."""
    if filters <= wide:
        return 1
    return min((2, 3), key=lambda vectors: -(-filters // (vectors * wide)) * vectors)


def _forward_tile(out: Three, most: int) -> tuple[int, int]:
    """Return how many rows of how many places to sum at a time: little is computed twice at the ends of rows."""
    best, found = 0.0, (1, 1)
    for places in range(1, min(most, out[2]) + 1):  # few sizes of lines: each size is compiled by itself
        for lines in {1, min(most // places, out[1])} if places == out[2] else {1}:
            done = -(-out[2] // places) * places * (-(-out[1] // lines) * lines)
            worth = out[1] * out[2] / done * lines * places / (lines * places + 2)
            if worth > best + 1e-9:
                best, found = worth, (lines, places)
    return found


def _narrow_tile(out: Three, filters: int, wide: int, seen: list[tuple[int, int]]) -> Three:
    """Return how many filters, rows and vectors along them to sum at a time.

    ``seen`` are for each row of the output the first row of the kernel that sees more than zeros, and the one behind
    the last.
    """
    most, registers = (6, 24) if wide == 16 else (4, 10)
    deep = min(range(1, min(most, filters) + 1), key=lambda m: (-(-filters // m) * m, -m))
    if deep < min(3, filters):  # a prime number of filters: rather compute some of them twice
        deep = min(most, filters)
    vectors = 2 if wide == 16 and out[2] >= 2 * wide else 1

    def work(lines: int) -> float:
        blocks = [seen[row : row + lines] for row in range(0, out[1] - lines, lines)] + [seen[-lines:]]
        taps = sum(max(b for _, b in some) - min(a for a, _ in some) for some in blocks)
        return taps * (lines * deep * vectors + 3)

    return deep, min(range(1, max(1, min(4, out[1], registers // (deep * vectors))) + 1), key=work), vectors


def _rows_seen(row: int, size: int, kernel: int, stride: int, gap: int, before: int) -> tuple[int, int]:
    first = row * stride - before
    return max(0, -(first // gap)), min(kernel, -((first - size) // gap))


def _weight_tile(
    lines: int, equal: int, places: int, filters: int, wide: int, neighbors: int
) -> tuple[int, int, int, int]:
    """Return lines, places and vectors of a tile that fills the registers and little beyond the kernel, and its run.

    Of the lines so many follow one another with equal steps.
    """
    registers = 28 if wide == 16 else 12
    best, found = 0.0, (1, 1, 1, 1)
    for vectors in range(min(3, -(-filters // wide)), 0, -1):
        for p in range(1, min(places, registers // vectors) + 1):
            most = min(lines, registers // vectors // p)
            for m in {1, min(equal, most), *(range(1, min(most, APART) + 1) if neighbors > 1 else ())}:
                run = _run(neighbors, m, p, vectors, wide)
                share = lines * places / (-(-lines // m) * m * -(-places // p) * p)
                share *= filters / (-(-filters // (vectors * wide)) * vectors * wide)
                work = run * m * p * vectors
                loads = 0.3 * m * (p + run - 1) + (2 if run == 1 else 1) * run * vectors + 2
                worth = share * work / (work + loads) * min(1, m * p * vectors / CHAINS)
                if worth > best + 1e-9:
                    best, found = worth, (m, p, vectors, run)
    return found


def _pieces(
    out: Three,
    axis: int,
    least: int,
    channels: int,
    size: Three,
    kernel: Three,
    stride: Three,
    gap: Three,
    rest: int,
    pieces: int,
) -> int:
    """Return into how many pieces to cut the axis: boxes that stay in the cache, each at least a tile."""
    del size
    extent = gap[axis] * (kernel[axis] - 1) + 1
    whole = channels * prod(_box(out, axis, 1, kernel, stride, gap))
    line = max(1, whole // (stride[axis] * (out[axis] - 1) + extent))
    fitting = max(1, (BOX // line - extent) // stride[axis] + 1, -(-extent // stride[axis]))
    cuts = -(-out[axis] // fitting)
    if rest < pieces:
        cuts = max(cuts, pieces)
    return max(1, min(cuts, out[axis] // max(least, 1)))


def _box(out: Three, axis: int, cuts: int, kernel: Three, stride: Three, gap: Three) -> Three:
    def sees(i: int) -> int:
        count = -(-out[i] // cuts) if i == axis else out[i]
        return (count - 1) * stride[i] + gap[i] * (kernel[i] - 1) + 1

    return sees(0), sees(1), sees(2)


def steps(box: Three, phases: int) -> Three:
    """Return the steps from row to row, from map to map of the first axis, and from channel to channel."""
    pitch = -(-box[2] // phases) * phases
    plane = box[0] * box[1] * pitch
    if plane % 256 == 0:
        plane += 16  # else the same place of every channel falls on the same line of the cache
    return pitch, box[1] * pitch, plane
