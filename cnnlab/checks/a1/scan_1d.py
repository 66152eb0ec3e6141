"""Exercise 1, find the welcome: one network looks at every window of a recording (rows D05 to D07)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a1.inputs import layers_of_sizes, numbers
from cnnlab.checks.a1.mistakes_1d import MISTAKES, assemble
from cnnlab.checks.a1.scanning import Layers
from cnnlab.checks.model import Case, Check, Exercise, Function


def scan_1d(x: np.ndarray[Any, Any], layers: Layers, width: int, hop: int) -> np.ndarray[Any, Any]:
    """Return the network's output for every full window of a recording.

    Parameters
    ----------
    x
        Recording, shape (C, T).
    layers
        ``[(W, b), …]`` with W of shape (out, in); ReLU between the layers.
    width, hop
        Frames of a window, and frames from one window to the next.

    Returns
    -------
    numpy.ndarray
        Shape (out, P) for P full windows, (out, 0) when the recording is shorter than a window. Source: row D07.
    """
    starts = range(0, x.shape[1] - width + 1, hop)
    y = np.zeros((len(layers[-1][1]), len(starts)), dtype=x.dtype)
    for p, start in enumerate(starts):
        v = x[:, start : start + width].reshape(-1)  # (C * width,)
        for W, b in layers[:-1]:
            v = np.maximum(W @ v + b, 0)
        W, b = layers[-1]
        y[:, p] = W @ v + b
    return y


def _case(
    rng: np.random.Generator,
    C: int,
    T: int,
    width: int,
    hop: int,
    *,
    outs: Sequence[int] = (1,),
    dtype: Any = np.float64,
) -> Case:
    """Make a case; `outs` are the outputs of the layers."""
    layers = layers_of_sizes(rng, (C * width, *outs), dtype)
    return Case(_describe(C, T, width, hop), (numbers(rng, (C, T), dtype), layers, width, hop))


def _describe(C: int, T: int, width: int, hop: int) -> str:
    return f"{C} feature{'s' * (C > 1)} × {T} frame{'s' * (T > 1)}, width {width}, hop {hop}"


def _example(rng: np.random.Generator) -> list[Case]:
    x = np.array([[1.0, 2.0, 0.0, 3.0], [0.0, 1.0, 2.0, 0.0]])
    layers = [(np.array([[1.0, 2.0, 3.0, -1.0]]), np.array([-1.0]))]
    return [Case(_describe(2, 4, 2, 1), (x, layers, 2, 1))]


def _every_window(rng: np.random.Generator) -> list[Case]:
    return [_case(rng, 2, 5, 3, 1, outs=(2,)), _case(rng, 3, 7, 2, 1)]


def _two_layers(rng: np.random.Generator) -> list[Case]:
    return [_case(rng, 2, 5, 2, 1, outs=(3, 2)), _case(rng, 3, 8, 4, 1, outs=(4, 1))]


def _hops(rng: np.random.Generator) -> list[Case]:
    return [_case(rng, 2, 7, 3, 2), _case(rng, 2, 9, 2, 3, outs=(3, 2)), _case(rng, 3, 11, 4, 3, outs=(3, 1))]


def _short(rng: np.random.Generator) -> list[Case]:
    return [_case(rng, 2, 3, 4, 1), _case(rng, 2, 2, 5, 2, outs=(2,)), _case(rng, 2, 4, 4, 2), _case(rng, 2, 6, 4, 2)]


# What a wrong answer earns must not hang on the seed, so that nobody is lucky: the seed draws numbers and sizes, but
# how many outputs a network has, and whether frames are left over, is fixed.


def _hidden_sizes(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for out in (1, 2, 3):
        C, width, extra = (int(n) for n in rng.integers((2, 2, 1), (6, 6, 9)))
        cases.append(_case(rng, C, width + extra, width, 1, outs=(out,)))
    return cases


def _hidden_hops(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for _ in range(4):
        C, width, hop, hops = (int(n) for n in rng.integers((2, 2, 2, 2), (5, 6, 6, 5)))
        rest = int(rng.integers(1, hop))
        cases.append(_case(rng, C, width + hops * hop + rest, width, hop, outs=(3, 2)))
    return cases


def _hidden_depth(rng: np.random.Generator) -> list[Case]:
    depths = ((5, 2), (4, 3, 2), (6, 5, 1))
    # With one frame left over, and without: which of them does not hang on the seed.
    lengths = (10 + 2 * int(rng.integers(3)), 9 + 2 * int(rng.integers(3)), 8 + 2 * int(rng.integers(3)))
    return [_case(rng, int(rng.integers(2, 5)), T, 4, 2, outs=outs) for T, outs in zip(lengths, depths, strict=True)]


def _hidden_edges(rng: np.random.Generator) -> list[Case]:
    C, T = (int(n) for n in rng.integers((2, 4), (5, 8)))
    return [
        _case(rng, C, T, T, 3, outs=(3, 2)),
        _case(rng, C, T, 1, 2, outs=(3, 2)),
        _case(rng, 1, T + 4, 3, 2, outs=(4, 1)),
        _case(rng, C, T + 4, 2, T + 1, outs=(2,)),
    ]


def _hidden_single(rng: np.random.Generator) -> list[Case]:
    case = _case(rng, 4, 8 + 2 * int(rng.integers(3)), 3, 2, outs=(5, 2), dtype=np.float32)
    x, *others = case.arguments
    return [Case(case.name, (np.asfortranarray(x), *others)), _case(rng, 3, 8, 5, 1, outs=(4, 1), dtype=np.float32)]


_half_hidden = partial(Check, points=0.5, hidden=True)
_half_visible = partial(Check, points=0.5, hidden=False)

SCAN_1D = Exercise(
    id="a1.scan_1d",
    title="Find the welcome",
    functions=(Function("scan_1d", ("x", "layers", "width", "hop"), scan_1d, assemble=assemble),),
    points=5,
    checks=(
        _half_visible("The example above", cases=_example),
        _half_visible("One column for each full window, hop 1", cases=_every_window),
        _half_visible("ReLU between two layers, none after the last", cases=_two_layers),
        _half_visible("A hop larger than 1", cases=_hops),
        _half_visible("Recordings shorter than, as long as, and longer than a window", cases=_short),
        _half_hidden("Other sizes, hop 1", cases=_hidden_sizes),
        _half_hidden("Hops after which some frames are left over", cases=_hidden_hops),
        _half_hidden("Two or three layers, several outputs", cases=_hidden_depth),
        _half_hidden("A single window, a single frame, a single feature", cases=_hidden_edges),
        _half_hidden("Recordings in float32, stored in another order", cases=_hidden_single),
    ),
    mistakes=MISTAKES,
)
