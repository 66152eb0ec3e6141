"""A convolution and the ReLU behind it in one pass."""

from __future__ import annotations

from cnnlab.backend import Array
from cnnlab.nn.activation import ReLU
from cnnlab.nn.conv import Conv
from cnnlab.nn.module import Module


class ConvReLU(Module):
    """How a `Sequential` computes two of its layers; it has no parameters and keeps nothing of its own."""

    training = False  # whether to keep what backward needs is for the two to say

    def __init__(self, conv: Conv, relu: ReLU) -> None:
        self.conv, self.relu = conv, relu

    def forward(self, x: Array) -> Array:
        """Return max(y, 0)."""
        y = self.conv.forward_with_relu(x)
        self.relu.keep(y)  # it is above 0 where its input would be
        return y

    def backward(self, dy: Array) -> Array:
        """Go back through both."""
        return self.conv.backward(self.relu.backward(dy))

    def backward_parameters(self, dy: Array) -> None:
        """Go back through both, without the gradient to the input."""
        self.conv.backward_parameters(self.relu.backward(dy))
