"""The gradient to the input of a convolution, made of correlations or by an algorithm that has it.

It is a correlation of the padded dy with flipped kernels, in which input and output channels have changed places. With
a stride S, the inputs whose positions leave the same rest when divided by S see the same part of the kernel, every S-th
tap; so there are S such correlations an axis, each with a small kernel, and none multiplies with the zeros that a
stride would put between the entries of dy. Where kernels see one channel, one correlation does the work of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod

import numpy as np

from cnnlab.geometry.options import Pads
from cnnlab.kernels.algorithm import Algorithm, Whole
from cnnlab.kernels.arrays import FloatArray, Ints, at, flip
from cnnlab.kernels.case import NAMES, Case
from cnnlab.kernels.passes import CHUNK_BYTES, Choose, Layer, correlate, groups_of, pieces
from cnnlab.kernels.results import results
from cnnlab.kernels.threads import bind, run_parts, split, with_one_blas_thread
from cnnlab.kernels.workspace import workspace


def correlate_back(dy: FloatArray, w: FloatArray, spatial: Ints, layer: Layer, choose: Choose) -> FloatArray:
    """Return dx (N, C_in, *spatial) for dy (N, C_out, *out)."""
    shape = (dy.shape[0], w.shape[1] * layer.groups, *spatial)
    case = layer.case(shape, w.shape, NAMES[dy.dtype.char], "grad_input")
    algorithm = choose(case)
    if algorithm is not None and case.out == dy.shape[2:]:
        if isinstance(algorithm, Whole) and not algorithm.uses_blas:
            return algorithm.correlate_back(dy, w, spatial, layer, case)
        return _adjoint(dy, w, spatial, layer, case, algorithm)
    if _can_be_woven(case):
        return _woven(dy, w, spatial, layer, case, choose)
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
    groups = list(groups_of(case, algorithm))
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
    woven = layer.case(x_shape, w_shape, dtype, "grad_input")
    if _can_be_woven(woven):
        weave = _weave(x_shape[2:], woven.kernel, y_shape[2:], layer)
        return [weave.layer.case(y_shape, (x_shape[1] * prod(layer.stride), 1, *weave.kernel), dtype)]
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


@dataclass(frozen=True)
class Weave:
    """How one correlation of dy gives the inputs at all rests modulo the stride, each rest as a channel of its own.

    Attributes
    ----------
    layer : Layer
        Of this correlation.
    kernel : tuple of int
        Its size: the most taps that a rest has.
    rests : tuple of (rest, its inputs, where they stand in the maps of the correlation)
    """

    layer: Layer
    kernel: Ints
    rests: tuple[tuple[Ints, tuple[slice, ...], tuple[slice, ...]], ...]


@lru_cache(maxsize=1024)
def _weave(spatial: Ints, kernel: Ints, out: Ints, layer: Layer) -> Weave:
    taps = tuple(-(-k // s) for k, s in zip(kernel, layer.stride, strict=True))
    axes = list(zip(spatial, layer.stride, (before for before, _ in layer.pads), strict=True))
    # As for a residue: input u lies at u + before = step·i + rest, and outputs i - taps + 1 to i are what reaches it.
    firsts = [before // step for _, step, before in axes]
    lasts = [(before + size - 1) // step for size, step, before in axes]
    pads = tuple((t - 1 - i, j - n + 1) for t, i, j, n in zip(taps, firsts, lasts, out, strict=True))
    rests = []
    for rest in np.ndindex(*layer.stride):
        inputs, places = [], []
        for r, (size, step, before), first in zip(rest, axes, firsts, strict=True):
            u = (r - before) % step
            i = (u + before - r) // step - first
            inputs.append(slice(u, None, step))
            places.append(slice(i, i + len(range(u, size, step))))
        rests.append((rest, tuple(inputs), tuple(places)))
    return Weave(Layer((1,) * len(taps), layer.dilation, layer.groups, pads), taps, tuple(rests))


def _can_be_woven(case: Case) -> bool:
    """Whether to do so: for kernels that see one channel, where several correlations take long to make.

    There it adds few products with zeros; a stride larger than the kernel would add many.
    """
    one_channel = case.in_channels == case.out_channels == case.groups > 1
    strided = set(case.stride) != {1} and set(case.dilation) == {1}
    reached = all(k >= s for k, s in zip(case.kernel, case.stride, strict=True))
    small = prod(case.padded) * case.in_channels * case.itemsize <= CHUNK_BYTES
    return one_channel and strided and reached and small and case.positions > 0


def _woven(  # noqa: PLR0917  (what `correlate_back` knows)
    dy: FloatArray, w: FloatArray, spatial: Ints, layer: Layer, case: Case, choose: Choose
) -> FloatArray:
    """Return dx for kernels w (C, 1, *kernel), some pictures at a time."""
    weave = _weave(spatial, case.kernel, dy.shape[2:], layer)
    kernels = results.zeros((len(w), *layer.stride, *weave.kernel), w.dtype)
    for rest, _, _ in weave.rests:
        some = w[:, 0][at(slice(r, None, step) for r, step in zip(rest, layer.stride, strict=True))]
        kernels[at((*rest, *(slice(-n, None) for n in some.shape[1:])))] = flip(some, len(rest))
    kernels = kernels.reshape(-1, 1, *weave.kernel)
    dx = results.empty((case.batch, case.in_channels, *spatial), dy.dtype)
    pictures = max(1, CHUNK_BYTES * case.batch // max(dx.nbytes, 1))
    for few in split(case.batch, -(-case.batch // pictures)):
        maps = correlate(dy[few], kernels, None, weave.layer, choose)
        maps = maps.reshape(len(maps), case.in_channels, *layer.stride, *maps.shape[2:])
        for rest, inputs, places in weave.rests:
            dx[few][at(inputs)] = maps[at((*rest, *places))]
    return dx
