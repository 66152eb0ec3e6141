"""What the compiled algorithms have in common: packed filters, memory for each thread, and how the work is shared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate, cycle
from typing import Any, Protocol

import numpy as np

from cnnlab.kernels.arrays import FloatArray, Ints, address, sum_rows
from cnnlab.kernels.threads import in_turn, run_shared, split
from cnnlab.kernels.workspace import workspace

FLOAT = np.dtype(np.float32)
LINE = 16  # numbers: a line of the cache
SMALL = 2**17  # weights that one thread packs alone, at most
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


def pack(w: FloatArray, target: int, g: Blocks, threads: int) -> None:
    """Bring w, a view (C_out, C_in/G, *kernel) with any steps, to (G, blocks, C_in/G·taps, block) at an address."""
    from cnnlab.kernels.fast.loops import pack_filters_shared

    offsets, source, between = filter_offsets(w), address(w), w.strides[0]
    of_group = g.blocks * len(offsets) * g.block
    if g.groups * of_group <= SMALL:
        threads = 1
    rows = [
        (source + group * g.filters * between, target + 4 * group * of_group, blocks.start, blocks.stop)
        for blocks in split(g.blocks, threads)
        for group in range(g.groups)
    ]
    run_shared(pack_filters_shared, (offsets, g.filters, between // 4, g.block), rows, threads)


def in_blocks(b: FloatArray | None, g: Blocks) -> FloatArray:
    """Return the biases with zeros behind each group's, as many as the blocks have filters."""
    if b is not None and g.filters == g.blocks * g.block and b.flags.c_contiguous:
        return b
    bias = np.zeros((g.groups, g.blocks * g.block), FLOAT)
    if b is not None:
        bias[:, : g.filters] = b.reshape(g.groups, -1)
    return bias


def add_gradients(
    dw: FloatArray,
    g: Blocks,
    rows: int,
    taps: Any,
    units: int,
    parts: Sequence[Share],
    memory: Sequence[Sequence[int]],
    function: Callable[..., int],
    fixed: tuple[Any, ...],
) -> None:
    """Let each share add its units to sums of its own, blocks of filters (rows, block), and bring these to dw.

    ``taps`` are the rows that are wanted. The compiled function is given what all shares have in common, and behind it
    what `cnnlab.kernels.fast.loops.grad_weight` has of the sums, of a share's memory and of its units and blocks.
    """
    from cnnlab.kernels.fast.loops import unpack_filters

    of_block = 4 * rows * g.block
    if len(parts) == 1 or parts[0][1].start != parts[-1][1].start:  # nobody else adds to a share's blocks of filters
        alone = units == g.groups  # a block is cleared, summed and brought to its place while it is in the cache
        count, between = (len(parts), 0) if alone else (1, of_block)
        with workspace.borrow((count, 1 if alone else g.groups * g.blocks, rows, g.block), FLOAT) as sums:
            targets = [address(sums) + i % count * sums.strides[0] for i in range(len(parts))]
            run_shared(function, (*fixed, taps, between, address(dw), 0), _rows(targets, memory, parts))
        return
    with workspace.borrow((len(parts), g.groups, g.blocks, rows, g.block), FLOAT) as sums:
        targets = [address(sums) + i * sums.strides[0] for i in range(len(parts))]
        run_shared(function, (*fixed, taps, of_block, 0, sums[0].size), _rows(targets, memory, parts))
        for more in sums[1:]:
            sums[0] += more
        first, of_group = address(sums), sums.strides[1]
        for group in range(g.groups):
            target = address(dw) + 4 * group * g.filters * len(taps)
            unpack_filters(first + group * of_group, taps, g.filters, target, g.block, rows)


def _rows(targets: list[int], memory: Sequence[Sequence[int]], parts: Sequence[Share]) -> list[Sequence[int]]:
    return [
        (target, *own, units.start, units.stop, blocks.start, blocks.stop)
        for target, own, (units, blocks) in zip(targets, memory, parts, strict=True)
    ]


def sum_shares(sums: FloatArray) -> FloatArray:
    """Return the sum of vectors (shares, …, lanes) of sums, of all shares."""
    rows = sum_rows(sums)
    return rows[0] if len(rows) == 1 else np.asarray(np.add.reduce(rows))


class lent:  # noqa: N801  (used like a function)
    """Lend memory of so many numbers to each of some shares; say where it begins, for each share and size."""

    __slots__ = ("_layout", "_piece")

    def __init__(self, shares: int, *sizes: int) -> None:
        self._layout = _starts(shares, sizes)

    def __enter__(self) -> list[list[int]]:
        size, starts = self._layout
        self._piece = workspace.take(size)
        first = address(self._piece)
        return [[first + start for start in own] for own in starts]

    def __exit__(self, *_: object) -> None:
        workspace.give(self._piece)


@lru_cache(maxsize=1024)
def _starts(shares: int, sizes: Ints) -> tuple[int, list[list[int]]]:
    starts = list(accumulate((-(-size // LINE) * LINE for size in sizes), initial=0))
    of_share = starts.pop()
    return 4 * shares * of_share, [[4 * (i * of_share + start) for start in starts] for i in range(shares)]


def filter_offsets(w: FloatArray) -> Any:
    """Return where the weights of a filter lie in w (C_out, C_in/G, *kernel), in numbers from the first."""
    return _weight_offsets(w.shape, w.strides)


@lru_cache(maxsize=256)
def _weight_offsets(shape: Ints, strides: Ints) -> Any:
    places = np.zeros((), np.int64)
    for size, step in zip(shape[1:], strides[1:], strict=True):
        places = places[..., None] + np.arange(size) * (step // 4)
    return np.ascontiguousarray(places.ravel())


@lru_cache(maxsize=1024)
def shares(units: int, blocks: int, threads: int, *, by_blocks: bool = False) -> tuple[Share, ...]:
    """Cut the work for threads: by units, or by blocks of filters where there are few units or if asked to."""
    if by_blocks and (blocks % threads == 0 or blocks >= 4 * threads):
        return tuple((slice(0, units), some) for some in split(blocks, threads))
    if threads == 1 or units % threads == 0 or units >= 4 * threads or blocks < threads:
        return tuple((some, slice(0, blocks)) for some in split(units, threads))
    return tuple((slice(0, units), some) for some in split(blocks, threads))


@lru_cache(maxsize=1024)
def turns(units: int, blocks: int, threads: int, *, by_blocks: bool = False) -> tuple[Share, ...]:
    """Cut the work in the same way, but units by `in_turn`: where nothing is summed over them."""
    parts = shares(units, blocks, threads, by_blocks=by_blocks)
    if len(parts) < 2 or parts[0][1] != slice(0, blocks):
        return parts
    return tuple((some, slice(0, blocks)) for some in in_turn(units, threads))


def in_memory_of(memory: Sequence[Sequence[int]], parts: Sequence[slice]) -> list[Sequence[int]]:
    """Return the rows of shares whose first numbers are those of a thread's memory."""
    return [(*own, some.start, some.stop) for own, some in zip(cycle(memory), parts, strict=False)]
