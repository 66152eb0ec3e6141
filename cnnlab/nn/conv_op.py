"""A reader's own convolution inside a layer, and what can be wrong with what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnnlab.backend import Array
from cnnlab.nn.own_op import OwnOpError, Sizes, call_own, check_result, name_of


class ConvOpError(OwnOpError):
    """A function given to `ConvOp` returned something that cannot be a convolution's result."""


@dataclass(frozen=True)
class ConvOp:
    """Your own convolution, for ``Conv2d(..., op=ConvOp(my_forward, my_backward))``.

    Attributes
    ----------
    forward
        ``forward(x, w, b, stride, padding)`` returns y; b is None in a layer without bias.
    backward
        ``backward(dy, x, w, stride, padding)`` returns (dx, dw, db); db is not used in a layer without bias.

    Stride and padding are tuples of ints, one for each spatial axis; padding is with zeros.
    """

    forward: Callable[[Array, Array, Array | None, Sizes, Sizes], Array]
    backward: Callable[[Array, Array, Array, Sizes, Sizes], tuple[Array, Array, Array]]

    def __str__(self) -> str:
        return f"({name_of(self.forward)}, {name_of(self.backward)})"

    def run_forward(
        self, x: Array, w: Array, b: Array | None, stride: Sizes, padding: Sizes, *, y_shape: Sizes
    ) -> Array:
        """Return what `forward` returns, if it is an array like x of shape `y_shape`.

        Raises
        ------
        ConvOpError
            If it is something else. What the function itself raises passes through, with a note.
        """
        y = call_own(self.forward, "forward of the layer's ConvOp", x, w, b, stride, padding)
        check_result(self.forward, "y", y, y_shape, like=x, error=ConvOpError)
        return y

    def run_backward(
        self, dy: Array, x: Array, w: Array, stride: Sizes, padding: Sizes, *, bias: bool
    ) -> tuple[Array, Array, Array]:
        """Return what `backward` returns, if it is three arrays like x, w and, with `bias`, the bias.

        Raises
        ------
        ConvOpError
            If it is something else. What the function itself raises passes through, with a note.
        """
        result: Any = call_own(self.backward, "backward of the layer's ConvOp", dy, x, w, stride, padding)
        if not isinstance(result, (tuple, list)) or len(result) != 3:
            what = f"{len(result)} values" if isinstance(result, (tuple, list)) else f"a {type(result).__name__}"
            raise ConvOpError(
                f"your own {name_of(self.backward)} returned {what}: return the three gradients, `dx, dw, db`"
            )
        dx, dw, db = result
        check_result(self.backward, "dx", dx, tuple(x.shape), like=x, error=ConvOpError)
        check_result(self.backward, "dw", dw, tuple(w.shape), like=w, error=ConvOpError)
        if bias:
            check_result(self.backward, "db", db, tuple(w.shape[:1]), like=w, error=ConvOpError)
        return dx, dw, db


def checked_op(op: object) -> ConvOp | None:
    """Return `op` if it is a `ConvOp` or None; the type checker trusts annotations, readers may not follow them."""
    if op is not None and not isinstance(op, ConvOp):
        raise TypeError(f"op is a {type(op).__name__}: wrap your functions, nn.ConvOp(my_forward, my_backward)")
    return op
