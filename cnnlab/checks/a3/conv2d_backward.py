"""Exercise 11, the layer backward: three gradients, each a sum over edges (rows D15 and D28 to D31)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a1.inputs import numbers
from cnnlab.checks.a3.mistakes_conv2d_backward import MISTAKES
from cnnlab.checks.a3.three_gradients import assemble
from cnnlab.checks.model import Case, Check, Exercise, Function

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]


def conv2d_backward(dy: Array, x: Array, w: Array, stride: Pair, padding: Pair) -> tuple[Array, Array, Array]:
    """Return the gradients of a convolution layer.

    Parameters
    ----------
    dy
        Gradient with respect to the layer's output, shape (N, C_out, P_H, P_W).
    x, w
        What the layer was given, shapes (N, C_in, H, W) and (C_out, C_in, K_H, K_W).
    stride, padding
        Rows and columns from one window to the next; rows and columns of zeros at each side.

    Returns
    -------
    dx, dw, db : numpy.ndarray
        In the shapes of x, w and (C_out,). Source: the chain rule along each edge ``y[p] += x[S p + k] w[k]``.
    """
    N, _, H, W = x.shape
    C_out, _, K_H, K_W = w.shape
    top, left = padding
    padded = np.zeros((N, x.shape[1], H + 2 * top, W + 2 * left), dtype=x.dtype)
    padded[:, :, top : top + H, left : left + W] = x
    d_padded, dw, db = np.zeros_like(padded), np.zeros(w.shape, w.dtype), np.zeros(C_out, w.dtype)
    for n, o, p, q in np.ndindex(*dy.shape):
        rows = slice(p * stride[0], p * stride[0] + K_H)
        columns = slice(q * stride[1], q * stride[1] + K_W)
        db[o] += dy[n, o, p, q]
        dw[o] += dy[n, o, p, q] * padded[n, :, rows, columns]
        d_padded[n, :, rows, columns] += dy[n, o, p, q] * w[o]
    return d_padded[:, :, top : top + H, left : left + W].copy(), dw, db


def _case(
    rng: np.random.Generator,
    N: int,
    channels: Pair,
    kernel: Pair,
    out: Sequence[int],
    *,
    stride: Pair = (1, 1),
    rest: Pair = (0, 0),
    padding: Pair = (0, 0),
    dtype: Any = np.float64,
) -> Case:
    """Make a case from the size of `dy`; `rest` rows and columns are left over behind the last window."""
    C_in, C_out = channels
    H, W = ((o - 1) * s + k + r - 2 * p for o, s, k, r, p in zip(out, stride, kernel, rest, padding, strict=True))
    shapes = ((N, C_out, *out), (N, C_in, H, W), (C_out, C_in, *kernel))
    name = (
        f"{_count(N, 'sample')}, {_count(C_in, 'channel')} of {H} × {W}, "
        f"{_count(C_out, 'filter')} of {kernel[0]} × {kernel[1]}, stride {stride}, padding {padding}"
    )
    return Case(name, (*(numbers(rng, shape, dtype) for shape in shapes), stride, padding))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def _of(result: str, cases: Sequence[Case]) -> list[Case]:
    return [replace(case, result=result) for case in cases]


def _example() -> Case:
    dy = np.array([[[[1.0, 0.0], [-1.0, 2.0]]]])
    x = np.array([[[[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]]])
    w = np.array([[[[1.0, 2.0], [0.0, -1.0]]]])
    return Case("the example above", (dy, x, w, (1, 1), (0, 0)))


def _plain(rng: np.random.Generator) -> list[Case]:
    return [
        _example(),
        # As many channels as filters: exchanged axes fit and give wrong numbers.
        _case(rng, 1, (2, 2), (3, 2), (2, 4)),
        _case(rng, 2, (2, 3), (3, 2), (2, 4)),
        _case(rng, 3, (3, 2), (2, 3), (4, 2)),
    ]


def _strided(rng: np.random.Generator) -> list[Case]:
    return [
        # The smallest first, for that is the one that is shown: with these rests, exchanged strides fit in too.
        _case(rng, 1, (2, 3), (2, 4), (2, 2), stride=(2, 3), rest=(1, 1)),
        _case(rng, 3, (3, 2), (4, 2), (2, 2), stride=(3, 2), rest=(2, 1)),
        _case(rng, 3, (2, 3), (3, 2), (3, 4), stride=(2, 1)),
    ]


def _padded(rng: np.random.Generator) -> list[Case]:
    return [
        # With this rest, exchanged paddings fit in too.
        _case(rng, 2, (2, 3), (3, 2), (2, 3), stride=(3, 1), rest=(2, 0), padding=(1, 0)),
        _case(rng, 3, (2, 3), (3, 2), (5, 3), padding=(1, 0)),
        _case(rng, 3, (3, 2), (2, 3), (4, 3), padding=(0, 1)),
        _case(rng, 3, (2, 3), (5, 3), (3, 4), padding=(2, 1)),
        # Where too little padding cuts the last window short, two columns are left: a single one would be broadcast,
        # and the answer would differ from that of the known mistake.
        _case(rng, 4, (3, 2), (2, 4), (3, 3), stride=(2, 2), rest=(1, 0), padding=(1, 2)),
    ]


# What a wrong answer earns must not hang on the seed: the seed draws numbers and sizes, nothing else.


def _drawn(rng: np.random.Generator) -> tuple[int, Pair, Pair, Pair]:
    """Return samples, channels, kernel and size of the output: two different numbers in each pair."""
    C_in, C_out = (int(n) for n in rng.permutation((2, 3, 4))[:2])
    # Ordered alike, so that the picture is not square either.
    kernel, out = (sorted(int(n) for n in rng.permutation((2, 3, 4))[:2]) for _ in range(2))
    turn = slice(None, None, int(rng.choice((1, -1))))
    K_H, K_W = kernel[turn]
    P_H, P_W = out[turn]
    return int(rng.integers(2, 4)), (C_in, C_out), (K_H, K_W), (P_H, P_W)


def _hidden_plain(rng: np.random.Generator) -> list[Case]:
    N, channels, kernel, out = _drawn(rng)
    H, W = sorted(int(n) for n in rng.permutation((3, 4, 5))[:2])
    return [
        _case(rng, *_drawn(rng)),
        _case(rng, N, channels, kernel, out, dtype=np.float32),
        _case(rng, 2, (2, 3), (1, 1), (H, W)),  # a kernel of one pixel
        _case(rng, 3, (3, 2), (H, W), (1, 2)),  # a kernel as high as the picture
        _case(rng, 2, (2, 3), (W, H), (3, 1)),  # and one as wide
    ]


def _hidden_strided(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for stride, out in (((1, 2), (2, 3)), ((2, 3), (2, 3)), ((3, 2), (3, 2))):
        N, channels, kernel, _ = _drawn(rng)
        rest = (stride[0] - 1, stride[1] - 1)
        cases.append(_case(rng, N, channels, kernel, out, stride=stride, rest=rest))
    N, channels, _, _ = _drawn(rng)
    out = (2, int(rng.integers(3, 5)))
    # Steps wider than the kernel: some pixels lie in no window.
    return [*cases, _case(rng, N, channels, (1, 2), out, stride=(2, 3), dtype=np.float32)]


def _hidden_padded(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for padding in ((1, 0), (0, 1), (1, 2)):
        N, channels, _, _ = _drawn(rng)
        more = int(rng.integers(1, 3))
        kernel = (2 * padding[0] + more, 2 * padding[1] + more)
        out = tuple(int(n) for n in rng.permutation((3, 4)))
        cases.append(_case(rng, N, channels, kernel, out, padding=padding))
    N, channels, _, _ = _drawn(rng)
    return [
        *cases,
        _case(rng, N, channels, (2, 3), (3, 4), stride=(2, 3), rest=(1, 2), padding=(2, 1)),
        # More zeros than the kernel is large, and than the picture.
        _case(rng, N, channels, (2, 1), (7, 8), padding=(2, 3)),
        _case(rng, N, channels, (2, 3), (6, 4), padding=(3, 2)),
    ]


def _some_of_each(rng: np.random.Generator) -> list[Case]:
    return [*_hidden_plain(rng)[:2], _hidden_strided(rng)[1], _hidden_padded(rng)[0]]


_half = partial(Check, points=0.5)
_one = partial(Check, points=1.0)

CONV2D_BACKWARD = Exercise(
    id="a3.conv2d_backward",
    title="The layer, backward",
    functions=(
        Function(
            "conv2d_backward",
            ("dy", "x", "w", "stride", "padding"),
            conv2d_backward,
            results=("dx", "dw", "db"),
            assemble=assemble,
        ),
    ),
    points=11,
    checks=(
        _half("db: the example above, and batches", hidden=False, cases=lambda rng: _of("db", _plain(rng))),
        _one("dw: the example above, and batches", hidden=False, cases=lambda rng: _of("dw", _plain(rng))),
        _one(
            "dw: strides and padding",
            hidden=False,
            cases=lambda rng: _of("dw", [*_strided(rng), *_padded(rng)]),
        ),
        _one("dx: the example above, and batches", hidden=False, cases=lambda rng: _of("dx", _plain(rng))),
        _one("dx: strides, without padding", hidden=False, cases=lambda rng: _of("dx", _strided(rng))),
        _one("dx: padding", hidden=False, cases=lambda rng: _of("dx", _padded(rng))),
        _half("db: other sizes", hidden=True, cases=lambda rng: _of("db", _some_of_each(rng))),
        _one("dw: other sizes, stride 1", hidden=True, cases=lambda rng: _of("dw", _hidden_plain(rng))),
        _one(
            "dw: other strides and padding, rows and columns left over",
            hidden=True,
            cases=lambda rng: _of("dw", [*_hidden_strided(rng), *_hidden_padded(rng)]),
        ),
        _one("dx: other sizes, stride 1", hidden=True, cases=lambda rng: _of("dx", _hidden_plain(rng))),
        _one(
            "dx: other strides, rows and columns left over",
            hidden=True,
            cases=lambda rng: _of("dx", _hidden_strided(rng)),
        ),
        _one("dx: other padding, with strides too", hidden=True, cases=lambda rng: _of("dx", _hidden_padded(rng))),
    ),
    mistakes=MISTAKES,
)
