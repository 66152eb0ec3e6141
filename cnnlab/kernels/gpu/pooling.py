"""Pooling of CuPy arrays both ways: no atomics, and the same bits at every run.

What follows from the shapes is kept (`Plan`), and what a window's sum is divided by is counted by the kernels: nothing
is copied from the host.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.geometry import PoolGeometry
from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.gpu import device
from cnnlab.kernels.gpu.device import LIMIT, Grid
from cnnlab.kernels.gpu.window import AXES, Window, of_pool
from cnnlab.kernels.settings import READABLE, forced


@dataclass(frozen=True)
class Plan:
    """A pooling layer for inputs of one shape.

    Attributes
    ----------
    out : tuple of int
        Shape of the output.
    maps : numpy.int32
        Maps of the batch, N·C.
    sizes, inside, padded : numpy.ndarray
        What Window is in ``kernels.cu``, and Counted, for averages over the map or its padding too.
    windows, places : Grid
        Grids whose threads share the windows of a map, or its places.
    tiles : Grid or None
        A grid whose threads share the tiles of a map, if all windows are such.
    """

    out: Ints
    maps: np.int32
    sizes: NDArray[Any]
    inside: NDArray[Any]
    padded: NDArray[Any]
    windows: Grid
    places: Grid
    tiles: Grid | None


def max_pool_forward(x: Any, geometry: PoolGeometry) -> Any:
    """Return the largest value of every window, (N, C, *out), or None where the readable op is to compute it."""
    if (plan := _applies(geometry, x)) is None:
        return None
    y = device.empty(plan.out, x.dtype)
    device.start("max_pool_forward", x.dtype, plan.windows, (device.contiguous(x), y, plan.maps, plan.sizes))
    return y


def max_pool_backward(dy: Any, x: Any, geometry: PoolGeometry) -> Any:
    """Return dx (N, C, *spatial), or None likewise.

    Windows side by side write the gradients of their places. Where they may overlap, a first kernel writes down which
    place won each window, and a second one lets each place gather what it won.
    """
    if (plan := _applies(geometry, x, dy)) is None:
        return None
    dtype, dy, x, dx = x.dtype, device.contiguous(dy), device.contiguous(x), device.empty(x.shape, x.dtype)
    if plan.tiles:
        device.start("max_pool_backward_tiled", dtype, plan.tiles, (dy, x, dx, plan.maps, plan.sizes))
        return dx
    winner = device.empty(plan.out, np.int32)
    device.start("max_pool_winner", dtype, plan.windows, (x, winner, plan.maps, plan.sizes))
    device.start("max_pool_backward", dtype, plan.places, (dy, winner, dx, plan.maps, plan.sizes))
    return dx


def avg_pool_forward(x: Any, geometry: PoolGeometry, *, count_include_pad: bool) -> Any:
    """Return the mean of every window (N, C, *out), or None likewise and for a dilation."""
    if (plan := _applies(geometry, x)) is None or max(geometry.dilation) > 1:
        return None
    y, counted = device.empty(plan.out, x.dtype), plan.padded if count_include_pad else plan.inside
    device.start("avg_pool_forward", x.dtype, plan.windows, (device.contiguous(x), y, plan.maps, plan.sizes, counted))
    return y


def avg_pool_backward(dy: Any, x: Any, geometry: PoolGeometry, *, count_include_pad: bool) -> Any:
    """Return dx (N, C, *spatial), or None likewise."""
    if (plan := _applies(geometry, x, dy)) is None or max(geometry.dilation) > 1:
        return None
    dx, counted = device.empty(x.shape, x.dtype), plan.padded if count_include_pad else plan.inside
    device.start("avg_pool_backward", x.dtype, plan.places, (device.contiguous(dy), dx, plan.maps, plan.sizes, counted))
    return dx


def _applies(geometry: PoolGeometry, *arrays: Any) -> Plan | None:
    return _plan(geometry, arrays[0].shape) if forced() != READABLE and device.takes(*arrays) else None


@lru_cache(maxsize=1024)
def _plan(geometry: PoolGeometry, shape: Ints) -> Plan | None:
    """Return what the kernels are given, or None for what they cannot: more than three axes, or too large a map."""
    spatial = shape[2:]
    if len(spatial) > AXES:
        return None
    sizes, maps = of_pool(geometry, spatial), shape[0] * shape[1]
    if max(sizes.inputs, sizes.positions, maps) > LIMIT:
        return None
    after = (0,) * (AXES - len(spatial)) + tuple(zeros for _, zeros in geometry.padding)
    stops = tuple(size + zeros for size, zeros in zip(sizes.spatial, after, strict=True))
    tiles = prod(-(-size // width) for size, width in zip(sizes.spatial, sizes.kernel, strict=True))
    return Plan(
        out=geometry.output_shape(shape),
        maps=np.int32(maps),
        sizes=device.by_value(sizes.numbers),
        inside=device.by_value((*(0,) * AXES, *sizes.spatial)),
        padded=device.by_value((*(-zeros for zeros in sizes.before), *stops)),
        windows=device.plane(sizes.positions, maps),
        places=device.plane(sizes.inputs, maps),
        tiles=device.plane(tiles, maps) if _lie_side_by_side(sizes) else None,
    )


def _lie_side_by_side(sizes: Window) -> bool:
    """Return whether windows begin at the first place and touch: none reaches over another's places."""
    dense = all(gap == 1 or taps == 1 for gap, taps in zip(sizes.dilation, sizes.kernel, strict=True))
    return dense and sizes.stride == sizes.kernel and not any(sizes.before)
