"""Padding, for a chunk at a time, and its adjoint for the padding modes that repeat values of the input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import numpy as np

from cnnlab.geometry import padded_sources
from cnnlab.geometry.options import PaddingMode, Pads
from cnnlab.kernels.algorithm import Memory
from cnnlab.kernels.arrays import FloatArray, Ints, at
from cnnlab.kernels.workspace import workspace


def pad_by_mode(x: FloatArray, pads: Pads, mode: PaddingMode) -> FloatArray:
    """Return a copy of x (N, C, *spatial) with the values that the mode puts in the padding."""
    for axis, (before, after) in enumerate(pads, start=2):
        x = np.take(x, padded_sources(x.shape[axis], before, after, mode), axis=axis)  # type: ignore[arg-type]  # no None
    return x


def fold_by_mode(dy: FloatArray, pads: Pads, mode: PaddingMode) -> FloatArray:
    """Add the gradients in the padding to those of the inputs that stand there, and cut the padding off."""
    for axis, (before, after) in enumerate(pads, start=2):
        size = dy.shape[axis] - before - after
        lines = np.moveaxis(dy, axis, 0)
        dx = lines[before : before + size].copy()
        for i, source in enumerate(padded_sources(size, before, after, mode)):
            if source is not None and not before <= i < before + size:
                dx[source] += lines[i]
        dy = np.moveaxis(dx, 0, axis)
    return np.ascontiguousarray(dy)


def crop(x: FloatArray, pads: Sequence[tuple[int, int]]) -> tuple[FloatArray, Pads]:
    """Cut off what negative padding asks for, as a view; return it with the padding that is left."""
    if all(before >= 0 and after >= 0 for before, after in pads):
        return x, tuple(pads)
    axes = zip(x.shape[2:], pads, strict=True)
    inside = [slice(max(0, -before), max(size - max(0, -after), 0, -before)) for size, (before, after) in axes]
    return x[at(inside)], tuple((max(0, before), max(0, after)) for before, after in pads)


@contextmanager
def zero_padded(
    x: FloatArray, pads: Pads, rows: tuple[int, int], *, more: Sequence[int], memory: Memory
) -> Iterator[FloatArray]:
    """Lend some rows of x (N, C, *spatial) with zeros around it; rows are counted on the padded first axis.

    Without padding it is a view of x if its memory may be as it is, else a copy in borrowed memory.

    Parameters
    ----------
    x : array (N, C, *spatial)
        The input.
    pads : tuple of (int, int)
        Zeros before and after each axis.
    rows : (int, int)
        First row and the one behind the last.
    more : sequence of int
        Further zeros at the end of each axis.
    memory : str
        Order of the axes in memory (`cnnlab.kernels.algorithm.Algorithm`).
    """
    (before, _), (first, last) = pads[0], rows
    top, bottom = max(0, before - first), max(0, last - before - x.shape[2])
    x = x[:, :, max(0, first - before) : max(0, last - before)]
    around = [(zeros, end + extra) for (zeros, end), extra in zip(((top, bottom), *pads[1:]), more, strict=True)]
    if memory == "N C *" and not any(map(any, around)):
        yield x
        return
    shape = (*x.shape[:2], *(n + sum(added) for n, added in zip(x.shape[2:], around, strict=True)))
    order, back = _order(memory, len(shape))
    with workspace.borrow(tuple(shape[axis] for axis in order), x.dtype) as lent:
        padded = lent.transpose(back)
        inside: list[slice] = [slice(None), slice(None)]
        for axis, (zeros, end) in enumerate(around, start=2):
            stop = shape[axis] - end
            padded[(*inside, slice(0, zeros))] = 0
            padded[(*inside, slice(stop, None))] = 0
            inside.append(slice(zeros, stop))
        padded[tuple(inside)] = x
        yield padded


@lru_cache(maxsize=16)
def _order(memory: Memory, rank: int) -> tuple[Ints, Ints]:
    """Return the axes of (N, C, *spatial) as they shall lie in memory, and what brings that back to this order."""
    spatial = tuple(range(2, rank))
    order = {"N C *": (0, 1, *spatial), "N * C": (0, *spatial, 1), "C * N": (1, *spatial, 0)}[memory]
    return order, tuple(order.index(axis) for axis in range(rank))
