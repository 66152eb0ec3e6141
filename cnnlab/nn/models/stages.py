"""Named parts one after the other."""

from __future__ import annotations

from cnnlab.backend import Array
from cnnlab.nn.module import Module


class Stages(Module):
    """Apply named parts one after the other; go back through them in the opposite order.

    Like `Sequential`, but parameters are named after the parts: ``features.0.weight``.

    Parameters
    ----------
    **parts
        The modules by name, first to last.

    Examples
    --------
    >>> from cnnlab.nn.mlp import mlp
    >>> [name for name, _ in Stages(features=mlp([4, 3]), head=mlp([3, 2])).named_parameters()]
    ['features.0.weight', 'features.0.bias', 'head.0.weight', 'head.0.bias']
    """

    def __init__(self, **parts: Module) -> None:
        vars(self).update(parts)
        self._order = tuple(parts)

    def forward(self, x: Array) -> Array:
        """Return the output of the last part."""
        for name in self._order:
            x = vars(self)[name](x)
        return x

    def backward(self, dy: Array) -> Array:
        """Return the gradient to the input of the first part."""
        for name in reversed(self._order):
            dy = vars(self)[name].backward(dy)
        return dy

    def backward_parameters(self, dy: Array) -> None:
        """Go back without the gradient to the input of the first part."""
        for name in reversed(self._order[1:]):
            dy = vars(self)[name].backward(dy)
        for name in self._order[:1]:
            vars(self)[name].backward_parameters(dy)
