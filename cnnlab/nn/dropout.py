"""Leaving out values by chance while training."""

from __future__ import annotations

import numpy as np

from cnnlab import ops
from cnnlab.backend import Array, namespace
from cnnlab.geometry.options import number_between
from cnnlab.nn.init import generator
from cnnlab.nn.module import Module


class Dropout(Module):
    """In training mode set each value to 0 with probability `p` and scale the others by 1 / (1 - p); else do nothing.

    Parameters
    ----------
    p
        Probability of a value to be dropped, 0 to 1.
    rng
        Draws which values stay; freshly seeded by default. It draws on the host, so that the same seed drops the same
        values on every device.

    Raises
    ------
    TypeError, ValueError
        If `p` is no number from 0 to 1, or `rng` no generator.

    Examples
    --------
    >>> layer = Dropout(0.5, rng=np.random.default_rng(0))
    >>> layer(np.ones(6))
    array([2., 0., 0., 0., 2., 2.])
    >>> layer.eval()(np.ones(6))
    array([1., 1., 1., 1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | None = None) -> None:
        self.p = number_between("p", p, 0, 1)
        self.rng = generator(rng)

    def forward(self, x: Array) -> Array:
        """Return y of the shape of x."""
        if not self.training:
            self.keep(None)
            return x
        xp = namespace(x=x)
        kept = xp.asarray(self.rng.random(tuple(x.shape)) >= self.p, device=x.device)
        y = ops.dropout_forward(x, kept, p=self.p)
        self.keep(kept)
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx of the shape of dy: 0 where the value was dropped."""
        kept = self.recall()
        return dy if kept is None else ops.dropout_backward(dy, kept, p=self.p)

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p}"
