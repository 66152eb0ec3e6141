"""From a map to one number for each channel: the last step of a scan (deck rows D06 and D20)."""

from math import prod
from typing import Literal, TypeAlias, get_args

from cnnlab.backend import Array
from cnnlab.geometry.options import above_zero
from cnnlab.ops.activation import softmax
from cnnlab.ops.arguments import check_shape, float_namespace

How: TypeAlias = Literal["max", "mean", "softmax"]


def global_pool_forward(x: Array, how: str, *, temperature: float = 1.0) -> Array:
    """Reduce all spatial axes.

    Parameters
    ----------
    x : array (N, C, *spatial)
        Maps.
    how : {"max", "mean", "softmax"}
        "softmax" weighs the values by their own softmax, ``Σ softmax(x/τ)·x``: between the maximum (τ towards 0) and
        the mean (τ towards infinity).
    temperature : float
        τ, above 0; of "softmax" only.

    Returns
    -------
    array (N, C)

    Raises
    ------
    TypeError
        ``x`` is no floating-point array.
    ValueError
        The shape has no spatial axis or an empty one, or an option is unknown or out of range.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[[0.0, 0.0, 3.0]]])
    >>> global_pool_forward(x, "max"), global_pool_forward(x, "mean")
    (array([[3.]]), array([[1.]]))
    """
    xp = float_namespace(x=x)
    temperature = _checked(x, how, temperature)
    x = xp.reshape(x, (*x.shape[:2], prod(x.shape[2:])))  # (N, C, P)
    if how == "max":
        return xp.max(x, axis=2)
    if how == "mean":
        return xp.mean(x, axis=2)
    return xp.sum(_weights(x, temperature) * x, axis=2)


def global_pool_backward(dy: Array, x: Array, how: str, *, temperature: float = 1.0) -> Array:
    """Return the gradient with respect to the input of `global_pool_forward`.

    "max" gives ``dy`` to the largest value, among equal ones to the first in row-major order; "mean" shares it evenly;
    "softmax", with weights p and output y, gives ``dy · p · (1 + (x − y)/τ)``.

    Parameters
    ----------
    dy : array (N, C)
        Gradient of the loss with respect to the output.
    x, how, temperature
        As given to `global_pool_forward`; the same errors.

    Returns
    -------
    array (N, C, *spatial)

    Examples
    --------
    >>> import numpy as np
    >>> global_pool_backward(np.array([[6.0]]), np.array([[[0.0, 3.0, 3.0]]]), "max")
    array([[[0., 6., 0.]]])
    """
    xp = float_namespace(dy=dy, x=x)
    temperature = _checked(x, how, temperature)
    check_shape("dy", dy, x.shape[:2], "one value for each map")
    shape, P = x.shape, prod(x.shape[2:])
    x = xp.reshape(x, (*shape[:2], P))  # (N, C, P)
    dy = dy[:, :, None]
    if how == "max":
        winner = xp.argmax(x, axis=2, keepdims=True)
        dx = xp.where(xp.arange(P, device=x.device) == winner, dy, 0)
    elif how == "mean":
        dx = xp.broadcast_to(dy / P, x.shape)
    else:
        p = _weights(x, temperature)
        y = xp.sum(p * x, axis=2, keepdims=True)
        dx = dy * p * (1 + (x - y) / temperature)
    return xp.asarray(xp.reshape(dx, shape), copy=True)  # a broadcast array could not be written to


def _weights(x: Array, temperature: float) -> Array:
    """Return softmax(x/τ) over the last axis; the maximum goes first, since x/τ may overflow for a small τ."""
    xp = float_namespace(x=x)
    return softmax((x - xp.max(x, axis=-1, keepdims=True)) / temperature)


def _checked(x: Array, how: str, temperature: float) -> float:
    """Return the temperature as a plain float, which does not widen the dtype, or say what is wrong."""
    if how not in get_args(How):
        raise ValueError(f"how {how!r} is unknown: choose one of {', '.join(get_args(How))}")
    temperature = above_zero("temperature", temperature)
    least = float(float_namespace(x=x).finfo(x.dtype).smallest_normal)
    if temperature < least:
        raise ValueError(
            f'temperature (={temperature}) must be at least {least:.3g} in {x.dtype}: take a larger one, or how="max"'
        )
    if x.ndim < 3 or 0 in x.shape[2:]:
        raise ValueError(f"x has shape {tuple(x.shape)}: expected (N, C, *spatial) with at least one position")
    return temperature
