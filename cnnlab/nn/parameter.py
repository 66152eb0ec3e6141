"""The arrays of a layer: trainable ones with their gradient, and others that belong to its state."""

from __future__ import annotations

from cnnlab.backend import Array, namespace


class Parameter:
    """A trainable array and the gradient of the loss with respect to it.

    Both can be assigned. A layer used at several places, or several backward passes, add up in `grad`: the gradient
    of a shared value is the sum over everything it touched (deck D15, D16).

    Parameters
    ----------
    data
        The values, an array of any shape.

    Attributes
    ----------
    data : Array
        The values.
    grad : Array or None
        The gradient, of the shape of `data`; None until the first backward.

    Raises
    ------
    TypeError
        If the values are no array, here or when they are assigned.
    """

    def __init__(self, data: Array) -> None:
        self.data = data
        self.grad = None

    @property
    def data(self) -> Array:
        """The values."""
        return self._data

    @data.setter
    def data(self, values: Array) -> None:
        namespace(data=values)  # names what is no array
        self._data = values

    @property
    def grad(self) -> Array | None:
        """The gradient, or None."""
        return self._grad

    @grad.setter
    def grad(self, gradient: Array | None) -> None:
        if gradient is None:
            self._grad = None
            return
        shape = getattr(gradient, "shape", None)
        if shape is None or tuple(shape) != self.shape:
            given = f"a {type(gradient).__name__}" if shape is None else f"of shape {tuple(shape)}"
            raise ValueError(
                f"the gradient is {given} but the parameter has shape {self.shape}: "
                "give an array with one number for each parameter value, or None"
            )
        self._grad = gradient

    def accumulate(self, gradient: Array) -> None:
        """Add `gradient` to `grad`.

        Parameters
        ----------
        gradient
            An array of the shape of `data`. It is never changed, and `grad` keeps its dtype.

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        before, self.grad = self.grad, gradient  # refuses another shape, which a sum might broadcast
        if before is not None:
            self.grad = before + gradient

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return tuple(self.data.shape)

    def __repr__(self) -> str:
        return f"Parameter(shape={self.shape}, dtype={self.data.dtype}, grad={'no' if self.grad is None else 'yes'})"


class Buffer:
    """An array that belongs to the state of a layer and is not trained, such as a running mean.

    Parameters
    ----------
    data
        The values, an array of any shape.

    Attributes
    ----------
    data : Array
        The values; they can be assigned.
    """

    def __init__(self, data: Array) -> None:
        self.data = data

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return tuple(self.data.shape)

    def __repr__(self) -> str:
        return f"Buffer(shape={self.shape}, dtype={self.data.dtype})"
