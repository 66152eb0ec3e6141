"""What goes wrong between a map and a decision, each as the small function that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnnlab.checks.assembled import mistakes_from

Array = np.ndarray[Any, Any]
Rule = Callable[[Array, float], Array]


def _spatial(maps: Array) -> tuple[int, ...]:
    return tuple(range(1, maps.ndim))


def _softmax(maps: Array, axes: Any, temperature: float) -> Array:
    with np.errstate(all="ignore"):
        raised = np.exp((maps - maps.max(axis=axes, keepdims=True)) / temperature)
        return np.asarray(raised / raised.sum(axis=axes, keepdims=True))


def _shares(maps: Array, temperature: float) -> Array:
    return _softmax(maps, _spatial(maps), temperature)


def _shares_without_shift(maps: Array, temperature: float) -> Array:
    with np.errstate(all="ignore"):
        raised = np.exp(maps / temperature)
        return np.asarray(raised / raised.sum(axis=_spatial(maps), keepdims=True))


def _weighted_sum(maps: Array, shares: Array, temperature: float) -> Array:
    return np.asarray((shares * maps).sum(axis=_spatial(maps)))


def _log_sum_exp(maps: Array, shares: Array, temperature: float) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(temperature * np.log(np.exp(maps / temperature).sum(axis=_spatial(maps))))


def assemble_forward(
    *,
    maximum: Callable[[Array], Any] = lambda maps: maps.max(axis=_spatial(maps)),
    mean: Callable[[Array], Any] = lambda maps: maps.mean(axis=_spatial(maps)),
    shares: Rule = _shares,
    total: Callable[[Array, Array, float], Any] = _weighted_sum,
    heat: Callable[[float], float] = lambda temperature: temperature,
) -> Callable[[Array, str, float], Any]:
    """Return an `aggregate` with other parts.

    Parameters
    ----------
    maximum, mean
        From maps to one number each.
    shares
        The softmax weights, from maps and temperature.
    total
        From maps, weights and temperature to one number each.
    heat
        What is done to the temperature first.
    """

    def aggregate(maps: Array, how: str, temperature: float) -> Any:
        if how == "max":
            return maximum(maps)
        if how == "mean":
            return mean(maps)
        return total(maps, shares(maps, heat(temperature)), heat(temperature))

    return aggregate


def _first_winner(maps: Array) -> Array:
    flat = maps.reshape(len(maps), -1)
    slope = np.zeros_like(flat)
    slope[np.arange(len(flat)), flat.argmax(axis=1)] = 1
    return slope.reshape(maps.shape)


def _last_winner(maps: Array) -> Array:
    reverse = (slice(None), *(slice(None, None, -1) for _ in _spatial(maps)))
    return _first_winner(maps[reverse])[reverse]


def _every_winner(maps: Array) -> Array:
    return np.asarray((maps == maps.max(axis=_spatial(maps), keepdims=True)).astype(maps.dtype))


def _shared_winners(maps: Array) -> Array:
    winners = _every_winner(maps)
    return np.asarray(winners / winners.sum(axis=_spatial(maps), keepdims=True))


def _softmax_slope(maps: Array, shares: Array, temperature: float) -> Array:
    y = (shares * maps).sum(axis=_spatial(maps), keepdims=True)
    return np.asarray(shares * (1 + (maps - y) / temperature))


def _slope_without_heat(maps: Array, shares: Array, temperature: float) -> Array:
    y = (shares * maps).sum(axis=_spatial(maps), keepdims=True)
    return np.asarray(shares * (1 + (maps - y)))


def _slope_of_weights_only(maps: Array, shares: Array, temperature: float) -> Array:
    y = (shares * maps).sum(axis=_spatial(maps), keepdims=True)
    return np.asarray(shares * (maps - y) / temperature)


def _as_column(dy: Array, maps: Array) -> Array:
    return dy.reshape(len(maps), *(1 for _ in _spatial(maps)))


def assemble_backward(
    *,
    winners: Callable[[Array], Array] = _first_winner,
    mean: Callable[[Array], Array] = lambda maps: np.full_like(maps, len(maps) / maps.size),
    shares: Rule = _shares,
    softmax: Callable[[Array, Array, float], Array] = _softmax_slope,
    upstream: Callable[[Array, Array], Any] = _as_column,
) -> Callable[[Array, Array, str, float], Any]:
    """Return an `aggregate_backward` with other parts.

    Parameters
    ----------
    winners, mean
        The slope of the maximum and of the mean, from maps.
    shares
        The softmax weights, from maps and temperature.
    softmax
        The slope of softmax pooling, from maps, weights and temperature.
    upstream
        What the slope is multiplied with, from `dy` and maps.
    """

    def aggregate_backward(dy: Array, maps: Array, how: str, temperature: float) -> Any:
        rules: dict[str, Callable[[], Array]] = {"max": lambda: winners(maps), "mean": lambda: mean(maps)}
        slope = rules[how]() if how in rules else softmax(maps, shares(maps, temperature), temperature)
        return upstream(dy, maps) * slope

    return aggregate_backward


_forward = mistakes_from(assemble_forward)
_backward = mistakes_from(assemble_backward, of="aggregate_backward")

_WRONG_AXIS = (
    "The softmax is taken over the wrong axis",
    (
        "The weights of one map must add up to 1; here they add up to 1 over something else.",
        "Look at the axis of the sum below the fraction, and at the axis of the maximum that you subtract.",
        "Flatten first: flat = maps.reshape(len(maps), -1), then use axis=1 with keepdims=True.",
    ),
)
_ONE_AXIS = (
    "Only one of the spatial axes is gone",
    (
        "A map has rows and columns; the answer must have one number for each map, so both must go.",
        "Look at the axis that you give to max, mean or sum.",
        "Flatten first: flat = maps.reshape(len(maps), -1), then use axis=1.",
    ),
)
_ALL_MAPS = (
    "All maps are thrown together",
    (
        "The answer is one number for all maps; each map keeps its own, so the shape is (out,).",
        "Look for max, mean or sum without an axis.",
        "Flatten first: flat = maps.reshape(len(maps), -1), then use axis=1.",
    ),
)
_OVERFLOW = (
    "The exponential overflows for large scores",
    (
        "For large scores exp gives infinity, and infinity divided by infinity is not a number.",
        "Look at what you give to np.exp: what is the largest number that it may be?",
        "Subtract the maximum of each map first: np.exp((flat - flat.max(axis=1, keepdims=True)) / temperature).",
    ),
)

MISTAKES = (
    _forward("softmax_over_outputs", *_WRONG_AXIS, shares=lambda maps, heat: _softmax(maps, 0, heat)),
    _forward("softmax_over_columns", *_WRONG_AXIS, shares=lambda maps, heat: _softmax(maps, -1, heat)),
    _forward("softmax_over_all", *_WRONG_AXIS, shares=lambda maps, heat: _softmax(maps, None, heat)),
    _forward("max_of_rows", *_ONE_AXIS, maximum=lambda maps: maps.max(axis=1)),
    _forward("max_of_columns", *_ONE_AXIS, maximum=lambda maps: maps.max(axis=-1)),
    _forward("max_of_all", *_ALL_MAPS, maximum=lambda maps: maps.max()),
    _forward("mean_of_all", *_ALL_MAPS, mean=lambda maps: maps.mean()),
    _forward("overflow", *_OVERFLOW, shares=_shares_without_shift),
    _forward(
        "mean_for_max",
        "The mean is returned in place of the maximum",
        (
            'For how = "max" the answer is the mean of the scores.',
            "Look at your branches on how.",
            "flat.max(axis=1).",
        ),
        maximum=lambda maps: maps.mean(axis=_spatial(maps)),
    ),
    _forward(
        "sum_for_mean",
        "The mean is a sum: not divided by the number of scores",
        (
            "The answer is too large by the number of scores in a map.",
            "Look at how the mean is computed.",
            "flat.mean(axis=1), or the sum divided by flat.shape[1].",
        ),
        mean=lambda maps: maps.sum(axis=_spatial(maps)),
    ),
    _forward(
        "temperature_ignored",
        "temperature is not used",
        (
            "The softmax is the one for temperature 1, whatever the temperature.",
            "Look for temperature in what you give to np.exp.",
            "np.exp((flat - largest) / temperature).",
        ),
        heat=lambda temperature: 1.0,
    ),
    _forward(
        "temperature_multiplied",
        "The scores are multiplied by the temperature",
        (
            "A high temperature must make the weights more equal; here it makes them more different.",
            "Look at what you give to np.exp: times or divided by?",
            "np.exp((flat - largest) / temperature).",
        ),
        heat=lambda temperature: 1.0 / temperature,
    ),
    _forward(
        "log_sum_exp",
        "This is the logarithm of a sum of exponentials, not a weighted mean",
        (
            "It is a soft maximum too, but another one: it is larger than every score.",
            "Look at the end of the softmax branch: are scores multiplied by weights and added up?",
            "(shares * flat).sum(axis=1), with shares = softmax(flat / temperature).",
        ),
        total=_log_sum_exp,
    ),
    _forward(
        "largest_weight",
        "The largest weight is returned, not the weighted mean of the scores",
        (
            "The answer is a weight between 0 and 1; it should be a score.",
            "Look at the end of the softmax branch: what are the weights multiplied with?",
            "(shares * flat).sum(axis=1), with shares = softmax(flat / temperature).",
        ),
        total=lambda maps, shares, heat: shares.max(axis=_spatial(maps)),
    ),
    _forward(
        "mean_of_weighted",
        "The weighted scores are averaged, although the weights add up to 1 already",
        (
            "The answer is too small by the number of scores in a map.",
            "Look at the end of the softmax branch: mean or sum?",
            "(shares * flat).sum(axis=1).",
        ),
        total=lambda maps, shares, heat: (shares * maps).mean(axis=_spatial(maps)),
    ),
    _backward(
        "every_tie",
        "Every equal maximum gets the whole gradient",
        (
            "If the maximum stands twice, two places got the gradient; only the first in row-major order counts.",
            "Look for a comparison with the maximum: it is true at every tie.",
            "np.argmax gives the first: slope[np.arange(out), flat.argmax(axis=1)] = 1.",
        ),
        winners=_every_winner,
    ),
    _backward(
        "shared_ties",
        "Equal maxima share the gradient",
        (
            "If the maximum stands twice, each place got half; the first in row-major order gets all of it.",
            "Look for a comparison with the maximum, and a division by how often it stands.",
            "np.argmax gives the first: slope[np.arange(out), flat.argmax(axis=1)] = 1.",
        ),
        winners=_shared_winners,
    ),
    _backward(
        "last_tie",
        "The last of equal maxima gets the gradient",
        (
            "If the maximum stands twice, the first in row-major order gets the gradient, not the last.",
            "Look at how you find the place: a loop with >= moves on at a tie.",
            "np.argmax gives the first: slope[np.arange(out), flat.argmax(axis=1)] = 1.",
        ),
        winners=_last_winner,
    ),
    _backward(
        "mean_not_divided",
        "The gradient of the mean is not divided by the number of scores",
        (
            "Each score moves the mean by one part in their number, not by its full size.",
            "Look at the branch for the mean.",
            "slope = np.full_like(flat, 1 / flat.shape[1]).",
        ),
        mean=np.ones_like,
    ),
    _backward("overflow_backward", *_OVERFLOW, shares=_shares_without_shift),
    _backward(
        "weights_held_fixed",
        "The weights of the softmax are treated as if they did not change",
        (
            "A score changes the answer twice: directly, and through the weights. The second part is missing.",
            "Differentiate the sum of shares * scores by the product rule.",
            "slope = shares * (1 + (flat - y) / temperature).",
        ),
        softmax=lambda maps, shares, heat: shares,
    ),
    _backward(
        "weights_only",
        "Only the change of the weights is counted",
        (
            "A score changes the answer twice: through the weights, and directly. The direct part is missing.",
            "Differentiate the sum of shares * scores by the product rule.",
            "slope = shares * (1 + (flat - y) / temperature).",
        ),
        softmax=_slope_of_weights_only,
    ),
    _backward(
        "heat_not_in_slope",
        "The temperature is missing in the gradient",
        (
            "The weights are softmax(scores / temperature): their derivative has a factor 1 / temperature.",
            "Look at the part of the gradient that comes from the weights.",
            "slope = shares * (1 + (flat - y) / temperature).",
        ),
        softmax=_slope_without_heat,
    ),
    _backward(
        "dy_ignored",
        "The gradient from above is not used",
        (
            "The answer is the slope of each map alone, as if dy were 1.",
            "Look for dy in your function.",
            "dy[:, None] * slope, with one row for each map.",
        ),
        upstream=lambda dy, maps: 1.0,
    ),
    _backward(
        "dy_summed",
        "All maps get the sum of dy",
        (
            "Each map has its own number in dy; here all maps are multiplied by their sum.",
            "Look at how dy meets the slope.",
            "dy[:, None] * slope, with one row for each map.",
        ),
        upstream=lambda dy, maps: dy.sum(),
    ),
)
