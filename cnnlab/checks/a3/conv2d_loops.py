"""Exercise 8, what is a convolution: one filter, one window, one number, again and again (rows D25 to D31)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a3.conv_cases import conv_case, named_case
from cnnlab.checks.a3.mistakes_conv2d_loops import MISTAKES, assemble
from cnnlab.checks.model import Case, Check, Exercise, Function

Array = np.ndarray[Any, Any]


def conv2d_loops(x: Array, w: Array, b: Array, stride: tuple[int, int]) -> Array:
    """Return every filter's sum of products with every full window, plus its bias.

    Parameters
    ----------
    x
        Images, shape (N, C_in, H, W).
    w, b
        Filters, shape (C_out, C_in, K_H, K_W), and one bias for each.
    stride
        Rows and columns from one window to the next.

    Returns
    -------
    numpy.ndarray
        Shape (N, C_out, H_out, W_out). Source: rows D26 to D31.
    """
    (N, _, H, W), (C_out, _, K_H, K_W), (S_H, S_W) = x.shape, w.shape, stride
    tops, lefts = range(0, H - K_H + 1, S_H), range(0, W - K_W + 1, S_W)
    y = np.zeros((N, C_out, len(tops), len(lefts)), dtype=x.dtype)
    for n, o, p, q in np.ndindex(*y.shape):
        top, left = tops[p], lefts[q]
        window = x[n, :, top : top + K_H, left : left + K_W]  # (C_in, K_H, K_W)
        y[n, o, p, q] = np.sum(window * w[o]) + b[o]
    return y


def _example(rng: np.random.Generator) -> list[Case]:
    x = np.array([[[[1.0, 2, 0, 1], [0, 1, 3, 0], [2, 0, 1, 2]]]])
    w = np.array([[[[1.0, 2], [3, -1]]]])
    return [named_case(x, w, np.array([-1.0]), (1, 1))]


def _channels(rng: np.random.Generator) -> list[Case]:
    return [
        conv_case(rng, 1, (2, 3), (2, 2), (3, 5)),
        conv_case(rng, 2, (3, 3), (2, 2), (3, 2)),
        conv_case(rng, 2, (2, 4), (3, 3), (2, 4)),
        conv_case(rng, 3, (3, 2), (2, 2), (2, 3)),
    ]


def _not_square(rng: np.random.Generator) -> list[Case]:
    return [
        conv_case(rng, 1, (1, 2), (3, 2), (2, 5)),
        conv_case(rng, 2, (2, 1), (2, 3), (4, 2)),
        conv_case(rng, 1, (2, 2), (1, 3), (3, 2)),
        conv_case(rng, 1, (1, 2), (1, 2), (4, 2)),
    ]


def _strides(rng: np.random.Generator) -> list[Case]:
    return [
        conv_case(rng, 1, (1, 1), (2, 2), (2, 3), stride=(2, 2), bias=False),
        conv_case(rng, 1, (2, 2), (3, 2), (3, 2), stride=(2, 1), rest=(1, 0), bias=False),
        conv_case(rng, 2, (1, 2), (2, 3), (2, 3), stride=(1, 3), rest=(0, 2), bias=False),
        conv_case(rng, 1, (2, 3), (2, 2), (2, 4), stride=(3, 2), rest=(2, 1), bias=False),
    ]


# The biases are 0 where strides are tried: who forgot them has earned what strides are worth.
# What a wrong answer earns must not hang on the seed: the seed draws numbers and how large answers are, but which side
# is longer, and how much is left over, is fixed.


def _hidden_sizes(rng: np.random.Generator) -> list[Case]:
    more = int(rng.integers(3))
    return [
        conv_case(rng, 2, (3, 3), (3, 3), (2 + more, 4 + more)),
        conv_case(rng, 3, (2, 4), (2, 3), (5 + more, 4)),
        conv_case(rng, 2, (4, 3), (4, 2), (3, 5 + more)),
        conv_case(rng, 1, (2, 5), (3, 2), (6 + more, 2)),
        conv_case(rng, 1, (2, 3), (2, 3), (2, 6 + more)),
    ]


def _hidden_strides(rng: np.random.Generator) -> list[Case]:
    more = int(rng.integers(3))
    return [
        conv_case(rng, 2, (2, 3), (3, 2), (2 + more, 3 + more), stride=(2, 3), rest=(1, 2), bias=False),
        conv_case(rng, 1, (3, 2), (2, 3), (4 + more, 2 + more), stride=(3, 1), rest=(1, 0), bias=False),
        conv_case(rng, 2, (2, 2), (2, 2), (3 + more, 2 + more), stride=(1, 2), rest=(0, 1), bias=False),
        conv_case(rng, 1, (1, 2), (2, 2), (2 + more, 3 + more), stride=(3, 4), rest=(0, 3), bias=False),
    ]


def _hidden_edges(rng: np.random.Generator) -> list[Case]:
    K, P = (int(n) for n in rng.integers((2, 3), (4, 6)))
    return [
        conv_case(rng, 2, (2, 3), (K, K + 1), (1, 1)),
        conv_case(rng, 2, (3, 2), (1, 1), (P, P + 1), stride=(2, 2), rest=(1, 0)),
        conv_case(rng, 1, (1, 1), (1, K), (1, P), stride=(2, 1), rest=(1, 0)),
        conv_case(rng, 1, (1, 1), (K, 1), (P, 1), stride=(1, 3), rest=(0, 2)),
    ]


def _hidden_single(rng: np.random.Generator) -> list[Case]:
    P = int(rng.integers(2, 5))
    case = conv_case(rng, 2, (3, 4), (2, 3), (P, P + 1), stride=(2, 1), rest=(1, 0), dtype=np.float32)
    x, w, *others = case.arguments
    return [
        Case(case.name, (np.asfortranarray(x), np.asfortranarray(w), *others)),
        conv_case(rng, 1, (2, 2), (2, 2), (P + 1, P), dtype=np.float32),
    ]


_visible = partial(Check, points=0.5, hidden=False)
_hidden = partial(Check, points=0.5, hidden=True)

CONV2D_LOOPS = Exercise(
    id="a3.conv2d_loops",
    title="What is a convolution",
    functions=(Function("conv2d_loops", ("x", "w", "b", "stride"), conv2d_loops, assemble=assemble),),
    points=4,
    checks=(
        _visible("The example above", cases=_example),
        _visible("Several channels, filters and samples, stride 1", cases=_channels),
        _visible("Images and kernels that are not square", cases=_not_square),
        _visible("Strides, rows and columns apart, with something left over; biases 0", cases=_strides),
        _hidden("Other sizes, stride 1", cases=_hidden_sizes),
        _hidden("Other strides, with something left over; biases 0", cases=_hidden_strides),
        _hidden("A kernel as large as the image, one of 1 × 1, one row, one column", cases=_hidden_edges),
        _hidden("Images in float32, stored in another order", cases=_hidden_single),
    ),
    mistakes=MISTAKES,
)
