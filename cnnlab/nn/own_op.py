"""What a reader's own convolution and own pooling have in common: how they are called, and what they must return."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from cnnlab import ops
from cnnlab.backend import Array, DeviceMismatchError, namespace

Sizes = tuple[int, ...]


class OwnOpError(ValueError):
    """A reader's own function returned something that cannot be the result of its layer."""


class OwnOpMissingError(RuntimeError):
    """A layer was asked to compute with the library's code where only a reader's own code may be used."""


# While a notebook is graded, `cnnlab.ops` has no convolution and no pooling; then an own op is always needed.
_REQUIRED: ContextVar[bool] = ContextVar("_REQUIRED", default=not hasattr(ops, "conv_forward"))


@contextmanager
def own_ops_required() -> Iterator[None]:
    """Let convolution and pooling layers without an own op raise `OwnOpMissingError` when they are called."""
    outside = _REQUIRED.set(True)
    try:
        yield
    finally:
        _REQUIRED.reset(outside)


def check_op(op: object | None, layer: str, example: str) -> None:
    """Raise `OwnOpMissingError` if `layer` has no own op where it needs one, and say how to give it one."""
    if op is None and _REQUIRED.get():
        raise OwnOpMissingError(f"{layer} must compute with your own functions here: give it op={example}")


def name_of(function: Callable[..., Any]) -> str:
    """Return how messages call a reader's function."""
    return str(getattr(function, "__name__", repr(function)))


def call_own(function: Callable[..., Any], role: str, *arguments: Any) -> Any:
    """Call a reader's function; what it raises passes through with a note on its role."""
    try:
        return function(*arguments)
    except Exception as error:
        error.add_note(f"This was raised by your own {name_of(function)}, the {role}.")
        raise


def check_result(
    function: Callable[..., Any], name: str, value: Any, shape: Sizes, *, like: Array, error: type[OwnOpError]
) -> None:
    """Raise `error` unless `value` is an array of `shape` with the dtype and on the device of `like`."""
    fault = f"your own {name_of(function)} returned {name} "
    if value is None:
        raise error(fault + "as None: is a `return` missing?")
    try:
        namespace(**{name: value, "its input": like})
    except TypeError as cause:
        raise error(fault + f"as a {type(value).__name__}: return an array") from cause
    except DeviceMismatchError as cause:
        raise error(fault + f"on another device: {cause}") from cause
    if tuple(value.shape) != shape:
        raise error(fault + f"of shape {tuple(value.shape)}, but it must be {shape}")
    if value.dtype != like.dtype:
        raise error(
            fault + f"as {value.dtype}, but its input is {like.dtype}: make new arrays with the dtype of the input"
        )
