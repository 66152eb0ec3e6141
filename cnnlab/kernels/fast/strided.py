"""The gradient to the input of a layer with a stride: a correlation for each rest modulo the stride, woven together.

What the correlations compute for some pictures is woven while it is still in the cache: the first number of a row from
one of them, the next from another, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from cnnlab.geometry.options import Pads
from cnnlab.kernels.arrays import FloatArray, Ints, address
from cnnlab.kernels.case import Case
from cnnlab.kernels.fast.plans import Cut, Three, forward_plan, three
from cnnlab.kernels.fast.processor import lanes
from cnnlab.kernels.fast.sharing import FLOAT, Blocks, Share, filter_offsets, lent, pack, turns
from cnnlab.kernels.passes import Layer, pieces
from cnnlab.kernels.passes_back import Residue, back_layer, flipped, residues
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import run_shared, split

NOWHERE = np.zeros(1, np.int64)  # what is packed already lies
WOVEN = 2**18  # numbers of the gradient that are computed before they are woven, about
LARGEST = 2**22  # numbers of a picture, all of which are computed before they are woven


class Correlation(NamedTuple):
    """What computes the inputs of one rest."""

    part: Residue
    rest: Three
    cut: Cut
    case: Case


class Plan(NamedTuple):
    """What is known of the arrays' shapes."""

    correlations: list[Correlation]
    maps: list[int]  # numbers of a picture that each of them computes
    seen: int  # numbers of a picture of dy with its padding, if it has to be padded
    size: Three
    stride: Three
    of_dy: Three
    before: Three  # zeros in front of dy that all correlations can do with
    padded: Three


@dataclass(frozen=True)
class Work:
    """The plan, and where the arrays are."""

    plan: Plan
    g: Blocks
    batch: int
    channels: int
    maps: int  # of dy, in a picture
    threads: int
    dy: int
    bias: int
    dx: int


def gradient(dy: FloatArray, w: FloatArray, spatial: Ints, layer: Layer, case: Case) -> FloatArray:
    """Return dx (N, C_in, *spatial) for dy (N, C_out, *out) and w (C_out, C_in/G, *kernel)."""
    threads, dy = pieces(case, compiled=True), np.ascontiguousarray(dy)
    dx = results.empty((case.batch, case.in_channels, *spatial), FLOAT)
    plan = _plan(dy.shape, w.shape, tuple(spatial), layer)
    g = plan.correlations[0].cut.plan.numbers
    bias = np.zeros(g.groups * g.blocks * g.block, FLOAT)
    kernels = [flipped(w, one.part, layer.groups) for one in plan.correlations]
    addresses = address(dy), address(bias), address(dx)
    work = Work(plan, g, case.batch, case.in_channels, case.out_channels, threads, *addresses)
    depths = [one.case.depth for one in plan.correlations]
    if all(one.case.few_places for one in plan.correlations):  # packed in a large array they would be read from afar
        blocks = split(g.blocks, threads)
        with (
            lent(len(blocks), max(depths) * g.block) as packed,
            lent(1, *(case.batch * size for size in (plan.seen, *plan.maps))) as [memory],
        ):
            _by_blocks(work, kernels, blocks, packed, memory)
        return dx
    step = max(1, min(threads * WOVEN // (plan.seen + sum(plan.maps)), case.batch))
    step = -(-case.batch // -(-case.batch // step))
    with (
        lent(1, *(g.groups * g.blocks * depth * g.block for depth in depths)) as [filters],
        lent(1, *(step * size for size in (plan.seen, *plan.maps))) as [memory],
    ):
        for one, target in zip(kernels, filters, strict=True):
            pack(one, target, g, threads)
        for first in range(0, case.batch, step):
            _by_pictures(work, filters, slice(first, min(case.batch, first + step)), memory)
    return dx


@lru_cache(maxsize=256)
def _plan(dy_shape: Ints, w_shape: Ints, spatial: Ints, layer: Layer) -> Plan:
    (batch, filters, *out), channels = dy_shape, w_shape[1] * layer.groups
    parts = residues(spatial, w_shape[2:], tuple(out), layer)
    pads = _common_pads(parts, tuple(out))
    padded = tuple(n + sum(more) for n, more in zip(out, pads, strict=True))
    correlations = []
    for part in parts:  # of the padded dy; they leave out what they do not need
        less = tuple((b - before, a - after) for (b, a), (before, after) in zip(part.pads, pads, strict=True))
        kernel = (len(range(size)[taps]) for size, taps in zip(w_shape[2:], part.taps, strict=True))
        shape = channels, filters // layer.groups, *kernel
        case = replace(back_layer(layer, part), pads=less).case((batch, filters, *padded), shape, FLOAT.name)
        rest = three(tuple(int(one.start) for one in part.inputs), 0)
        correlations.append(Correlation(part, rest, forward_plan(case, less, lanes(), 1), case))
    return Plan(
        correlations, [prod(one.case.out) * channels for one in correlations],
        filters * prod(padded) if any(map(any, pads)) else 0, three(spatial, 1), three(layer.stride, 1),
        three(tuple(out), 1), three(tuple(before for before, _ in pads), 0), three(padded, 1),
    )  # fmt: skip


def _common_pads(parts: tuple[Residue, ...], out: Ints) -> Pads:
    """Return zeros around dy that all residues can do with."""
    both = [
        (max(0, *(before for before, _ in axis)), max(0, *(after for _, after in axis)))
        for axis in zip(*(part.pads for part in parts), strict=True)
    ]
    if any(map(any, both)) and prod(n + sum(more) for n, more in zip(out, both, strict=True)) % 256 == 0:
        both[-1] = both[-1][0], both[-1][1] + 1  # else the same place of every map falls on the same line of the cache
    return tuple(both)


def _by_pictures(work: Work, filters: Sequence[int], pictures: slice, memory: Sequence[int]) -> None:
    """Compute some pictures, each in one thread, or some blocks of filters of each where pictures are few."""
    from cnnlab.kernels.fast.loops import forward_shared

    seen, *maps = memory
    parts = turns(pictures.stop - pictures.start, work.g.blocks, work.threads)
    dy = _padded(work, pictures, seen)
    for one, packed, target in zip(work.plan.correlations, filters, maps, strict=True):
        of_picture = one.cut.units // work.batch
        begin = target - 4 * pictures.start * work.channels * prod(one.case.out)
        rows = [
            (
                packed, 0, 0, (pictures.start + some.start) * of_picture, (pictures.start + some.stop) * of_picture,
                blocks.start, blocks.stop,
            )
            for some, blocks in parts
        ]  # fmt: skip
        fixed = *one.cut.tile, one.cut.plan, one.cut.offsets, NOWHERE, dy, 0, work.bias, begin, -np.inf
        run_shared(forward_shared, fixed, rows)
    _weave(work, maps, pictures, parts)


def _by_blocks(
    work: Work,
    kernels: list[FloatArray],
    blocks: Sequence[slice],
    packed: Sequence[Sequence[int]],
    memory: Sequence[int],
) -> None:
    """Compute some blocks of filters in each thread, with the weights of each packed just before their use."""
    from cnnlab.kernels.fast.loops import forward_by_blocks_shared

    seen, *maps = memory
    everything = slice(0, work.batch)
    dy = _padded(work, everything, seen)
    rows = [(0, *own, some.start, some.stop) for some, own in zip(blocks, packed, strict=True)]
    for one, w, target in zip(work.plan.correlations, kernels, maps, strict=True):
        fixed = (
            *one.cut.tile, one.cut.plan, one.cut.offsets, filter_offsets(w), dy, address(w), w.strides[0] // 4,
            work.bias, target, 0, one.cut.units, -np.inf,
        )  # fmt: skip
        run_shared(forward_by_blocks_shared, fixed, rows)
    _weave(work, maps, everything, [(everything, some) for some in blocks])


def _padded(work: Work, pictures: slice, target: int) -> int:
    """Copy some pictures of dy with zeros around, if need be; return where the first picture of all would begin."""
    from cnnlab.kernels.fast.loops import pad_maps_shared

    if work.plan.padded == work.plan.of_dy:
        return work.dy
    plane, of_map = prod(work.plan.padded), prod(work.plan.of_dy)
    first, count = int(pictures.start) * work.maps, (pictures.stop - pictures.start) * work.maps
    start = three(tuple(-n for n in work.plan.before), 0)
    rows = [
        (work.dy + 4 * (first + some.start) * of_map, some.stop - some.start, target + 4 * some.start * plane)
        for some in split(count, work.threads)
    ]
    run_shared(pad_maps_shared, (work.plan.of_dy, start, work.plan.padded, plane), rows)
    return target - 4 * first * plane


def _weave(work: Work, maps: Sequence[int], pictures: slice, parts: Sequence[Share]) -> None:
    """Bring the maps of all correlations to dx."""
    from cnnlab.kernels.fast.weave import weave_shared

    g, table = work.g, np.zeros(work.plan.stride, np.int64)
    for one, first in zip(work.plan.correlations, maps, strict=True):
        table[one.rest] = first
    rows = [
        (
            pictures.start + some.start, pictures.start + some.stop, group * g.filters + blocks.start * g.block,
            min((group + 1) * g.filters, group * g.filters + blocks.stop * g.block),
        )
        for some, blocks in parts
        for group in range(g.groups)
    ]  # fmt: skip
    run_shared(weave_shared, (table, work.plan.size, work.channels, work.dx, pictures.start), rows)
