"""Pooling along one axis after the other.

The largest value of a window is the largest of the largest values of its rows, so a window of K·K takes 2·K comparisons
a place in place of K², and most of them run along memory. Going back, a window's gradient goes first to the row that
holds its largest value, the first of equal ones, and then to the place in that row: the first in row-major order, which
is the rule of `cnnlab.ops.max_pool_backward`. An average is a sum along each axis likewise.

The maps are taken some at a time, so that what lies between two axes stays in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from cnnlab.geometry import PoolGeometry
from cnnlab.kernels.arrays import FloatArray, Ints
from cnnlab.kernels.results import results
from cnnlab.kernels.settings import READABLE, forced
from cnnlab.kernels.threads import PASS_MACS, bind, one_blas_thread, run_parts, shares_of, split

BLOCK_BYTES = 256 * 2**10  # of the input that is worked on at a time
LEAST_SIZE = 512  # numbers; less is left to the readable op


class Compiled(Protocol):
    """What another provider may offer; None leaves it to NumPy."""

    def max_pool_forward(self, x: FloatArray, geometry: PoolGeometry) -> FloatArray | None:
        """Return the largest value of every window."""

    def max_pool_backward(self, dy: FloatArray, x: FloatArray, geometry: PoolGeometry) -> FloatArray | None:
        """Return the gradient to x."""

    def avg_pool_forward(self, x: FloatArray, geometry: PoolGeometry, counts: FloatArray) -> FloatArray | None:
        """Return the sum of every window divided by its count (*out)."""

    def avg_pool_backward(self, share: FloatArray, x: FloatArray, geometry: PoolGeometry) -> FloatArray | None:
        """Return the gradient to x for the share of each window."""


providers: list[Compiled] = []  # asked first, in this order


def max_pool_forward(x: FloatArray, geometry: PoolGeometry) -> FloatArray | None:
    """Return the largest value of every window, (N, C, *out), or None where the readable op is to compute it."""
    if not _applies(x):
        return None
    for provider in providers:
        if (given := provider.max_pool_forward(x, geometry)) is not None:
            return given
    axes = axes_of(geometry, x.shape[2:])
    y = results.empty(geometry.output_shape(x.shape), x.dtype)

    def block(source: FloatArray, target: FloatArray) -> None:
        target[...] = _levels(source, axes, _max_along)[-1]

    _each_block(block, x, y)
    return y


def max_pool_backward(dy: FloatArray, x: FloatArray, geometry: PoolGeometry) -> FloatArray | None:
    """Return dx (N, C, *spatial), or None likewise."""
    if not _applies(x, dy):
        return None
    for provider in providers:
        if (given := provider.max_pool_backward(dy, x, geometry)) is not None:
            return given
    axes = axes_of(geometry, x.shape[2:])
    dx = results.empty(x.shape, x.dtype)

    def block(upstream: FloatArray, source: FloatArray, target: FloatArray) -> None:
        levels = _levels(source, axes[::-1], _max_along)
        plain = bool(np.isfinite(upstream).all()) and not np.isnan(levels[-1]).any()
        for axis in axes:  # the first axis was the last to be reduced, as the order of ties asks for
            after, before = levels.pop(), levels[-1]
            upstream = _to_largest(upstream, before, after, axis, plain=plain)
        target[...] = upstream

    _each_block(block, dy, x, dx)
    return dx


def avg_pool_forward(x: FloatArray, geometry: PoolGeometry, *, count_include_pad: bool) -> FloatArray | None:
    """Return the mean of every window, (N, C, *out), or None likewise; zeros of the padding count if asked for."""
    if not _applies(x):
        return None
    counts = _counts(x.shape[2:], x.dtype, geometry, count_include_pad)
    for provider in providers:
        if (given := provider.avg_pool_forward(x, geometry, counts)) is not None:
            return given
    axes = axes_of(geometry, x.shape[2:])
    y = results.empty(geometry.output_shape(x.shape), x.dtype)
    if _of_whole_maps(axes):
        with one_blas_thread():  # a product with ones is three times as fast as a sum
            maps = x.reshape(y.size, -1)
            np.divide(np.matmul(maps, np.ones(maps.shape[1], x.dtype)).reshape(y.shape), counts, out=y)
        return y

    def block(source: FloatArray, target: FloatArray) -> None:
        np.divide(_levels(source, axes, _sum_along)[-1], counts, out=target)

    _each_block(block, x, y)
    return y


def avg_pool_backward(
    dy: FloatArray, x: FloatArray, geometry: PoolGeometry, *, count_include_pad: bool
) -> FloatArray | None:
    """Return dx (N, C, *spatial): the share of each window at each of its places, or None likewise."""
    if not _applies(x, dy):
        return None
    share = dy / _counts(x.shape[2:], x.dtype, geometry, count_include_pad)
    for provider in providers:
        if (given := provider.avg_pool_backward(share, x, geometry)) is not None:
            return given
    axes = axes_of(geometry, x.shape[2:])
    dx = results.empty(x.shape, x.dtype)
    if _of_whole_maps(axes):
        np.copyto(dx, share)
        return dx

    def block(source: FloatArray, target: FloatArray) -> None:
        for axis in axes:
            source = _spread_along(source, axis)
        target[...] = source

    _each_block(block, share, dx)
    return dx


@lru_cache(maxsize=64)
def _counts(spatial: Ints, dtype: np.dtype[Any], geometry: PoolGeometry, count_include_pad: bool) -> FloatArray:
    """Return what each window's sum is divided by, an array (*out)."""
    counts = np.ones((), dtype)
    for per_axis in geometry.tap_counts(spatial, in_padding=count_include_pad):
        counts = counts[..., None] * np.asarray(per_axis, dtype)  # one axis more
    counts.flags.writeable = False
    return counts


def _applies(*arrays: object) -> bool:
    if forced() == READABLE:
        return False
    for array in arrays:  # a generator takes twice as long
        if type(array) is not np.ndarray or array.size < LEAST_SIZE:
            return False
        dtype = array.dtype
        if dtype.char not in "fd" or not dtype.isnative:
            return False
    return True


def _each_block(work: Callable[..., None], *arrays: FloatArray) -> None:
    """Call the work for some maps at a time of arrays (N, C, *sizes), as arrays (maps, *sizes)."""
    joined = [_maps(array) for array in arrays]
    maps = joined[0].shape[0]
    largest = max(array.size for array in joined)
    bytes_a_map = largest // max(maps, 1) * joined[0].itemsize
    many = max(1, BLOCK_BYTES // max(bytes_a_map, 1))

    def some(share: slice) -> None:
        for start in range(share.start, share.stop, many):
            part = slice(start, min(start + many, share.stop))
            work(*(array[part] for array in joined))

    run_parts([bind(some, share) for share in split(maps, shares_of(PASS_MACS * largest))])


def _maps(array: FloatArray) -> FloatArray:
    """Return an array (N, C, *sizes) as (N·C, *sizes): a view if it is contiguous."""
    return array.reshape(array.shape[0] * array.shape[1], *array.shape[2:])


@dataclass(frozen=True)
class Axis:
    """How windows lie along one axis of maps (maps, *sizes).

    Attributes
    ----------
    place : int
        Number of the axis, 0 for the first spatial one.
    inputs, outputs : int
        Its sizes.
    taps : list of (slice, slice)
        For each tap the inputs that are seen, and the outputs that see them: padding is left out.
    tiled : bool
        Whether windows lie side by side and cover the axis: each entry is seen once.
    """

    place: int
    inputs: int
    outputs: int
    taps: list[tuple[slice, slice]]
    tiled: bool

    @property
    def pairs(self) -> bool:
        """Whether windows are pairs of neighbors that cover the axis: the commonest pooling."""
        return self.tiled and len(self.taps) == 2

    def of(self, along: slice) -> tuple[slice, ...]:
        """Return the index that takes a part of this axis."""
        return (slice(None),) * (1 + self.place) + (along,)

    def resized(self, array: FloatArray, size: int) -> Ints:
        """Return the shape of the array with another size of this axis."""
        return (*array.shape[: 1 + self.place], size, *array.shape[2 + self.place :])


def axes_of(geometry: PoolGeometry, spatial: Ints) -> list[Axis]:
    """Return all axes."""
    found = []
    for place, outputs in enumerate(geometry.output_size(spatial)):
        inputs, step, gap = spatial[place], geometry.stride[place], geometry.dilation[place]
        taps = []
        for tap in range(geometry.kernel[place]):
            offset = tap * gap - geometry.padding[place][0]
            first, stop = max(0, -(offset // step)), min(outputs, (inputs - 1 - offset) // step + 1)
            if stop > first:
                taps.append((slice(offset + first * step, offset + (stop - 1) * step + 1, step), slice(first, stop)))
        tiled = geometry.kernel[place] == step and gap == 1 and inputs == step * outputs
        found.append(Axis(place, inputs, outputs, taps, tiled and geometry.padding[place] == (0, 0)))
    return found


def _of_whole_maps(axes: list[Axis]) -> bool:
    """Return whether there is one window, which is the map."""
    return all(axis.tiled and axis.outputs == 1 for axis in axes)


def _levels(x: FloatArray, axes: list[Axis], along: Callable[[FloatArray, Axis], FloatArray]) -> list[FloatArray]:
    """Return x (maps, *spatial) and what it becomes as one axis after the other is reduced."""
    levels = [x]
    for axis in axes:
        levels.append(along(levels[-1], axis))
    return levels


def _max_along(x: FloatArray, axis: Axis) -> FloatArray:
    if axis.pairs:
        (first, _), (second, _) = axis.taps
        return np.asarray(np.maximum(x[axis.of(first)], x[axis.of(second)]))
    y = np.full(axis.resized(x, axis.outputs), -np.inf, x.dtype)
    for seen, seers in axis.taps:
        place = y[axis.of(seers)]
        np.maximum(place, x[axis.of(seen)], out=place)
    return y


def _sum_along(x: FloatArray, axis: Axis) -> FloatArray:
    taps = axis.taps
    if len(taps) > 1 and all(seers == slice(0, axis.outputs) for _, seers in taps[:2]):
        y: FloatArray = np.add(x[axis.of(taps[0][0])], x[axis.of(taps[1][0])])
        taps = taps[2:]
    else:
        y = np.zeros(axis.resized(x, axis.outputs), x.dtype)
    for seen, seers in taps:
        y[axis.of(seers)] += x[axis.of(seen)]
    return y


def _to_largest(dy: FloatArray, x: FloatArray, y: FloatArray, axis: Axis, *, plain: bool) -> FloatArray:
    """Return the gradient to x of y, its largest values along an axis: the first of equal ones gets it all.

    With ``plain`` there is no NaN in x, and neither NaN nor infinity in dy: then a product with 0 or 1 can choose.
    """
    if axis.pairs and plain:
        (first, _), (second, _) = axis.taps
        dx = np.empty(x.shape, x.dtype)
        one = dx[axis.of(first)]
        np.multiply(dy, x[axis.of(first)] >= x[axis.of(second)], out=one)
        np.subtract(dy, one, out=dx[axis.of(second)])
        return dx
    dx = np.zeros(x.shape, x.dtype)
    waiting = np.ones(y.shape, np.bool_)  # windows whose winner is not found yet
    for seen, seers in axis.taps:
        inputs, still, upstream = x[axis.of(seen)], waiting[axis.of(seers)], dy[axis.of(seers)]
        wins = inputs == y[axis.of(seers)]
        if not plain:
            wins |= np.isnan(inputs)  # NaN is the largest
        wins &= still
        dx[axis.of(seen)] += upstream * wins if plain else np.where(wins, upstream, 0)
        still &= ~wins
    return dx


def _spread_along(share: FloatArray, axis: Axis) -> FloatArray:
    """Return the sum of the shares of all windows that see a place: the adjoint of `_sum_along`."""
    if axis.tiled:
        dx: FloatArray = np.empty(axis.resized(share, axis.inputs), share.dtype)
        for seen, _ in axis.taps:
            dx[axis.of(seen)] = share
        return dx
    dx = np.zeros(axis.resized(share, axis.inputs), share.dtype)
    for seen, seers in axis.taps:
        dx[axis.of(seen)] += share[axis.of(seers)]
    return dx
