"""The gradient of tied weights and a step with it, with exchangeable parts, from which the known mistakes are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Collect = Callable[[Array, Array, int], Array]


def sum_samples(dw_full: Array) -> Array:
    """Return the derivatives of all samples together, (out, in)."""
    return np.asarray(dw_full.sum(axis=0))


def connected(ties: Array) -> Array:
    """Return the weight that each entry gives its derivative to; below zero: to none."""
    return ties


def sum_edges(slopes: Array, owners: Array, S: int) -> Array:
    """Return the sum over the edges of each of S weights; `slopes` may have more axes in front."""
    total = [slopes[..., owners == s].sum(axis=-1) for s in range(S)]
    return np.stack(total, axis=-1).astype(slopes.dtype)


def assemble_gradient(
    *,
    batch: Callable[[Array], Array] = sum_samples,
    owners: Callable[[Array], Array] = connected,
    collect: Collect = sum_edges,
    answer: Callable[[Array, Array], Array] = lambda gradient, ties: gradient,
) -> Callable[[Array, Array], Array]:
    """Return a `tied_gradient` with other parts.

    Parameters
    ----------
    batch
        From (N, out, in) to (out, in).
    owners
        The weight that each entry gives to, from the ties; below zero: none.
    collect
        From derivatives, owners and the number of weights to one number for each weight.
    answer
        What is done with these and the ties at the end.
    """

    def tied_gradient(dw_full: Array, ties: Array) -> Array:
        return answer(collect(batch(dw_full), owners(ties), int(ties.max()) + 1), ties)

    return tied_gradient


def descend(w: Array, gradient: Array, lr: float) -> Array:
    """Return the weights one step further."""
    return np.asarray(w - lr * gradient, dtype=w.dtype)


def all_copies(w_new: Array, w: Array, moved: Array, ties: Array) -> Array:
    """Return the full matrix: each weight at all its edges, 0 elsewhere."""
    return np.where(ties < 0, w.dtype.type(0), w_new[ties])


def assemble_step(
    *,
    move: Callable[[Array, Array, float], Array] = descend,
    copy: Callable[[Array, Array, Array, Array], Array] = all_copies,
    pack: Callable[[Array, Array, Array], Any] = lambda w_new, W_new, w: (w_new, W_new),
    **gradient: Any,
) -> Callable[[Array, Array, Array, float], Any]:
    """Return a `tied_step` with other parts.

    Parameters
    ----------
    move
        The new weights, from the old ones, their gradient and the learning rate.
    copy
        The new matrix, from the new weights, the old ones, the step that each entry would take by itself, and the ties.
    pack
        What is returned, from the new weights, the new matrix and the old weights.
    **gradient
        Parts of `assemble_gradient`.
    """
    tied_gradient = assemble_gradient(**gradient)

    def tied_step(w: Array, dw_full: Array, ties: Array, lr: float) -> Any:
        w_new = move(w, tied_gradient(dw_full, ties), lr)
        return pack(w_new, copy(w_new, w, -lr * dw_full.sum(axis=0), ties), w)

    return tied_step
