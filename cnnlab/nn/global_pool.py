"""From the scores of all places to one answer."""

from __future__ import annotations

from typing import Literal

from cnnlab import ops
from cnnlab.backend import Array
from cnnlab.geometry.options import above_zero
from cnnlab.nn.module import Module

How = Literal["max", "mean", "softmax"]


class GlobalPool(Module):
    """Join all places of each channel into one number (deck rows D06 and D20).

    Parameters
    ----------
    how
        "max": the largest, a Boolean OR of the places. "mean". "softmax": a mean weighted by softmax(y / temperature),
        between the two: the mean at high temperature, the maximum at low.
    temperature
        Above 0; for "softmax" only.

    Raises
    ------
    ValueError
        If `how` is another word, or the temperature is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> GlobalPool("max")(np.array([[[1.0, 5.0, 2.0]]]))
    array([[5.]])
    """

    def __init__(self, how: How, temperature: float = 1.0) -> None:
        if how not in ("max", "mean", "softmax"):
            raise ValueError(f'how is {how!r}: choose "max", "mean" or "softmax"')
        self.how = how
        self.temperature = above_zero("temperature", temperature)

    def forward(self, x: Array) -> Array:
        """Return y (N, C) for x (N, C, *spatial)."""
        y = ops.global_pool_forward(x, self.how, temperature=self.temperature)
        self.keep(x)
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx (N, C, *spatial) for dy (N, C)."""
        return ops.global_pool_backward(dy, self.recall(), self.how, temperature=self.temperature)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"{self.how!r}, temperature={self.temperature}" if self.how == "softmax" else repr(self.how)
