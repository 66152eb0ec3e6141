"""Forward and the gradient of the weights as correlations, cut into chunks for the cache and for threads.

Forward is a correlation of the padded input; so is the gradient to the input (`cnnlab.kernels.passes_back`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf, prod
from typing import Any, TypeAlias

import numpy as np

from cnnlab.geometry.options import Pads
from cnnlab.kernels.algorithm import Algorithm, Whole
from cnnlab.kernels.arrays import FloatArray, Ints
from cnnlab.kernels.borders import crop, zero_padded
from cnnlab.kernels.case import NAMES, Case, Work
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import PASS_MACS, bind, run_parts, shares_of, split, with_one_blas_thread

CHUNK_BYTES = 8 * 2**20  # of padded input that is worked on at a time

# The algorithm for a case; None only for the gradient to an input that is to be had from correlations.
Choose: TypeAlias = Callable[[Case], Algorithm | None]


@dataclass(frozen=True)
class Layer:
    """The options of a correlation: stride, dilation and groups, zeros around the input, and a ReLU behind it."""

    stride: Ints
    dilation: Ints
    groups: int
    pads: Pads
    relu: bool = False

    @property
    def floor(self) -> float:
        """What no output is below."""
        return 0.0 if self.relu else -inf

    def case(self, x_shape: Ints, w_shape: Ints, dtype: str, work: Work = "forward") -> Case:
        """Return what there is to compute for x (N, C_in, *spatial) and w (C_out, C_in/G, *kernel)."""
        return _case(self, x_shape, w_shape, dtype, work)


@lru_cache(maxsize=1024)
def _case(layer: Layer, x_shape: Ints, w_shape: Ints, dtype: str, work: Work) -> Case:
    padded = tuple(n + sum(added) for n, added in zip(x_shape[2:], layer.pads, strict=True))
    (N, C), M, G = x_shape[:2], w_shape[0], layer.groups
    added, uneven = tuple(map(sum, layer.pads)), any(before != after for before, after in layer.pads)
    return Case(N, C, M, G, padded, w_shape[2:], layer.stride, layer.dilation, dtype, work, added, uneven)


@dataclass(frozen=True)
class Chunk:
    """Some pictures, and some rows of their outputs."""

    pictures: slice
    rows: slice


def chunks(case: Case, algorithm: Algorithm, pieces: int) -> list[Chunk]:
    """Cut the work into chunks of a bounded size, and into as many as there are threads if it can be."""
    rows = case.out[0]
    picture = case.in_channels * prod(case.padded) * case.itemsize
    if picture <= CHUNK_BYTES:
        many = max(1, CHUNK_BYTES // max(picture, 1))
        parts = max(-(-case.batch // many), min(pieces, case.batch))
        if case.batch >= pieces:
            parts = -(-parts // pieces) * pieces  # as many for each thread
            return [Chunk(some, slice(0, rows)) for some in split(case.batch, parts)]
        return [
            Chunk(some, lines)
            for some in split(case.batch, parts)
            for lines in _lines(rows, pieces, algorithm.rows_at_a_time(case))
        ]
    # The rows that two neighbors both see are read twice, so chunks are much higher than the kernel.
    extent = case.dilation[0] * (case.kernel[0] - 1) + 1
    fitting = (CHUNK_BYTES * case.padded[0] // picture - extent) // case.stride[0] + 1
    fitting = max(fitting, -(-4 * extent // case.stride[0]), 1)
    lines = _lines(rows, max(-(-rows // fitting), pieces if case.batch < pieces else 1), algorithm.rows_at_a_time(case))
    return [Chunk(some, some_lines) for some in split(case.batch, case.batch) for some_lines in lines]


def _lines(rows: int, pieces: int, multiple: int) -> list[slice]:
    blocks = split(-(-rows // multiple), pieces)
    return [slice(s.start * multiple, min(rows, s.stop * multiple)) for s in blocks]


def correlate(x: FloatArray, w: FloatArray, b: FloatArray | None, layer: Layer, choose: Choose) -> FloatArray:
    """Return y (N, C_out, *out) for x (N, C_in, *spatial) and w (C_out, C_in/G, *kernel)."""
    case = layer.case(x.shape, w.shape, NAMES[x.dtype.char])
    algorithm = _chosen(choose, case)
    if isinstance(algorithm, Whole) and not algorithm.uses_blas:
        return algorithm.correlate(x, w, b, layer, case)
    return _correlate(x, w, b, layer, case, algorithm)


@with_one_blas_thread
def _correlate(  # noqa: PLR0917  (what `correlate` knows)
    x: FloatArray, w: FloatArray, b: FloatArray | None, layer: Layer, case: Case, algorithm: Algorithm
) -> FloatArray:
    if isinstance(algorithm, Whole):
        return algorithm.correlate(x, w, b, layer, case)
    x, pads = crop(x, layer.pads)
    if pads != layer.pads:
        layer = replace(layer, pads=pads)
    y = results.empty((case.batch, case.out_channels, *case.out), x.dtype)

    def in_rows(w: FloatArray) -> FloatArray:
        return results.contiguous(w) if algorithm.in_rows else w

    def work(chunk: Chunk, groups: list[tuple[slice, slice]], weights: list[Any]) -> None:
        with _padded(x, layer, algorithm, case, chunk) as seen:
            for (ins, outs), one in zip(groups, weights, strict=True):
                target = y[chunk.pictures, outs, chunk.rows]
                algorithm.forward(seen[:, ins], one, None if b is None else b[outs], target, case)
                if layer.relu:  # while it is in the cache
                    np.maximum(target, 0, out=target)

    def some_filters(outs: slice) -> None:
        weights = [algorithm.prepare(in_rows(w[outs]), case)]
        for chunk in chunks(case, algorithm, 1):
            work(chunk, [(slice(None), outs)], weights)

    if algorithm.few_places(case) and pieces(case) > 1:
        if algorithm.lays_out and case.in_channels > 1:
            return _by_channels(x, w, b, layer, case, algorithm)
        run_parts([bind(some_filters, outs) for outs in _filters_of_threads(case, algorithm)])
    else:
        w, todo = in_rows(w), chunks(case, algorithm, pieces(case))
        for groups in _rounds(case, algorithm):
            weights = [algorithm.prepare(w[outs], case) for _, outs in groups]
            run_parts([bind(work, chunk, groups, weights) for chunk in todo])
    return y


def _by_channels(  # noqa: PLR0917  (what `correlate` knows)
    x: FloatArray, w: FloatArray, b: FloatArray | None, layer: Layer, case: Case, algorithm: Algorithm
) -> FloatArray:
    """Return y likewise; each thread sees some channels of the input, and what they make of them is added up."""
    shares = split(case.in_channels, pieces(case))
    sums = [results.empty((case.batch, case.out_channels, *case.out), x.dtype) for _ in shares]

    def some_channels(ins: slice, y: FloatArray) -> None:
        seen, kernels, some = x[:, ins], w[:, ins], replace(case, in_channels=ins.stop - ins.start)
        if not kernels[0].flags.c_contiguous:
            kernels = results.contiguous(kernels)
        weights = algorithm.prepare(kernels, some)
        for chunk in chunks(some, algorithm, 1):
            with _padded(seen, layer, algorithm, some, chunk) as padded:
                bias = b if ins.start == 0 else None
                algorithm.forward(padded, weights, bias, y[chunk.pictures, :, chunk.rows], some)

    run_parts([bind(some_channels, ins, y) for ins, y in zip(shares, sums, strict=True)])
    total, *others = sums
    for more in others:
        total += more
    if layer.relu:
        np.maximum(total, 0, out=total)
    return total


def correlate_weights(dy: FloatArray, x: FloatArray, w_shape: Ints, layer: Layer, choose: Choose) -> FloatArray:
    """Return dw (C_out, C_in/G, *kernel) for dy (N, C_out, *out) and x (N, C_in, *spatial)."""
    case = layer.case(x.shape, w_shape, NAMES[x.dtype.char], "grad_weight")
    algorithm = _chosen(choose, case)
    if isinstance(algorithm, Whole) and not algorithm.uses_blas:
        return algorithm.correlate_weights(dy, x, layer, case)
    return _correlate_weights(dy, x, layer, case, algorithm)


@with_one_blas_thread
def _correlate_weights(dy: FloatArray, x: FloatArray, layer: Layer, case: Case, algorithm: Algorithm) -> FloatArray:
    if isinstance(algorithm, Whole):
        return algorithm.correlate_weights(dy, x, layer, case)
    if algorithm.few_places(case) and pieces(case) > 1:
        return _weights_of_few_places(dy, x, layer, case, algorithm)
    todo = chunks(case, algorithm, pieces(case))
    # Each share adds up its own sum, in order; so the result does not depend on which thread was faster.
    shares = [todo[some] for some in split(len(todo), pieces(case))]
    sums = [results.empty((case.out_channels, case.depth), x.dtype) for _ in shares]

    def work(share: list[Chunk], dw: FloatArray) -> None:
        for number, chunk in enumerate(share):
            with _padded(x, layer, algorithm, case, chunk) as seen:
                upstream = dy[chunk.pictures, :, chunk.rows]
                for ins, outs in groups_of(case, algorithm):
                    algorithm.grad_weight(upstream[:, outs], seen[:, ins], dw[outs], case, add=number > 0)

    run_parts([bind(work, share, dw) for share, dw in zip(shares, sums, strict=True)])
    if len(sums) == 1:
        return results.contiguous(algorithm.in_order(sums[0], case))
    dw = results.empty((case.out_channels, case.in_channels // case.groups, *case.kernel), x.dtype)

    def add_up(filters: slice) -> None:
        total, *others = (one[filters] for one in sums)
        for more in others:
            total += more
        dw[filters] = algorithm.in_order(total, replace(case, out_channels=len(total)))

    run_parts([bind(add_up, some) for some in split(case.out_channels, shares_of(PASS_MACS * dw.size))])
    return dw


def _weights_of_few_places(dy: FloatArray, x: FloatArray, layer: Layer, case: Case, algorithm: Algorithm) -> FloatArray:
    """Return dw likewise; each thread has some filters, or channels, at all places, and nothing is to be added up."""
    dw = results.empty((case.out_channels, case.in_channels, *case.kernel), x.dtype)

    def some_weights(outs: slice, ins: slice) -> None:
        some = replace(case, in_channels=ins.stop - ins.start, out_channels=outs.stop - outs.start)
        size = some.out_channels, some.depth
        sums = dw[outs, ins].reshape(size, copy=False) if algorithm.weights_lie else results.empty(size, x.dtype)
        for number, chunk in enumerate(chunks(some, algorithm, 1)):
            with _padded(x[:, ins], layer, algorithm, some, chunk) as seen:
                algorithm.grad_weight(dy[chunk.pictures, outs, chunk.rows], seen, sums, some, add=number > 0)
        if not algorithm.weights_lie:
            dw[outs, ins] = algorithm.in_order(sums, some)

    ins, outs = slice(0, case.in_channels), slice(0, case.out_channels)
    if algorithm.lays_out and case.in_channels > 1:
        run_parts([bind(some_weights, outs, some) for some in split(case.in_channels, pieces(case))])
    else:
        run_parts([bind(some_weights, some, ins) for some in split(case.out_channels, pieces(case))])
    return dw


def pieces(case: Case, *, compiled: bool = False) -> int:
    """Return into how many parts to cut the work for threads."""
    return shares_of(case.macs, compiled=compiled)


def _chosen(choose: Choose, case: Case) -> Algorithm:
    algorithm = choose(case)
    if algorithm is None:
        raise LookupError(f"no rule fits {case}: the last of cnnlab.kernels.rules.RULES must fit all")
    return algorithm


def groups_of(case: Case, algorithm: Algorithm) -> Iterator[tuple[slice, slice]]:
    """Yield the input and the output channels of each group, or all of them."""
    groups = 1 if algorithm.grouped else case.groups
    ins, outs = case.in_channels // groups, case.out_channels // groups
    for g in range(groups):
        yield slice(g * ins, (g + 1) * ins), slice(g * outs, (g + 1) * outs)


def _rounds(case: Case, algorithm: Algorithm) -> list[list[tuple[slice, slice]]]:
    """Return the groups, or with one group rounds of as many filters as the algorithm prepares at a time."""
    at_once = algorithm.filters_at_a_time(case)
    if case.groups > 1 or at_once >= case.out_channels:
        return [list(groups_of(case, algorithm))]
    return [[(slice(None), outs)] for outs in split(case.out_channels, -(-case.out_channels // at_once))]


def _filters_of_threads(case: Case, algorithm: Algorithm) -> tuple[slice, ...]:
    """Return shares of the filters, for threads that each prepare their own: together as many as may be at a time."""
    rounds = -(-case.out_channels // algorithm.filters_at_a_time(case))
    return split(case.out_channels, rounds * pieces(case))


@contextmanager
def _padded(x: FloatArray, layer: Layer, algorithm: Algorithm, case: Case, chunk: Chunk) -> Iterator[FloatArray]:
    """Lend the padded input that the chunk sees."""
    step, extent = case.stride[0], case.dilation[0] * (case.kernel[0] - 1) + 1
    rows = chunk.rows.start * step, (chunk.rows.stop - 1) * step + extent
    more = algorithm.zeros_behind(case, (chunk.rows.stop - chunk.rows.start, *case.out[1:]))
    with zero_padded(x[chunk.pictures], layer.pads, rows, more=more, memory=algorithm.memory) as padded:
        yield padded
