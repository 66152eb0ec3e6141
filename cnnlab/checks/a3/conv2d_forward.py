"""Exercise 10, the layer, forward: samples, channels, filters and padding, and no loop over them (D31, D36, D46)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a3.conv_cases import conv_case, named_case
from cnnlab.checks.a3.mistakes_conv2d_forward import MISTAKES, assemble
from cnnlab.checks.model import Case, Check, Exercise, Function

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]


def conv2d_forward(x: Array, w: Array, b: Array, stride: Pair, padding: Pair) -> Array:
    """Return what a convolution layer makes of a batch of images.

    Parameters
    ----------
    x
        Images, shape (N, C_in, H, W).
    w, b
        Filters, shape (C_out, C_in, K_H, K_W), and one bias for each.
    stride
        Rows and columns from one window to the next.
    padding
        Rows of zeros above and below, columns of zeros to the left and to the right.

    Returns
    -------
    numpy.ndarray
        Shape (N, C_out, H_out, W_out). Source: rows D31 and D46.
    """
    (N, C_in, H, W), (C_out, _, K_H, K_W), (S_H, S_W), (P_H, P_W) = x.shape, w.shape, stride, padding
    padded = np.zeros((N, C_in, H + 2 * P_H, W + 2 * P_W), dtype=x.dtype)
    padded[:, :, P_H : P_H + H, P_W : P_W + W] = x
    tops = range(0, H + 2 * P_H - K_H + 1, S_H)
    lefts = range(0, W + 2 * P_W - K_W + 1, S_W)
    rows = w.reshape(C_out, C_in * K_H * K_W)
    y = np.zeros((N, C_out, len(tops), len(lefts)), dtype=x.dtype)
    for p, top in enumerate(tops):
        for q, left in enumerate(lefts):
            windows = padded[:, :, top : top + K_H, left : left + K_W].reshape(N, -1)  # (N, C_in * K_H * K_W)
            y[:, :, p, q] = windows @ rows.T + b
    return y


_case = partial(conv_case, padding=(0, 0))


def _example(rng: np.random.Generator) -> list[Case]:
    x = np.array([[[[1.0, 2, 0, 1], [0, 1, 3, 0], [2, 0, 1, 2]]]])
    w = np.array([[[[1.0, 2], [3, -1]]]])
    return [named_case(x, w, np.array([-1.0]), (2, 2), (1, 0))]


def _channels(rng: np.random.Generator) -> list[Case]:
    return [
        _case(rng, 1, (2, 3), (2, 2), (2, 4)),
        _case(rng, 2, (3, 3), (2, 2), (3, 2)),
        _case(rng, 2, (2, 4), (3, 3), (2, 4)),
        _case(rng, 3, (3, 2), (2, 3), (4, 2)),
        _case(rng, 1, (1, 2), (1, 2), (4, 2)),
    ]


def _strides(rng: np.random.Generator) -> list[Case]:
    return [
        _case(rng, 1, (1, 1), (2, 2), (2, 3), stride=(2, 2), bias=False),
        _case(rng, 1, (2, 2), (3, 2), (3, 2), stride=(2, 1), rest=(1, 0), bias=False),
        _case(rng, 2, (1, 2), (2, 3), (2, 3), stride=(1, 3), rest=(0, 2), bias=False),
        _case(rng, 1, (2, 3), (2, 2), (2, 4), stride=(3, 2), rest=(2, 1), bias=False),
    ]


def _paddings(rng: np.random.Generator) -> list[Case]:
    return [
        conv_case(rng, 1, (1, 2), (3, 3), (4, 5), padding=(1, 1)),
        conv_case(rng, 2, (2, 3), (2, 2), (6, 4), padding=(2, 1)),
        conv_case(rng, 2, (2, 1), (3, 2), (4, 6), padding=(0, 2)),
        conv_case(rng, 3, (1, 2), (2, 3), (5, 3), padding=(1, 0)),
    ]


def _together(rng: np.random.Generator) -> list[Case]:
    return [
        conv_case(rng, 2, (2, 3), (3, 2), (3, 4), stride=(2, 1), rest=(1, 0), padding=(1, 2)),
        conv_case(rng, 2, (3, 2), (2, 4), (4, 3), stride=(1, 3), rest=(0, 2), padding=(2, 1)),
    ]


# The biases are 0 where strides are tried: who forgot them has earned what strides are worth.
# What a wrong answer earns must not hang on the seed: the seed draws numbers and how large answers are, but which side
# is longer, and how much is left over, is fixed.


def _hidden_sizes(rng: np.random.Generator) -> list[Case]:
    more = int(rng.integers(3))
    return [
        _case(rng, 2, (3, 3), (3, 3), (2 + more, 4 + more)),
        _case(rng, 3, (2, 4), (2, 3), (5 + more, 4)),
        _case(rng, 2, (4, 3), (4, 2), (3, 5 + more)),
        _case(rng, 1, (2, 5), (3, 2), (6 + more, 2)),
        _case(rng, 1, (2, 3), (2, 3), (2, 6 + more)),
    ]


def _hidden_strides(rng: np.random.Generator) -> list[Case]:
    more = int(rng.integers(3))
    return [
        _case(rng, 2, (2, 3), (3, 2), (2 + more, 3 + more), stride=(2, 3), rest=(1, 2), bias=False),
        _case(rng, 1, (3, 2), (2, 3), (4 + more, 2 + more), stride=(3, 1), rest=(1, 0), bias=False),
        _case(rng, 2, (2, 2), (2, 2), (3 + more, 2 + more), stride=(1, 2), rest=(0, 1), bias=False),
        _case(rng, 1, (1, 2), (2, 2), (2 + more, 3 + more), stride=(3, 4), rest=(0, 3), bias=False),
    ]


def _hidden_paddings(rng: np.random.Generator) -> list[Case]:
    more = int(rng.integers(3))
    return [
        conv_case(rng, 2, (2, 3), (3, 3), (6 + more, 4 + more), padding=(1, 1)),
        conv_case(rng, 2, (3, 2), (2, 3), (7 + more, 5 + more), padding=(2, 1)),
        conv_case(rng, 3, (1, 2), (3, 2), (4 + more, 8 + more), padding=(0, 2)),
        conv_case(rng, 2, (2, 2), (3, 2), (6 + more, 5 + more), stride=(3, 2), rest=(1, 1), padding=(1, 2)),
        conv_case(rng, 2, (1, 3), (2, 3), (5 + more, 4 + more), stride=(2, 3), rest=(0, 2), padding=(2, 0)),
    ]


def _hidden_edges(rng: np.random.Generator) -> list[Case]:
    K, P = (int(n) for n in rng.integers((2, 3), (4, 6)))
    return [
        _case(rng, 2, (2, 3), (K, K + 1), (1, 1)),
        _case(rng, 2, (3, 2), (1, 1), (P, P + 1), stride=(2, 2), rest=(1, 0)),
        conv_case(rng, 1, (1, 1), (1, 3), (1, P + 2), stride=(2, 1), rest=(1, 0), padding=(0, 1)),
        conv_case(rng, 1, (2, 2), (3, 5), (1, 2), padding=(1, 2)),
    ]


def _hidden_single(rng: np.random.Generator) -> list[Case]:
    P = int(rng.integers(3, 6))
    case = conv_case(rng, 2, (3, 4), (2, 3), (P, P + 2), stride=(2, 1), rest=(1, 0), padding=(0, 1), dtype=np.float32)
    x, w, *others = case.arguments
    return [
        Case(case.name, (np.asfortranarray(x), np.asfortranarray(w), *others)),
        conv_case(rng, 1, (2, 2), (2, 2), (P + 1, P), padding=(1, 0), dtype=np.float32),
    ]


def _hidden_large(rng: np.random.Generator) -> list[Case]:
    """Make a case of 38 million multiply-adds and 7,800 outputs.

    Loops over the taps take some hundredths of a second, a loop over the places or one over all outputs takes less than
    a tenth of the time allowed. A loop over every single product takes several times what a grader waits, on a fast
    machine too, and so does one over the channels of every output.
    """
    C_in = 2 * int(rng.integers(158, 163))
    return [conv_case(rng, 2, (C_in, 18), (5, 3), (12, 18), padding=(2, 1))]


_half = partial(Check, points=0.5)
_one = partial(Check, points=1.0)

CONV2D_FORWARD = Exercise(
    id="a3.conv2d_forward",
    title="The layer, forward",
    functions=(Function("conv2d_forward", ("x", "w", "b", "stride", "padding"), conv2d_forward, assemble=assemble),),
    points=8,
    checks=(
        _half("The example above", hidden=False, cases=_example),
        _half("Several channels, filters and samples", hidden=False, cases=_channels),
        _half("Strides, with something left over; biases 0", hidden=False, cases=_strides),
        _one("Padding, stride 1", hidden=False, cases=_paddings),
        _half("Strides and padding together", hidden=False, cases=_together),
        _one("Other sizes, no padding", hidden=True, cases=_hidden_sizes),
        _one("Other strides, no padding; biases 0", hidden=True, cases=_hidden_strides),
        _one("Other paddings, with and without strides", hidden=True, cases=_hidden_paddings),
        _one("A kernel as large as the image, one of 1 × 1, a single row", hidden=True, cases=_hidden_edges),
        _half("Images in float32, stored in another order", hidden=True, cases=_hidden_single),
        # The last: after a call that takes too long the function is not asked again.
        _half("A batch with many channels, without loops over them", hidden=True, cases=_hidden_large),
    ),
    mistakes=MISTAKES,
    seconds=1.0,
)
