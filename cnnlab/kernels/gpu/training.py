"""What ends a training step, in one kernel each: cross-entropy, and steps of optimizers.

Written as operations on arrays they are 19 for the loss and its gradient, and 4 or 13 for each parameter; on a GPU each
is a launch.
"""

from __future__ import annotations

from typing import Any

from cnnlab.kernels.gpu import device
from cnnlab.kernels.gpu.device import LIMIT, launch
from cnnlab.kernels.settings import READABLE, forced

CLASSES = 1024  # at most: a thread walks along all logits of a row


def cross_entropy_forward(logits: Any, targets: Any) -> Any:
    """Return the mean loss, an array of no axes, or None where the readable op is to compute it."""
    losses = _each_row("cross_entropy_forward", logits, targets, logits.shape[:1])
    return None if losses is None else losses.mean()


def cross_entropy_backward(logits: Any, targets: Any) -> Any:
    """Return its gradient (N, C), or None likewise."""
    return _each_row("cross_entropy_backward", logits, targets, logits.shape)


def _each_row(name: str, logits: Any, targets: Any, shape: tuple[int, ...]) -> Any:
    if forced() == READABLE or not device.takes(logits) or logits.shape[1] > CLASSES or logits.size > LIMIT:
        return None
    cupy = device.library()
    result = cupy.empty(shape, logits.dtype)
    arrays = cupy.ascontiguousarray(logits), cupy.ascontiguousarray(targets.astype("int64", copy=False))
    launch(name, logits.dtype, len(logits), *arrays, result, *logits.shape)
    return result


def momentum_step(w: Any, gradient: Any, velocity: Any, *, lr: float, momentum: float) -> tuple[Any, Any] | None:
    """Return (w - lr · v, v) for v = momentum · velocity + gradient, or None where it is to be computed otherwise."""
    found = _updated("momentum_step", (w, gradient, velocity), 2, (lr, momentum))
    return None if found is None else (found[0], found[1])


def adam_step(
    w: Any, gradient: Any, mean: Any, square: Any, *, lr: float, betas: tuple[float, float], root: float, eps: float
) -> tuple[Any, Any, Any] | None:
    """Return w - lr · m / (√s / root + eps) and the running means m and s, or None likewise."""
    numbers = lr, betas[0], 1 - betas[0], betas[1], 1 - betas[1], root, eps
    found = _updated("adam_step", (w, gradient, mean, square), 3, numbers)
    return None if found is None else (found[0], found[1], found[2])


def _updated(name: str, arrays: tuple[Any, ...], results: int, numbers: tuple[float, ...]) -> list[Any] | None:
    if forced() == READABLE or not device.takes(*arrays) or arrays[0].size > LIMIT:
        return None
    if len({(array.shape, array.dtype.char) for array in arrays}) > 1:
        return None
    cupy, like = device.library(), arrays[0]
    made = [cupy.empty(like.shape, like.dtype) for _ in range(results)]
    given = [cupy.ascontiguousarray(array) for array in arrays]
    launch(name, like.dtype, like.size, *given, *made, like.size, *map(float, numbers))
    return made
