"""A reader's own convolution inside a layer, and what can be wrong with what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnnlab.backend import Array, DeviceMismatchError, namespace

Sizes = tuple[int, ...]


class ConvOpError(ValueError):
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
        return f"({_name(self.forward)}, {_name(self.backward)})"

    def run_forward(
        self, x: Array, w: Array, b: Array | None, stride: Sizes, padding: Sizes, *, y_shape: Sizes
    ) -> Array:
        """Return what `forward` returns, if it is an array like x of shape `y_shape`.

        Raises
        ------
        ConvOpError
            If it is something else. What the function itself raises passes through, with a note.
        """
        y = _call(self.forward, "forward", x, w, b, stride, padding)
        _check(self.forward, "y", y, y_shape, x)
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
        result: Any = _call(self.backward, "backward", dy, x, w, stride, padding)
        if not isinstance(result, (tuple, list)) or len(result) != 3:
            what = f"{len(result)} values" if isinstance(result, (tuple, list)) else f"a {type(result).__name__}"
            raise ConvOpError(
                f"your own {_name(self.backward)} returned {what}: return the three gradients, `dx, dw, db`"
            )
        dx, dw, db = result
        _check(self.backward, "dx", dx, tuple(x.shape), x)
        _check(self.backward, "dw", dw, tuple(w.shape), w)
        if bias:
            _check(self.backward, "db", db, tuple(w.shape[:1]), w)
        return dx, dw, db


def checked_op(op: object) -> ConvOp | None:
    """Return `op` if it is a `ConvOp` or None; the type checker trusts annotations, readers may not follow them."""
    if op is not None and not isinstance(op, ConvOp):
        raise TypeError(f"op is a {type(op).__name__}: wrap your functions, nn.ConvOp(my_forward, my_backward)")
    return op


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", repr(function)))


def _call(function: Callable[..., Any], part: str, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception as error:
        error.add_note(f"This was raised by your own {_name(function)}, the {part} of the layer's ConvOp.")
        raise


def _check(function: Callable[..., Any], name: str, value: Any, shape: Sizes, like: Array) -> None:
    """Raise ConvOpError unless `value` is an array of `shape` with the dtype and on the device of `like`."""
    fault = f"your own {_name(function)} returned {name} "
    if value is None:
        raise ConvOpError(fault + "as None: is a `return` missing?")
    try:
        namespace(**{name: value, "its input": like})
    except TypeError as error:
        raise ConvOpError(fault + f"as a {type(value).__name__}: return an array") from error
    except DeviceMismatchError as error:
        raise ConvOpError(fault + f"on another device: {error}") from error
    if tuple(value.shape) != shape:
        raise ConvOpError(fault + f"of shape {tuple(value.shape)}, but it must be {shape}")
    if value.dtype != like.dtype:
        raise ConvOpError(
            fault + f"as {value.dtype}, but its input is {like.dtype}: make new arrays with the dtype of the input"
        )
