"""Branches that start from one input and meet in a sum."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import add

from cnnlab.backend import Array, namespace
from cnnlab.nn.module import Module
from cnnlab.nn.sequential import check_modules


class Add(Module):
    """Send the input through each branch and add up what comes out: a residual join (He et al., CVPR 2016).

    Parameters
    ----------
    *branches
        Modules whose outputs have one shape. ``Sequential()``, with no layer, is the identity.

    Raises
    ------
    TypeError
        If something is not a `Module`.
    ValueError
        If there is no branch, or the outputs differ in shape.

    Examples
    --------
    >>> import numpy as np
    >>> from cnnlab.nn import ReLU, Sequential
    >>> Add(Sequential(), ReLU())(np.array([-1.0, 2.0]))
    array([-1.,  4.])
    """

    def __init__(self, *branches: Module) -> None:
        check_modules("Add", branches)
        if not branches:
            raise ValueError("Add has no branch: pass at least one, as in Add(Sequential(), block)")
        self.branches = branches

    def forward(self, x: Array) -> Array:
        """Return the sum of the branches' outputs."""
        outputs = [branch(x) for branch in self.branches]
        shapes = [tuple(y.shape) for y in outputs]
        if len(set(shapes)) > 1:
            raise ValueError(
                f"the branches of Add return shapes {shapes}, and nothing is broadcast: "
                "bring them to one shape, for example with a 1×1 convolution in the shortcut"
            )
        namespace(**{f"the output of branch {i}": y for i, y in enumerate(outputs)})
        return reduce(add, outputs)

    def backward(self, dy: Array) -> Array:
        """Return dx: each branch gets all of dy, and their gradients to x add up."""
        # Last branch first, as the stacks of kept values want it where two branches share a layer.
        return reduce(add, [branch.backward(dy) for branch in reversed(self.branches)])

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the branches, named by their place: "0", "1", …."""
        return ((str(i), branch) for i, branch in enumerate(self.branches))
