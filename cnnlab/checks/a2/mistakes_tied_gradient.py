"""What goes wrong with shared weights, each as the small function that does it."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.checks.a2.tying import assemble_gradient, assemble_step
from cnnlab.checks.assembled import mistakes_from
from cnnlab.checks.model import Mistake

Array = np.ndarray[Any, Any]


def _mean_of_edges(slopes: Array, owners: Array, S: int) -> Array:
    return _each(slopes, owners, S, np.mean)


def _mean_or_nothing(slopes: Array, owners: Array, S: int) -> Array:
    with np.errstate(all="ignore"):
        return np.array([slopes[owners == s].sum() / (owners == s).sum() for s in range(S)], slopes.dtype)


def _last_edge(slopes: Array, owners: Array, S: int) -> Array:
    return _each(slopes, owners, S, lambda edges: edges[-1])


def _first_edge(slopes: Array, owners: Array, S: int) -> Array:
    return _each(slopes, owners, S, lambda edges: edges[0])


def _size_of_edges(slopes: Array, owners: Array, S: int) -> Array:
    return _each(slopes, owners, S, lambda edges: np.abs(edges).sum())


def _each(slopes: Array, owners: Array, S: int, number_of: Any) -> Array:
    gradient = np.zeros(S, slopes.dtype)
    for s in range(S):
        edges = slopes[owners == s]
        gradient[s] = number_of(edges) if len(edges) else 0
    return gradient


def _mean_of_each(slopes: Array, owners: Array, S: int) -> Array:
    # The mean over as many entries as there are connections.
    gradient = np.array([slopes[owners == s].sum() for s in range(S)], slopes.dtype)
    return np.asarray(gradient / slopes.dtype.type((owners >= 0).sum()))


def _for_none_too(slopes: Array, owners: Array, S: int) -> Array:
    return np.array([slopes[owners == s].sum() for s in range(-1, S)], slopes.dtype)


def _with_an_edge(gradient: Array, ties: Array) -> Array:
    return gradient[np.isin(np.arange(len(gradient)), ties)]


def _as_many_as_differ(gradient: Array, ties: Array) -> Array:
    count = len(np.unique(ties))
    return np.append(gradient, np.zeros(count, gradient.dtype))[:count]


def _as_matrix(gradient: Array, ties: Array) -> Array:
    return np.where(ties < 0, gradient.dtype.type(0), gradient[ties])


def _none_is_last(ties: Array) -> Array:
    return np.where(ties < 0, ties.max(), ties)


def _none_is_first(ties: Array) -> Array:
    return np.maximum(ties, 0)


def _kept_old(w_new: Array, w: Array, moved: Array, ties: Array) -> Array:
    return _spread(w, ties)


def _spread(values: Array, ties: Array) -> Array:
    return np.where(ties < 0, values.dtype.type(0), values[ties])


def _moved_alone(w_new: Array, w: Array, moved: Array, ties: Array) -> Array:
    return np.where(ties < 0, w.dtype.type(0), w[ties] + moved).astype(w.dtype)


def _all_moved_alone(w_new: Array, w: Array, moved: Array, ties: Array) -> Array:
    return np.asarray(_spread(w, ties) + moved, w.dtype)


def _none_moved(w_new: Array, w: Array, moved: Array, ties: Array) -> Array:
    return np.where(ties < 0, moved, w_new[ties]).astype(w.dtype)


def _first_copy_only(w_new: Array, w: Array, moved: Array, ties: Array) -> Array:
    copies = _spread(w, ties).ravel()
    values, places = np.unique(ties, return_index=True)
    for s, place in zip(values, places, strict=True):
        copies[place] = w_new[s] if s >= 0 else 0
    return copies.reshape(ties.shape)


_MEAN = (
    "The derivatives of a weight's edges are averaged, not added up",
    (
        "Each weight's gradient is too small by the number of its edges. All copies move at once, so all count.",
        "Look for mean, or for a division by how often a weight occurs in ties.",
        "gradient[s] = dw_full[:, ties == s].sum().",
    ),
)
_LAST_EDGE = (
    "The last edge wins: the sum is overwritten",
    (
        "Of all edges of a weight only the last in row-major order counts.",
        "Look for g[id] = … in a loop; or for g[ties] += …, which adds once for each number, however often it occurs.",
        "g[id] += … in a loop over all entries, or np.add.at(g, ids, values).",
    ),
)
_ALONE = (
    "Each copy takes its own step",
    (
        "In the new matrix the copies of a weight have parted: each went along its own derivative.",
        "Look at the line for W_new: is dw_full in it? It must be made from w_new alone.",
        "W_new[i, j] = w_new[ties[i, j]] where ties[i, j] >= 0.",
    ),
)

# These are made in `tied_gradient`, and in `tied_step` if that calls it, or does the same again.
_GRADIENT: tuple[tuple[str, str, tuple[str, str, str], dict[str, Any]], ...] = (
    (
        "mean_of_edges",
        *_MEAN,
        {"collect": _mean_of_edges},
    ),
    ("mean_or_nothing", *_MEAN, {"collect": _mean_or_nothing}),
    (
        "zero_is_none",
        "Weight 0 is taken for no connection",
        (
            "Weight 0 gets no gradient; only -1 stands for no connection.",
            "Look for ties > 0, or for if ties[i, j]: the number 0 counts as False.",
            "if ties[i, j] >= 0: g[ties[i, j]] += ….",
        ),
        {"owners": lambda ties: np.where(ties > 0, ties, -1)},
    ),
    (
        "mean_of_samples",
        "The samples are averaged, although the loss is a mean already",
        (
            "The gradient is too small by the number of samples.",
            "Look for mean(axis=0), or for a division by N or len(dw_full).",
            "dw_full.sum(axis=0), then the sum over edges.",
        ),
        {"batch": lambda dw_full: dw_full.mean(axis=0)},
    ),
    (
        "mean_of_connections",
        "The sum is divided by the number of all connections",
        (
            "The gradient is too small by one factor, the number of connections in the matrix.",
            "Look for a division at the end of your sum.",
            "gradient[s] = dw_full[:, ties == s].sum(), and nothing more.",
        ),
        {"collect": _mean_of_each},
    ),
    (
        "last_edge",
        *_LAST_EDGE,
        {"collect": _last_edge},
    ),
    (
        "first_edge",
        "Only the first edge of each weight counts",
        (
            "A weight stands at several edges; the derivatives of all but the first are left out.",
            "Look for np.unique with return_index, np.argmax, or for a break in your loop.",
            "gradient[s] = dw_full[:, ties == s].sum().",
        ),
        {"collect": _first_edge},
    ),
    (
        "none_to_last",
        "Entries without a connection give to the last weight",
        (
            "The last weight gets too much: where ties is -1, there is nothing to give.",
            "Look for g[ties[i, j]] += …: Python takes the index -1 as the last number of g.",
            "if ties[i, j] >= 0: g[ties[i, j]] += ….",
        ),
        {"owners": _none_is_last},
    ),
    (
        "none_to_first",
        "Entries without a connection give to weight 0",
        (
            "Weight 0 gets too much: where ties is -1, there is nothing to give.",
            "Look for np.maximum(ties, 0), np.clip, or np.where(ties < 0, 0, ties).",
            "Leave these entries out: only where ties >= 0 is there an edge.",
        ),
        {"owners": _none_is_first},
    ),
    (
        "only_first_sample",
        "Only the first sample counts",
        (
            "The derivatives of all samples but the first are left out.",
            "Look for dw_full[0], or for a return inside of the loop over samples.",
            "dw_full.sum(axis=0) adds up the samples.",
        ),
        {"batch": lambda dw_full: dw_full[0]},
    ),
    (
        "only_last_sample",
        "Only the last sample counts",
        (
            "The derivatives of all samples but the last are left out.",
            "Look at where the gradient is set to zero: before the loop over samples, or within it?",
            "Set it to zero once, before all loops; or dw_full.sum(axis=0).",
        ),
        {"batch": lambda dw_full: dw_full[-1]},
    ),
    (
        "last_edge_of_last_sample",
        *_LAST_EDGE,
        {"collect": _last_edge, "batch": lambda dw_full: dw_full[-1]},
    ),
    (
        "sizes_added",
        "Sizes are added up, without their signs",
        (
            "Edges that ask for opposite moves must cancel; here they add up.",
            "Look for abs or for a square.",
            "gradient[s] = dw_full[:, ties == s].sum().",
        ),
        {"collect": _size_of_edges},
    ),
)

_of_gradient = mistakes_from(assemble_gradient)
_of_step = mistakes_from(assemble_step, of="tied_step")


def _in_both() -> list[Mistake]:
    found: list[Mistake] = []
    for name, sentence, hints, parts in _GRADIENT:
        found.append(_of_gradient(name, sentence, hints, **parts))
        found.append(_of_step(f"step_{name}", sentence, hints, **parts))
    return found


MISTAKES = (
    *_in_both(),
    _of_gradient(
        "per_sample",
        "There is a gradient for each sample, but none for all",
        (
            "The answer has an axis for the samples; a weight has one gradient, the sum over all of them.",
            "Look at the axis over which you add up: is axis 0, the samples, still there?",
            "dw_full.sum(axis=0), then the sum over edges.",
        ),
        batch=lambda dw_full: dw_full,
    ),
    _of_gradient(
        "none_is_a_weight",
        "Entries without a connection get a weight of their own",
        (
            "The answer has one number too many, at the front: -1 in ties is no weight.",
            "Look for np.unique(ties), or for ties + 1.",
            "Weights are numbered 0 … ties.max(), so the answer has ties.max() + 1 numbers.",
        ),
        collect=_for_none_too,
    ),
    _of_gradient(
        "without_edge_left_out",
        "Weights without an edge are left out of the answer",
        (
            "A number from 0 to ties.max() that does not occur in ties is a weight too; its gradient is 0.",
            "Look for np.unique(ties), or for a list that grows.",
            "Start with np.zeros(ties.max() + 1).",
        ),
        answer=_with_an_edge,
    ),
    _of_gradient(
        "last_weight_missing",
        "The last weight is missing",
        (
            "Weights are counted from 0, so there is one more of them than the largest number in ties.",
            "Look for ties.max() in np.zeros or in range.",
            "Weights are numbered 0 … ties.max(), so the answer has ties.max() + 1 numbers.",
        ),
        answer=lambda gradient, ties: gradient[:-1],
    ),
    _of_gradient(
        "as_many_as_differ",
        "There are as many weights as ties has different numbers",
        (
            "-1 is one of the numbers in ties, but no weight; and a weight may stand nowhere.",
            "Look for len(np.unique(ties)) or len(set(…)).",
            "Weights are numbered 0 … ties.max(), so the answer has ties.max() + 1 numbers.",
        ),
        answer=_as_many_as_differ,
    ),
    _of_gradient(
        "as_matrix",
        "The gradient is written back into the full matrix",
        (
            "The answer has one number for each entry; it should have one for each shared weight.",
            "Look at your return line.",
            "Return the gradient itself, shape (ties.max() + 1,). Copying is for tied_step.",
        ),
        answer=_as_matrix,
    ),
    _of_step(
        "uphill",
        "The step goes uphill",
        (
            "The gradient points to where the loss grows; the step must go against it.",
            "Look at the sign in your step.",
            "w_new = w - lr * gradient.",
        ),
        move=lambda w, gradient, lr: np.asarray(w + lr * gradient, dtype=w.dtype),
    ),
    _of_step(
        "no_rate",
        "The learning rate is not used",
        (
            "The step is the whole gradient, as if lr were 1.",
            "Look for lr in your function.",
            "w_new = w - lr * gradient.",
        ),
        move=lambda w, gradient, lr: np.asarray(w - gradient, dtype=w.dtype),
    ),
    _of_step(
        "step_only",
        "The old weights are missing in the new ones",
        (
            "The answer is the step alone.",
            "Look at your line for w_new: what does it start from?",
            "w_new = w - lr * gradient.",
        ),
        move=lambda w, gradient, lr: np.asarray(-lr * gradient, dtype=w.dtype),
    ),
    _of_step(
        "old_weights",
        "The old weights are returned",
        (
            "The first result is w as it was; the new weights are in the matrix only.",
            "Look at your return line.",
            "return w_new, W_new.",
        ),
        pack=lambda w_new, W_new, w: (w, W_new),
    ),
    _of_step(
        "moved_alone",
        *_ALONE,
        copy=_moved_alone,
    ),
    _of_step(
        "all_moved_alone",
        *_ALONE,
        copy=_all_moved_alone,
    ),
    _of_step(
        "none_gets_last",
        "Entries without a connection hold the last weight",
        (
            "Where ties is -1 the new matrix must be 0.",
            "Look for w_new[ties]: Python takes the index -1 as the last number of w_new.",
            "W_new = np.where(ties >= 0, w_new[ties], 0).",
        ),
        copy=lambda w_new, w, moved, ties: w_new[ties],
    ),
    _of_step(
        "none_gets_first",
        "Entries without a connection hold weight 0",
        (
            "Where ties is -1 the new matrix must be 0.",
            "Look for np.maximum(ties, 0), np.clip, or np.where(ties < 0, 0, ties).",
            "W_new = np.where(ties >= 0, w_new[ties], 0).",
        ),
        copy=lambda w_new, w, moved, ties: w_new[np.maximum(ties, 0)],
    ),
    _of_step(
        "zero_not_copied",
        "Weight 0 is not copied",
        (
            "Where ties is 0 the new matrix must hold weight 0; only -1 stands for no connection.",
            "Look for ties > 0, or for if ties[i, j]: the number 0 counts as False.",
            "W_new = np.where(ties >= 0, w_new[ties], 0).",
        ),
        copy=lambda w_new, w, moved, ties: np.where(ties > 0, w_new[ties], w.dtype.type(0)),
    ),
    _of_step(
        "none_moves",
        "Entries without a connection move too",
        (
            "Where ties is -1 the new matrix must be 0: what is not there cannot learn.",
            "Look at what the line for W_new does where ties is -1.",
            "W_new = np.where(ties >= 0, w_new[ties], 0).",
        ),
        copy=_none_moved,
    ),
    _of_step(
        "first_copy_only",
        "Only one copy of each weight is updated",
        (
            "One entry of each weight has the new value, the others still have the old one.",
            "Look for np.unique with return_index, np.argmax, or for a break in your loop.",
            "Go over all entries: W_new[i, j] = w_new[ties[i, j]] where ties[i, j] >= 0.",
        ),
        copy=_first_copy_only,
    ),
    _of_step(
        "old_copies",
        "The new matrix holds the old weights",
        (
            "w_new is there, but the matrix was filled from w.",
            "Look at the line for W_new.",
            "W_new[i, j] = w_new[ties[i, j]] where ties[i, j] >= 0.",
        ),
        copy=_kept_old,
    ),
    _of_step(
        "exchanged",
        "The two results are exchanged",
        (
            "The matrix comes first and the weights come second; it should be the other way round.",
            "Look at your return line.",
            "return w_new, W_new.",
        ),
        pack=lambda w_new, W_new, w: (W_new, w_new),
    ),
)
