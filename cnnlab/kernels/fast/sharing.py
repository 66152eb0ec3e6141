"""What the compiled algorithms have in common: packed filters, memory for each thread, and how the work is shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import accumulate
from typing import Any, Protocol

import numpy as np

from cnnlab.kernels.arrays import FloatArray, Ints
from cnnlab.kernels.fast.plans import address
from cnnlab.kernels.threads import run_calls, split
from cnnlab.kernels.workers import Call, do_calls
from cnnlab.kernels.workspace import workspace

FLOAT = np.dtype(np.float32)
LINE = 16  # numbers: a line of the cache
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
    from cnnlab.kernels.fast import loops

    offsets, source = filter_offsets(w), address(w)
    of_group = g.blocks * len(offsets) * g.block
    run_calls([
        [
            (loops.pack_filters, (
                source + group * g.filters * w.strides[0], offsets, g.filters, w.strides[0] // 4,
                target + 4 * group * of_group, g.block, blocks.start, blocks.stop,
            ))
            for group in range(g.groups)
        ]
        for blocks in split(g.blocks, threads if g.groups * of_group > 2**17 else 1)
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
