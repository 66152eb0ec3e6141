"""Exercise 3, from map to decision: many scores become one, and the gradient finds its way back (rows D06 and D08)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a1.inputs import numbers
from cnnlab.checks.a1.mistakes_aggregate import MISTAKES, assemble_backward, assemble_forward
from cnnlab.checks.model import Case, Check, Exercise, Function

Array = np.ndarray[Any, Any]


def aggregate(maps: Array, how: str, temperature: float) -> Array:
    """Return one number for each map.

    Parameters
    ----------
    maps
        Scores, shape (out, P) or (out, P_H, P_W).
    how
        "max", "mean" or "softmax": the mean weighted with ``softmax(maps / temperature)``. Source: row D06.
    temperature
        Above 0; used by "softmax" only.

    Returns
    -------
    numpy.ndarray
        Shape (out,).
    """
    flat = maps.reshape(len(maps), -1)  # (out, P)
    if how == "max":
        return np.asarray(flat.max(axis=1))
    if how == "mean":
        return np.asarray(flat.mean(axis=1))
    return np.asarray((_shares(flat, temperature) * flat).sum(axis=1))


def aggregate_backward(dy: Array, maps: Array, how: str, temperature: float) -> Array:
    """Return the gradient of the loss with respect to each score.

    Parameters
    ----------
    dy
        Gradient with respect to what `aggregate` returned, shape (out,).
    maps, how, temperature
        As there. Of several equal maxima the first in row-major order gets the gradient.

    Returns
    -------
    numpy.ndarray
        Shape of `maps`.
    """
    flat = maps.reshape(len(maps), -1)  # (out, P)
    if how == "max":
        slope = np.zeros_like(flat)
        slope[np.arange(len(flat)), flat.argmax(axis=1)] = 1
    elif how == "mean":
        slope = np.full_like(flat, 1 / flat.shape[1])
    else:
        shares = _shares(flat, temperature)
        y = (shares * flat).sum(axis=1, keepdims=True)
        slope = shares * (1 + (flat - y) / temperature)
    return np.asarray((dy[:, None] * slope).reshape(maps.shape))


def _shares(flat: Array, temperature: float) -> Array:
    raised = np.exp((flat - flat.max(axis=1, keepdims=True)) / temperature)  # no exponent above 0
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _forward(maps: Array, how: str, temperature: float = 1.0) -> Case:
    return Case(_describe(maps, how, temperature), (maps, how, temperature))


def _backward(rng: np.random.Generator, maps: Array, how: str, temperature: float = 1.0) -> Case:
    dy = numbers(rng, (len(maps),), maps.dtype)
    return Case(_describe(maps, how, temperature), (dy, maps, how, temperature), "aggregate_backward")


def _describe(maps: Array, how: str, temperature: float) -> str:
    shape = " × ".join(map(str, maps.shape[1:]))
    kind = "map" if maps.ndim > 2 else "row"
    heat = f", temperature {temperature:g}" if how == "softmax" else ""
    return f"{how}{heat}, {len(maps)} {kind}{'s' * (len(maps) > 1)} of {shape} scores"


def _drawn(rng: np.random.Generator, *shapes: Sequence[int]) -> list[Array]:
    return [numbers(rng, shape) for shape in shapes]


_EXAMPLE = np.array([[1.0, 3.0, 2.0], [0.0, -1.0, 0.0]])


def _example(rng: np.random.Generator) -> list[Case]:
    return [_forward(_EXAMPLE, how) for how in ("max", "mean", "softmax")]


def _simple_forward(rng: np.random.Generator) -> list[Case]:
    return [_forward(maps, how) for how in ("max", "mean") for maps in _drawn(rng, (2, 5), (3, 2, 4), (1, 3, 2))]


def _softmax_forward(rng: np.random.Generator) -> list[Case]:
    return [_forward(maps, "softmax", heat) for maps in _drawn(rng, (3, 4), (2, 3, 4)) for heat in (0.5, 2.0)]


def _large_forward(rng: np.random.Generator) -> list[Case]:
    return [_forward(1000 * maps, "softmax", 1.5) for maps in _drawn(rng, (2, 4), (3, 2, 3))]


def _with_ties(maps: Array) -> Array:
    """Return maps of whole numbers in which the maximum stands twice."""
    flat = np.round(2 * maps).reshape(len(maps), -1)
    top = flat.max(axis=1) + 1
    flat[:, 1], flat[:, -1] = top, top
    return flat.reshape(maps.shape)


def _max_backward(rng: np.random.Generator) -> list[Case]:
    plain, ties, planes = _drawn(rng, (2, 4), (3, 5), (2, 2, 3))
    return [_backward(rng, maps, "max") for maps in (plain, _with_ties(ties), _with_ties(planes))]


def _mean_backward(rng: np.random.Generator) -> list[Case]:
    return [_backward(rng, maps, "mean") for maps in _drawn(rng, (2, 4), (3, 2, 3))]


def _softmax_backward(rng: np.random.Generator) -> list[Case]:
    plain = [_backward(rng, maps, "softmax", heat) for maps in _drawn(rng, (2, 4), (3, 2, 3)) for heat in (0.5, 2.0)]
    large = [_backward(rng, large, "softmax", 1.5) for maps in _drawn(rng, (2, 3)) for large in _large(maps, 2000.0)]
    return plain + large


def _large(maps: Array, offset: float) -> list[Array]:
    """Return maps far above zero, far below, far from each other, and with some scores far above the others."""
    number = np.arange(len(maps)).reshape(-1, *(1,) * (maps.ndim - 1))
    alternating = np.arange(maps[0].size).reshape(maps.shape[1:]) % 2
    return [maps + offset * change for change in (1, -1, number, alternating)]


# What a wrong answer earns must not hang on the seed: the seed draws numbers and sizes, nothing else.


def _sizes(rng: np.random.Generator) -> list[Array]:
    out, P, P_H, P_W = (int(n) for n in rng.integers((2, 3, 2, 4), (4, 8, 4, 7)))
    return _drawn(rng, (out, P), (out + 1, P_H, P_W), (1, P_W, P_H))


def _hidden_forward(rng: np.random.Generator, hows: Sequence[str], heat: float = 1.0) -> list[Case]:
    return [_forward(maps, how, heat) for how in hows for maps in _sizes(rng)]


def _hidden_softmax(rng: np.random.Generator) -> list[Case]:
    heats = (0.25 + rng.random(), 2.0 + rng.random())
    return [case for heat in heats for case in _hidden_forward(rng, ["softmax"], round(heat, 2))]


def _hidden_large(rng: np.random.Generator) -> list[Case]:
    offset = 1000.0 + float(rng.integers(100))
    return [_forward(large, "softmax", 0.5) for maps in _sizes(rng) for large in _large(maps, offset)]


def _hidden_max_backward(rng: np.random.Generator) -> list[Case]:
    return [_backward(rng, _with_ties(maps), "max") for maps in _sizes(rng)]


def _hidden_mean_backward(rng: np.random.Generator) -> list[Case]:
    return [_backward(rng, maps, "mean") for maps in _sizes(rng)]


def _hidden_softmax_backward(rng: np.random.Generator) -> list[Case]:
    heat = round(0.25 + rng.random(), 2)
    plain = [_backward(rng, maps, "softmax", each) for maps in _sizes(rng) for each in (heat, 2 + heat)]
    offset = 1000.0 + float(rng.integers(100))
    large = [_backward(rng, large, "softmax", 0.5) for maps in _sizes(rng) for large in _large(maps, offset)]
    return plain + large


_visible = partial(Check, points=0.5, hidden=False)
_hidden = partial(Check, points=0.5, hidden=True)

AGGREGATE = Exercise(
    id="a1.aggregate",
    title="From map to decision",
    functions=(
        Function("aggregate", ("maps", "how", "temperature"), aggregate, assemble=assemble_forward),
        Function(
            "aggregate_backward", ("dy", "maps", "how", "temperature"), aggregate_backward, assemble=assemble_backward
        ),
    ),
    points=6,
    checks=(
        _visible("The example above", cases=_example),
        _visible("Forward: max and mean, over all axes but the first", cases=_simple_forward),
        _visible("Forward: softmax", cases=_softmax_forward),
        _visible("Forward: softmax of large scores", cases=_large_forward),
        _visible("Backward: max, ties included", cases=_max_backward),
        _visible(
            "Backward: mean and softmax, of large scores too",
            cases=lambda rng: _mean_backward(rng) + _softmax_backward(rng),
        ),
        _hidden("Forward: max and mean, other sizes", cases=lambda rng: _hidden_forward(rng, ["max", "mean"])),
        _hidden("Forward: softmax, other sizes and temperatures", cases=_hidden_softmax),
        _hidden("Forward: softmax of scores far from zero", cases=_hidden_large),
        _hidden("Backward: max, ties included, other sizes", cases=_hidden_max_backward),
        _hidden("Backward: mean, other sizes", cases=_hidden_mean_backward),
        _hidden("Backward: softmax, other sizes and temperatures, large scores", cases=_hidden_softmax_backward),
    ),
    mistakes=MISTAKES,
)
