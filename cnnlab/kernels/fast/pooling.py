"""Pooling 2×2 in float32 and the way back of any max pooling, compiled, for `cnnlab.kernels.pooling` to ask first.

For other windows NumPy was as fast or faster on the way forward, and for averages both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from cnnlab.geometry import PoolGeometry
from cnnlab.kernels.arrays import FloatArray, Ints
from cnnlab.kernels.fast.plans import Three, three
from cnnlab.kernels.fast.processor import refusal
from cnnlab.kernels.results import results
from cnnlab.kernels.settings import compiled_allowed
from cnnlab.kernels.threads import PASS_MACS, in_turn, run_shared, shares_of

AXES = 3  # at most
LEAST_VECTOR = 4  # windows in a row
MOST_PLACES = 2**31 - 1  # of a map, which are numbered


class Windows(NamedTuple):
    """The options of a pooling layer, as the compiled loops are told them: all have three axes."""

    kernel: Three
    stride: Three
    dilation: Three
    before: Three


def max_pool_forward(x: FloatArray, geometry: PoolGeometry) -> FloatArray | None:
    """Return the largest value of every window, (N, C, *out), or None for what is left to NumPy."""
    if not (_applies(geometry) and _of_pairs(geometry, x)):
        return None
    from cnnlab.kernels.fast import pools

    y = results.empty(geometry.output_shape(x.shape), x.dtype)
    _each_pair(pools.LARGEST, x, y, x)
    return y


def max_pool_backward(dy: FloatArray, x: FloatArray, geometry: PoolGeometry) -> FloatArray | None:
    """Return dx (N, C, *spatial), or None likewise."""
    if not _applies(geometry) or prod(x.shape[2:]) > MOST_PLACES:
        return None
    from cnnlab.kernels.fast import pools

    dx = results.empty(x.shape, x.dtype)
    if _of_pairs(geometry, x):
        _each_pair(pools.LARGEST_BACK, x, dy, dx)
    else:
        arrays = [_maps(dy), _maps(x), _maps(dx)]
        _each_map(pools.largest_back_shared, ((0,) * geometry.stride[-1], *arrays, _windows(geometry)), arrays)
    return dx


def avg_pool_forward(x: FloatArray, geometry: PoolGeometry, counts: FloatArray) -> FloatArray | None:
    """Return the sum of every window divided by its count (*out), or None likewise."""
    if not (_applies(geometry) and _of_pairs(geometry, x)):
        return None
    from cnnlab.kernels.fast import pools

    y = results.empty(geometry.output_shape(x.shape), x.dtype)
    _each_pair(pools.MEAN, x, y, x, counts)
    return y


def avg_pool_backward(share: FloatArray, x: FloatArray, geometry: PoolGeometry) -> FloatArray | None:
    """Return dx (N, C, *spatial) for the share (N, C, *out) of each window, or None likewise."""
    if not (_applies(geometry) and _of_pairs(geometry, x)):
        return None
    from cnnlab.kernels.fast import pools

    dx = results.empty(x.shape, x.dtype)
    _each_pair(pools.MEAN_BACK, dx, share, dx)
    return dx


def _applies(geometry: PoolGeometry) -> bool:
    return compiled_allowed() and geometry.rank <= AXES and refusal() is None


def _of_pairs(geometry: PoolGeometry, x: FloatArray) -> bool:
    plain = set(geometry.dilation) == {1} and not any(map(any, geometry.padding)) and not geometry.ceil_mode
    return (
        plain
        and geometry.kernel == geometry.stride == (2, 2)
        and x.dtype == np.float32
        and x.shape[-1] >= 2 * LEAST_VECTOR
    )


def _each_pair(what: Ints, x: FloatArray, small: FloatArray, dx: FloatArray, counts: FloatArray | None = None) -> None:
    from cnnlab.kernels.fast import pools

    arrays = x, small, dx = _maps(x, 2), _maps(small, 2), _maps(dx, 2)
    counts = small[0] if counts is None else counts
    _each_map(pools.pairs_shared, (what, *arrays, counts), arrays)


def _windows(geometry: PoolGeometry) -> Windows:
    before = tuple(before for before, _ in geometry.padding)
    return Windows(three(geometry.kernel, 1), three(geometry.stride, 1), three(geometry.dilation, 1), three(before, 0))


def _maps(array: FloatArray, axes: int = AXES) -> FloatArray:
    """Return an array (N, C, *sizes) as (N·C, *sizes) with so many axes of sizes."""
    maps = prod(array.shape[:2])
    return np.ascontiguousarray(array).reshape(maps, *three(array.shape[2:], 1)[AXES - axes :])


def _each_map(function: Callable[..., int], fixed: tuple[Any, ...], arrays: Sequence[FloatArray]) -> None:
    threads = shares_of(PASS_MACS * max([array.size for array in arrays]), compiled=True)
    run_shared(function, fixed, [(some.start, some.stop) for some in in_turn(len(arrays[0]), threads)])
