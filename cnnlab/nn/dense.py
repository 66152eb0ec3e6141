"""A layer written out as one giant matrix, and which of its entries are one and the same weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cnnlab import ops
from cnnlab.backend import Array, namespace
from cnnlab.geometry import ConvGeometry, ConvTransposeGeometry
from cnnlab.nn.conv import Conv
from cnnlab.nn.conv_transpose import ConvTranspose
from cnnlab.nn.linear import Linear
from cnnlab.nn.module import Module

Ties: TypeAlias = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class DenseMatrix:
    """A layer as one giant matrix: ``y.ravel() = matrix · x.ravel() + bias`` for one example (deck rows D10 to D13).

    Attributes
    ----------
    matrix : Array (outputs, inputs)
        Rows and columns in C order of (channel, *position).
    ties : NumPy integer array (outputs, inputs)
        For each entry the place of its weight in the flattened ``layer.weight``: entries with the same number are one
        weight. −1 where the layer has no connection (a structural zero).
    bias : Array (outputs,) or None
        The bias of each output.
    bias_ties : NumPy integer array (outputs,) or None
        For each output the place of its bias in ``layer.bias``.
    input_shape, output_shape : tuple of int
        (channels, *spatial) of one example.
    """

    matrix: Array
    ties: Ties
    bias: Array | None
    bias_ties: Ties | None
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]

    @property
    def entry_count(self) -> int:
        """Entries of the matrix: the weights of a layer in which everything is connected (deck row D11)."""
        return int(self.ties.size)

    @property
    def connection_count(self) -> int:
        """Entries that are connections: the weights if none were shared."""
        return int(np.count_nonzero(self.ties >= 0))

    @property
    def weight_count(self) -> int:
        """Different weights (deck row D12)."""
        return len(np.unique(self.ties[self.ties >= 0]))

    def __repr__(self) -> str:
        return (
            f"DenseMatrix({self.ties.shape[0]} x {self.ties.shape[1]}: {self.entry_count:,} entries, "
            f"{self.connection_count:,} connections, {self.weight_count:,} weights)"
        )


def dense_matrix(layer: Module, input_shape: Sequence[int]) -> DenseMatrix:
    """Write a linear layer out as one giant matrix with its ties.

    Built from the layer's connections (`cnnlab.geometry.WindowGeometry.edges`), so it has as many entries as inputs
    times outputs: use small inputs.

    Parameters
    ----------
    layer
        A convolution or transposed convolution of any rank, or a `Linear` (in which no entries are tied).
    input_shape
        Shape (C, *spatial) of one example, for a `Linear` (in_features,).

    Returns
    -------
    DenseMatrix
        On the device and in the dtype of the layer.

    Raises
    ------
    TypeError
        If the layer is of another kind.
    ValueError
        If the shape does not fit, or the padding makes one input meet two weights of a filter, so that an entry would
        be a sum of two weights.

    Examples
    --------
    >>> from cnnlab.nn.conv import Conv1d
    >>> tied = dense_matrix(Conv1d(1, 1, 2), (1, 4))
    >>> tied
    DenseMatrix(3 x 4: 12 entries, 6 connections, 2 weights)
    >>> tied.ties
    array([[ 0,  1, -1, -1],
           [-1,  0,  1, -1],
           [-1, -1,  0,  1]], dtype=int32)
    """
    if isinstance(layer, (Conv, ConvTranspose)):
        output_shape = layer.geometry.output_shape(input_shape)
        if len(output_shape) != layer.rank + 1:
            raise ValueError(f"input_shape {tuple(input_shape)} has a batch axis: give (C, *spatial) of one example")
        ties = _conv_ties(layer.geometry, input_shape, output_shape)
    elif isinstance(layer, Linear):
        if tuple(input_shape) != (layer.in_features,):
            raise ValueError(f"input_shape {tuple(input_shape)} does not fit: the layer takes ({layer.in_features},)")
        output_shape = (layer.out_features,)
        ties = np.arange(layer.in_features * layer.out_features, dtype=np.int32).reshape(layer.weight.shape)
    else:
        raise TypeError(
            f"dense_matrix takes a convolution or a Linear, not a {type(layer).__name__}: give it one layer of the net "
            "(nn.to_convolutions makes layers of a Scan)"
        )
    positions = prod(output_shape[1:])
    bias_ties = None
    if layer.bias is not None:
        bias_ties = np.repeat(np.arange(output_shape[0], dtype=np.int32), positions)
    return DenseMatrix(
        matrix=_written_out(layer.weight.data, ties),
        ties=ties,
        bias=None if layer.bias is None or bias_ties is None else _written_out(layer.bias.data, bias_ties),
        bias_ties=bias_ties,
        input_shape=tuple(input_shape),
        output_shape=output_shape,
    )


def _conv_ties(
    geometry: ConvGeometry | ConvTransposeGeometry, input_shape: Sequence[int], output_shape: Sequence[int]
) -> Ties:
    """Return the ties of a convolution, or of a transposed one, (outputs, inputs)."""
    numbers: Array = np.arange(prod(geometry.weight_shape), dtype=np.int32).reshape(geometry.weight_shape)
    ties: Array = np.full((*output_shape, *input_shape), -1, dtype=np.int32)
    transposed = isinstance(geometry, ConvTransposeGeometry)
    G = geometry.adjoint.groups if isinstance(geometry, ConvTransposeGeometry) else geometry.groups
    outs, ins = _groups(geometry.out_channels, G), _groups(geometry.in_channels, G)
    for tap, inside, output in geometry.edges(input_shape[1:]):
        for from_outs, from_ins in zip(outs, ins, strict=True):
            entries = ties[from_outs, *output, from_ins, *inside]  # (C_out/G, C_in/G), a view
            if (entries >= 0).any():
                raise ValueError(
                    f"padding_mode makes input {inside} meet two weights of the filter at output {output}, so their "
                    'entry would be a sum: use padding_mode "zeros" or a larger input'
                )
            # a transposed convolution holds its weights as (C_in, C_out/G, *kernel)
            entries[...] = numbers[from_ins, :, *tap].T if transposed else numbers[from_outs, :, *tap]
    flat: Ties = ties.reshape(prod(output_shape), prod(input_shape))
    return flat


def _groups(channels: int, groups: int) -> list[slice]:
    """Return the channels of each group."""
    size = channels // groups
    return [slice(g * size, (g + 1) * size) for g in range(groups)]


def _written_out(values: Array, ties: Ties) -> Array:
    xp = namespace(values)
    return ops.tie_forward(xp.reshape(values, (-1,)), xp.asarray(ties, device=values.device))
