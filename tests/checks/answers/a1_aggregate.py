"""Right ways to write exercise 3, and wrong ones as students write them."""

import numpy as np


def forward_by_loops(maps, how, temperature):
    y = np.zeros(maps.shape[0], maps.dtype)
    for o in range(maps.shape[0]):
        scores = [float(score) for score in maps[o].ravel()]
        if how == "max":
            y[o] = max(scores)
        elif how == "mean":
            y[o] = sum(scores) / len(scores)
        else:
            top = max(scores)
            weights = [np.exp((score - top) / temperature) for score in scores]
            y[o] = sum(w * s for w, s in zip(weights, scores, strict=True)) / sum(weights)
    return y


def backward_by_loops(dy, maps, how, temperature):
    out = np.zeros(maps.shape, maps.dtype)
    for o in range(maps.shape[0]):
        y = forward_by_loops(maps, how, temperature)[o]
        top = maps[o].max()
        total = sum(np.exp((score - top) / temperature) for score in maps[o].ravel())
        given = False
        for place in np.ndindex(*maps.shape[1:]):
            score = maps[(o, *place)]
            if how == "max":
                out[(o, *place)] = dy[o] if score == top and not given else 0
                given = given or score == top
            elif how == "mean":
                out[(o, *place)] = dy[o] / maps[o].size
            else:
                share = np.exp((score - top) / temperature) / total
                out[(o, *place)] = dy[o] * share * (1 + (score - y) / temperature)
    return out


def forward_by_axes(maps, how, temperature):
    axes = tuple(range(1, maps.ndim))
    if how == "softmax":
        z = maps / temperature
        z = z - z.max(axis=axes, keepdims=True)
        return (maps * np.exp(z)).sum(axis=axes) / np.exp(z).sum(axis=axes)
    return getattr(maps, how)(axis=axes)


def backward_by_axes(dy, maps, how, temperature):
    axes = tuple(range(1, maps.ndim))
    dy = np.expand_dims(dy, axes)
    if how == "mean":
        return np.broadcast_to(dy / np.prod(maps.shape[1:]), maps.shape)
    if how == "max":
        order = np.arange(maps[0].size).reshape(maps.shape[1:])
        winner = np.where(maps == maps.max(axis=axes, keepdims=True), order, maps.size).min(axis=axes, keepdims=True)
        return np.where(order == winner, dy, 0)
    z = np.exp(maps / temperature - (maps / temperature).max(axis=axes, keepdims=True))
    s = z / z.sum(axis=axes, keepdims=True)
    return dy * (s + s * (maps - (s * maps).sum(axis=axes, keepdims=True)) / temperature)


def forward_by_einsum(maps, how, temperature):
    flat = np.reshape(maps, (maps.shape[0], -1))
    if how == "max":
        weights = np.eye(flat.shape[1])[np.argmax(flat, axis=1)]
    elif how == "mean":
        weights = np.ones(flat.shape) / flat.shape[1]
    else:
        weights = np.exp(flat / temperature - np.logaddexp.reduce(flat / temperature, axis=1)[:, None])
    return np.einsum("op,op->o", weights, flat)


def backward_by_jacobian(dy, maps, how, temperature):
    rows = []
    for slope, scores in zip(dy, maps, strict=True):
        y = scores.ravel()
        if how == "max":
            row = (np.arange(y.size) == np.argmax(y)).astype(float)
        elif how == "mean":
            row = np.full(y.size, 1 / y.size)
        else:
            s = np.exp((y - y.max()) / temperature)
            s = s / s.sum()
            row = s + ((np.diag(s) - np.outer(s, s)) / temperature) @ y
        rows.append(slope * row.reshape(scores.shape))
    return np.stack(rows)


def forward_one_by_one(maps, how, temperature):
    def decide(y):
        match how:
            case "max":
                return np.sort(y)[-1]
            case "mean":
                return np.mean(y)
        e = np.exp((y - np.max(y)) / temperature)
        return np.dot(e / np.sum(e), y)

    return np.apply_along_axis(decide, 1, maps.reshape(len(maps), -1))


def backward_one_by_one(dy, maps, how, temperature):
    return np.array([backward_by_loops(dy[o : o + 1], maps[o : o + 1], how, temperature)[0] for o in range(len(dy))])


RIGHT = [
    (forward_by_loops, backward_by_loops),
    (forward_by_axes, backward_by_axes),
    (forward_by_einsum, backward_by_jacobian),
    (forward_one_by_one, backward_one_by_one),
]


def without_shift(maps, how, temperature):
    if how != "softmax":
        return forward_by_axes(maps, how, temperature)
    e = np.exp(maps / temperature)
    axes = tuple(range(1, maps.ndim))
    return (e / e.sum(axis=axes, keepdims=True) * maps).sum(axis=axes)


def rows_only(maps, how, temperature):
    return maps.max(axis=1) if how == "max" else forward_by_axes(maps, how, temperature)


def equal_to_the_maximum(dy, maps, how, temperature):
    if how != "max":
        return backward_by_axes(dy, maps, how, temperature)
    return np.array([d * (m == m.max()) for d, m in zip(dy, maps, strict=True)])


def with_fixed_weights(dy, maps, how, temperature):
    if how != "softmax":
        return backward_by_axes(dy, maps, how, temperature)
    out = []
    for d, m in zip(dy, maps, strict=True):
        e = np.exp((m - m.max()) / temperature)
        out.append(d * e / e.sum())
    return np.stack(out)


def backward_without_shift(dy, maps, how, temperature):
    if how != "softmax":
        return backward_by_axes(dy, maps, how, temperature)
    axes = tuple(range(1, maps.ndim))
    e = np.exp(maps / temperature)
    s = e / e.sum(axis=axes, keepdims=True)
    y = (s * maps).sum(axis=axes, keepdims=True)
    return np.expand_dims(dy, axes) * s * (1 + maps / temperature - y / temperature)


def fixed_weights_without_shift(dy, maps, how, temperature):
    if how != "softmax":
        return backward_by_axes(dy, maps, how, temperature)
    return np.stack(
        [d * np.exp(m / temperature) / np.sum(np.exp(m / temperature)) for d, m in zip(dy, maps, strict=True)]
    )


WRONG = [
    ((forward_by_axes, backward_without_shift), {"The exponential overflows for large scores"}),
    (
        (forward_by_axes, fixed_weights_without_shift),
        {
            "The exponential overflows for large scores",
            "The weights of the softmax are treated as if they did not change",
        },
    ),
    ((without_shift, backward_by_axes), {"The exponential overflows for large scores"}),
    ((rows_only, backward_by_axes), {"Only one of the spatial axes is gone"}),
    ((forward_by_axes, equal_to_the_maximum), {"Every equal maximum gets the whole gradient"}),
    (
        (without_shift, with_fixed_weights),
        {
            "The exponential overflows for large scores",
            "The weights of the softmax are treated as if they did not change",
        },
    ),
]
EXAMPLES = [
    ("aggregate", (np.array([[1.0, 3.0, 2.0], [0.0, -1.0, 0.0]]), "max", 1.0), np.array([3.0, 0.0])),
    ("aggregate", (np.array([[1.0, 3.0, 2.0], [0.0, -1.0, 0.0]]), "mean", 1.0), np.array([2.0, -1 / 3])),
    (
        "aggregate",
        (np.array([[1.0, 3.0, 2.0]]), "softmax", 1.0),
        np.array([(np.exp(-2) + 3 + 2 * np.exp(-1)) / (np.exp(-2) + 1 + np.exp(-1))]),
    ),
    (
        "aggregate_backward",
        (np.array([2.0, 1.0]), np.array([[1.0, 3.0, 2.0], [0.0, -1.0, 0.0]]), "max", 1.0),
        np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]]),
    ),
]
