"""Multilayer perceptrons, and their weights as a plain list."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from cnnlab import backend
from cnnlab.backend import Array
from cnnlab.nn.activation import ReLU
from cnnlab.nn.init import generator
from cnnlab.nn.linear import Linear
from cnnlab.nn.module import Module
from cnnlab.nn.sequential import Sequential


def mlp(
    sizes: Sequence[int],
    *,
    rng: np.random.Generator | None = None,
    dtype: object = None,
    device: str | None = None,
) -> Sequential:
    """Return Linear, ReLU, …, Linear with layers of the given sizes.

    Parameters
    ----------
    sizes
        Number of inputs, of neurons in each hidden layer, and of outputs.
    rng, dtype, device
        As in `Linear`.

    Raises
    ------
    ValueError
        If there are fewer than two sizes.

    Examples
    --------
    >>> mlp([600, 32, 1])
    Sequential(
      (0): Linear(in_features=600, out_features=32, bias=True)
      (1): ReLU()
      (2): Linear(in_features=32, out_features=1, bias=True)
    )
    """
    if not isinstance(sizes, Sequence):
        raise TypeError(f"sizes must be a list, of inputs, hidden neurons and outputs, as [600, 32, 1], not {sizes!r}")
    if len(sizes) < 2:
        raise ValueError(f"sizes (={list(sizes)}) must name at least the inputs and the outputs, as in [600, 32, 1]")
    rng = generator(rng)
    layers: list[Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [Linear(inputs, outputs, rng=rng, dtype=dtype, device=device), ReLU()]
    return Sequential(*layers[:-1])


def layers_of(net: Module) -> list[tuple[Array, Array]]:
    """Return the weights of an MLP as ``[(W, b), …]``, ReLU between them and none after the last.

    Parameters
    ----------
    net
        A `Sequential` of Linear, ReLU, …, Linear.

    Returns
    -------
    list of (W, b)
        Copies as NumPy arrays, W (outputs, inputs) and b (outputs,); b is zeros where the layer has no bias.

    Raises
    ------
    ValueError
        If `net` is anything else.

    Examples
    --------
    >>> [(W.shape, b.shape) for W, b in layers_of(mlp([6, 4, 1]))]
    [((4, 6), (4,)), ((1, 4), (1,))]
    """
    linears = _linear_layers(net)
    if not linears:
        raise ValueError(
            f"layers_of takes a Sequential of Linear, ReLU, …, Linear, but this is {net!r}: "
            "pass the MLP itself (for a Scan, its .module)"
        )
    layers = []
    for linear in linears:
        weight = backend.to_numpy(linear.weight.data).copy()
        no_bias = np.zeros(weight.shape[0], weight.dtype)
        layers.append((weight, no_bias if linear.bias is None else backend.to_numpy(linear.bias.data).copy()))
    return layers


def _linear_layers(net: Module) -> list[Linear]:
    """Return the Linear layers of Linear, ReLU, …, Linear, or nothing if `net` is built otherwise."""
    if not isinstance(net, Sequential):
        return []
    linears = [layer for layer in net[::2] if isinstance(layer, Linear)]
    relus = [layer for layer in net[1::2] if isinstance(layer, ReLU)]
    return linears if len(net) == len(linears) + len(relus) == 2 * len(linears) - 1 else []
