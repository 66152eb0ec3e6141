"""A stack of convolutions as the scan of one network (deck rows D10 to D13 and D22)."""

from __future__ import annotations

import numpy as np

from cnnlab.backend import Array
from cnnlab.geometry import receptive_field
from cnnlab.nn.conv import Conv
from cnnlab.nn.dense import dense_matrix
from cnnlab.nn.distribute import ELEMENTWISE, without_kept
from cnnlab.nn.linear import Linear
from cnnlab.nn.module import Module
from cnnlab.nn.scan import Scan
from cnnlab.nn.sequential import Sequential
from cnnlab.nn.tied import TiedLinear


def expand(stack: Sequential, *, tied: bool = False) -> Scan:
    """Return the scan of the one MLP that computes what a stack of convolutions computes: the inverse of distributing.

    The window is the stack's receptive field, the hop its jump. Each convolution becomes a Linear whose weights are
    block-sparse and tied (`dense_matrix` of that convolution over one window): a net with many more weights, most of
    them 0 or copies (deck rows D12 and D22).

    Parameters
    ----------
    stack
        A `Sequential` of convolutions without padding and element-wise activations.
    tied
        Whether to build `TiedLinear` layers, which stay tied when they are trained and so learn as the stack does,
        in place of free `Linear` ones, which start equal and drift apart.

    Returns
    -------
    Scan
        With copies of the values.

    Raises
    ------
    ValueError
        If the stack holds another layer, or one with padding.

    Examples
    --------
    >>> from cnnlab.nn import Conv1d, ReLU
    >>> stack = Sequential(Conv1d(1, 2, 4, stride=2), ReLU(), Conv1d(2, 1, 3))
    >>> expand(stack)
    Scan(
      kernel_size=(8,), stride=(2,)
      (module): Sequential(
        (0): Linear(in_features=8, out_features=6, bias=True)
        (1): ReLU()
        (2): Linear(in_features=6, out_features=1, bias=True)
      )
    )
    """
    steps = list(stack) if isinstance(stack, Sequential) else [stack]
    convolutions = [step for step in steps if isinstance(step, Conv)]
    for i, step in enumerate(steps):
        if not isinstance(step, (Conv, *ELEMENTWISE)):
            raise ValueError(
                f"layer {i} of the stack is a {type(step).__name__}: expand takes convolutions and element-wise "
                "activations, so leave pooling and flattening outside, as in expand(net[:3])"
            )
        if isinstance(step, Conv) and any(map(any, step.geometry.padding)):
            raise ValueError(
                f"layer {i} of the stack has padding {step.geometry.padding}: at the border it is no scan of one "
                "network; build it with padding=0"
            )
    if not convolutions:
        raise ValueError("the stack has no convolution: there is nothing to expand")

    field = receptive_field([layer.geometry for layer in convolutions])
    shape = (convolutions[0].geometry.in_channels, *field.field)
    layers: list[Module] = []
    for step in steps:
        if isinstance(step, Conv):
            dense = dense_matrix(step, shape)
            layers.append(TiedLinear.of(dense) if tied else _linear(dense.matrix, dense.bias))
            shape = dense.output_shape
        else:
            layers.append(without_kept(step))
    return Scan(Sequential(*layers), field.field, field.jump)


def _linear(matrix: Array, bias: Array | None) -> Linear:
    outputs, inputs = matrix.shape
    layer = Linear(inputs, outputs, bias is not None, rng=np.random.default_rng(0))  # the values drawn are replaced
    layer.weight.data = matrix
    if layer.bias is not None:
        layer.bias.data = bias
    return layer
