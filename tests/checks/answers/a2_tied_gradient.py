"""Right ways to write exercise 5, and wrong ones as students write them."""

import numpy as np


def gradient_by_loops(dw_full, ties):
    g = np.zeros(ties.max() + 1)
    N, out, inputs = dw_full.shape
    for n in range(N):
        for i in range(out):
            for j in range(inputs):
                s = ties[i, j]
                if s != -1:
                    g[s] += dw_full[n, i, j]
    return g


def step_by_loops(w, dw_full, ties, lr):
    g = gradient_by_loops(dw_full, ties)
    new = np.array([w[s] - lr * g[s] for s in range(len(w))])
    full = np.zeros(ties.shape)
    for i in range(len(ties)):
        for j in range(ties.shape[1]):
            if ties[i, j] >= 0:
                full[i, j] = new[ties[i, j]]
    return new, full


def gradient_by_masks(dw_full, ties):
    return np.array([dw_full[:, ties == s].sum() for s in range(ties.max() + 1)], dw_full.dtype)


def step_by_where(w, dw_full, ties, lr):
    new = w - lr * gradient_by_masks(dw_full, ties)
    return new, np.where(ties >= 0, new[ties], 0.0)


def gradient_by_add_at(dw_full, ties):
    g = np.zeros(ties.max() + 1, dw_full.dtype)
    kept = ties >= 0
    np.add.at(g, ties[kept], dw_full.sum(axis=0)[kept])
    return g


def step_with_zero_behind(w, dw_full, ties, lr):
    """The index -1 takes a zero that is put behind the weights."""
    new = w - lr * gradient_by_add_at(dw_full, ties)
    return new, np.append(new, 0)[ties]


def gradient_by_bincount(dw_full, ties):
    return np.bincount(ties.ravel() + 1, weights=dw_full.sum(axis=0).ravel())[1:]


def step_by_choice(w, dw_full, ties, lr):
    """As a list, and the step on a copy."""
    new = w.copy()
    new -= (lr * gradient_by_bincount(dw_full, ties)).astype(w.dtype)
    return [new, (ties != -1) * new[ties]]


def one_hot(ties):
    return (ties[:, :, None] == np.arange(ties.max() + 1)).astype(float)


def gradient_by_matrix(dw_full, ties):
    return np.einsum("nij,ijs->s", dw_full, one_hot(ties))


def step_by_matrix(w, dw_full, ties, lr):
    new = w - lr * gradient_by_matrix(dw_full, ties)
    return new, one_hot(ties) @ new


RIGHT = [
    (gradient_by_loops, step_by_loops),
    (gradient_by_masks, step_by_where),
    (gradient_by_add_at, step_with_zero_behind),
    (gradient_by_bincount, step_by_choice),
    (gradient_by_matrix, step_by_matrix),
]


def by_fancy_index(dw_full, ties):
    """Adds once for each number, and -1 is the last weight."""
    g = np.zeros(ties.max() + 1)
    g[ties] += dw_full.sum(axis=0)
    return g


def assigned(dw_full, ties):
    g = np.zeros(ties.max() + 1)
    for sample in dw_full:
        for place in np.ndindex(ties.shape):
            if ties[place] >= 0:
                g[ties[place]] = sample[place]
    return g


def without_test(dw_full, ties):
    g = np.zeros(ties.max() + 1)
    for sample in dw_full:
        for place in np.ndindex(ties.shape):
            g[ties[place]] += sample[place]
    return g


def step_without_test(w, dw_full, ties, lr):
    """Forgets -1 in the sum and in the copies."""
    new = w - lr * without_test(dw_full, ties)
    return new, new[ties]


def mean_of_all(dw_full, ties):
    g = np.zeros(ties.max() + 1)
    for s in range(len(g)):
        if (ties == s).any():
            g[s] = dw_full[:, ties == s].mean()
    return g


def step_by_mean(w, dw_full, ties, lr):
    new = w - lr * mean_of_all(dw_full, ties)
    return new, np.where(ties >= 0, new[ties], 0.0)


def mean_by_count(dw_full, ties):
    """NaN for a weight without an edge."""
    counts = np.bincount(ties.ravel() + 1, minlength=ties.max() + 2)[1:]
    return gradient_by_masks(dw_full, ties) / counts


def above_zero(dw_full, ties):
    g = np.zeros(ties.max() + 1)
    for sample in dw_full:
        g += np.bincount(ties[ties > 0], sample[ties > 0], minlength=len(g))
    return g


def one_short(dw_full, ties):
    return np.array([dw_full[:, ties == s].sum() for s in range(ties.max())])


def of_different_numbers(dw_full, ties):
    return np.array([dw_full[:, ties == s].sum() for s in range(len(np.unique(ties)))])


def step_above_zero(w, dw_full, ties, lr):
    new = w - lr * gradient_by_masks(dw_full, ties)
    full = np.zeros(ties.shape)
    full[ties > 0] = new[ties[ties > 0]]
    return new, full


def step_in_two_tempers(w, dw_full, ties, lr):
    """Uphill, and each copy on its own."""
    new = w + lr * gradient_by_masks(dw_full, ties)
    return new, np.where(ties < 0, 0.0, w[ties] - lr * dw_full.sum(axis=0))


def by_unique(dw_full, ties):
    return np.array([dw_full[:, ties == s].sum() for s in np.unique(ties) if s >= 0])


def for_each_sample(dw_full, ties):
    return np.stack([gradient_by_masks(sample[None], ties) for sample in dw_full])


def step_of_each_entry(w, dw_full, ties, lr):
    new = w - lr * gradient_by_masks(dw_full, ties)
    full = np.where(ties >= 0, w[ties], 0.0)
    return new, full - lr * dw_full.sum(axis=0) * (ties >= 0)


def step_divided(w, dw_full, ties, lr):
    new = w - lr * gradient_by_masks(dw_full, ties) / len(dw_full)
    return new, np.where(ties >= 0, new[ties], 0.0)


LAST = "The last edge wins: the sum is overwritten"
MEAN = {
    "The derivatives of a weight's edges are averaged, not added up",
    "The samples are averaged, although the loss is a mean already",
}
WRONG = [
    ((by_fancy_index, step_by_loops), {LAST, "Entries without a connection give to the last weight"}),
    ((assigned, step_by_where), {LAST}),
    ((without_test, step_by_loops), {"Entries without a connection give to the last weight"}),
    (
        (without_test, step_without_test),
        {"Entries without a connection give to the last weight", "Entries without a connection hold the last weight"},
    ),
    ((mean_of_all, step_by_mean), MEAN),
    ((mean_by_count, step_by_loops), {"The derivatives of a weight's edges are averaged, not added up"}),
    ((above_zero, step_by_loops), {"Weight 0 is taken for no connection"}),
    ((one_short, step_by_loops), {"The last weight is missing"}),
    ((of_different_numbers, step_by_loops), {"There are as many weights as ties has different numbers"}),
    ((gradient_by_loops, step_above_zero), {"Weight 0 is not copied"}),
    ((gradient_by_loops, step_in_two_tempers), {"The step goes uphill", "Each copy takes its own step"}),
    ((by_unique, step_by_loops), {"Weights without an edge are left out of the answer"}),
    ((for_each_sample, step_by_matrix), {"There is a gradient for each sample, but none for all"}),
    ((gradient_by_loops, step_of_each_entry), {"Each copy takes its own step"}),
    ((gradient_by_loops, step_divided), {"The samples are averaged, although the loss is a mean already"}),
]

_TIES = np.array([[0, 1, -1], [-1, 0, 1]])
_DW_FULL = np.array([[[1.0, 2.0, 5.0], [7.0, 3.0, 4.0]], [[0.0, 1.0, 1.0], [2.0, -1.0, 1.0]]])
EXAMPLES = [
    ("tied_gradient", (_DW_FULL, _TIES), np.array([3.0, 8.0])),
    (
        "tied_step",
        (np.array([1.0, 2.0]), _DW_FULL, _TIES, 0.5),
        (np.array([-0.5, -2.0]), np.array([[-0.5, -2.0, 0.0], [0.0, -0.5, -2.0]])),
    ),
]
