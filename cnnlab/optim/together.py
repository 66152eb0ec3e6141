"""The arrays of an optimizer that a GPU changes in place, all in one launch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnlab import kernels
from cnnlab.backend import Array, namespace

if TYPE_CHECKING:
    from cnnlab.optim.base import Optimizer


class Together:
    """The parameters of an optimizer that have a gradient, and what it remembers for them.

    Parameters
    ----------
    optimizer
        Whose parameters have the arrays and gradients that are meant.
    names
        Of the arrays that it remembers for each; what is not there begins at 0.

    Attributes
    ----------
    places : list of int
        Which parameters.
    arrays : cnnlab.kernels.gpu.InPlace or None
        Their arrays on a GPU; None where they do not lie there, or not so that one launch could change them.
    """

    def __init__(self, optimizer: Optimizer, names: tuple[str, ...]) -> None:
        self._optimizer, self._names = optimizer, names
        self.places = [i for i, parameter in enumerate(optimizer.params) if parameter.grad is not None]
        parameters = [optimizer.params[i] for i in self.places]
        data, gradients = [one.data for one in parameters], [one.grad for one in parameters]
        self._memories = [self._memory(i) for i in self.places]  # by parameter, by name
        of_each_name = [list(some) for some in zip(*self._memories, strict=True)]
        self.arrays: Any = kernels.in_place(data, gradients, *of_each_name)

    def _memory(self, i: int) -> list[Array]:
        data, state = self._optimizer.params[i].data, self._optimizer.state[i]
        return [namespace(data).zeros_like(data) if name not in state else state[name].copy() for name in self._names]

    def take_up(self) -> None:
        """Bring what was assigned to the optimizer's state to where the GPU changes it."""
        for i, memories in zip(self.places, self._memories, strict=True):
            state = self._optimizer.state[i]
            for name, memory in zip(self._names, memories, strict=True):
                found = state.get(name)
                if found is not memory:
                    memory[...] = 0 if found is None else found
                    state[name] = memory
