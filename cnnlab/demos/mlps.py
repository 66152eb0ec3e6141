"""Checks on a small net that a reader hands to a demo as layers or as a cnnlab net."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.inputs import numbers
from cnnlab.demos.pack import pack

Floats: TypeAlias = NDArray[np.float32]
Layers: TypeAlias = Sequence[tuple[ArrayLike, ArrayLike]]


def checked_layers(layers: Any, *, inputs: int, source: str, name: str = "layers") -> list[tuple[Floats, Floats]]:
    """Return an MLP with one output as [(W, b), …] in float32, every shape checked.

    Parameters
    ----------
    layers : list of (W, b), or a Sequential of Linear, ReLU, …, Linear
        W of shape (out, in), b of shape (out,); ReLU between layers, none after the last.
    inputs : int
        How many numbers the first layer must take.
    source : str
        Where they come from, for the error: "a window holds 3 × 24 × 24 = 1728".
    name : str
        What the reader calls the argument.

    Raises
    ------
    TypeError
        It is neither.
    ValueError
        A shape does not fit, or a number is not finite.
    """
    if hasattr(layers, "forward"):
        from cnnlab.nn import layers_of

        layers = layers_of(layers)
    if not isinstance(layers, Sequence):
        raise TypeError(f"{name} is a {type(layers).__name__}: pass [(W, b), …], which nn.layers_of(net) returns")
    if len(layers) == 0:
        raise ValueError(f"{name} is empty: pass [(W, b), …] with W of shape (out, in)")
    checked = []
    for index, layer in enumerate(layers):
        if len(layer) != 2:
            raise ValueError(f"{name}[{index}] has {len(layer)} parts: expected a pair (W, b)")
        W = numbers(layer[0], f"W of {name}[{index}]", ndim=2)
        b = numbers(layer[1], f"b of {name}[{index}]", ndim=1)
        if W.shape[1] != inputs:
            needed = source if index == 0 else f"{name}[{index - 1}] gives {inputs}: W has shape (out, in)"
            raise ValueError(f"{name}[{index}] takes {W.shape[1]} numbers but {needed}")
        if b.shape != (W.shape[0],):
            raise ValueError(f"b of {name}[{index}] has shape {b.shape}: W of shape {W.shape} needs ({W.shape[0]},)")
        checked.append((W, b))
        inputs = W.shape[0]
    if inputs != 1:
        raise ValueError(f"the last layer of {name} has {inputs} outputs: this demo needs one score")
    return checked


def pack_layers(layers: list[tuple[Floats, Floats]]) -> list[dict[str, Any]]:
    """Return checked layers as JSON-ready data."""
    return [{"weight": pack(W), "bias": pack(b)} for W, b in layers]


def mlp_forward(v: NDArray[np.float64], layers: list[tuple[Floats, Floats]]) -> NDArray[np.float64]:
    """Return the score of each row of `v` in float64; shape (N, inputs) to (N,)."""
    for index, (W, b) in enumerate(layers):
        v = (np.maximum(v, 0) if index else v) @ W.T.astype(np.float64) + b.astype(np.float64)
    return v[:, 0]
