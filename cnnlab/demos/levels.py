"""Levels of a scan: sizes, weights and numbers that the demos on orders and on distributed scans share."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.inputs import numbers
from cnnlab.demos.pack import pack
from cnnlab.geometry import ConvGeometry
from cnnlab.geometry.options import per_axis, whole_number

Floats: TypeAlias = NDArray[np.float64]
Sizes: TypeAlias = list[list[int]]  # one list a level, from the input up; one entry an axis
Weights: TypeAlias = list[tuple[Floats, Floats]]  # (W, b) with W of shape (features, channels below, *kernel)

MOST_FEATURES = 6
MOST_WIDTH = {1: 16, 2: 8}  # of a level, for weights that the demo makes itself
_LAYERS = 4
_MOST_INPUTS = {1: 64, 2: 256}
_MOST_CHANNELS = 32


def sizes_of_levels(name: str, values: Any, rank: int, layers: int) -> Sizes:
    """Return one size an axis for each layer; layers above the levels that are given look at one place, 1.

    Parameters
    ----------
    name : str
        What the reader calls it, for the error.
    values : int, or a sequence with an int or (height, width) for each level
    rank, layers : int
        Number of spatial axes and of layers.

    Raises
    ------
    TypeError, ValueError
        If a size is no whole number of 1 or more, or there are more levels than layers.
    """
    levels: list[Any] = list(values) if isinstance(values, (list, tuple)) else [values]
    if not 1 <= len(levels) <= layers:
        raise ValueError(f"{name} names {len(levels)} levels for {layers} layers: give 1 to {layers}")
    sizes = [list(per_axis(f"{name}[{i}]", value, rank, at_least=1)) for i, value in enumerate(levels)]
    return sizes + [[1] * rank for _ in range(layers - len(levels))]


def features_of_layers(features: Sequence[int]) -> list[int]:
    """Return the number of neurons of each layer after checking that there are layers and each has some."""
    if not isinstance(features, (list, tuple)) or not features:
        raise ValueError(f"features={features!r}: give the neurons of each layer from the input up, as in (3, 2, 1)")
    return [whole_number(f"features[{i}]", value, at_least=1) for i, value in enumerate(features)]


def checked_layers(layers: Sequence[tuple[ArrayLike, ArrayLike]], channels: int, widths: Sizes) -> Weights:
    """Return the reader's ``[(W, b), …]``, W reshaped to (features, channels below, *kernel), with every shape checked.

    Raises
    ------
    ValueError
        If a shape does not fit its window or its neighbor, or a number is not finite.
    """
    checked: Weights = []
    for i, ((weight, bias), kernel) in enumerate(zip(layers, widths, strict=True)):
        W = numbers(weight, f"W of layers[{i}]", ndim=2, dtype=np.float64)
        b = numbers(bias, f"b of layers[{i}]", ndim=1, dtype=np.float64)
        window = "×".join(map(str, kernel))
        if W.shape[1] != channels * prod(kernel):
            below = f"{channels} channels" if i == 0 else f"{channels} neurons of layers[{i - 1}]"
            raise ValueError(
                f"layers[{i}] takes {W.shape[1]} numbers, but a window of {window} places of {below} holds "
                f"{channels * prod(kernel)}: W has shape (out, in), and widths must be those of the net"
            )
        if b.shape != (W.shape[0],):
            raise ValueError(f"b of layers[{i}] has shape {b.shape}: W of shape {W.shape} needs ({W.shape[0]},)")
        checked.append((W.reshape(W.shape[0], channels, *kernel), b))
        channels = W.shape[0]
    return checked


class WeightPool:
    """Weights for nets of any size up to a largest: a larger net keeps the values of a smaller one.

    Values have one decimal and are never 0, so that a 0 in a matrix is always a missing connection.
    """

    def __init__(self, rank: int, channels: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        widths = (MOST_WIDTH[rank],) * rank
        shape = (_LAYERS, MOST_FEATURES, max(channels, MOST_FEATURES), *widths)
        values = np.round(rng.normal(0, 0.6, shape), 1)
        self.values = np.where(values == 0, 0.1, values)
        self.biases = np.round(rng.normal(0, 0.3, shape[:2]), 1)

    def packed(self) -> dict[str, Any]:
        """Return the pool for ``weightedLayers`` in ``front/levels.js``: tenths, as whole numbers."""
        tenths = np.round(self.values * 10)
        return {
            "shape": list(self.values.shape),
            "tenths": pack(tenths, "int16"),
            "biases": self.biases.ravel().tolist(),
        }

    def weights(self, channels: int, widths: Sizes, features: Sequence[int]) -> Weights:
        """Return (W, b) for each layer of such a net."""
        found: Weights = []
        for i, (below, here) in enumerate(pairwise([channels, *features])):
            kernel = tuple(slice(k) for k in widths[i])
            found.append((self.values[i][(slice(here), slice(below), *kernel)].copy(), self.biases[i, :here].copy()))
        return found


def example_input(shape: Sequence[int]) -> Floats:
    """Return numbers with one decimal that rise and fall along every axis, shape (1, *shape)."""
    waves = [
        np.sin(2.1 + 0.7 * np.arange(n) + 0.9 * np.cos(0.43 * np.arange(n) + axis)) for axis, n in enumerate(shape)
    ]
    total = waves[0] if len(waves) == 1 else waves[0][:, None] * waves[1]
    rounded: Floats = np.round(total[None], 1) + 0.0  # no negative zeros
    return rounded


def own_input(x: ArrayLike) -> Floats:
    """Return the reader's input as (C, n) or (C, H, W) after checking that it can be drawn number by number."""
    values: Floats = numbers(x, "x", ndim=(1, 2, 3), dtype=np.float64)
    values = values[None] if values.ndim == 1 else values
    if values.shape[0] > _MOST_CHANNELS or prod(values.shape[1:]) > _MOST_INPUTS[values.ndim - 1]:
        raise ValueError(
            f"x has shape {values.shape}: at most {_MOST_CHANNELS} channels and {_MOST_INPUTS[values.ndim - 1]} places "
            "can be told apart; cut out a part"
        )
    return values


def geometries(channels: int, widths: Sizes, hops: Sizes, features: Sequence[int]) -> list[ConvGeometry]:
    """Return the convolution that each layer is, computed at all windows."""
    steps = zip(pairwise([channels, *features]), widths, hops, strict=True)
    return [ConvGeometry(kernel, hop, in_channels=below, out_channels=out) for (below, out), kernel, hop in steps]


def scores(x: Floats, weights: Weights, hops: Sizes) -> Floats:
    """Return the numbers of the last layer, shape (features, *places), ReLU between layers and none after the last.

    Raises
    ------
    ValueError
        If a layer's window is larger than the map that it looks at.
    """
    y = x
    for i, ((W, b), hop) in enumerate(zip(weights, hops, strict=True)):
        if any(kernel > there for kernel, there in zip(W.shape[2:], y.shape[1:], strict=True)):
            raise ValueError(
                f"layer {i + 1} looks at {'×'.join(map(str, W.shape[2:]))} places and there are only "
                f"{'×'.join(map(str, y.shape[1:]))}: give a larger input, or smaller widths and hops"
            )
        y = np.maximum(y, 0) if i else y
        axes = tuple(range(1, y.ndim))
        windows = np.lib.stride_tricks.sliding_window_view(y, W.shape[2:], axis=axes)
        windows = windows[(slice(None), *(slice(None, None, s) for s in hop))]  # (C, *places, *kernel)
        y = np.moveaxis(np.tensordot(windows, W, ((0, *(a - y.ndim for a in axes)), tuple(range(1, W.ndim)))), -1, 0)
        y = y + b.reshape(-1, *[1] * len(axes))
    return y
