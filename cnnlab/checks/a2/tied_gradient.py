"""Exercise 5, shared gradient: one weight at many edges, and a step that keeps its copies equal (rows D13 to D16)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a1.inputs import numbers
from cnnlab.checks.a2.mistakes_tied_gradient import MISTAKES
from cnnlab.checks.a2.tying import assemble_gradient, assemble_step
from cnnlab.checks.model import Case, Check, Exercise, Function

Array = np.ndarray[Any, Any]


def tied_gradient(dw_full: Array, ties: Array) -> Array:
    """Return the gradient of each shared weight: the sum over its edges, and over samples.

    Parameters
    ----------
    dw_full
        What each sample contributes to the derivative for each entry, shape (N, out, in), as if nothing were tied.
    ties
        For each entry the number of its weight, or -1 where there is no connection; shape (out, in).

    Returns
    -------
    numpy.ndarray
        Shape (ties.max() + 1,). Source: row D15.
    """
    gradient = np.zeros(ties.max() + 1, dtype=dw_full.dtype)
    for sample in dw_full:
        for place in np.ndindex(*ties.shape):
            if ties[place] >= 0:
                gradient[ties[place]] += sample[place]
    return gradient


def tied_step(w: Array, dw_full: Array, ties: Array, lr: float) -> tuple[Array, Array]:
    """Return the weights after one step of gradient descent, and the full matrix with all their copies.

    Parameters
    ----------
    w
        Shared weights, shape (ties.max() + 1,).
    dw_full, ties
        As in `tied_gradient`.
    lr
        Learning rate.

    Returns
    -------
    w_new : numpy.ndarray
        Shape of `w`.
    W_new : numpy.ndarray
        Shape of `ties`; 0 where there is no connection. Source: row D16.
    """
    w_new = w - lr * tied_gradient(dw_full, ties)
    W_new = np.zeros(ties.shape, dtype=w_new.dtype)
    for place in np.ndindex(*ties.shape):
        if ties[place] >= 0:
            W_new[place] = w_new[ties[place]]
    return w_new, W_new


# What a wrong answer earns must not hang on the seed: how many edges each weight has is fixed, the seed draws where
# they are, the numbers and the samples.


def _ties(rng: np.random.Generator, edges: tuple[int, ...], out: int) -> Array:
    """Return ties with so many edges: first those without a connection, then those of weight 0, and so on."""
    numbers_of_weights = np.repeat(np.arange(-1, len(edges) - 1), edges)
    return rng.permutation(numbers_of_weights).reshape(out, -1)


def scan_ties(channels: tuple[int, int], K: int, n: int, stride: int, padding: int) -> Array:
    """Return the ties of the giant matrix of a scan in one dimension; weights are numbered in C order of w."""
    C_out, C_in = channels
    P = (n + 2 * padding - K) // stride + 1
    ties = np.full((C_out, P, C_in, n), -1)
    for o, p, c, t in np.ndindex(C_out, P, C_in, K):
        i = p * stride + t - padding
        if 0 <= i < n:
            ties[o, p, c, i] = (o * C_in + c) * K + t
    return ties.reshape(C_out * P, C_in * n)


def _gradient(rng: np.random.Generator, N: int, ties: Array, dtype: Any = np.float64) -> Case:
    return Case(_describe(N, ties), (numbers(rng, (N, *ties.shape), dtype), ties))


def _step(
    rng: np.random.Generator, N: int, ties: Array, lr: float, *, result: str = "", dtype: Any = np.float64
) -> Case:
    w = numbers(rng, (int(ties.max()) + 1,), dtype)
    arguments = (w, numbers(rng, (N, *ties.shape), dtype), ties, lr)
    return Case(f"{_describe(N, ties)}, learning rate {lr:g}", arguments, "tied_step", result)


def _describe(N: int, ties: Array) -> str:
    weights, (out, inputs) = int(ties.max()) + 1, ties.shape
    return f"{N} sample{'s' * (N > 1)}, {weights} weights in a matrix of {out} × {inputs}"


_TIES = np.array([[0, 1, -1], [-1, 0, 1]])
_DW_FULL = np.array([[[1.0, 2.0, 5.0], [7.0, 3.0, 4.0]], [[0.0, 1.0, 1.0], [2.0, -1.0, 1.0]]])


def _example(rng: np.random.Generator) -> list[Case]:
    return [Case(_describe(2, _TIES), (_DW_FULL, _TIES))]


def _example_step(result: str) -> Case:
    name = f"The example above: {_describe(2, _TIES)}, learning rate 0.5"
    return Case(name, (np.array([1.0, 2.0]), _DW_FULL, _TIES, 0.5), "tied_step", result)


def _one_sample(rng: np.random.Generator) -> list[Case]:
    return [_gradient(rng, 1, _ties(rng, (2, 1, 3), 2)), _gradient(rng, 1, _ties(rng, (3, 2, 4, 1, 2), 3))]


def _samples(rng: np.random.Generator) -> list[Case]:
    return [_gradient(rng, 3, _ties(rng, (1, 2, 3), 2)), _gradient(rng, 2, _ties(rng, (2, 3, 1, 2), 4))]


# In the last two there is a weight without an edge: a tap that never leaves the padding.
def _scans(rng: np.random.Generator) -> list[Case]:
    return [
        _gradient(rng, 2, scan_ties((1, 1), 3, 5, 1, 1)),
        _gradient(rng, 2, scan_ties((2, 1), 2, 5, 2, 0)),
        _gradient(rng, 2, scan_ties((1, 2), 4, 2, 5, 1)),
        _gradient(rng, 3, _ties(rng, (3, 2, 0, 4, 3), 3)),
    ]


def _step_values(rng: np.random.Generator) -> list[Case]:
    step = partial(_step, rng, result="w_new")
    others = [step(1, _ties(rng, (2, 3, 4), 3), 0.5), step(3, scan_ties((1, 2), 2, 3, 1, 0), 0.1)]
    return [_example_step("w_new"), *others]


def _step_copies(rng: np.random.Generator) -> list[Case]:
    step = partial(_step, rng, result="W_new")
    ties = (_ties(rng, (2, 3, 4), 3), scan_ties((2, 1), 3, 4, 1, 1))
    return [_example_step("W_new"), *(step(2, each, lr) for each in ties for lr in (0.0, 0.25))]


def _hidden_ties(rng: np.random.Generator) -> list[Array]:
    each = tuple(rng.permutation([1, 2, 3, 4]).tolist())
    return [
        _ties(rng, (5, *each, 3), 3),
        _ties(rng, (4, *each, 2), int(rng.choice([2, 4, 8]))),
    ]


def _hidden_one_sample(rng: np.random.Generator) -> list[Case]:
    return [_gradient(rng, 1, ties) for ties in _hidden_ties(rng)]


def _hidden_samples(rng: np.random.Generator) -> list[Case]:
    single = _gradient(rng, 3, _hidden_ties(rng)[0], np.float32)
    dw_full, ties = single.arguments
    orders = [Case(single.name, (np.asfortranarray(dw_full), ties))]
    return [*(_gradient(rng, int(rng.integers(2, 6)), ties) for ties in _hidden_ties(rng)), *orders]


def _hidden_scans(rng: np.random.Generator) -> list[Case]:
    n = int(rng.integers(4, 8))
    return [
        _gradient(rng, 2, scan_ties((2, 3), 3, n, 1, 1)),
        _gradient(rng, 3, scan_ties((3, 2), 3, 2 * n + 1, 2, 2)),
        _gradient(rng, 2, scan_ties((2, 2), 5, 2, 6, 2)),
    ]


def _hidden_steps(rng: np.random.Generator, result: str, *, still: bool = False) -> list[Case]:
    n = int(rng.integers(4, 7))
    cases: list[Case] = []
    for ties in (*_hidden_ties(rng), scan_ties((2, 3), 3, n, 1, 1), scan_ties((1, 2), 4, 2, 5, 1)):
        lr = 0.0 if still else round(0.05 + 0.4 * rng.random(), 2)
        cases.append(_step(rng, int(rng.integers(2, 5)), ties, lr, result=result))
    return cases


_visible = partial(Check, points=0.5, hidden=False)
_hidden = partial(Check, points=0.5, hidden=True)

TIED_GRADIENT = Exercise(
    id="a2.tied_gradient",
    title="The gradient of shared weights",
    functions=(
        Function("tied_gradient", ("dw_full", "ties"), tied_gradient, assemble=assemble_gradient),
        Function(
            "tied_step", ("w", "dw_full", "ties", "lr"), tied_step, results=("w_new", "W_new"), assemble=assemble_step
        ),
    ),
    points=6,
    checks=(
        _visible("Gradient: the example above", cases=_example),
        _visible("Gradient: one sample", cases=_one_sample),
        _visible("Gradient: several samples", cases=_samples),
        _visible("Gradient: the matrix of a scan, and weights without an edge", cases=_scans),
        _visible("Step: the new weights", cases=_step_values),
        _visible("Step: the new matrix, at learning rate 0 as well", cases=_step_copies),
        _hidden("Gradient: one sample, other ties", cases=_hidden_one_sample),
        _hidden("Gradient: several samples, other ties, stored in another order", cases=_hidden_samples),
        _hidden("Gradient: other scans", cases=_hidden_scans),
        _hidden("Step: the new weights, other ties", cases=lambda rng: _hidden_steps(rng, "w_new")),
        _hidden("Step: the new matrix at learning rate 0", cases=lambda rng: _hidden_steps(rng, "W_new", still=True)),
        _hidden("Step: the new matrix, other ties", cases=lambda rng: _hidden_steps(rng, "W_new")),
    ),
    mistakes=MISTAKES,
)
