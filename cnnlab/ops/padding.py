"""Padding the spatial axes, and its adjoint."""

from collections.abc import Sequence
from typing import Any

from cnnlab.backend import Array
from cnnlab.geometry import padded_sources
from cnnlab.geometry.options import known_padding_mode, whole_number
from cnnlab.ops.arguments import float_namespace


def pad_forward(x: Array, padding: Sequence[tuple[int, int]], *, mode: str = "zeros") -> Array:
    """Pad the last axes of an array.

    Parameters
    ----------
    x : array (..., *spatial)
        The input.
    padding : sequence of (int, int)
        Positions to add before and after each of the last ``len(padding)`` axes.
    mode : {"zeros", "reflect", "replicate", "circular"}
        Which values to add (see `cnnlab.geometry.padded_sources`).

    Returns
    -------
    array (..., *padded)
        A new array.

    Raises
    ------
    TypeError
        ``x`` is no floating-point array, or the padding is not made of pairs of whole numbers.
    ValueError
        The mode is unknown, an axis is too short to fill the padding, or there are more pads than axes.

    Examples
    --------
    >>> import numpy as np
    >>> pad_forward(np.array([1.0, 2.0, 3.0]), [(1, 2)], mode="reflect")
    array([2., 1., 2., 3., 2., 1.])
    """
    xp = float_namespace(x=x)
    axes = _axes(x, padding)
    known = known_padding_mode(mode)
    if known == "zeros":
        shape, inside = list(x.shape), [slice(None)] * x.ndim
        for axis, before, after in axes:
            shape[axis] += before + after
            inside[axis] = slice(before, before + x.shape[axis])
        y = xp.zeros(tuple(shape), dtype=x.dtype, device=x.device)
        y[tuple(inside)] = x
        return y
    for axis, before, after in axes:
        sources = padded_sources(x.shape[axis], before, after, known)
        x = xp.take(x, xp.asarray(sources, device=x.device), axis=axis)
    return x


def pad_backward(dy: Array, padding: Sequence[tuple[int, int]], *, mode: str = "zeros") -> Array:
    """Carry the gradient of a padded array back to where its values came from.

    Parameters
    ----------
    dy : array (..., *padded)
        Gradient of the loss with respect to the output of `pad_forward`.
    padding, mode
        As given to `pad_forward`.

    Returns
    -------
    array (..., *spatial)
        Gradient with respect to its input, a new array.

    Raises
    ------
    ValueError
        As `pad_forward`.

    Examples
    --------
    >>> import numpy as np
    >>> pad_backward(np.array([1.0, 10.0, 100.0, 1000.0]), [(1, 1)], mode="replicate")
    array([  11., 1100.])
    """
    xp = float_namespace(dy=dy)
    known = known_padding_mode(mode)
    for axis, before, after in _axes(dy, padding):
        size = dy.shape[axis] - before - after
        if size < 0:
            raise ValueError(
                f"dy has {dy.shape[axis]} positions on axis {axis}, fewer than the padding {before, after}: "
                "pass the gradient with respect to the padded array"
            )
        dx = xp.asarray(dy[_at(axis, slice(before, before + size))], copy=True)
        for i, source in enumerate(padded_sources(size, before, after, known)):
            if source is not None and not before <= i < before + size:
                dx[_at(axis, source)] += dy[_at(axis, i)]
        dy = dx
    return dy


def _axes(x: Array, padding: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return (axis, before, after) for every axis that the padding names."""
    if not isinstance(padding, Sequence) or not all(isinstance(p, Sequence) and len(p) == 2 for p in padding):
        raise TypeError(f"padding {padding!r} must be pairs (before, after), one for each of the last axes")
    if not 1 <= len(padding) <= x.ndim:
        raise ValueError(f"padding {tuple(padding)} names {len(padding)} axes, the array has {x.ndim}")
    pairs = [tuple(whole_number("padding", p, at_least=0) for p in pair) for pair in padding]
    return [(axis, before, after) for axis, (before, after) in enumerate(pairs, start=x.ndim - len(pairs))]


def _at(axis: int, index: int | slice) -> tuple[Any, ...]:
    """Index one axis and keep all others."""
    return (*[slice(None)] * axis, index, ...)
