"""Activation functions as layers."""

from __future__ import annotations

from cnnlab import ops
from cnnlab.backend import Array
from cnnlab.nn.module import Module


class ReLU(Module):
    """max(x, 0) for each element."""

    def forward(self, x: Array) -> Array:
        """Return y of the shape of x."""
        y = ops.relu_forward(x)
        self.keep(x)
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx: dy where x > 0, else 0."""
        return ops.relu_backward(dy, self.recall())


class Tanh(Module):
    """The hyperbolic tangent of each element."""

    def forward(self, x: Array) -> Array:
        """Return y of the shape of x, between -1 and 1."""
        y = ops.tanh_forward(x)
        self.keep(y)  # the op's backward works from the output
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx of the shape of dy."""
        return ops.tanh_backward(dy, self.recall())


class Sigmoid(Module):
    """1 / (1 + exp(-x)) for each element."""

    def forward(self, x: Array) -> Array:
        """Return y of the shape of x, between 0 and 1."""
        y = ops.sigmoid_forward(x)
        self.keep(y)  # the op's backward works from the output
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx of the shape of dy."""
        return ops.sigmoid_backward(dy, self.recall())
