"""Fully connected layer."""

from __future__ import annotations

import numpy as np

from cnnlab import ops
from cnnlab.backend import Array
from cnnlab.geometry.options import truth, whole_number
from cnnlab.nn.init import generator, uniform_fan_in
from cnnlab.nn.module import Module


class Linear(Module):
    """Every output sees every input: y = x Wᵀ + b.

    Parameters
    ----------
    in_features, out_features
        Sizes of input and output.
    bias
        Whether to add b.
    rng
        Draws the starting values (see `cnnlab.nn.init`); freshly seeded by default.
    dtype, device
        Of the parameters; float32 on the current default device by default.

    Attributes
    ----------
    weight : Parameter
        Shape (out_features, in_features).
    bias : Parameter or None
        Shape (out_features,).

    Examples
    --------
    >>> import numpy as np
    >>> layer = Linear(3, 2, rng=np.random.default_rng(0))
    >>> layer(np.zeros((5, 3), dtype=np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
        dtype: object = None,
        device: str | None = None,
    ) -> None:
        self.in_features = whole_number("in_features", in_features, at_least=1)
        self.out_features = whole_number("out_features", out_features, at_least=1)
        bias, rng = truth("bias", bias), generator(rng)
        shape = (self.out_features, self.in_features)
        self.weight = uniform_fan_in(shape, self.in_features, rng=rng, dtype=dtype, device=device)
        self.bias = uniform_fan_in(shape[:1], self.in_features, rng=rng, dtype=dtype, device=device) if bias else None

    def forward(self, x: Array) -> Array:
        """Return y (N, out_features) for x (N, in_features)."""
        y = ops.linear_forward(x, self.weight.data, None if self.bias is None else self.bias.data)
        self.keep(x)
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx (N, in_features) for dy (N, out_features)."""
        dx, dw, db = ops.linear_backward(dy, self.recall(), self.weight.data)
        self.weight.accumulate(dw)
        if self.bias is not None:
            self.bias.accumulate(db)
        return dx

    def backward_parameters(self, dy: Array) -> None:
        """Go back without the gradient to the input."""
        dw, db = ops.linear_backward_parameters(dy, self.recall(), self.weight.data)
        self.weight.accumulate(dw)
        if self.bias is not None:
            self.bias.accumulate(db)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
