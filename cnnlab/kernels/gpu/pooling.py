"""Pooling of CuPy arrays both ways, one number of the result a thread: no atomics, and the same bits at every run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnnlab.geometry import PoolGeometry
from cnnlab.kernels.gpu import device
from cnnlab.kernels.gpu.device import LIMIT, launch
from cnnlab.kernels.gpu.window import AXES, of_pool
from cnnlab.kernels.settings import READABLE, forced


def max_pool_forward(x: Any, geometry: PoolGeometry) -> Any:
    """Return the largest value of every window, (N, C, *out), or None where the readable op is to compute it."""
    return _each_window("max_pool_forward", x, geometry) if _applies(geometry, x) else None


def max_pool_backward(dy: Any, x: Any, geometry: PoolGeometry) -> Any:
    """Return dx (N, C, *spatial), or None likewise.

    A first kernel writes down which place won each window, a second one lets each place gather what it won.
    """
    if not _applies(geometry, x, dy):
        return None
    winner = _each_window("max_pool_winner", x, geometry, dtype=np.int32)
    return _each_place("max_pool_backward", x, geometry, dy, winner)


def avg_pool_forward(x: Any, geometry: PoolGeometry, counts: Any) -> Any:
    """Return the sum of every window divided by its count (*out), or None likewise."""
    return _each_window("avg_pool_forward", x, geometry, counts) if _applies(geometry, x, counts) else None


def avg_pool_backward(share: Any, x: Any, geometry: PoolGeometry) -> Any:
    """Return dx (N, C, *spatial): the share (N, C, *out) of each window at each of its places, or None likewise."""
    return _each_place("avg_pool_backward", x, geometry, share) if _applies(geometry, x, share) else None


def _applies(geometry: PoolGeometry, x: Any, *others: Any) -> bool:
    if forced() == READABLE or not device.takes(x, *others) or x.ndim - 2 > AXES:
        return False
    shape = of_pool(geometry, x.shape[2:])
    return max(shape.inputs, shape.positions) <= LIMIT


def _each_window(name: str, x: Any, geometry: PoolGeometry, *more: Any, dtype: Any = None) -> Any:
    cupy, shape = device.library(), of_pool(geometry, x.shape[2:])
    y = cupy.empty((*x.shape[:2], *geometry.output_size(x.shape[2:])), dtype or x.dtype)
    x, others = cupy.ascontiguousarray(x), [cupy.ascontiguousarray(one) for one in more]
    for some, target in _maps(x, y):
        launch(name, x.dtype, target.size, some, *others, target, target.size, *shape.arguments)
    return y


def _each_place(name: str, x: Any, geometry: PoolGeometry, *more: Any) -> Any:
    cupy, shape = device.library(), of_pool(geometry, x.shape[2:])
    dx = cupy.empty(x.shape, x.dtype)
    for *some, target in _maps(*map(cupy.ascontiguousarray, more), dx):
        launch(name, x.dtype, target.size, *some, target, target.size, *shape.arguments)
    return dx


def _maps(*arrays: Any) -> Iterator[list[Any]]:
    """Yield the arrays (N, C, *sizes) as some of their maps at a time, so many that 32 bits can count their numbers."""
    flat = [array.reshape(array.shape[0] * array.shape[1], -1) for array in arrays]
    many = max(1, LIMIT // max(array.shape[1] for array in flat))
    for first in range(0, len(flat[0]), many):
        yield [array[first : first + many] for array in flat]
