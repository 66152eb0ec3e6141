"""Exercise 14, pooling: one number for each window, and the gradient back to it (rows D51–D53)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a1.inputs import numbers
from cnnlab.checks.a4.mistakes_pool2d import MISTAKES
from cnnlab.checks.a4.pooling import assemble_backward, assemble_forward
from cnnlab.checks.model import Case, Check, Exercise, Function

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]


def pool2d_forward(x: Array, kernel: Pair, stride: Pair, padding: Pair, how: str) -> Array:
    """Return the maximum or the mean of each window.

    Parameters
    ----------
    x
        Shape (N, C, H, W).
    kernel, stride, padding
        Rows and columns; the padding is at most half the kernel.
    how
        "max": the padding takes no part. "avg": the padding counts, with zeros.

    Returns
    -------
    numpy.ndarray
        Shape (N, C, H', W'). Source: rows D51–D53.
    """
    (K_H, K_W), (S_H, S_W), (P_H, P_W) = kernel, stride, padding
    H, W = x.shape[2:]
    out = ((H + 2 * P_H - K_H) // S_H + 1, (W + 2 * P_W - K_W) // S_W + 1)
    y = np.zeros((*x.shape[:2], *out), dtype=x.dtype)
    for n, c, p, q in np.ndindex(*y.shape):
        values = [x[n, c, row, column] for row, column in _cells(x, (p, q), kernel, stride, padding)]
        y[n, c, p, q] = max(values) if how == "max" else sum(values) / (K_H * K_W)
    return y


def pool2d_backward(  # noqa: PLR0917  the student's signature
    dy: Array, x: Array, kernel: Pair, stride: Pair, padding: Pair, how: str
) -> Array:
    """Return the gradient of the loss with respect to `x`.

    Parameters
    ----------
    dy
        Gradient with respect to what `pool2d_forward` returned, shape (N, C, H', W').
    x, kernel, stride, padding, how
        As there. Of several equal maxima the first in row-major order gets the gradient.

    Returns
    -------
    numpy.ndarray
        Shape of `x`.
    """
    dx = np.zeros_like(x)
    for n, c, p, q in np.ndindex(*dy.shape):
        cells = list(_cells(x, (p, q), kernel, stride, padding))
        if how == "max":
            winner = cells[0]
            for cell in cells:
                if x[(n, c, *cell)] > x[(n, c, *winner)]:
                    winner = cell
            dx[(n, c, *winner)] += dy[n, c, p, q]
        else:
            for cell in cells:
                dx[(n, c, *cell)] += dy[n, c, p, q] / (kernel[0] * kernel[1])
    return dx


def _cells(x: Array, position: Pair, kernel: Pair, stride: Pair, padding: Pair) -> Iterator[Pair]:
    """Yield the cells of one window that lie on the map, row by row."""
    for u, v in np.ndindex(*kernel):
        row = position[0] * stride[0] + u - padding[0]
        column = position[1] * stride[1] + v - padding[1]
        if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
            yield row, column


def _forward(x: Array, kernel: Pair, stride: Pair, how: str, padding: Pair = (0, 0)) -> Case:
    return Case(_describe(x, kernel, stride, padding, how), (x, kernel, stride, padding, how), "pool2d_forward")


def _backward(  # noqa: PLR0917  in the order of the exercise
    rng: np.random.Generator, x: Array, kernel: Pair, stride: Pair, how: str, padding: Pair = (0, 0)
) -> Case:
    out = [(n + 2 * P - K) // S + 1 for n, P, K, S in zip(x.shape[2:], padding, kernel, stride, strict=True)]
    dy = _upstream(rng, (*x.shape[:2], *out), x.dtype)
    return Case(_describe(x, kernel, stride, padding, how), (dy, x, kernel, stride, padding, how), "pool2d_backward")


def _upstream(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return gradients none of which is near 0 or 1: one that is lost, or taken for 1, must show."""
    dy = numbers(rng, shape, dtype)
    return np.asarray(dy + np.where(dy < 0, -2, 2).astype(dtype))


def _describe(x: Array, kernel: Pair, stride: Pair, padding: Pair, how: str) -> str:
    N, C, H, W = x.shape
    return f"{how}, x {N}×{C}×{H}×{W}, kernel {kernel}, stride {stride}, padding {padding}"


def _distinct(rng: np.random.Generator, *shape: int, dtype: Any = np.float64) -> Array:
    """Return numbers in a random order, no two of them equal, half of them negative."""
    size = int(np.prod(shape))
    return np.asarray((rng.permutation(size).reshape(shape) - size // 2 + 0.25).astype(dtype) / 4)


def _negative(rng: np.random.Generator, *shape: int) -> Array:
    return _distinct(rng, *shape) - np.prod(shape)


_LEVELS = np.array([[0, 2, 2, 0, 1, 1], [2, 0, 1, 1, 0, 1], [1, 2, 2, 0, 2, 0], [2, 1, 0, 2, 2, 2], [0, 0, 0, 0, 0, 0]])


def _with_ties(rng: np.random.Generator, N: int, C: int) -> Array:
    """Return maps of three values, each of which stands several times; where, is fixed, but for a turn by half."""
    steps = np.round(rng.random((N, C, 3)) + 0.5, 2)
    values = np.cumsum(steps, axis=2) - 2.0
    x = np.zeros((N, C, *_LEVELS.shape))
    for n, c in np.ndindex(N, C):
        x[n, c] = values[n, c, _LEVELS if (n + c) % 2 == 0 else _LEVELS[::-1, ::-1]]
    return x


# Both windows have a tie, and both go to the same cell.
_EXAMPLE = np.array([[[[1.0, 3.0, 2.0], [3.0, 0.0, 3.0]]]])


def _grids(rng: np.random.Generator, how: str) -> list[Case]:
    """Windows that touch, overlap and leave gaps; cells are left over."""
    return [
        _forward(_EXAMPLE, (2, 2), (1, 1), how),
        _forward(_distinct(rng, 2, 1, 4, 5), (2, 2), (2, 2), how),
        _forward(_distinct(rng, 1, 2, 5, 4), (3, 2), (1, 2), how),
        _forward(_distinct(rng, 2, 2, 4, 7), (1, 3), (2, 2), how),
        _forward(_distinct(rng, 1, 2, 6, 7), (2, 1), (3, 2), how),
    ]


def _hidden_grids(rng: np.random.Generator, how: str) -> list[Case]:
    H, W = (int(n) for n in rng.integers((0, 0), (2, 2)))
    return [
        _forward(_distinct(rng, 2, 3, 6 + H, 9 + W), (3, 4), (3, 4), how),
        _forward(_distinct(rng, 3, 2, 6 + H, 6 + W), (3, 2), (2, 1), how),
        _forward(_distinct(rng, 1, 2, 5 + H, 8), (2, 3), (1, 3), how),
        _forward(_distinct(rng, 2, 1, 7, 5 + W), (1, 2), (2, 3), how),
        _forward(_distinct(rng, 2, 2, 4, 5).astype(np.float32), (2, 3), (1, 1), how),
    ]


def _padded(rng: np.random.Generator, how: str) -> list[Case]:
    return [
        _forward(_negative(rng, 1, 2, 3, 4), (2, 3), (2, 1), how, (1, 1)),
        _forward(_negative(rng, 2, 1, 4, 3), (4, 2), (1, 2), how, (2, 0)),
        _forward(_distinct(rng, 2, 2, 5, 6), (3, 4), (2, 3), how, (1, 2)),
    ]


def _hidden_padded(rng: np.random.Generator, how: str) -> list[Case]:
    H, W = (int(n) for n in rng.integers((0, 0), (2, 2)))
    return [
        _forward(_negative(rng, 2, 2, 4 + H, 5 + W), (3, 2), (2, 2), how, (1, 1)),
        _forward(_negative(rng, 1, 3, 5, 6 + W), (2, 4), (1, 3), how, (0, 2)),
        _forward(_distinct(rng, 3, 1, 6 + H, 4), (4, 3), (3, 1), how, (2, 1)),
    ]


def _back(rng: np.random.Generator, how: str) -> list[Case]:
    return [
        _backward(rng, _distinct(rng, 1, 2, 4, 5), (3, 2), (1, 1), how),
        _backward(rng, _distinct(rng, 2, 1, 6, 7), (2, 3), (2, 1), how),
        _backward(rng, _distinct(rng, 2, 2, 5, 8), (2, 2), (3, 2), how),
        _backward(rng, _negative(rng, 1, 2, 5, 4), (2, 3), (2, 1), how, (0, 1)),
        _backward(rng, _negative(rng, 2, 1, 6, 5), (4, 2), (3, 2), how, (2, 0)),
    ]


# A check for ties alone, with windows that touch: who overwrites where windows overlap keeps these points.


def _ties(rng: np.random.Generator) -> list[Case]:
    return [
        _backward(rng, _with_ties(rng, 1, 2), (2, 2), (2, 2), "max"),
        _backward(rng, _with_ties(rng, 2, 1), (2, 3), (2, 3), "max"),
    ]


def _hidden_ties(rng: np.random.Generator) -> list[Case]:
    return [
        _backward(rng, _with_ties(rng, 2, int(rng.integers(2, 4))), (2, 2), (2, 2), "max"),
        _backward(rng, _with_ties(rng, 1, 2), (3, 2), (3, 2), "max"),
        _backward(rng, _with_ties(rng, 2, 2)[:, :, :4], (2, 3), (2, 3), "max"),
    ]


def _hidden_back(rng: np.random.Generator, how: str) -> list[Case]:
    H, W = (int(n) for n in rng.integers((0, 0), (2, 2)))
    return [
        _backward(rng, _distinct(rng, 2, 2, 6 + H, 7 + W), (3, 2), (1, 1), how),
        _backward(rng, _distinct(rng, 1, 3, 7, 8 + W), (3, 4), (2, 3), how),
        _backward(rng, _distinct(rng, 3, 1, 6 + H, 5), (2, 3), (2, 1), how),
    ]


def _hidden_apart(rng: np.random.Generator, how: str) -> list[Case]:
    H, W = (int(n) for n in rng.integers((0, 0), (2, 2)))
    return [
        _backward(rng, _distinct(rng, 2, 3, 6 + H, 9), (2, 3), (2, 3), how),
        _backward(rng, _distinct(rng, 3, 2, 7, 5 + W), (2, 1), (3, 2), how),
        _backward(rng, _distinct(rng, 1, 2, 5, 9, dtype=np.float32), (2, 4), (3, 4), how),
    ]


def _hidden_back_padded(rng: np.random.Generator, how: str) -> list[Case]:
    # No windows overlap: who overwrites there keeps these points.
    H, W = (int(n) for n in rng.integers((0, 0), (2, 2)))
    return [
        _backward(rng, _negative(rng, 2, 2, 4 + H, 5 + W), (3, 2), (3, 3), how, (1, 1)),
        _backward(rng, _negative(rng, 1, 3, 5, 7 + W), (2, 4), (2, 4), how, (0, 2)),
        _backward(rng, _distinct(rng, 3, 1, 6 + H, 5), (4, 3), (5, 3), how, (2, 1)),
        _backward(rng, _negative(rng, 2, 1, 5, 6), (4, 2), (4, 2), how, (2, 0)),
    ]


def _hidden_back_average(rng: np.random.Generator) -> list[Case]:
    return _hidden_apart(rng, "avg") + _hidden_back(rng, "avg")


_visible = partial(Check, points=0.5, hidden=False)
_hidden = partial(Check, points=0.5, hidden=True)


def _both(cases: Any) -> Any:
    return lambda rng: [case for how in ("max", "avg") for case in cases(rng, how)]


POOL2D = Exercise(
    id="a4.pool2d",
    title="Pooling, forward and backward",
    functions=(
        Function(
            "pool2d_forward", ("x", "kernel", "stride", "padding", "how"), pool2d_forward, assemble=assemble_forward
        ),
        Function(
            "pool2d_backward",
            ("dy", "x", "kernel", "stride", "padding", "how"),
            pool2d_backward,
            assemble=assemble_backward,
        ),
    ),
    points=8,
    checks=(
        _visible("Forward: max, the example above and others", cases=lambda rng: _grids(rng, "max")),
        _visible("Forward: average, the example above and others", cases=lambda rng: _grids(rng, "avg")),
        _visible("Forward: padding", cases=_both(_padded)),
        _visible("Backward: max", cases=lambda rng: _back(rng, "max")),
        _visible("Backward: ties", cases=_ties),
        _visible("Backward: average", cases=lambda rng: _back(rng, "avg")),
        _hidden("Forward: max, other sizes", cases=lambda rng: _hidden_grids(rng, "max")),
        _hidden("Forward: average, other sizes", cases=lambda rng: _hidden_grids(rng, "avg")),
        _hidden("Forward: max with padding, other sizes", cases=lambda rng: _hidden_padded(rng, "max")),
        _hidden("Forward: average with padding, other sizes", cases=lambda rng: _hidden_padded(rng, "avg")),
        _hidden("Backward: max, windows apart", cases=lambda rng: _hidden_apart(rng, "max")),
        _hidden("Backward: max, windows that overlap", cases=lambda rng: _hidden_back(rng, "max")),
        _hidden("Backward: max, padding, other sizes", cases=lambda rng: _hidden_back_padded(rng, "max")),
        _hidden("Backward: ties, other sizes", cases=_hidden_ties),
        _hidden(
            "Backward: average, other sizes", cases=lambda rng: _hidden_apart(rng, "avg") + _hidden_back(rng, "avg")
        ),
        _hidden("Backward: average, padding, other sizes", cases=lambda rng: _hidden_back_padded(rng, "avg")),
    ),
    mistakes=MISTAKES,
)
