"""What ends a training step, in one kernel each: cross-entropy, and steps of optimizers.

Written as operations on arrays they are 19 for the loss and its gradient, and 4 or 13 for each parameter; on a GPU each
is a launch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

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


class InPlace:
    """Steps of an optimizer for all parameters in one launch, in place: for arrays that stay where they are.

    Parameters
    ----------
    weights, gradients : sequence of array
        The parameters and their gradients, contiguous arrays of CuPy, of one dtype and device.
    *memories : sequence of array
        What the optimizer remembers for each: velocities for `momentum`; running means and mean squares for `adam`.

    Raises
    ------
    ValueError
        The lists are empty or not equally long, shapes differ, an array is not contiguous or of another dtype or
        device, or there are more numbers than one launch can count.

    Notes
    -----
    The addresses of the arrays are copied to the GPU once, here. They hold as long as this object keeps the arrays, so
    new gradients have to be written into the same ones. A recorded launch repeats the very numbers it was given.
    """

    def __init__(self, weights: Sequence[Any], gradients: Sequence[Any], *memories: Sequence[Any]) -> None:
        self._lists = [list(one) for one in (weights, gradients, *memories)]
        _check(self._lists)
        sizes = [array.size for array in self._lists[0]]
        if sum(sizes) > LIMIT:
            raise ValueError(f"the parameters have {sum(sizes)} numbers, and one launch counts {LIMIT} at most")
        self._dtype = self._lists[0][0].dtype
        self._grid = device.line(sum(sizes))
        addresses = [array.data.ptr for one in self._lists for array in one]
        offsets = [sum(sizes[:number]) for number in range(len(sizes))]
        tables = device.library().asarray(np.array([*addresses, *offsets], np.int64))
        counts = np.int32(len(sizes)), np.int32(sum(sizes))
        self._fixed = (tables[: len(addresses)], tables[len(addresses) :], *counts)

    def momentum(self, lr: float, momentum: float) -> None:
        """Do as `momentum_step`: v = momentum · v + gradient, w = w - lr · v, for one memory v."""
        self._start("momentum_in_place", 1, (lr, momentum))

    def adam(self, lr: float, betas: tuple[float, float], root: float, eps: float) -> None:
        """Do as `adam_step`: w = w - lr · m / (√s / root + eps), for the memories m and s."""
        self._start("adam_in_place", 2, (lr, betas[0], 1 - betas[0], betas[1], 1 - betas[1], root, eps))

    def _start(self, name: str, memories: int, numbers: tuple[float, ...]) -> None:
        if len(self._lists) != 2 + memories:
            raise ValueError(f"{name} needs {memories} memories for each parameter, not {len(self._lists) - 2}")
        device.start(name, self._dtype, self._grid, (*self._fixed, *map(self._dtype.type, numbers)))


def in_place(weights: Sequence[Any], gradients: Sequence[Any], *memories: Sequence[Any]) -> InPlace | None:
    """Return the arrays as `InPlace`, or None where one launch cannot change them."""
    if forced() == READABLE:
        return None
    try:
        return InPlace(weights, gradients, *memories)
    except ValueError:
        return None


def _check(lists: list[list[Any]]) -> None:
    """Raise ValueError unless the arrays are as `InPlace` asks for."""
    if not lists[0] or len({len(one) for one in lists}) > 1:
        raise ValueError(
            f"there are {' and '.join(str(len(one)) for one in lists)} arrays: give one for each parameter"
        )
    for arrays in zip(*lists, strict=True):
        if not device.takes(*arrays) or not all(array.flags.c_contiguous for array in arrays):
            raise ValueError("an array is empty, not contiguous, or none of CuPy's on its current device, of floats")
        if len({array.shape for array in arrays}) > 1:
            raise ValueError(f"a parameter and what belongs to it have shapes {[tuple(one.shape) for one in arrays]}")
    dtypes = sorted({str(array.dtype) for one in lists for array in one})
    if len(dtypes) > 1:
        raise ValueError(f"the arrays have dtypes {', '.join(dtypes)}: one is needed")
