"""One value in many places of a matrix, and the gradient of such a value (deck rows D13 to D16)."""

from typing import Any

from cnnlab.backend import Array, namespace
from cnnlab.ops.arguments import check_given, check_shape, float_namespace


def tie_forward(values: Array, ties: Array) -> Array:
    """Copy each value to all entries that share it.

    Parameters
    ----------
    values : array (sets,)
        One value for each set of tied entries.
    ties : integer array of any shape
        For each entry the number of its set, or −1 where there is no connection.

    Returns
    -------
    array
        In the shape of ``ties``; 0 where there is no connection.

    Raises
    ------
    TypeError
        The values are not floating point or the ties not integers.
    ValueError
        The values have more than one axis, or a set has no value.
    DeviceMismatchError
        The arrays lie on different devices.

    Examples
    --------
    >>> import numpy as np
    >>> tie_forward(np.array([5.0, 7.0]), np.array([[0, 1, -1], [-1, 0, 1]]))
    array([[5., 7., 0.],
           [0., 5., 7.]])
    """
    xp = _check(values, ties)
    with_zero = xp.concat([values, xp.zeros((1,), dtype=values.dtype, device=values.device)])
    place = xp.where(ties < 0, values.shape[0], ties)
    return xp.reshape(xp.take(with_zero, xp.reshape(place, (-1,)), axis=0), ties.shape)


def tie_backward(dy: Array, values: Array, ties: Array) -> Array:
    """Sum the gradient over each set of tied entries.

    ``dDiv/dw^S = Σ dDiv/dw_e`` over the entries e of the set S (deck row D15). Entries without a connection give
    nothing.

    Parameters
    ----------
    dy : array of the shape of ``ties``
        Gradient of the loss with respect to every entry, as if each had a weight of its own.
    values, ties
        As given to `tie_forward`; the same errors.

    Returns
    -------
    array (sets,)
        Gradient with respect to the values; 0 for a set without entries.

    Examples
    --------
    >>> import numpy as np
    >>> ties = np.array([[0, 1, -1], [-1, 0, 1]])
    >>> tie_backward(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.zeros(2), ties)
    array([6., 8.])
    """
    xp = _check(values, ties, dy=dy)
    check_shape("dy", dy, ties.shape, "one gradient for each entry")
    sets = xp.arange(values.shape[0], dtype=ties.dtype, device=ties.device)
    flat = xp.reshape(ties, (-1,))
    order = xp.argsort(flat, stable=True)  # the entries of a set next to each other
    grouped = xp.take(flat, order, axis=0)
    first, behind = (xp.searchsorted(grouped, sets, side=side) for side in ("left", "right"))
    most = int(xp.max(behind - first)) if values.shape[0] else 0
    place = first[:, None] + xp.arange(most, dtype=first.dtype, device=ties.device)[None, :]  # (sets, most)
    inside = place < behind[:, None]
    member = xp.take(order, xp.reshape(xp.where(inside, place, 0), (-1,)), axis=0)
    terms = xp.reshape(xp.take(xp.reshape(dy, (-1,)), member, axis=0), place.shape)
    return xp.sum(xp.where(inside, terms, xp.zeros_like(terms)), axis=1)  # (sets,)


def _check(values: Array, ties: Array, **more: Array) -> Any:
    check_given(ties=ties)
    xp = namespace(**more, values=values, ties=ties)
    float_namespace(**more, values=values)
    if values.ndim != 1:
        raise ValueError(f"values have shape {tuple(values.shape)}: expected (sets,), one value for each set")
    if not xp.isdtype(ties.dtype, "integral"):
        raise TypeError(f"ties have dtype {ties.dtype}: expected integers, the number of each entry's set or -1")
    top = int(xp.max(ties)) if ties.size else -1
    if top >= values.shape[0]:
        raise ValueError(f"ties go up to {top} but there are {values.shape[0]} values: give one for each set")
    return xp
