"""Exercise 12, stacking: two layers with nothing between are one (rows D32 and D33)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a1.inputs import numbers
from cnnlab.checks.a3.mistakes_compose_kernels import MISTAKES, assemble_biases, assemble_kernels
from cnnlab.checks.model import Case, Check, Exercise, Function

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]


def compose_kernels(k1: Array, k2: Array) -> Array:
    """Return the kernel of the one layer that does the work of two, first `k1` and then `k2`.

    Parameters
    ----------
    k1, k2
        Kernels as a layer uses them (cross-correlation), shapes (C_mid, C_in, K_H, K_W) and (C_out, C_mid, L_H, L_W).

    Returns
    -------
    numpy.ndarray
        Shape (C_out, C_in, K_H + L_H - 1, K_W + L_W - 1). Source: the sum over all paths, tap v of `k2` and then tap u
        of `k1`, that end at tap u + v.
    """
    C_mid, C_in, K_H, K_W = k1.shape
    C_out, _, L_H, L_W = k2.shape
    w = np.zeros((C_out, C_in, K_H + L_H - 1, K_W + L_W - 1), dtype=k1.dtype)
    for o, c, m in np.ndindex(C_out, C_in, C_mid):
        for i, j in np.ndindex(L_H, L_W):
            w[o, c, i : i + K_H, j : j + K_W] += k2[o, m, i, j] * k1[m, c]
    return w


def compose_biases(b1: Array, k2: Array, b2: Array) -> Array:
    """Return the biases of that one layer.

    Parameters
    ----------
    b1
        Biases of the first layer, shape (C_mid,).
    k2, b2
        Kernel and biases of the second.

    Returns
    -------
    numpy.ndarray
        Shape (C_out,): each tap of `k2` reads `b1` once.
    """
    b = b2.copy()
    for o, m, i, j in np.ndindex(*k2.shape):
        b[o] += k2[o, m, i, j] * b1[m]
    return b


def _kernels(
    rng: np.random.Generator, channels: tuple[int, int, int], first: Pair, second: Pair, dtype: Any = np.float64
) -> Case:
    """Make a case; `channels` are those of the picture, between the layers, and of the answer."""
    C_in, C_mid, C_out = channels
    name = f"{first[0]} × {first[1]}, then {second[0]} × {second[1]}; channels {C_in}, then {C_mid}, then {C_out}"
    return Case(name, (numbers(rng, (C_mid, C_in, *first), dtype), numbers(rng, (C_out, C_mid, *second), dtype)))


def _biases(rng: np.random.Generator, channels: Pair, second: Pair, dtype: Any = np.float64) -> Case:
    C_mid, C_out = channels
    shapes = ((C_mid,), (C_out, C_mid, *second), (C_out,))
    name = f"channels {C_mid}, then {C_out}; second kernel {second[0]} × {second[1]}"
    return Case(name, tuple(numbers(rng, shape, dtype) for shape in shapes), "compose_biases")


def _example(rng: np.random.Generator) -> list[Case]:
    return [
        Case("the example above", (np.array([[[[1.0, 2.0, 0.0]]]]), np.array([[[[3.0, -1.0]]]]))),
        _kernels(rng, (1, 1, 1), (2, 3), (3, 2)),
        _kernels(rng, (1, 1, 1), (3, 4), (2, 2)),
        _kernels(rng, (1, 1, 1), (2, 2), (3, 4)),
    ]


def _channels(rng: np.random.Generator) -> list[Case]:
    return [
        # Equal numbers of channels: exchanged axes fit and give wrong numbers.
        _kernels(rng, (2, 2, 2), (2, 3), (3, 2)),
        _kernels(rng, (2, 3, 4), (3, 2), (2, 4)),
        _kernels(rng, (3, 4, 2), (2, 2), (2, 3)),
    ]


def _some_biases(rng: np.random.Generator) -> list[Case]:
    given = (np.array([2.0]), np.array([[[[3.0, -1.0]]]]), np.array([0.5]))
    return [
        Case("the example above", given, "compose_biases"),
        _biases(rng, (2, 2), (2, 3)),
        _biases(rng, (3, 2), (3, 2)),
        _biases(rng, (2, 4), (2, 3)),
    ]


# What a wrong answer earns must not hang on the seed: the seed draws numbers and sizes, nothing else.


def _two(rng: np.random.Generator) -> Pair:
    one, other = (int(n) for n in rng.permutation((2, 3, 4))[:2])
    return one, other


def _three(rng: np.random.Generator) -> tuple[int, int, int]:
    one, other, third = (int(n) for n in rng.permutation((2, 3, 4)))
    return one, other, third


def _hidden_single(rng: np.random.Generator) -> list[Case]:
    return [_kernels(rng, (1, 1, 1), _two(rng), _two(rng)) for _ in range(3)]


def _hidden_channels(rng: np.random.Generator) -> list[Case]:
    equal = int(rng.integers(2, 4))
    return [
        _kernels(rng, (equal, equal, equal), _two(rng), _two(rng)),
        *(_kernels(rng, _three(rng), _two(rng), _two(rng)) for _ in range(3)),
    ]


def _hidden_edges(rng: np.random.Generator) -> list[Case]:
    return [
        _kernels(rng, _three(rng), (1, 1), _two(rng)),
        _kernels(rng, _three(rng), _two(rng), (1, 1)),
        _kernels(rng, _three(rng), (1, 3), (4, 1)),
        _kernels(rng, _three(rng), _two(rng), _two(rng), np.float32),
    ]


def _hidden_biases(rng: np.random.Generator) -> list[Case]:
    equal = int(rng.integers(2, 4))
    return [
        _biases(rng, (equal, equal), _two(rng)),
        _biases(rng, _two(rng), _two(rng)),
        _biases(rng, _two(rng), (1, 1)),
        _biases(rng, _two(rng), _two(rng), np.float32),
    ]


_visible = partial(Check, points=0.5, hidden=False)
_hidden = partial(Check, points=0.5, hidden=True)

COMPOSE_KERNELS = Exercise(
    id="a3.compose_kernels",
    title="Two layers in one",
    functions=(
        Function("compose_kernels", ("k1", "k2"), compose_kernels, assemble=assemble_kernels),
        Function("compose_biases", ("b1", "k2", "b2"), compose_biases, assemble=assemble_biases),
    ),
    points=4,
    checks=(
        _visible("Kernels: the example above, and others with one channel", cases=_example),
        _visible("Kernels: several channels", cases=_channels),
        _visible("Biases: the example above, and others", cases=_some_biases),
        _hidden("Kernels: one channel, other sizes", cases=_hidden_single),
        Check("Kernels: several channels, other sizes", 1.0, hidden=True, cases=_hidden_channels),
        _hidden("Kernels: a single pixel, a row and a column, float32", cases=_hidden_edges),
        _hidden("Biases: other sizes", cases=_hidden_biases),
    ),
    mistakes=MISTAKES,
)
