"""One scan with exchangeable parts, from which the known mistakes of assignment 1 are made.

The right scans are not made from it: they stand by themselves in `scan_1d` and `scan_2d`, so that a slip here cannot
make a wrong answer pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Layers = Sequence[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]
Starts = Callable[[int, int, int], Sequence[int]]


def network(layers: Layers, v: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Run a small network on one flattened window: ReLU between the layers, none after the last."""
    for number, (W, b) in enumerate(layers, start=1):
        v = W @ v + b
        if number < len(layers):
            v = np.maximum(v, 0)
    return v


def relu_everywhere(layers: Layers, v: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Apply ReLU after the last layer too."""
    for W, b in layers:
        v = np.maximum(W @ v + b, 0)
    return v


def no_relu(layers: Layers, v: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Leave every ReLU out."""
    for W, b in layers:
        v = W @ v + b
    return v


def no_bias(layers: Layers, v: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Leave every bias out."""
    return network([(W, np.zeros_like(b)) for W, b in layers], v)


def full_windows(length: int, size: int, step: int) -> range:
    """Return where the windows start that fit entirely: the right answer."""
    return range(0, length - size + 1, step)


def stops_early(length: int, size: int, step: int) -> range:
    """Forget that a window may end exactly at the end: ``range(0, length - size, step)``."""
    return range(0, length - size, step)


def counts_one_less(length: int, size: int, step: int) -> range:
    """Forget the + 1 in the number of windows."""
    return range(0, max(0, (length - size) // step) * step, step)


def every_start(length: int, size: int, step: int) -> range:
    """Start a window at every step, also where it hangs over the end."""
    return range(0, length, step)


def one_over(length: int, size: int, step: int) -> range:
    """Round the number of windows up, so that the last may hang over the end."""
    return range(0, length - size + step, step)


def every_place(length: int, size: int, step: int) -> range:
    """Ignore the step."""
    return range(length - size + 1)


def neighbors(length: int, size: int, step: int) -> range:
    """Use the step for the number of windows, but start them at 0, 1, 2, …."""
    return range(len(full_windows(length, size, step)))


def side_by_side(length: int, size: int, step: int) -> range:
    """Step by the size of the window."""
    return full_windows(length, size, size)


def scan(
    x: np.ndarray[Any, Any],
    layers: Layers,
    size: Sequence[int],
    step: Sequence[int],
    *,
    starts: Starts | Sequence[Starts] = full_windows,
    flatten: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]] = np.ravel,
    apply: Callable[[Layers, np.ndarray[Any, Any]], np.ndarray[Any, Any]] = network,
) -> np.ndarray[Any, Any]:
    """Scan the spatial axes of `x`; what hangs over the end is filled with zeros.

    Parameters
    ----------
    x
        Shape (C, *spatial).
    layers
        The network.
    size, step
        One number a spatial axis.
    starts
        Where windows start, from (length, size, step); one function, or one a spatial axis.
    flatten
        From a window (C, *size) to a vector.
    apply
        Runs the network on that vector.

    Returns
    -------
    numpy.ndarray
        Shape (out, *positions).
    """
    rules = [starts] * len(size) if callable(starts) else starts
    axes = [list(rule(*sizes)) for rule, *sizes in zip(rules, x.shape[1:], size, step, strict=True)]
    y = np.zeros((len(layers[-1][1]), *map(len, axes)), dtype=x.dtype)
    for position in np.ndindex(*y.shape[1:]):
        corner = [axis[p] for axis, p in zip(axes, position, strict=True)]
        crop = x[(slice(None), *(slice(c, c + k) for c, k in zip(corner, size, strict=True)))]
        window = np.zeros((x.shape[0], *size), dtype=x.dtype)
        window[tuple(slice(n) for n in crop.shape)] = crop
        y[(slice(None), *position)] = apply(layers, flatten(window))
    return y
