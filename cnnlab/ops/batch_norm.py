"""Batch normalization in any number of dimensions (Ioffe and Szegedy, "Batch normalization", ICML 2015).

Every channel is shifted and scaled to mean 0 and variance 1, and then by its own bias and weight. Mean and variance are
those of the batch, in training, or given numbers, when the layer is used: then they are constants to the backward pass.

Letters: N batch, C channels.
"""

import sys
from collections.abc import Sequence
from typing import Any

from cnnlab.backend import Array
from cnnlab.geometry.options import number_between
from cnnlab.ops.arguments import check_shape, float_namespace, given


def batch_statistics(x: Array) -> tuple[Array, Array]:
    """Return mean and variance of each channel over the batch and all places.

    Parameters
    ----------
    x : array (N, C, *spatial)
        Input; no spatial axis is needed.

    Returns
    -------
    mean : array (C,)
    var : array (C,)
        The mean squared distance from the mean (divided by the number of values, not by one less).

    Raises
    ------
    TypeError
        ``x`` is no floating-point array.
    ValueError
        ``x`` has no channels, or less than two values a channel: then nothing is left but the mean.

    Examples
    --------
    >>> import numpy as np
    >>> batch_statistics(np.array([[1.0, 10.0], [3.0, 10.0]]))
    (array([ 2., 10.]), array([1., 0.]))
    """
    xp = float_namespace(x=x)
    _check_axes(x)
    if x.size < 2 * x.shape[1]:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, less than two values a channel, of which there is no variance: "
            "use a larger batch, or the layer in evaluation mode"
        )
    axes = _all_but_channels(x)
    return xp.mean(x, axis=axes), xp.var(x, axis=axes)


def batch_norm_forward(
    x: Array,
    w: Array | None = None,
    b: Array | None = None,
    *,
    mean: Array | None = None,
    var: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """Return ``w · (x − mean) / √(var + eps) + b`` for each channel.

    Parameters
    ----------
    x : array (N, C, *spatial)
        Input; no spatial axis is needed.
    w, b : array (C,), optional
        Scale and shift of each channel; 1 and 0 if left out.
    mean, var : array (C,), optional
        Statistics to normalize by, both or none; those of the batch if left out (`batch_statistics`).
    eps : float
        Keeps the root away from 0.

    Returns
    -------
    array (N, C, *spatial)

    Raises
    ------
    TypeError
        An argument is no floating-point array, or the dtypes differ.
    ValueError
        The shapes do not fit, only one of mean and var is given, eps is negative, or the batch is too small to have a
        variance.
    DeviceMismatchError
        The arrays lie on different devices.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0], [3.0]])
    >>> batch_norm_forward(x, eps=0.0)
    array([[-1.],
           [ 1.]])
    >>> batch_norm_forward(x, mean=np.array([1.0]), var=np.array([4.0]), eps=0.0)
    array([[0.],
           [1.]])
    """
    xp = float_namespace(x=x, **given(w=w, b=b, mean=mean, var=var))
    _check_channels(x, w=w, b=b, mean=mean, var=var)
    normal, _ = _normalize(xp, x, mean, var, eps)
    y = normal if w is None else _per_channel(xp, w, x) * normal
    return y if b is None else y + _per_channel(xp, b, x)


def batch_norm_backward(
    dy: Array,
    x: Array,
    w: Array | None = None,
    *,
    mean: Array | None = None,
    var: Array | None = None,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """Return the gradients of a loss with respect to input, scales and shifts.

    With x̂ for the normalized input and g for ``dy · w``: ``dw = Σ dy · x̂`` and ``db = Σ dy`` over batch and places, and
    ``dx = g / √(var + eps)`` for given statistics. Those of the batch depend on x too, so that dx must neither shift
    nor scale a channel: ``dx = (g − mean(g) − x̂ · mean(g · x̂)) / √(var + eps)``.

    Parameters
    ----------
    dy : array (N, C, *spatial)
        Gradient of the loss with respect to the output of `batch_norm_forward`.
    x, w, mean, var, eps
        As given to `batch_norm_forward`; the same errors.

    Returns
    -------
    dx : array (N, C, *spatial)
    dw : array (C,)
    db : array (C,)

    Examples
    --------
    >>> import numpy as np
    >>> dy, x = np.array([[5.0], [7.0]]), np.array([[1.0], [3.0]])
    >>> batch_norm_backward(dy, x, mean=np.array([1.0]), var=np.array([4.0]), eps=0.0)
    (array([[2.5],
           [3.5]]), array([7.]), array([12.]))
    """
    xp = float_namespace(dy=dy, x=x, **given(w=w, mean=mean, var=var))
    check_shape("dy", dy, x.shape, "the shape of x")
    _check_channels(x, w=w, mean=mean, var=var)
    axes = _all_but_channels(x)
    normal, scale = _normalize(xp, x, mean, var, eps)
    dw, db = xp.sum(dy * normal, axis=axes), xp.sum(dy, axis=axes)
    g = dy if w is None else dy * _per_channel(xp, w, x)
    if mean is None:
        g = g - xp.mean(g, axis=axes, keepdims=True) - normal * xp.mean(g * normal, axis=axes, keepdims=True)
    return g * scale, dw, db


def _normalize(xp: Any, x: Array, mean: Array | None, var: Array | None, eps: float) -> tuple[Array, Array]:
    """Return the normalized input and 1 / √(var + eps) in a shape that fits it."""
    eps = number_between("eps", eps, 0, sys.float_info.max)  # a plain float, which does not widen the dtype
    if mean is None or var is None:
        mean, var = batch_statistics(x)
    scale = 1 / xp.sqrt(_per_channel(xp, var, x) + eps)
    return (x - _per_channel(xp, mean, x)) * scale, scale


def _per_channel(xp: Any, values: Array, x: Array) -> Array:
    """Give one value a channel the axes of ``x``."""
    return xp.reshape(values, (-1, *[1] * (x.ndim - 2)))


def _all_but_channels(x: Array) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _check_axes(x: Array) -> None:
    if x.ndim < 2:
        raise ValueError(f"x has shape {tuple(x.shape)}: expected (N, C, *spatial)")


def _check_channels(x: Array, **values: Array | None) -> None:
    _check_axes(x)
    expected: Sequence[int] = x.shape[1:2]
    for name, one in values.items():
        if one is not None:
            check_shape(name, one, expected, "one value for each channel")
    if (values["mean"] is None) != (values["var"] is None):
        raise ValueError("mean and var go together: give both, or none to normalize by those of the batch")
