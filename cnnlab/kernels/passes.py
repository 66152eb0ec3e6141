"""The passes of a convolution as correlations, cut into chunks for the cache and for threads.

Forward is a correlation of the padded input. The gradient to the input is one as well: of the padded dy with flipped
kernels, in which input and output channels have changed places. With a stride S, the inputs whose positions leave the
same rest when divided by S see the same part of the kernel, every S-th tap; so there are S such correlations an axis,
each with a small kernel, and none multiplies with the zeros that a stride would put between the entries of dy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import inf, prod
from typing import Any, TypeAlias

import numpy as np

from cnnlab.geometry.options import Pads
from cnnlab.kernels.algorithm import Algorithm, Whole
from cnnlab.kernels.arrays import FloatArray, Ints, at, flip
from cnnlab.kernels.borders import crop, zero_padded
from cnnlab.kernels.case import NAMES, Case, Work
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import PASS_MACS, bind, run_parts, shares_of, split, with_one_blas_thread
from cnnlab.kernels.workspace import workspace

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
            Chunk(some, lines) for some in split(case.batch, parts) for lines in _lines(rows, pieces, algorithm.rows)
        ]
    # The rows that two neighbors both see are read twice, so chunks are much higher than the kernel.
    extent = case.dilation[0] * (case.kernel[0] - 1) + 1
    fitting = (CHUNK_BYTES * case.padded[0] // picture - extent) // case.stride[0] + 1
    fitting = max(fitting, -(-4 * extent // case.stride[0]), 1)
    lines = _lines(rows, max(-(-rows // fitting), pieces if case.batch < pieces else 1), algorithm.rows)
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

    if case.few_places and pieces(case) > 1:
        if algorithm.lays_out and case.in_channels > 1:
            return _by_channels(x, w, b, layer, case, algorithm)
        run_parts([bind(some_filters, outs) for outs in split(case.out_channels, pieces(case))])
    else:
        w, groups = in_rows(w), list(_groups(case, algorithm))
        weights = [algorithm.prepare(w[outs], case) for _, outs in groups]
        run_parts([bind(work, chunk, groups, weights) for chunk in chunks(case, algorithm, pieces(case))])
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
    if case.few_places and pieces(case) > 1:
        return _weights_of_few_places(dy, x, layer, case, algorithm)
    todo = chunks(case, algorithm, pieces(case))
    # Each share adds up its own sum, in order; so the result does not depend on which thread was faster.
    shares = [todo[some] for some in split(len(todo), pieces(case))]
    sums = [results.zeros((case.out_channels, case.depth), x.dtype) for _ in shares]

    def work(share: list[Chunk], dw: FloatArray) -> None:
        for chunk in share:
            with _padded(x, layer, algorithm, case, chunk) as seen:
                upstream = dy[chunk.pictures, :, chunk.rows]
                for ins, outs in _groups(case, algorithm):
                    algorithm.grad_weight(upstream[:, outs], seen[:, ins], dw[outs], case)

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
        sums = results.zeros((some.out_channels, some.depth), x.dtype)
        for chunk in chunks(some, algorithm, 1):
            with _padded(x[:, ins], layer, algorithm, some, chunk) as seen:
                algorithm.grad_weight(dy[chunk.pictures, outs, chunk.rows], seen, sums, some)
        dw[outs, ins] = algorithm.in_order(sums, some)

    ins, outs = slice(0, case.in_channels), slice(0, case.out_channels)
    if algorithm.lays_out and case.in_channels > 1:
        run_parts([bind(some_weights, outs, some) for some in split(case.in_channels, pieces(case))])
    else:
        run_parts([bind(some_weights, some, ins) for some in split(case.out_channels, pieces(case))])
    return dw


def correlate_back(dy: FloatArray, w: FloatArray, spatial: Ints, layer: Layer, choose: Choose) -> FloatArray:
    """Return dx (N, C_in, *spatial) for dy (N, C_out, *out)."""
    shape = (dy.shape[0], w.shape[1] * layer.groups, *spatial)
    case = layer.case(shape, w.shape, NAMES[dy.dtype.char], "grad_input")
    algorithm = choose(case)
    if algorithm is not None and case.out == dy.shape[2:]:
        if isinstance(algorithm, Whole) and not algorithm.uses_blas:
            return algorithm.correlate_back(dy, w, spatial, layer, case)
        return _adjoint(dy, w, spatial, layer, case, algorithm)
    parts = residues(spatial, w.shape[2:], dy.shape[2:], layer)
    if len(parts) == 1 and set(layer.stride) == {1}:
        return _of_residue(dy, w, parts[0], layer, choose)
    all_reached = len(parts) == prod(layer.stride)
    dx = results.empty(shape, dy.dtype) if all_reached else results.zeros(shape, dy.dtype)
    for part in parts:
        dx[at(part.inputs)] = _of_residue(dy, w, part, layer, choose)
    return dx


@with_one_blas_thread
def _adjoint(  # noqa: PLR0917  (what `correlate_back` knows)
    dy: FloatArray, w: FloatArray, spatial: Ints, layer: Layer, case: Case, algorithm: Algorithm
) -> FloatArray:
    """Return dx by an algorithm that has this gradient, some pictures, or channels of a picture, at a time."""
    if isinstance(algorithm, Whole):
        return algorithm.correlate_back(dy, w, spatial, layer, case)
    groups = list(_groups(case, algorithm))
    inside = [slice(before, size - after) for (before, after), size in zip(layer.pads, case.padded, strict=True)]
    shape = (case.batch, case.in_channels, *case.padded)
    dx = results.empty((*shape[:2], *(one.stop - one.start for one in inside)), dy.dtype)
    bytes_a_picture = (prod(shape[1:]) + dy[0].size) * case.itemsize
    many = max(1, CHUNK_BYTES // max(bytes_a_picture, 1))

    def work(pictures: slice, channels: slice) -> None:  # of each group
        size = len(groups) * (channels.stop - channels.start)
        with workspace.borrow((pictures.stop - pictures.start, size, *shape[2:]), dy.dtype) as padded:
            for (ins, outs), target in zip(groups, np.split(padded, len(groups), axis=1), strict=True):
                algorithm.grad_input(dy[pictures, outs], algorithm.prepare(w[outs, channels], case), target, case)
                dx[pictures, ins][:, channels] = target[at(inside)]

    count = max(-(-case.batch // many), min(pieces(case), case.batch))
    channels = split(w.shape[1], pieces(case) if case.batch < pieces(case) else 1)
    run_parts([bind(work, some, ins) for some in split(case.batch, count) for ins in channels])
    return dx


@dataclass(frozen=True)
class Residue:
    """The inputs at one rest modulo the stride, the taps that reach them, and how to pad dy for them."""

    inputs: tuple[slice, ...]
    taps: tuple[slice, ...]
    pads: Pads


@lru_cache(maxsize=1024)
def residues(spatial: Ints, kernel: Ints, out: Ints, layer: Layer) -> tuple[Residue, ...]:
    """Return the residues that any tap reaches; for stride 1 it is one."""
    found = []
    axes = zip(spatial, kernel, out, layer.stride, layer.dilation, layer.pads, strict=True)
    for one in product(*(list(_residues_of_axis(axis)) for axis in axes)):
        inputs, taps, pads = zip(*one, strict=True)
        found.append(Residue(inputs, taps, pads))
    return tuple(found)


def backward_cases(x_shape: Ints, w_shape: Ints, y_shape: Ints, layer: Layer, dtype: str) -> list[Case]:
    """Return the correlations that `correlate_back` is made of, for x (N, C_in, *spatial) of a layer."""
    cases = []
    for part in residues(x_shape[2:], w_shape[2:], y_shape[2:], layer):
        kernel = tuple(len(range(size)[taps]) for size, taps in zip(w_shape[2:], part.taps, strict=True))
        cases.append(back_layer(layer, part).case(y_shape, (x_shape[1], y_shape[1] // layer.groups, *kernel), dtype))
    return cases


def _residues_of_axis(
    axis: tuple[int, int, int, int, int, tuple[int, int]],
) -> Iterator[tuple[slice, slice, tuple[int, int]]]:
    size, kernel, out, step, gap, (before, _) = axis
    # Input u lies at u + before = step·i + rest in the padded input. Tap rest + step·j takes it to output i - j·gap,
    # where gap is 1 if there is a stride.
    for rest in range(step):
        reach = (-(-(kernel - rest) // step) - 1) * gap  # of the last such tap
        start, stop = -(-(before - rest) // step), (before + size - 1 - rest) // step + 1
        if reach >= 0 and stop > start:
            first = start * step + rest - before
            yield slice(first, None, step), slice(rest, None, step), (reach - start, stop - out)


def _of_residue(dy: FloatArray, w: FloatArray, part: Residue, layer: Layer, choose: Choose) -> FloatArray:
    return correlate(dy, flipped(w, part, layer.groups), None, back_layer(layer, part), choose)


def flipped(w: FloatArray, part: Residue, groups: int) -> FloatArray:
    """Return the kernels that bring dy to the inputs of a residue, (C_in, C_out/G, *kernel): with one group, a view."""
    some = w[at(part.taps)]
    M, C, *kernel = some.shape
    swapped = flip(some, len(kernel)).reshape(groups, M // groups, C, *kernel).swapaxes(1, 2)
    return swapped.reshape(groups * C, M // groups, *kernel)


def back_layer(layer: Layer, part: Residue) -> Layer:
    """Return the options of the correlation of dy with these kernels."""
    return Layer((1,) * len(part.taps), layer.dilation, layer.groups, part.pads)


def pieces(case: Case, *, compiled: bool = False) -> int:
    """Return into how many parts to cut the work for threads."""
    return shares_of(case.macs, compiled=compiled)


def _chosen(choose: Choose, case: Case) -> Algorithm:
    algorithm = choose(case)
    if algorithm is None:
        raise LookupError(f"no rule fits {case}: the last of cnnlab.kernels.rules.RULES must fit all")
    return algorithm


def _groups(case: Case, algorithm: Algorithm) -> Iterator[tuple[slice, slice]]:
    """Yield the input and the output channels of each group, or all of them."""
    groups = 1 if algorithm.grouped else case.groups
    ins, outs = case.in_channels // groups, case.out_channels // groups
    for g in range(groups):
        yield slice(g * ins, (g + 1) * ins), slice(g * outs, (g + 1) * outs)


@contextmanager
def _padded(x: FloatArray, layer: Layer, algorithm: Algorithm, case: Case, chunk: Chunk) -> Iterator[FloatArray]:
    """Lend the padded input that the chunk sees."""
    step, extent = case.stride[0], case.dilation[0] * (case.kernel[0] - 1) + 1
    rows = chunk.rows.start * step, (chunk.rows.stop - 1) * step + extent
    more = [-size % algorithm.rows for size in (chunk.rows.stop - chunk.rows.start, *case.out[1:])]
    with zero_padded(x[chunk.pictures], layer.pads, rows, more=more, memory=algorithm.memory) as padded:
        yield padded
