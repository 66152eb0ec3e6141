"""The direct convolution: the definition's sum, with the part that is in work held in registers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from typing import Any, Protocol

import numpy as np

from cnnlab.kernels import workers
from cnnlab.kernels.algorithm import Whole
from cnnlab.kernels.arrays import FloatArray, Ints, at
from cnnlab.kernels.case import Case
from cnnlab.kernels.fast.plans import Cut, address, forward_plan, weight_plan
from cnnlab.kernels.passes import Layer, pieces
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import run_calls, split
from cnnlab.kernels.workers import Call, do_calls
from cnnlab.kernels.workspace import workspace

FLOAT = np.dtype(np.float32)
LINE = 16  # numbers: a line of the cache


@lru_cache(maxsize=1)
def refusal() -> str | None:
    """Return why the compiled kernels cannot be used here, if so; the first call imports numba."""
    try:
        from cnnlab.kernels.fast import vectors
    except ImportError as error:  # it refuses a NumPy that is newer than it knows
        return f"numba does not start: {error}"
    if not vectors.LANES:
        return "this processor has neither AVX-512 nor AVX2"
    try:
        from cnnlab.kernels.fast import spin  # numba looks for a place for what it compiles
    except RuntimeError as error:  # nothing may be written: it would be compiled anew in each process
        return f"there is no place to keep compiled kernels: {error}"
    workers.spin = spin
    return None


@lru_cache(maxsize=1)
def lanes() -> int:
    """Return how many floats the registers of this processor hold."""
    from cnnlab.kernels.fast import vectors

    return vectors.LANES


def fault(case: Case) -> str | None:
    """Return why no micro-kernel can compute the case."""
    if case.dtype != "float32":
        return f"the dtype is {case.dtype}, not float32"
    if len(case.kernel) > 3:
        return f"there are {len(case.kernel)} spatial axes, more than 3"
    return refusal()


class Direct(Whole):
    """Tiles of output pixels and channels in registers, over all taps of all input channels."""

    name = "direct"
    provider = "numba"
    idea = "14 pixels times 32 channels of the output in registers, while all taps pass by; nothing is laid out"

    def fault(self, case: Case) -> str | None:
        """Refuse float64, and processors without AVX2."""
        return fault(case)

    def workspace(self, case: Case) -> int:
        """Return the bytes of the packed filters and of a box of the input."""
        if case.work == "grad_weight":
            plan = weight_plan(case, tuple((0, 0) for _ in case.kernel), lanes())
            return 4 * (plan.box + plan.rows + case.out_channels * case.depth)
        plan = forward_plan(case, tuple((0, 0) for _ in case.kernel), lanes(), 1)
        return 4 * (plan.box + case.out_channels * case.depth)

    def correlate(self, x: FloatArray, w: FloatArray, b: FloatArray | None, layer: Layer, case: Case) -> FloatArray:
        """Pack the filters, and sum tile by tile."""
        from cnnlab.kernels.fast import loops

        threads = pieces(case, compiled=True)
        x, layer, case = _only_seen(x, layer, case)
        cut = forward_plan(case, layer.pads, lanes(), 1 if case.few_places else threads)
        g, x = cut.plan.numbers, np.ascontiguousarray(x)
        y = results.empty((case.batch, case.out_channels, *case.out), FLOAT)
        bias = np.zeros((g.groups, g.blocks * g.block), FLOAT)
        if b is not None:
            bias[:, : g.filters] = b.reshape(g.groups, -1)
        if case.few_places:  # packed in a large array a weight would be read again from afar
            arrays = address(x), address(w), w.strides[0] // 4, address(bias), address(y)
            fixed = *cut.tile, cut.plan, cut.offsets, filter_offsets(w), *arrays
            some_blocks = split(g.blocks, threads)
            sizes = cut.units * cut.box if g.packed else LINE, case.depth * g.block
            with lent(len(some_blocks), *sizes) as memory:
                run_calls([
                    [(loops.forward_by_blocks, (
                        *fixed, boxes, cut.box, packed, cut.units, some.start, some.stop, layer.floor,
                    ))]
                    for some, (boxes, packed) in zip(some_blocks, memory, strict=True)
                ])  # fmt: skip
            return y
        parts = shares(cut.units, g.blocks, threads)
        with (
            workspace.borrow((g.groups, g.blocks, case.depth, g.block), FLOAT) as packed,
            lent(len(parts), cut.box if g.packed else LINE) as memory,
        ):
            pack(w, packed, g, threads)
            all_of = *cut.tile, cut.plan, cut.offsets, address(x), address(packed), address(bias), address(y)
            run_calls([
                [(loops.forward, (
                    *all_of, box, units.start, units.stop, blocks.start, blocks.stop,
                    layer.floor,
                ))]
                for (units, blocks), (box,) in zip(parts, memory, strict=True)
            ])  # fmt: skip
        return y

    def correlate_weights(self, dy: FloatArray, x: FloatArray, layer: Layer, case: Case) -> FloatArray:
        """Sum over places, a block of filters times a tile of taps at a time."""
        from cnnlab.kernels.fast import loops

        threads = pieces(case, compiled=True)
        x, layer, case = _only_seen(x, layer, case)
        cut = weight_plan(case, layer.pads, lanes())
        g, x, dy = cut.plan.numbers, np.ascontiguousarray(x), np.ascontiguousarray(dy)
        parts = shares(cut.units, g.blocks, threads, by_blocks=case.few_places)
        dw = results.empty((case.out_channels, case.in_channels // case.groups, *case.kernel), FLOAT)
        arrays, slack = (address(x), address(dy)), _slack(cut)

        def work(share: Share, target: tuple[Any, ...], memory: Ints) -> list[Call]:
            (units, blocks), (boxes, rows) = share, memory
            return [
                (loops.clear, (boxes + 4 * (cut.box - slack), slack)),
                (loops.grad_weight, (
                    *cut.tile, cut.plan, cut.offsets, *arrays, *target, boxes, rows, units.start, units.stop,
                    blocks.start, blocks.stop,
                )),
            ]  # fmt: skip

        with lent(len(parts), cut.box, cut.rows) as memory:
            add_gradients(dw, g, g.outer * g.lines * g.places, cut.taps, cut.units, parts, memory, work)
        return dw


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


Share = tuple[slice, slice]  # units, and blocks of filters


class Blocks(Protocol):
    """How many filters there are in a group, and how many of them are worked on at a time."""

    @property
    def groups(self) -> int: ...  # noqa: D102
    @property
    def filters(self) -> int: ...  # noqa: D102
    @property
    def block(self) -> int: ...  # noqa: D102
    @property
    def blocks(self) -> int: ...  # noqa: D102


def pack(w: FloatArray, packed: FloatArray, g: Blocks, threads: int) -> None:
    """Bring w, a view (C_out, C_in/G, *kernel) with any steps, to blocks of filters."""
    from cnnlab.kernels.fast import loops

    offsets, source, target = filter_offsets(w), address(w), address(packed)
    run_calls([
        [
            (loops.pack_filters, (
                source + group * g.filters * w.strides[0], offsets, g.filters, w.strides[0] // 4,
                target + group * packed.strides[0], g.block, blocks.start, blocks.stop,
            ))
            for group in range(g.groups)
        ]
        for blocks in split(g.blocks, threads if packed.size > 2**17 else 1)
    ])  # fmt: skip


def add_gradients(
    dw: FloatArray,
    g: Blocks,
    rows: int,
    taps: Any,
    units: int,
    parts: list[Share],
    memory: list[Ints],
    work: Callable[[Share, tuple[Any, ...], Ints], list[Call]],
) -> None:
    """Let each share add its units to sums of its own, blocks of filters (rows, block), and bring these to dw.

    ``taps`` are the rows that are wanted. ``work`` returns the calls of a share, for the arguments that say where its
    sums go, as `cnnlab.kernels.fast.loops.grad_weight` has them.
    """
    from cnnlab.kernels.fast import loops

    of_block = 4 * rows * g.block
    if len(parts) == 1 or parts[0][1].start != parts[-1][1].start:  # nobody else adds to a share's blocks of filters
        alone = units == g.groups  # a block is cleared, summed and brought to its place while it is in the cache
        count, between = (len(parts), 0) if alone else (1, of_block)
        with workspace.borrow((count, 1 if alone else g.groups * g.blocks, rows, g.block), FLOAT) as sums:
            targets = [(address(sums[i % count]), between, address(dw), taps) for i in range(len(parts))]
            run_calls([work(*one) for one in zip(parts, targets, memory, strict=True)])
        return
    with workspace.borrow((len(parts), g.groups, g.blocks, rows, g.block), FLOAT) as sums:
        run_calls([
            [(loops.clear, (address(some), some.size)), *work(share, (address(some), of_block, 0, taps), own)]
            for share, some, own in zip(parts, sums, memory, strict=True)
        ])  # fmt: skip
        for more in sums[1:]:
            sums[0] += more
        first, of_group = address(sums), sums.strides[1]
        do_calls([
            (loops.unpack_filters, (
                first + group * of_group, taps, g.filters, address(dw) + 4 * group * g.filters * len(taps), g.block,
                rows,
            ))
            for group in range(g.groups)
        ])  # fmt: skip


@contextmanager
def lent(shares: int, *sizes: int) -> Iterator[list[Ints]]:
    """Lend memory of so many numbers to each of some shares; return where it begins, for each share and size."""
    starts = list(accumulate((-(-size // LINE) * LINE for size in sizes), initial=0))
    with workspace.borrow((shares * starts[-1],), FLOAT) as memory:
        first = address(memory)
        yield [tuple(first + 4 * (i * starts[-1] + start) for start in starts[:-1]) for i in range(shares)]


def filter_offsets(w: FloatArray) -> Any:
    """Return where the weights of a filter lie in w (C_out, C_in/G, *kernel), in numbers from the first."""
    return _weight_offsets(w.shape[1:], tuple(step // 4 for step in w.strides[1:]))


@lru_cache(maxsize=256)
def _weight_offsets(shape: Ints, steps: Ints) -> Any:
    places = np.zeros((), np.int64)
    for size, step in zip(shape, steps, strict=True):
        places = places[..., None] + np.arange(size) * step
    return np.ascontiguousarray(places.ravel())


def shares(units: int, blocks: int, threads: int, *, by_blocks: bool = False) -> list[Share]:
    """Cut the work for threads: by units, or by blocks of filters where there are few units or if asked to."""
    if by_blocks and (blocks % threads == 0 or blocks >= 4 * threads):
        return [(slice(0, units), some) for some in split(blocks, threads)]
    if threads == 1 or units % threads == 0 or units >= 4 * threads or blocks < threads:
        return [(some, slice(0, blocks)) for some in split(units, threads)]
    return [(slice(0, units), some) for some in split(blocks, threads)]
