"""Max pooling of float32 pictures by pairs both ways, compiled, for `cnnlab.kernels.pooling` to ask first."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.geometry import PoolGeometry
from cnnlab.kernels.arrays import FloatArray
from cnnlab.kernels.fast.direct import refusal
from cnnlab.kernels.pooling import THREAD_SIZE
from cnnlab.kernels.settings import compiled_allowed
from cnnlab.kernels.threads import bind, run_parts, split, thread_count


def max_pool_forward(x: FloatArray, geometry: PoolGeometry) -> FloatArray | None:
    """Return the largest value of every window, (N, C, H_out, W_out), or None for what is left to NumPy."""
    if not _applies(geometry, x):
        return None
    from cnnlab.kernels.fast import pools

    y: FloatArray = np.empty(geometry.output_shape(x.shape), x.dtype)
    _each_map(pools.largest, x, y)
    return y


def max_pool_backward(dy: FloatArray, x: FloatArray, geometry: PoolGeometry) -> FloatArray | None:
    """Return dx (N, C, H, W), or None likewise."""
    if not _applies(geometry, x, dy):
        return None
    from cnnlab.kernels.fast import pools

    dx: FloatArray = np.empty(x.shape, x.dtype)
    _each_map(pools.back, dy, x, dx)
    return dx


def _applies(geometry: PoolGeometry, x: FloatArray, *others: FloatArray) -> bool:
    if not compiled_allowed() or geometry.kernel != (2, 2) or geometry.stride != (2, 2):
        return False
    if set(geometry.dilation) != {1} or any(map(any, geometry.padding)) or any(n % 2 for n in x.shape[2:]):
        return False
    return all(a.dtype == np.float32 for a in (x, *others)) and refusal() is None


def _each_map(loop: Any, *arrays: FloatArray) -> None:
    maps = [np.ascontiguousarray(a).reshape(-1, *a.shape[2:]) for a in arrays]
    threads = thread_count() if max(a.size for a in arrays) >= THREAD_SIZE else 1
    run_parts([bind(loop, *maps, some.start, some.stop) for some in split(len(maps[0]), threads)])
