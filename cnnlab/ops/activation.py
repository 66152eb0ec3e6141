"""Activation functions, element by element, and softmax along an axis. For NumPy `cnnlab.kernels` is asked first."""

from cnnlab import kernels
from cnnlab.backend import Array
from cnnlab.ops.arguments import check_shape, float_namespace


def relu_forward(x: Array) -> Array:
    """Return ``max(x, 0)``; NaN stays NaN.

    Parameters
    ----------
    x : array
        Input of any shape.

    Returns
    -------
    array
        Same shape and dtype.

    Raises
    ------
    TypeError
        ``x`` is no floating-point array.

    Examples
    --------
    >>> import numpy as np
    >>> relu_forward(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    xp = float_namespace(x=x)
    if (fast := kernels.relu_forward(x)) is not None:
        return fast
    return xp.maximum(x, 0)


def relu_backward(dy: Array, x: Array) -> Array:
    """Return the gradient with respect to the input of `relu_forward`: ``dy`` where ``x > 0``, else 0 (also at 0).

    Parameters
    ----------
    dy : array
        Gradient of the loss with respect to the output.
    x : array
        The input, same shape.

    Returns
    -------
    array
        Same shape and dtype.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        The arrays are not floating point of one dtype, of one shape, on one device.

    Examples
    --------
    >>> import numpy as np
    >>> relu_backward(np.array([10.0, 20.0, 30.0]), np.array([-1.0, 0.0, 2.0]))
    array([ 0.,  0., 30.])
    """
    xp = float_namespace(dy=dy, x=x)
    check_shape("dy", dy, x.shape, "the shape of x")
    if (fast := kernels.relu_backward(dy, x)) is not None:
        return fast
    return xp.where(x <= 0, 0, dy)


def sigmoid_forward(x: Array) -> Array:
    """Return ``1 / (1 + exp(−x))``, without overflow for any ``x``.

    Parameters
    ----------
    x : array
        Input of any shape.

    Returns
    -------
    array
        Same shape and dtype, between 0 and 1.

    Raises
    ------
    TypeError
        ``x`` is no floating-point array.

    Examples
    --------
    >>> import numpy as np
    >>> sigmoid_forward(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    xp = float_namespace(x=x)
    z = xp.exp(-xp.abs(x))  # never above 1
    return xp.where(x < 0, z, 1) / (1 + z)


def sigmoid_backward(dy: Array, y: Array) -> Array:
    """Return the gradient with respect to the input of `sigmoid_forward`: ``dy · y · (1 − y)``.

    Parameters
    ----------
    dy : array
        Gradient of the loss with respect to the output.
    y : array
        The output, same shape.

    Returns
    -------
    array
        Same shape and dtype.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        The arrays are not floating point of one dtype, of one shape, on one device.

    Examples
    --------
    >>> import numpy as np
    >>> sigmoid_backward(np.array([8.0]), np.array([0.5]))
    array([2.])
    """
    float_namespace(dy=dy, y=y)
    check_shape("dy", dy, y.shape, "the shape of y")
    return dy * y * (1 - y)


def tanh_forward(x: Array) -> Array:
    """Return the hyperbolic tangent of each element.

    Parameters
    ----------
    x : array
        Input of any shape.

    Returns
    -------
    array
        Same shape and dtype, between −1 and 1.

    Raises
    ------
    TypeError
        ``x`` is no floating-point array.

    Examples
    --------
    >>> import numpy as np
    >>> tanh_forward(np.array([-1000.0, 0.0, 1000.0]))
    array([-1.,  0.,  1.])
    """
    xp = float_namespace(x=x)
    if (fast := kernels.tanh_forward(x)) is not None:
        return fast
    return xp.tanh(x)


def tanh_backward(dy: Array, y: Array) -> Array:
    """Return the gradient with respect to the input of `tanh_forward`: ``dy · (1 − y²)``.

    Parameters
    ----------
    dy : array
        Gradient of the loss with respect to the output.
    y : array
        The output, same shape.

    Returns
    -------
    array
        Same shape and dtype.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        The arrays are not floating point of one dtype, of one shape, on one device.

    Examples
    --------
    >>> import numpy as np
    >>> tanh_backward(np.array([8.0]), np.array([0.5]))
    array([6.])
    """
    float_namespace(dy=dy, y=y)
    check_shape("dy", dy, y.shape, "the shape of y")
    if (fast := kernels.tanh_backward(dy, y)) is not None:
        return fast
    return dy * (1 - y * y)


def softmax(x: Array, axis: int = -1) -> Array:
    """Return ``exp(x) / Σ exp(x)`` along an axis, without overflow for finite ``x``; of nothing, nothing.

    Parameters
    ----------
    x : array
        Scores.
    axis : int
        The axis along which the result sums to 1.

    Returns
    -------
    array
        Same shape and dtype.

    Raises
    ------
    TypeError
        ``x`` is no floating-point array.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    xp = float_namespace(x=x)
    if x.size == 0:
        return xp.zeros_like(x)  # as in PyTorch; an empty axis has no maximum
    exp = xp.exp(x - xp.max(x, axis=axis, keepdims=True))  # the largest becomes exp(0) = 1
    return exp / xp.sum(exp, axis=axis, keepdims=True)


def softmax_backward(dy: Array, y: Array, axis: int = -1) -> Array:
    """Return the gradient with respect to the input of `softmax`: ``y · (dy − Σ dy·y)``.

    Parameters
    ----------
    dy : array
        Gradient of the loss with respect to the output.
    y : array
        The output, same shape.
    axis : int
        As given to `softmax`.

    Returns
    -------
    array
        Same shape and dtype.

    Raises
    ------
    TypeError, ValueError, DeviceMismatchError
        The arrays are not floating point of one dtype, of one shape, on one device.

    Examples
    --------
    >>> import numpy as np
    >>> softmax_backward(np.array([4.0, 0.0]), np.array([0.5, 0.5]))
    array([ 1., -1.])
    """
    xp = float_namespace(dy=dy, y=y)
    check_shape("dy", dy, y.shape, "the shape of y")
    return y * (dy - xp.sum(dy * y, axis=axis, keepdims=True))
