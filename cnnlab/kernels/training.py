"""What ends a training step, for NumPy's arrays: cross-entropy, and a step with momentum.

The same operations as in `cnnlab.ops.loss` and `cnnlab.optim`, in fewer calls: on ten logits a row, or on the weights
of a small layer, a call takes longer than what it computes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from cnnlab.kernels.arrays import FloatArray
from cnnlab.kernels.case import NAMES
from cnnlab.kernels.results import results
from cnnlab.kernels.settings import READABLE, forced


def cross_entropy_forward(logits: FloatArray, targets: Any) -> Any:
    """Return the mean loss of logits (N, C) for classes (N,), or None where the readable op is to compute it."""
    if not _applies(logits) or type(targets) is not np.ndarray:
        return None
    shifted = logits - np.maximum.reduce(logits, axis=1, keepdims=True)
    right = shifted[_numbers(len(targets)), targets]
    log_sum = np.log(np.add.reduce(np.exp(shifted), axis=1))
    return np.add.reduce(log_sum - right) / len(targets)


def cross_entropy_backward(logits: FloatArray, targets: Any) -> FloatArray | None:
    """Return its gradient (N, C), or None likewise."""
    if not _applies(logits) or type(targets) is not np.ndarray:
        return None
    dx: FloatArray = logits - np.maximum.reduce(logits, axis=1, keepdims=True)
    np.exp(dx, out=dx)
    dx /= np.add.reduce(dx, axis=1, keepdims=True)
    dx[_numbers(len(targets)), targets] -= 1
    dx /= len(targets)
    return dx


def momentum_step(
    w: FloatArray, gradient: FloatArray, velocity: FloatArray, *, lr: float, momentum: float
) -> tuple[FloatArray, FloatArray] | None:
    """Return (w - lr · v, v) for v = momentum · velocity + gradient, or None likewise."""
    if not (_applies(w) and _applies(gradient) and _applies(velocity)):
        return None
    if not (w.dtype is gradient.dtype is velocity.dtype and w.shape == gradient.shape == velocity.shape):
        return None
    new_velocity, new = results.empty(w.shape, w.dtype), results.empty(w.shape, w.dtype)
    np.multiply(velocity, momentum, out=new_velocity)
    np.add(new_velocity, gradient, out=new_velocity)
    np.multiply(new_velocity, lr, out=new)
    np.subtract(w, new, out=new)
    return new, new_velocity


def _applies(array: Any) -> bool:
    if type(array) is not np.ndarray or forced() == READABLE:
        return False
    return array.dtype.char in NAMES and array.dtype.isnative and array.size > 0


@lru_cache(maxsize=16)
def _numbers(count: int) -> Any:
    return np.arange(count)
