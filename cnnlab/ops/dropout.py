"""Dropout: leaving out values by chance, where the chance is drawn by the caller."""

from typing import Any

from cnnlab.backend import Array, namespace
from cnnlab.geometry.options import number_between
from cnnlab.ops.arguments import check_given, check_shape, float_namespace


def dropout_forward(x: Array, kept: Array, *, p: float) -> Array:
    """Return ``x / (1 − p)`` where ``kept``, else 0.

    If each value is dropped with probability ``p``, the result has the expectation of ``x``, so that nothing needs to
    be scaled when nothing is dropped any more ("inverted dropout"; Srivastava et al., "Dropout: a simple way to prevent
    neural networks from overfitting", JMLR 2014, section 10).

    Parameters
    ----------
    x : array
        Input of any shape.
    kept : boolean array of the same shape
        Which values stay.
    p : float
        Probability of a value to be dropped, 0 to 1.

    Returns
    -------
    array
        Same shape and dtype as ``x``.

    Raises
    ------
    TypeError
        ``x`` is no floating-point array, or ``kept`` no boolean one.
    ValueError
        The shapes differ, or ``p`` is out of range.
    DeviceMismatchError
        The arrays lie on different devices.

    Examples
    --------
    >>> import numpy as np
    >>> dropout_forward(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]), p=0.5)
    array([2., 0., 6.])
    """
    xp = float_namespace(x=x)
    return xp.where(_checked(kept, x=x), x * _scale(p), 0)


def dropout_backward(dy: Array, kept: Array, *, p: float) -> Array:
    """Return the gradient with respect to the input of `dropout_forward`: ``dy / (1 − p)`` where ``kept``, else 0.

    Parameters
    ----------
    dy : array
        Gradient of the loss with respect to the output.
    kept, p
        As given to `dropout_forward`; the same errors.

    Returns
    -------
    array
        Same shape and dtype as ``dy``.

    Examples
    --------
    >>> import numpy as np
    >>> dropout_backward(np.array([10.0, 20.0]), np.array([True, False]), p=0.75)
    array([40.,  0.])
    """
    xp = float_namespace(dy=dy)
    return xp.where(_checked(kept, dy=dy), dy * _scale(p), 0)


def _checked(kept: Array, **like: Array) -> Array:
    check_given(kept=kept)
    xp: Any = namespace(kept=kept, **like)
    if kept.dtype != xp.bool:
        raise TypeError(f"kept has dtype {kept.dtype}: expected booleans, as from rng.random(x.shape) >= p")
    ((name, x),) = like.items()
    check_shape("kept", kept, x.shape, f"the shape of {name}")
    return kept


def _scale(p: float) -> float:
    p = number_between("p", p, 0, 1)  # a plain float, which does not widen the dtype
    return 1 / (1 - p) if p < 1 else 0.0
