"""Exercise 2, find the flower: one network looks at every window of a picture (rows D08 and D09)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a1.inputs import layers_of_sizes, numbers
from cnnlab.checks.a1.mistakes_2d import MISTAKES, assemble
from cnnlab.checks.a1.scanning import Layers
from cnnlab.checks.model import Case, Check, Exercise, Function

Pair = tuple[int, int]


def scan_2d(image: np.ndarray[Any, Any], layers: Layers, size: Pair, stride: Pair) -> np.ndarray[Any, Any]:
    """Return the network's output for every full window of a picture.

    Parameters
    ----------
    image
        Picture, shape (C, H, W).
    layers
        ``[(W, b), …]`` with W of shape (out, in); ReLU between the layers.
    size, stride
        Height and width of a window; rows and columns from one window to the next.

    Returns
    -------
    numpy.ndarray
        Shape (out, P_H, P_W): one map for each output. Source: row D09.
    """
    K_H, K_W = size
    rows = range(0, image.shape[1] - K_H + 1, stride[0])
    columns = range(0, image.shape[2] - K_W + 1, stride[1])
    y = np.zeros((len(layers[-1][1]), len(rows), len(columns)), dtype=image.dtype)
    for p, top in enumerate(rows):
        for q, left in enumerate(columns):
            v = image[:, top : top + K_H, left : left + K_W].reshape(-1)  # (C * K_H * K_W,)
            for W, b in layers[:-1]:
                v = np.maximum(W @ v + b, 0)
            W, b = layers[-1]
            y[:, p, q] = W @ v + b
    return y


def _case(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    size: Pair,
    stride: Pair,
    *,
    outs: Sequence[int] = (1,),
    dtype: Any = np.float64,
) -> Case:
    """Make a case; `outs` are the outputs of the layers."""
    layers = layers_of_sizes(rng, (shape[0] * size[0] * size[1], *outs), dtype)
    return Case(_describe(shape, size, stride), (numbers(rng, shape, dtype), layers, size, stride))


def _describe(shape: tuple[int, int, int], size: Pair, stride: Pair) -> str:
    C, H, W = shape
    return f"{C} channel{'s' * (C > 1)}, {H} × {W} picture, window {size[0]} × {size[1]}, stride {stride}"


def _example(rng: np.random.Generator) -> list[Case]:
    image = np.array([[[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 3.0, 0.0], [2.0, 0.0, 1.0, 2.0]]])
    layers = [(np.array([[1.0, 2.0, 3.0, -1.0]]), np.array([-1.0]))]
    return [Case(_describe((1, 3, 4), (2, 2), (1, 1)), (image, layers, (2, 2), (1, 1)))]


def _every_place(rng: np.random.Generator) -> list[Case]:
    return [
        _case(rng, (2, 4, 5), (2, 3), (1, 1), outs=(2,)),
        _case(rng, (3, 7, 4), (3, 2), (1, 1), outs=(3, 1)),
        _case(rng, (2, 5, 6), (3, 4), (1, 1), outs=(4, 2)),
    ]


def _strides(rng: np.random.Generator) -> list[Case]:
    return [
        _case(rng, (2, 6, 7), (2, 3), (2, 2), outs=(2,)),
        _case(rng, (2, 8, 9), (3, 2), (2, 3), outs=(3, 2)),
        _case(rng, (1, 9, 6), (2, 3), (3, 1), outs=(3, 1)),
    ]


def _hidden_sizes(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for out in (1, 2, 3):
        C, K_H, more_K, more_H, more_W = (int(n) for n in rng.integers((2, 2, 1, 1, 1), (4, 4, 3, 4, 4)))
        K_W = K_H + more_K
        size, shape = (K_H, K_W), (C, K_H + more_H + 2, K_W + more_W)
        # Both kinds of windows, higher than wide and wider than high.
        if len(cases) % 2:
            size, shape = (K_W, K_H), (C, K_W + more_W, K_H + more_H + 2)
        cases.append(_case(rng, shape, size, (1, 1), outs=(out,)))
    return cases


def _hidden_strides(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for stride in ((2, 3), (3, 2), (1, 2), (2, 2)):
        K_H, K_W = (int(n) for n in rng.permutation((2, 3, 4))[:2])
        rest_H, rest_W = (int(rng.integers(1, s)) if s > 1 else 0 for s in stride)
        hops_H, hops_W = (int(n) for n in rng.permutation((1, 2, 3))[:2])
        shape = (2, K_H + hops_H * stride[0] + rest_H, K_W + hops_W * stride[1] + rest_W)
        cases.append(_case(rng, shape, (K_H, K_W), stride, outs=(3, 2)))
    return cases


def _hidden_depth(rng: np.random.Generator) -> list[Case]:
    depths = ((5, 2), (4, 3, 2), (6, 5, 1))
    return [_case(rng, (int(rng.integers(2, 4)), 7, 10), (3, 2), (2, 3), outs=outs) for outs in depths]


def _hidden_edges(rng: np.random.Generator) -> list[Case]:
    H, W = (int(n) for n in rng.permutation((4, 5, 6))[:2])
    return [
        _case(rng, (2, H, W), (H, W), (2, 3), outs=(3, 2)),
        _case(rng, (3, H, W // 2 * 2 + 1), (1, 1), (1, 2), outs=(3, 2)),  # the last column is looked at
        _case(rng, (1, H, W + 2), (H, 2), (1, 1), outs=(4, 1)),
        _case(rng, (2, H // 2 * 2 + 3, W), (2, W), (2, 1), outs=(2,)),  # a row is left over
    ]


def _hidden_single(rng: np.random.Generator) -> list[Case]:
    case = _case(rng, (3, 6, int(rng.integers(7, 10))), (2, 3), (2, 1), outs=(5, 2), dtype=np.float32)
    image, *others = case.arguments
    return [
        Case(case.name, (np.asfortranarray(image), *others)),
        _case(rng, (2, 7, 5), (3, 2), (1, 2), outs=(1,), dtype=np.float32),
    ]


_half_hidden = partial(Check, points=0.5, hidden=True)
_half_visible = partial(Check, points=0.5, hidden=False)

SCAN_2D = Exercise(
    id="a1.scan_2d",
    title="Find the flower",
    functions=(Function("scan_2d", ("image", "layers", "size", "stride"), scan_2d, assemble=assemble),),
    points=4,
    checks=(
        _half_visible("The example above", cases=_example),
        _half_visible("One place for each full window, stride 1", cases=_every_place),
        _half_visible("Strides, different in the two directions", cases=_strides),
        _half_hidden("Other sizes, stride 1", cases=_hidden_sizes),
        _half_hidden("Strides after which rows or columns are left over", cases=_hidden_strides),
        _half_hidden("Two or three layers, several outputs", cases=_hidden_depth),
        _half_hidden("A single window, a single pixel, a single row or column of windows", cases=_hidden_edges),
        _half_hidden("Pictures in float32, stored in another order", cases=_hidden_single),
    ),
    mistakes=MISTAKES,
)
