"""The fully connected layer. `cnnlab.kernels.product` is a @ b, shared among threads where there are several."""

from cnnlab.backend import Array
from cnnlab.kernels import product
from cnnlab.ops.arguments import check_shape, float_namespace, given


def linear_forward(x: Array, w: Array, b: Array | None = None) -> Array:
    """Return ``x · wᵀ + b``.

    Parameters
    ----------
    x : array (N, in)
        Input, one row for each example.
    w : array (out, in)
        Weights, one row for each output.
    b : array (out,), optional
        Biases.

    Returns
    -------
    array (N, out)

    Raises
    ------
    TypeError
        An argument is no floating-point array, or the dtypes differ.
    ValueError
        The shapes do not fit together.
    DeviceMismatchError
        The arrays lie on different devices.

    Examples
    --------
    >>> import numpy as np
    >>> linear_forward(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([[11.5]])
    """
    xp = float_namespace(x=x, w=w, **given(b=b))
    _check_inner(x, w)
    y = product(x, xp.matrix_transpose(w))  # (N, out)
    if b is not None:
        check_shape("b", b, w.shape[:1], "one bias for each output")
        y += b
    return y


def linear_backward(dy: Array, x: Array, w: Array) -> tuple[Array, Array, Array]:
    """Return the gradients with respect to input, weights and biases.

    Parameters
    ----------
    dy : array (N, out)
        Gradient of the loss with respect to the output of `linear_forward`.
    x, w
        As given to `linear_forward`.

    Returns
    -------
    dx : array (N, in)
        ``dy · w``.
    dw : array (out, in)
        ``dyᵀ · x``, summed over the batch.
    db : array (out,)
        ``dy`` summed over the batch.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        As `linear_forward`.

    Examples
    --------
    >>> import numpy as np
    >>> linear_backward(np.array([[2.0]]), np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    (array([[6., 8.]]), array([[2., 4.]]), array([2.]))
    """
    xp = float_namespace(dy=dy, x=x, w=w)
    _check_inner(x, w)
    check_shape("dy", dy, (x.shape[0], w.shape[0]), "(N, out), the shape of the layer's output")
    return product(dy, w), product(xp.matrix_transpose(dy), x), xp.sum(dy, axis=0)


def linear_backward_parameters(dy: Array, x: Array, w: Array) -> tuple[Array, Array]:
    """Return the gradients with respect to weights and biases alone: the first layer of a net needs no other.

    Parameters
    ----------
    dy, x, w
        As given to `linear_backward`; the same errors.

    Returns
    -------
    dw : array (out, in)
    db : array (out,)

    Examples
    --------
    >>> import numpy as np
    >>> linear_backward_parameters(np.array([[2.0]]), np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    (array([[2., 4.]]), array([2.]))
    """
    xp = float_namespace(dy=dy, x=x, w=w)
    _check_inner(x, w)
    check_shape("dy", dy, (x.shape[0], w.shape[0]), "(N, out), the shape of the layer's output")
    return product(xp.matrix_transpose(dy), x), xp.sum(dy, axis=0)


def _check_inner(x: Array, w: Array) -> None:
    if x.ndim == w.ndim == 2 and x.shape[1] == w.shape[1]:
        return
    if x.ndim == 1:
        step = "add the batch axis, x[None]"
    elif x.ndim > 2:
        step = "flatten each example first (nn.Flatten)"
    else:
        step = "the second sizes must agree, so change the input or build the layer for it"
    raise ValueError(
        f"x has shape {tuple(x.shape)} and w has shape {tuple(w.shape)}: expected (N, in) and (out, in); {step}"
    )
