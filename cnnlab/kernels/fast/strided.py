"""The gradient to the input of a layer with a stride: a correlation for each rest modulo the stride, woven together.

What the correlations compute for some pictures is woven while it is still in the cache: the first number of a row from
one of them, the next from another, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from cnnlab.geometry.options import Pads
from cnnlab.kernels.arrays import FloatArray, Ints
from cnnlab.kernels.case import Case
from cnnlab.kernels.fast.plans import Cut, Three, address, forward_plan, three
from cnnlab.kernels.fast.processor import lanes
from cnnlab.kernels.fast.sharing import FLOAT, Blocks, Share, filter_offsets, lent, packing, shares
from cnnlab.kernels.passes import Layer, Residue, back_layer, flipped, pieces, residues
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import run_calls, split
from cnnlab.kernels.workers import Call

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
    kernels: list[FloatArray]
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
    work = Work(plan, g, case.batch, case.in_channels, case.out_channels, kernels, *addresses)
    depths = [one.case.depth for one in plan.correlations]
    if all(one.case.few_places for one in plan.correlations):  # packed in a large array they would be read from afar
        some = split(g.blocks, threads)
        sizes = max(depths) * g.block, *(case.batch * size for size in (plan.seen, *plan.maps))
        with lent(len(some), *sizes) as memory:
            run_calls([_by_blocks(work, *one) for one in zip(some, memory, strict=True)])
        return dx
    parts = shares(case.batch, g.blocks, threads)  # pictures, or blocks of filters where there are few
    most = max(pictures.stop - pictures.start for pictures, _ in parts)
    step = max(1, min(WOVEN // (plan.seen + sum(plan.maps)), most))
    with (
        lent(1, *(g.groups * g.blocks * depth * g.block for depth in depths)) as [filters],
        lent(len(parts), *(step * size for size in (plan.seen, *plan.maps))) as memory,
    ):
        for one, target in zip(kernels, filters, strict=True):
            run_calls(packing(one, target, g, threads))
        run_calls([_by_pictures(work, filters, step, *one) for one in zip(parts, memory, strict=True)])
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


def _by_pictures(work: Work, filters: Sequence[int], step: int, share: Share, memory: Sequence[int]) -> list[Call]:
    """Return the calls for some pictures, a few at a time."""
    from cnnlab.kernels.fast import loops

    (pictures, blocks), (seen, *maps), calls = share, memory, list[Call]()
    for first in range(pictures.start, pictures.stop, step):
        stop = min(pictures.stop, first + step)
        dy = _padding(work, slice(first, stop), seen, calls)
        for one, packed, target in zip(work.plan.correlations, filters, maps, strict=True):
            of_picture = one.cut.units // work.batch
            begin = target - 4 * first * work.channels * prod(one.case.out)
            calls.append((
                loops.forward,
                (
                    *one.cut.tile, one.cut.plan, one.cut.offsets, dy, packed, work.bias, begin, 0,
                    first * of_picture, stop * of_picture, blocks.start, blocks.stop, -np.inf,
                ),
            ))  # fmt: skip
        calls += _weaving(work, maps, slice(first, stop), blocks)
    return calls


def _by_blocks(work: Work, blocks: slice, memory: Sequence[int]) -> list[Call]:
    """Return the calls for some blocks of filters, with the weights of each packed just before their use."""
    from cnnlab.kernels.fast import loops

    (packed, seen, *maps), calls = memory, list[Call]()
    dy = _padding(work, slice(0, work.batch), seen, calls)
    for one, kernels, target in zip(work.plan.correlations, work.kernels, maps, strict=True):
        calls.append((
            loops.forward_by_blocks,
            (
                *one.cut.tile, one.cut.plan, one.cut.offsets, filter_offsets(kernels), dy, address(kernels),
                kernels.strides[0] // 4, work.bias, target, 0, 0, packed, one.cut.units, blocks.start,
                blocks.stop, -np.inf,
            ),
        ))  # fmt: skip
    return calls + _weaving(work, maps, slice(0, work.batch), blocks)


def _padding(work: Work, pictures: slice, target: int, calls: list[Call]) -> int:
    """Add the call that copies some pictures of dy with zeros around; return where the first picture would begin."""
    from cnnlab.kernels.fast import loops

    if work.plan.padded == work.plan.of_dy:
        return work.dy
    plane, count = prod(work.plan.padded), (pictures.stop - pictures.start) * work.maps
    source = work.dy + 4 * pictures.start * work.maps * prod(work.plan.of_dy)
    start = three(tuple(-n for n in work.plan.before), 0)
    calls.append((loops.pack_box, (source, count, work.plan.of_dy, start, work.plan.padded, 1, target, plane)))
    return target - 4 * int(pictures.start) * work.maps * plane


def _weaving(work: Work, maps: list[int], pictures: slice, blocks: slice) -> list[Call]:
    """Return what brings the maps of all correlations to dx."""
    from cnnlab.kernels.fast import weave

    g, table = work.g, np.zeros(work.plan.stride, np.int64)
    for one, first in zip(work.plan.correlations, maps, strict=True):
        table[one.rest] = first
    fixed: tuple[Any, ...] = table, work.plan.size, work.channels, work.dx, pictures.start, pictures.stop
    if blocks.stop - blocks.start == g.blocks:
        return [(weave.weave, (*fixed, 0, work.channels))]
    some = [(group * g.filters + blocks.start * g.block, blocks.stop * g.block) for group in range(g.groups)]
    return [
        (weave.weave, (*fixed, first, min((group + 1) * g.filters, group * g.filters + stop)))
        for group, (first, stop) in enumerate(some)
    ]
