"""Exercise 7, distribute the scan: a scanning MLP, plain or block-tied, as a stack of kernels (rows D18 to D24)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a1.inputs import numbers
from cnnlab.checks.a1.scanning import Layers
from cnnlab.checks.a2.mistakes_to_conv_stack import MISTAKES
from cnnlab.checks.a2.stacking import Stack, assemble_stack
from cnnlab.checks.model import Case, Check, Exercise, Function

Array = np.ndarray[Any, Any]
Numbers = Sequence[int]


def to_conv_stack(layers: Layers, C: int, widths: Numbers, hops: Numbers) -> Stack:
    """Return the kernels, biases and strides that do layer by layer what the MLP does window by window.

    Parameters
    ----------
    layers
        ``[(W, b), …]`` of the MLP over one window. On a level, W has the shape (units · blocks, channels · places),
        both in C order; above the levels, (units, channels).
    C
        Features of the recording.
    widths, hops
        Of each level, in places of the map below.

    Returns
    -------
    kernels : tuple of numpy.ndarray
        (units, channels, width) each.
    biases : tuple of numpy.ndarray
        (units,) each.
    strides : tuple of int
        Source: rows D18, D19 and D22 to D24.
    """
    kernels, biases, strides = [], [], []
    channels, places = C, layers[0][0].shape[1] // C
    for level, (W, b) in enumerate(layers):
        width = widths[level] if level < len(widths) else 1
        hop = hops[level] if level < len(widths) else 1
        starts = [start for start in range(0, places, hop) if start + width <= places]  # the blocks in one window
        units = len(b) // len(starts)
        w = np.zeros((units, channels, width), dtype=W.dtype)
        for d, c, t in np.ndindex(*w.shape):
            w[d, c, t] = W[d * len(starts), c * places + t]
        kernels.append(w)
        biases.append(np.array([b[d * len(starts)] for d in range(units)], dtype=b.dtype))
        strides.append(hop)
        channels, places = units, len(starts)
    return tuple(kernels), tuple(biases), tuple(strides)


# What a wrong answer earns must not hang on the seed: how many levels and layers there are, and which sizes differ, is
# fixed; the seed draws sizes and numbers.


def tied_layer(w: Array, b: Array, blocks: int, hop: int) -> tuple[Array, Array]:
    """Return a layer that does to one window what the kernel does at so many blocks."""
    units, channels, width = w.shape
    matrix = np.zeros((units, blocks, channels, (blocks - 1) * hop + width), dtype=w.dtype)
    for p in range(blocks):
        matrix[:, p, :, p * hop : p * hop + width] = w
    return matrix.reshape(units * blocks, -1), np.repeat(b, blocks)


def _case(
    rng: np.random.Generator,
    channels: Numbers,
    widths: Numbers,
    hops: Numbers,
    *,
    result: str,
    dtype: Any = np.float64,
) -> Case:
    """Make a case; `channels` are those of the recording and of each layer, also above the levels."""
    shapes = list(zip(channels[1:], channels, [*widths, *[1] * (len(channels) - 1 - len(widths))], strict=False))
    pairs = [(numbers(rng, shape, dtype), numbers(rng, shape[:1], dtype)) for shape in shapes]
    return _of_stack(pairs, channels[0], widths, hops, result)


def _of_stack(pairs: Layers, C: int, widths: Numbers, hops: Numbers, result: str) -> Case:
    layers: list[tuple[Array, Array]] = []
    blocks = 1
    for level in reversed(range(len(pairs))):
        w, b = pairs[level]
        hop = hops[level] if level < len(widths) else 1
        layers.insert(0, tied_layer(w, b, blocks, hop))
        blocks = (blocks - 1) * hop + w.shape[2]
    name = f"{C} feature{'s' * (C > 1)}, window of {blocks} frames, units {[len(b) for _, b in pairs]}"
    arguments = (layers, C, list(widths), list(hops))
    return Case(f"{name}, widths {list(widths)}, hops {list(hops)}", arguments, result=result)


_PLAIN = [(np.array([[[1.0, 2.0], [3.0, -1.0]]]), np.array([-1.0]))]
_TIED = [
    (np.array([[[1.0, 2.0]], [[3.0, -1.0]]]), np.array([5.0, -2.0])),
    (np.array([[[1.0, 0.0], [4.0, -3.0]]]), np.array([6.0])),
    (np.array([[[2.0]], [[-1.0]]]), np.array([0.0, 7.0])),
]


def _example(result: str) -> Case:
    return _of_stack(_TIED, 1, (2, 2), (1, 2), result)


def _one_level(rng: np.random.Generator) -> list[Case]:
    case = partial(_case, rng, result="kernels")
    return [_of_stack(_PLAIN, 2, (2,), (1,), "kernels"), case((2, 3, 1), (4,), (2,)), case((3, 4, 3, 2), (5,), (3,))]


def _two_levels(rng: np.random.Generator) -> list[Case]:
    case = partial(_case, rng, result="kernels")
    return [_example("kernels"), case((2, 3, 4), (3, 2), (2, 1)), case((3, 4, 2, 3), (4, 3), (2, 2))]


def _three_levels(rng: np.random.Generator) -> list[Case]:
    case = partial(_case, rng, result="kernels")
    return [case((2, 3, 4, 2), (3, 2, 2), (1, 1, 1)), case((3, 2, 4, 3, 2), (4, 3, 2), (3, 2, 2))]


def _other_results(rng: np.random.Generator, result: str) -> list[Case]:
    case = partial(_case, rng, result=result)
    return [
        case((2, 3, 4), (3,), (2,)),
        _example(result),
        case((2, 3, 2, 4), (4, 3), (3, 2)),
        case((3, 2, 4, 3, 2), (4, 5, 2), (2, 3, 2)),
    ]


def _drawn(rng: np.random.Generator, *ranges: tuple[int, int]) -> list[int]:
    return [int(rng.integers(low, high + 1)) for low, high in ranges]


def _channels(rng: np.random.Generator, layers: int) -> tuple[int, ...]:
    """Return different numbers of channels, at least 2, for the recording and each layer."""
    return tuple(int(n) for n in 2 + rng.permutation(layers + 1))


def _hidden_one_level(rng: np.random.Generator) -> list[Case]:
    width, hop = _drawn(rng, (6, 9), (1, 3))
    return [
        _case(rng, _channels(rng, 1), (width,), (hop,), result="kernels"),
        _case(rng, _channels(rng, 3), (width,), (hop + 1,), result="kernels"),
        _case(rng, (1, *_channels(rng, 2)), (width,), (hop,), result="kernels"),  # more layers above than features
    ]


def _hidden_two_levels(rng: np.random.Generator) -> list[Case]:
    a, b, hop = _drawn(rng, (6, 8), (3, 5), (1, 3))
    return [
        _case(rng, _channels(rng, 2), (2, b), (1, hop), result="kernels"),
        _case(rng, _channels(rng, 3), (a, b), (3, hop), result="kernels"),
    ]


def _hidden_three_levels(rng: np.random.Generator) -> list[Case]:
    a, b, hop = _drawn(rng, (6, 7), (3, 4), (1, 2))
    return [
        _case(rng, _channels(rng, 3), (a, b, 2), (2, 1, hop), result="kernels"),
        _case(rng, _channels(rng, 4), (3, b, 3), (1, 2, hop), result="kernels"),
    ]


def _hidden_results(rng: np.random.Generator, result: str) -> list[Case]:
    a, b = _drawn(rng, (5, 7), (4, 5))
    return [
        _case(rng, _channels(rng, 2), (a,), (2,), result=result),
        _case(rng, _channels(rng, 4), (a, b), (3, 2), result=result),
        _case(rng, _channels(rng, 4), (a, b, 4), (2, 3, 2), result=result),
    ]


def _hidden_single(rng: np.random.Generator) -> list[Case]:
    (a,) = _drawn(rng, (3, 5))
    case = _case(rng, _channels(rng, 3), (a, 3), (2, 1), result="kernels", dtype=np.float32)
    layers, *others = case.arguments
    stored = [(np.asfortranarray(W), b) for W, b in layers]
    return [Case(case.name, (stored, *others), result="kernels")]


_visible = partial(Check, points=0.5, hidden=False)
_hidden = partial(Check, hidden=True)

TO_CONV_STACK = Exercise(
    id="a2.to_conv_stack",
    title="Distribute the scan",
    functions=(
        Function(
            "to_conv_stack",
            ("layers", "C", "widths", "hops"),
            to_conv_stack,
            results=("kernels", "biases", "strides"),
            assemble=assemble_stack,
        ),
    ),
    points=7,
    checks=(
        _visible("One level: kernels", cases=_one_level),
        _visible("Two levels: kernels", cases=_two_levels),
        _visible("Three levels: kernels", cases=_three_levels),
        _visible("Biases", cases=lambda rng: _other_results(rng, "biases")),
        _visible("Strides", cases=lambda rng: _other_results(rng, "strides")),
        _hidden("One level: kernels, other nets", points=1.0, cases=_hidden_one_level),
        _hidden("Two levels: kernels, other nets", points=1.0, cases=_hidden_two_levels),
        _hidden("Three levels: kernels, other nets", points=1.0, cases=_hidden_three_levels),
        _hidden("Biases, other nets", points=0.5, cases=lambda rng: _hidden_results(rng, "biases")),
        _hidden("Strides, other nets", points=0.5, cases=lambda rng: _hidden_results(rng, "strides")),
        _hidden("Kernels in float32, stored in another order", points=0.5, cases=_hidden_single),
    ),
    mistakes=MISTAKES,
)
