"""A reader's own pooling inside a layer, and what can be wrong with what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnnlab.backend import Array
from cnnlab.geometry import PoolGeometry
from cnnlab.nn.own_op import OwnOpError, Sizes, call_own, check_result, name_of


class PoolOpError(OwnOpError):
    """A function given to `PoolOp` returned something that cannot be a pooling's result."""


@dataclass(frozen=True)
class PoolOp:
    """Your own pooling, for ``MaxPool2d(2, op=PoolOp(my_forward, my_backward))``, and likewise for an average.

    Attributes
    ----------
    forward
        ``forward(x, kernel, stride, padding, how)`` returns y.
    backward
        ``backward(dy, x, kernel, stride, padding, how)`` returns dx.

    Kernel, stride and padding are tuples of ints, one for each spatial axis; `how` is "max" or "avg". The padding takes
    no part in a maximum, and counts as zeros in an average.
    """

    forward: Callable[[Array, Sizes, Sizes, Sizes, str], Array]
    backward: Callable[[Array, Array, Sizes, Sizes, Sizes, str], Array]

    def __str__(self) -> str:
        return f"({name_of(self.forward)}, {name_of(self.backward)})"

    def run_forward(self, x: Array, kernel: Sizes, stride: Sizes, padding: Sizes, *, how: str, y_shape: Sizes) -> Array:
        """Return what `forward` returns, if it is an array like x of shape `y_shape`.

        Raises
        ------
        PoolOpError
            If it is something else. What the function itself raises passes through, with a note.
        """
        y = call_own(self.forward, "forward of the layer's PoolOp", x, kernel, stride, padding, how)
        check_result(self.forward, "y", y, y_shape, like=x, error=PoolOpError)
        return y

    def run_backward(self, dy: Array, x: Array, kernel: Sizes, stride: Sizes, padding: Sizes, *, how: str) -> Array:
        """Return what `backward` returns, if it is an array like x; raises as `run_forward` does."""
        dx = call_own(self.backward, "backward of the layer's PoolOp", dy, x, kernel, stride, padding, how)
        check_result(self.backward, "dx", dx, tuple(x.shape), like=x, error=PoolOpError)
        return dx


def checked_pool_op(op: object, geometry: PoolGeometry, *, padding_counts: bool = True) -> PoolOp | None:
    """Return `op` if it is None, or a `PoolOp` that can do what the layer asks for.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If the layer has options that an own op does not get.
    """
    if op is None:
        return None
    if not isinstance(op, PoolOp):
        raise TypeError(f"op is a {type(op).__name__}: wrap your functions, nn.PoolOp(my_forward, my_backward)")
    faults = []
    if set(geometry.dilation) != {1}:
        faults.append(f"dilation (={geometry.dilation}) must be 1")
    if geometry.ceil_mode:
        faults.append("ceil_mode (=True) must be False")
    if not padding_counts:
        faults.append("count_include_pad (=False) must be True")
    if faults:
        raise ValueError(
            f"a PoolOp computes with kernel, stride and padding only: {'; '.join(faults)}. "
            "Change the option or leave out op"
        )
    return op
