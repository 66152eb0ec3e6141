"""Activations, their gradients and biases in one pass over CuPy arrays, four numbers at a time where they allow it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.gpu import device
from cnnlab.kernels.gpu.device import LIMIT, Grid
from cnnlab.kernels.settings import READABLE, forced


def relu_forward(x: Any) -> Any:
    """Return max(x, 0), NaN where x is NaN; or None where the readable op is to compute it."""
    return _each("relu_forward", x)


def relu_backward(dy: Any, x: Any) -> Any:
    """Return dy where not x ≤ 0, else 0, or None likewise."""
    return _each("relu_backward", dy, x)


def tanh_forward(x: Any) -> Any:
    """Return tanh(x), or None likewise."""
    return _each("tanh_forward", x)


def tanh_backward(dy: Any, y: Any) -> Any:
    """Return dy · (1 − y²), or None likewise."""
    return _each("tanh_backward", dy, y)


def add_bias(y: Any, b: Any, *, relu: bool) -> Any:
    """Add a bias to each map in place, cut off at zero if asked for, and return y.

    Parameters
    ----------
    y : array (N, M, *out)
        Contiguous, of float32 or float64.
    b : array (M,) or None
        Biases of the same dtype; None for none.
    relu : bool
        Whether to put max(y, 0) in place of y; NaN stays NaN.
    """
    if b is None and not relu:
        return y
    bias = y if b is None else device.contiguous(b)  # some array has to stand there
    many, sizes = _biases(y.shape, b is not None, relu)
    for n in range(0, len(y), many):
        some = y if many >= len(y) else y[n : n + many]
        grid, count = _line(some.size)
        device.start("add_bias", y.dtype, grid, (some, bias, count, *sizes))
    return y


def _each(name: str, *arrays: Any) -> Any:
    if forced() == READABLE or not device.takes(*arrays) or arrays[0].size > LIMIT:
        return None
    x = arrays[0]
    result = device.empty(x.shape, x.dtype)
    grid, count = _line(x.size)
    device.start(name, x.dtype, grid, (*map(device.contiguous, arrays), result, count))
    return result


@lru_cache(maxsize=1024)
def _line(count: int) -> tuple[Grid, np.int32]:
    """Return a grid whose threads share so many numbers, four at a time, and the number as kernels take it."""
    return device.line(-(-count // 4)), np.int32(count)


@lru_cache(maxsize=1024)
def _biases(shape: Ints, biased: bool, relu: bool) -> tuple[int, tuple[np.int32, ...]]:
    """Return how many pictures one launch may work on, and what `add_bias` in ``kernels.cu`` takes after the count."""
    maps, places = shape[1], int(np.prod(shape[2:], dtype=np.int64))
    return max(1, LIMIT // max(maps * places, 1)), tuple(np.int32(one) for one in (maps, places, biased, relu))
