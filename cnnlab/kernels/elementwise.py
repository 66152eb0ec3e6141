"""Activations of large arrays, some thousand numbers at a time, which stay in the cache from step to step; also sums.

Their results lie in memory that is used again (`cnnlab.kernels.results`): a pass over fresh memory takes several times
as long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from cnnlab.kernels.arrays import FloatArray, sum_rows
from cnnlab.kernels.results import LEAST_BYTES, results
from cnnlab.kernels.settings import READABLE, forced
from cnnlab.kernels.threads import PASS_MACS, bind, in_turn, one_blas_thread, run_parts, run_shared, shares_of, split

BLOCK_BYTES = 64 * 2**10  # of each array that is worked on at a time
_BITS: dict[str, np.dtype[Any]] = {"f": np.dtype(np.int32), "d": np.dtype(np.int64)}


class Compiled(Protocol):
    """What another provider may offer, or None: a function for `run_shared`, of arrays and of a run in the last one."""

    def relu_forward(self, dtype: np.dtype[Any]) -> Callable[..., int] | None:
        """Return what writes max(x, 0)."""

    def relu_backward(self, dtype: np.dtype[Any]) -> Callable[..., int] | None:
        """Return what writes dy where not x ≤ 0, else 0."""

    def tanh_backward(self, dtype: np.dtype[Any]) -> Callable[..., int] | None:
        """Return what writes dy · (1 − y²)."""

    def sum_maps(self, dtype: np.dtype[Any]) -> Callable[..., int] | None:
        """Return what writes the sums (N,) of maps (N, places)."""


providers: list[Compiled] = []  # asked first, in this order


def relu_forward(x: FloatArray) -> FloatArray | None:
    """Return max(x, 0), or None where the readable op is to compute it."""
    for provider in providers if _applies(x) else ():
        if (work := provider.relu_forward(x.dtype)) is not None:
            return _each_block(work, x, compiled=True)
    return _each_block(_relu, x, at_once=True)


def relu_backward(dy: FloatArray, x: FloatArray) -> FloatArray | None:
    """Return dy where not x ≤ 0, else 0; or None likewise."""
    for provider in providers if _applies(dy) else ():
        if (work := provider.relu_backward(dy.dtype)) is not None:
            return _each_block(work, dy, x, compiled=True)
    return _each_block(_relu_back, dy, x)


def tanh_forward(x: FloatArray) -> FloatArray | None:
    """Return tanh(x), or None likewise."""
    return _each_block(_tanh, x, at_once=True)


def tanh_backward(dy: FloatArray, y: FloatArray) -> FloatArray | None:
    """Return dy · (1 − y²), or None likewise."""
    for provider in providers if _applies(dy) else ():
        if (work := provider.tanh_backward(dy.dtype)) is not None:
            return _each_block(work, dy, y, compiled=True)
    return _each_block(_tanh_back, dy, y)


def sum_maps(maps: FloatArray) -> FloatArray:
    """Return the sums of maps (N, places)."""
    for provider in providers if _applies(maps) else ():
        if (work := provider.sum_maps(maps.dtype)) is not None:
            sums = np.empty(len(maps), maps.dtype)
            shares = in_turn(len(maps), shares_of(PASS_MACS * maps.size, compiled=True))
            run_shared(work, (maps, sums), [(share.start, share.stop) for share in shares])
            return sums
    with one_blas_thread():
        return sum_rows(maps)


def _relu(x: FloatArray, out: FloatArray) -> None:
    np.maximum(x, 0, out=out)


def _relu_back(dy: FloatArray, x: FloatArray, out: FloatArray) -> None:
    # The bits of a number times 1 are the number, NaN and infinity too; times 0 they are 0. This is five times as fast
    # as choosing by np.where.
    bits = _BITS[dy.dtype.char]
    passes = np.less_equal(x, 0)
    np.logical_not(passes, out=passes)
    np.multiply(dy.view(bits), passes, out=out.view(bits))


def _tanh(x: FloatArray, out: FloatArray) -> None:
    np.tanh(x, out=out)


def _tanh_back(dy: FloatArray, y: FloatArray, out: FloatArray) -> None:
    np.multiply(y, y, out=out)
    np.subtract(1, out, out=out)
    np.multiply(dy, out, out=out)


def _each_block(
    work: Callable[..., Any], *arrays: FloatArray, at_once: bool = False, compiled: bool = False
) -> FloatArray | None:
    """Return what the work writes for a block at a time, or None for what is small or not laid out in a row.

    ``at_once`` is for work of one step, and ``compiled`` for one call of a compiled function.
    """
    if forced() == READABLE or not all(map(_applies, arrays)):
        return None
    y = results.empty(arrays[0].shape, arrays[0].dtype)
    flat = [array.reshape(-1) for array in (*arrays, y)]
    threads = shares_of(PASS_MACS * y.size, compiled=compiled)
    shares = in_turn(y.size, threads) if compiled else split(y.size, threads)
    if compiled:
        run_shared(work, tuple(flat), [(share.start, share.stop) for share in shares])
        return y
    many = y.size if at_once else BLOCK_BYTES // y.itemsize

    def some(share: slice) -> None:
        for start in range(share.start, share.stop, many):
            part = slice(start, min(start + many, share.stop))
            work(*(array[part] for array in flat))

    run_parts([bind(some, share) for share in shares])
    return y


def _applies(array: object) -> bool:
    return (
        type(array) is np.ndarray
        and array.dtype.char in _BITS
        and array.dtype.isnative
        and array.nbytes >= LEAST_BYTES
        and array.flags.c_contiguous
    )
