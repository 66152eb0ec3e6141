"""From maps to vectors."""

from __future__ import annotations

import math

from cnnlab.backend import Array, namespace
from cnnlab.geometry.options import whole_number
from cnnlab.nn.module import Module


class Flatten(Module):
    """Join all axes from `start_dim` on into one, in C order.

    Parameters
    ----------
    start_dim
        First axis to join, counted from 0; 1 keeps the batch axis.

    Raises
    ------
    TypeError, ValueError
        If `start_dim` is no whole number of 0 or more.

    Examples
    --------
    >>> import numpy as np
    >>> Flatten()(np.zeros((2, 3, 4, 5))).shape
    (2, 60)
    """

    def __init__(self, start_dim: int = 1) -> None:
        self.start_dim = whole_number("start_dim", start_dim, at_least=0)

    def forward(self, x: Array) -> Array:
        """Return x with its last axes joined."""
        if self.start_dim >= x.ndim:
            raise ValueError(f"start_dim (={self.start_dim}) is not an axis of x with shape {tuple(x.shape)}")
        before = tuple(x.shape[: self.start_dim])
        # The length is written out because -1 is ambiguous for an empty batch.
        y = namespace(x).reshape(x, (*before, math.prod(x.shape[self.start_dim :])))
        self.keep(tuple(x.shape))
        return y

    def backward(self, dy: Array) -> Array:
        """Return dy in the shape of x."""
        return namespace(dy).reshape(dy, self.recall())

    def extra_repr(self) -> str:
        """Return the first joined axis."""
        return f"start_dim={self.start_dim}"
