"""Scanning: cut out every window, flatten it, and send it through one small network (deck rows D05–D09)."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cnnlab.geometry import WindowGeometry

Floats: TypeAlias = NDArray[np.floating[Any]]
Layers: TypeAlias = Sequence[tuple[Floats, Floats]]  # (W, b) from input to output, W of shape (out, in)


def mlp(v: Floats, layers: Layers) -> Floats:
    """Return the output of a small network for one vector: ReLU between the layers, none after the last.

    Parameters
    ----------
    v : array (in,)
        Input.
    layers : sequence of (W, b)
        W of shape (out, in), b of shape (out,).

    Returns
    -------
    array (out,)

    Examples
    --------
    >>> mlp(np.array([1.0, -2.0]), [(np.eye(2), np.zeros(2)), (np.array([[1.0, 1.0]]), np.array([0.5]))])
    array([1.5])
    """
    *hidden, (W_last, b_last) = layers
    for W, b in hidden:
        v = np.maximum(W @ v + b, 0)
    return W_last @ v + b_last


def scan_by_crops(x: Floats, layers: Layers, kernel: Sequence[int], stride: int | Sequence[int] = 1) -> Floats:
    """Return the network's output for every full window of an input with any number of spatial axes.

    Parameters
    ----------
    x : array (C, *spatial)
        One input.
    layers : sequence of (W, b)
        The network; its input is a window of shape (C, *kernel), flattened in C order.
    kernel : sequence of int
        Size of the window on each spatial axis.
    stride : int or sequence of int
        Step between windows.

    Returns
    -------
    array (out, *positions)

    Raises
    ------
    ValueError
        The window is larger than the input, or the number of axes is wrong.

    Examples
    --------
    >>> summing = [(np.ones((1, 2)), np.zeros(1))]
    >>> scan_by_crops(np.array([[1.0, 2.0, 3.0, 4.0]]), summing, (2,), 2)
    array([[3., 7.]])
    """
    geometry = WindowGeometry(kernel, stride)
    spatial = x.shape[1:]
    crops = [x[(slice(None), *window)] for _, window in geometry.windows(spatial)]  # each (C, *kernel)
    scores = np.stack([mlp(crop.ravel(), layers) for crop in crops], axis=1)  # (out, P)
    return scores.reshape(-1, *geometry.output_size(spatial))


def scan_1d(x: Floats, layers: Layers, width: int, hop: int = 1) -> Floats:
    """Return the network's output for every full window of a recording (C, T), an array (out, positions).

    ``y(t) = MLP(x(:, t : t+K−1))`` of deck row D07, for t every ``hop`` frames.

    Examples
    --------
    >>> summing = [(np.ones((1, 2)), np.zeros(1))]
    >>> scan_1d(np.array([[1.0, 2.0, 3.0, 4.0]]), summing, 2)
    array([[3., 5., 7.]])
    """
    return scan_by_crops(x, layers, (width,), hop)


def scan_2d(x: Floats, layers: Layers, size: tuple[int, int], stride: int | tuple[int, int] = 1) -> Floats:
    """Return the network's output for every full window of a picture (C, H, W), an array (out, rows, columns).

    The loop of deck row D09, with the axes in the order height, width.

    Examples
    --------
    >>> summing = [(np.ones((1, 4)), np.zeros(1))]
    >>> scan_2d(np.arange(6.0).reshape(1, 2, 3), summing, (2, 2))
    array([[[ 8., 12.]]])
    """
    return scan_by_crops(x, layers, size, stride)
