"""Exercise 6, a different order: a scan layer by layer, and what two orders cost (rows D17 to D22)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a1.inputs import layers_of_sizes, numbers
from cnnlab.checks.a1.scanning import Layers
from cnnlab.checks.a2.mistakes_layer_first import MISTAKES
from cnnlab.checks.a2.ordering import assemble_layer_first, assemble_mac_count
from cnnlab.checks.model import Case, Check, Exercise, Function

Array = np.ndarray[Any, Any]
Numbers = Sequence[int]


def layer_first(x: Array, layers: Layers, widths: Numbers, hops: Numbers) -> Array:
    """Return the last map of a scan, computed one map after another.

    Parameters
    ----------
    x
        Recording, shape (C, T).
    layers
        ``[(W, b), …]``, one for each level; W of shape (neurons, channels below * width).
    widths, hops
        Of each level, in places of the map below; for level 1 in frames.

    Returns
    -------
    numpy.ndarray
        Shape (neurons of the last layer, places of the last map). Source: rows D18, D19 and D22.
    """
    below = x
    for level in range(len(layers)):
        W, b = layers[level]
        columns, start = [], 0
        while start + widths[level] <= below.shape[1]:
            columns.append(W @ below[:, start : start + widths[level]].reshape(-1) + b)
            start += hops[level]
        above = np.stack(columns, axis=1).astype(x.dtype)  # (neurons, places)
        below = above if level == len(layers) - 1 else np.where(above > 0, above, 0).astype(x.dtype)
    return below


def mac_count_scan(order: str, shape: tuple[int, int], neurons: Numbers, widths: Numbers, hops: Numbers) -> int:
    """Return the multiply-adds of a scan, counted one value after another.

    Parameters
    ----------
    order
        ``"window"``: all values that one window needs, then all that the next one needs. ``"layer"``: every value of
        every map once.
    shape
        (C, T) of the recording.
    neurons, widths, hops
        Of each level. Source: rows D17 and D22.
    """
    C, T = shape
    channels = [C, *neurons]
    costs = [neurons[level] * channels[level] * widths[level] for level in range(len(neurons))]
    maps = []
    below = T
    for width, hop in zip(widths, hops, strict=True):
        below = len([start for start in range(0, below, hop) if start + width <= below])
        maps.append(below)
    if order == "layer":
        return sum(len(range(many)) * cost for many, cost in zip(maps, costs, strict=True))
    total = 0
    for window in range(maps[-1]):
        needed = {window}  # places of the level, from the last to the first
        for level in reversed(range(len(neurons))):
            total += len(needed) * costs[level]
            needed = {place * hops[level] + tap for place in needed for tap in range(widths[level])}
    return total


# What a wrong answer earns must not hang on the seed: how many levels there are, what is left over on each, and which
# hops are 1 is fixed; the seed draws sizes and numbers.


def _length(widths: Numbers, hops: Numbers, rests: Numbers, windows: int) -> int:
    """Return T for which the last map has so many places and so much is left over on each level."""
    below = windows
    for width, hop, rest in zip(reversed(widths), reversed(hops), reversed(rests), strict=True):
        below = (below - 1) * hop + width + rest
    return below


def _centered(x: Array, layers: Layers, widths: Numbers, hops: Numbers) -> list[tuple[Array, Array]]:
    """Return the layers with biases such that every neuron is above and below 0 somewhere: ReLU shows."""
    shifted: list[tuple[Array, Array]] = []
    for W, b in layers:
        shifted.append((W, b))
        depth = len(shifted)
        y = layer_first(x, shifted, widths[:depth], hops[:depth])
        shifted[-1] = (W, np.round(b - (y.min(axis=1) + y.max(axis=1)) / 2 + 0.01, 2).astype(b.dtype))
    return shifted


def _map(
    rng: np.random.Generator,
    channels: Numbers,
    widths: Numbers,
    hops: Numbers,
    *,
    rests: Numbers = (0, 0, 0, 0),
    windows: int = 3,
    dtype: Any = np.float64,
) -> Case:
    """Make a case of `layer_first`; `channels` are those of the recording and of each map."""
    T = _length(widths, hops, rests[: len(widths)], windows)
    x = numbers(rng, (channels[0], T), dtype)
    layers = []
    for below, out, width in zip(channels[:-1], channels[1:], widths, strict=True):
        layers += layers_of_sizes(rng, (below * width, out), dtype)
    layers = _centered(x, layers, widths, hops)
    return Case(_describe(channels, T, widths, hops), (x, layers, list(widths), list(hops)), "layer_first")


def _describe(channels: Numbers, T: int, widths: Numbers, hops: Numbers) -> str:
    features = f"{channels[0]} feature{'s' * (channels[0] > 1)} × {T} frames"
    return f"{features}, neurons {list(channels[1:])}, widths {list(widths)}, hops {list(hops)}"


def _count(order: str, channels: Numbers, T: int, widths: Numbers, hops: Numbers) -> Case:
    arguments = (order, (channels[0], T), list(channels[1:]), list(widths), list(hops))
    return Case(f"“{order}”: {_describe(channels, T, widths, hops)}", arguments, "mac_count_scan")


_X = np.array([[1.0, 2.0, 2.0, 0.0, 3.0, 1.0, 2.0, 5.0]])
_LAYERS = [
    (np.array([[1.0, -1.0, 1.0], [0.0, 1.0, 0.0]]), np.array([-2.0, 0.0])),
    (np.array([[1.0, 2.0, 1.0, -1.0]]), np.array([-1.0])),
]


def _example(rng: np.random.Generator) -> list[Case]:
    return [Case(_describe((1, 2, 1), 8, (3, 2), (2, 1)), (_X, _LAYERS, [3, 2], [2, 1]), "layer_first")]


def _plain(rng: np.random.Generator) -> list[Case]:
    return [
        _map(rng, (2, 3, 1), (3, 1), (1, 1)),
        _map(rng, (3, 2, 4, 2), (4, 1, 1), (2, 1, 1), rests=(1, 0, 0), windows=4),
    ]


def _levels(rng: np.random.Generator) -> list[Case]:
    return [
        _map(rng, (2, 3, 1), (3, 2), (2, 1), windows=4),
        _map(rng, (2, 3, 2), (4, 3), (3, 2), rests=(2, 1)),
        _map(rng, (3, 2, 3, 1), (3, 4, 2), (1, 3, 2), rests=(0, 1, 1)),
    ]


def _counts(rng: np.random.Generator, order: str) -> list[Case]:
    return [
        _count(order, (1, 2, 1), 8, (3, 2), (2, 1)),  # the example of the statement
        _count(order, (20, 8, 4, 1), 200, (30, 1, 1), (1, 1, 1)),  # the word net of lecture 04
        _count(order, (3, 4, 2), _length((4, 5), (2, 1), (1, 0), 6), (4, 5), (2, 1)),
        _count(order, (2, 5, 3), _length((6, 4), (3, 2), (2, 1), 4), (6, 4), (3, 2)),
        _count(
            order, (2, 4, 3, 5, 1), _length((5, 4, 3, 1), (3, 2, 2, 1), (1, 1, 1, 0), 3), (5, 4, 3, 1), (3, 2, 2, 1)
        ),
    ]


def _drawn(rng: np.random.Generator, *ranges: tuple[int, int]) -> list[int]:
    return [int(rng.integers(low, high + 1)) for low, high in ranges]


def _channels(rng: np.random.Generator, layers: int) -> tuple[int, ...]:
    """Return different numbers of channels, at least 2, for the recording and each layer."""
    return tuple(int(n) for n in 2 + rng.permutation(layers + 1))


def _hidden_plain(rng: np.random.Generator) -> list[Case]:
    width, hop, windows = _drawn(rng, (3, 5), (2, 3), (3, 5))
    return [
        _map(rng, _channels(rng, 2), (width, 1), (1, 1), windows=windows),
        _map(rng, _channels(rng, 3), (width, 1, 1), (hop, 1, 1), rests=(1, 0, 0), windows=windows),
        _map(rng, (*_channels(rng, 2), 1), (2, 1, 1), (2, 1, 1), windows=1),
    ]


def _hidden_levels(rng: np.random.Generator) -> list[Case]:
    a, b, hop, windows = _drawn(rng, (4, 6), (4, 5), (2, 3), (3, 4))
    return [
        _map(rng, (*_channels(rng, 1), 1), (a, b), (hop, 1), windows=windows),
        _map(rng, _channels(rng, 2), (a, b), (3, 2), rests=(1, 1), windows=windows),
        _map(rng, _channels(rng, 3), (a, 3, 3), (2, 3, 2), rests=(1, 2, 1), windows=2),
        _map(rng, _channels(rng, 3), (2, b, 1), (1, hop, 1), rests=(0, 1, 0), windows=windows),
    ]


def _hidden_single(rng: np.random.Generator) -> list[Case]:
    b, windows = _drawn(rng, (3, 4), (3, 4))
    case = _map(rng, _channels(rng, 2), (3, b), (2, 3), rests=(1, 1), windows=windows, dtype=np.float32)
    x, *others = case.arguments
    plain = _map(rng, _channels(rng, 2), (4, 1), (3, 1), rests=(2, 0), windows=windows, dtype=np.float32)
    return [Case(case.name, (np.asfortranarray(x), *others), case.function), plain]


# In the first, windows that are counted as if widths added up are always too many: hop 1 on level 2, and a wide window.
def _hidden_counts(rng: np.random.Generator, order: str) -> list[Case]:
    a, b, c, windows = _drawn(rng, (4, 7), (5, 7), (3, 4), (4, 9))
    shapes: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = [
        ((a, b), (2, 1), (0, 0)),
        ((a, b), (3, 2), (2, 1)),
        ((a, b, c), (3, 2, 2), (1, 1, 1)),
        ((a, 4, c, 1), (2, 3, 2, 1), (1, 2, 1, 0)),
        ((a, 1, 1), (3, 1, 1), (1, 0, 0)),
    ]
    cases = []
    for widths, hops, rests in shapes:
        cases.append(_count(order, _channels(rng, len(widths)), _length(widths, hops, rests, windows), widths, hops))
    return cases


_visible = partial(Check, points=0.5, hidden=False)
_hidden = partial(Check, points=0.5, hidden=True)

LAYER_FIRST = Exercise(
    id="a2.layer_first",
    title="A different order",
    functions=(
        Function("layer_first", ("x", "layers", "widths", "hops"), layer_first, assemble=assemble_layer_first),
        Function(
            "mac_count_scan",
            ("order", "shape", "neurons", "widths", "hops"),
            mac_count_scan,
            assemble=assemble_mac_count,
        ),
    ),
    points=5,
    checks=(
        _visible("layer_first: the example above", cases=_example),
        _visible("layer_first: only level 1 looks around", cases=_plain),
        _visible("layer_first: two and three levels", cases=_levels),
        _visible("mac_count_scan: layer by layer", cases=lambda rng: _counts(rng, "layer")),
        _visible("mac_count_scan: window by window", cases=lambda rng: _counts(rng, "window")),
        _hidden("layer_first: only level 1 looks around, other sizes", cases=_hidden_plain),
        _hidden("layer_first: two and three levels, other sizes", cases=_hidden_levels),
        _hidden("layer_first: recordings in float32, stored in another order", cases=_hidden_single),
        _hidden("mac_count_scan: layer by layer, other nets", cases=lambda rng: _hidden_counts(rng, "layer")),
        _hidden("mac_count_scan: window by window, other nets", cases=lambda rng: _hidden_counts(rng, "window")),
    ),
    mistakes=MISTAKES,
)
