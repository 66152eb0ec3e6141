"""Right ways to write exercise 6, and wrong ones as students write them."""

from functools import cache
from math import prod

import numpy as np


def map_by_loops(x, layers, widths, hops):
    """Level by level, window by window."""
    below = x
    for number, (W, b) in enumerate(layers):
        width, hop = widths[number], hops[number]
        P = (below.shape[1] - width) // hop + 1
        above = np.zeros((len(b), P), x.dtype)
        for p in range(P):
            v = below[:, p * hop : p * hop + width].ravel()
            above[:, p] = W @ v + b
        below = above if number + 1 == len(layers) else np.maximum(above, 0)
    return below


def chain(widths, hops):
    """How many values of each level one window needs."""
    n = [1]
    for width, hop in zip(widths[:0:-1], hops[:0:-1], strict=True):
        n = [(n[0] - 1) * hop + width, *n]
    return n


def places(T, widths, hops):
    P = [T]
    for width, hop in zip(widths, hops, strict=True):
        P.append((P[-1] - width) // hop + 1)
    return P[1:]


def costs(shape, neurons, widths):
    return [o * c * k for o, c, k in zip(neurons, [shape[0], *neurons], widths, strict=False)]


def count_by_chain(order, shape, neurons, widths, hops):
    P = places(shape[1], widths, hops)
    cost = costs(shape, neurons, widths)
    if order == "layer":
        return sum(p * c for p, c in zip(P, cost, strict=True))
    return P[-1] * sum(n * c for n, c in zip(chain(widths, hops), cost, strict=True))


def map_by_tensordot(x, layers, widths, hops):
    """All windows of a level at once."""
    y = x
    for i, ((W, b), K, S) in enumerate(zip(layers, widths, hops, strict=True)):
        y = np.maximum(y, 0) if i else y
        windows = np.lib.stride_tricks.sliding_window_view(y, K, axis=1)[:, ::S]  # (C, P, K)
        y = np.tensordot(W.reshape(len(W), len(y), K), windows, axes=([1, 2], [0, 2])) + b[:, None]
    return y


def count_by_span(order, shape, neurons, widths, hops):
    """From the frames that a window covers, and the frames between windows."""
    T, levels = shape[1], len(widths)
    spans, steps = [1], [1]
    for width, hop in zip(widths, hops, strict=True):
        spans.append(spans[-1] + (width - 1) * steps[-1])
        steps.append(steps[-1] * hop)
    P = [(T - spans[n]) // steps[n] + 1 for n in range(1, levels + 1)]
    total = 0
    for n in range(levels):
        many = P[n] if order == "layer" else P[-1] * ((spans[-1] - spans[n + 1]) // steps[n + 1] + 1)
        total += many * neurons[n] * widths[n] * (neurons[n - 1] if n else shape[0])
    return np.int64(total)


def map_by_recursion(x, layers, widths, hops):
    """Asks for the scores; each value asks for those below and is remembered."""
    T = x.shape[1]
    last = len(layers) - 1

    @cache
    def value(level, p):
        W, b = layers[level]
        first = p * hops[level]
        below = range(first, first + widths[level])
        window = np.stack([value(level - 1, q) if level else x[:, q] for q in below], axis=1)
        y = W @ window.flatten() + b
        return y if level == last else y * (y > 0)

    return np.array([value(last, p) for p in range(places(T, widths, hops)[-1])]).T.astype(x.dtype)


def count_by_recursion(order, shape, neurons, widths, hops):
    """Collects which values are asked for."""
    P = places(shape[1], widths, hops)
    cost = costs(shape, neurons, widths)
    if order == "layer":
        return sum(cost[n] for n in range(len(P)) for _ in range(P[n]))
    asked = set()

    def ask(window, level, p):
        if level >= 0 and (window, level, p) not in asked:
            asked.add((window, level, p))
            for tap in range(widths[level]):
                ask(window, level - 1, p * hops[level] + tap)

    for p in range(P[-1]):
        ask(p, len(P) - 1, p)
    return sum(cost[level] for _, level, _ in asked)


def map_by_taps(x, layers, widths, hops):
    """A product for each place within the window, at all windows together."""
    y = x.copy()
    for i in range(len(layers)):
        W, b = layers[i]
        P = (y.shape[1] - widths[i]) // hops[i] + 1
        kernel = W.reshape(W.shape[0], -1, widths[i])
        z = np.repeat(b[:, None], P, axis=1)
        for t in range(widths[i]):
            z = z + kernel[:, :, t] @ y[:, t : t + (P - 1) * hops[i] + 1 : hops[i]]
        y = np.where(z > 0, z, 0) if i < len(layers) - 1 else z
    return y


def count_by_sets(order, shape, neurons, widths, hops):
    """Without an if for the order: what differs is whether windows are remembered apart."""
    P = places(shape[1], widths, hops)
    groups = [{p} for p in range(P[-1])]
    cost = costs(shape, neurons, widths)
    by_window = 0
    for level in range(len(P) - 1, -1, -1):
        by_window += sum(map(len, groups)) * cost[level]
        groups = [{q * hops[level] + t for q in group for t in range(widths[level])} for group in groups]
    return {"window": by_window, "layer": int(np.dot(P, cost))}[order]


RIGHT = [
    (map_by_loops, count_by_chain),
    (map_by_tensordot, count_by_span),
    (map_by_recursion, count_by_recursion),
    (map_by_taps, count_by_sets),
]


def first_hop(x, layers, widths, hops):
    hop = hops[0]
    return map_by_loops(x, layers, widths, [hop] * len(hops))


def hop_in_frames(x, layers, widths, hops):
    """Keeps how many frames a place is, and steps by that."""
    below, step = x, 1
    for i, (W, b) in enumerate(layers):
        step *= hops[i]
        starts = range(0, below.shape[1] - widths[i] + 1, step)
        below = np.stack([W @ below[:, s : s + widths[i]].ravel() + b for s in starts], axis=1)
        if i < len(layers) - 1:
            below = np.maximum(below, 0)
    return below


def stacked_maps(x, layers, widths, hops):
    """Collects a list of windows and goes on with it: above level 1 the places are rows."""
    rows = x.T
    for i, (W, b) in enumerate(layers):
        windows = [rows[s : s + widths[i]] for s in range(0, len(rows) - widths[i] + 1, hops[i])]
        rows = np.array([W @ (w.T.ravel() if i == 0 else w.ravel()) + b for w in windows])
        if i < len(layers) - 1:
            rows = np.maximum(rows, 0)
    return rows.T


def relu_on_all(x, layers, widths, hops):
    """ReLU after every layer, and a range that stops early."""
    for (W, b), K, S in zip(layers, widths, hops, strict=True):
        y = np.zeros((len(b), max(0, (x.shape[1] - K) // S)))
        for p in range(y.shape[1]):
            y[:, p] = np.maximum(W @ x[:, p * S : p * S + K].ravel() + b, 0)
        x = y
    return x


def relu_first(x, layers, widths, hops):
    return map_by_tensordot(np.maximum(x, 0), layers, widths, hops)


def list_of_scores(x, layers, widths, hops):
    return np.array(map_by_loops(x, layers, widths, hops)).squeeze()


def flops(order, shape, neurons, widths, hops):
    return 2 * count_by_chain(order, shape, neurons, widths, hops)


def every_window(order, shape, neurons, widths, hops):
    """Takes the count of one window, times the windows, for both."""
    return count_by_chain("window", shape, neurons, widths, hops)


def plain_scan_only(order, shape, neurons, widths, hops):
    """As if only level 1 looked around, in both orders."""
    P = places(shape[1], widths, hops)[-1]
    return P * sum(costs(shape, neurons, widths))


def summed_widths(order, shape, neurons, widths, hops):
    """The window of the whole net as the sum of the widths; the blocks in it as well."""
    P = [(shape[1] - sum(widths[:n])) // prod(hops[:n]) + 1 for n in range(1, len(widths) + 1)]
    cost = costs(shape, neurons, widths)
    if order == "layer":
        return sum(p * c for p, c in zip(P, cost, strict=True))
    return P[-1] * sum(max(1, sum(widths[n + 1 :])) * c for n, c in enumerate(cost))


def forgotten_plus_one(order, shape, neurons, widths, hops):
    P = [shape[1]]
    for K, S in zip(widths, hops, strict=True):
        P.append((P[-1] - K) // S)
    cost = costs(shape, neurons, widths)
    if order == "layer":
        return sum(p * c for p, c in zip(P[1:], cost, strict=True))
    return P[-1] * sum(n * c for n, c in zip(chain(widths, hops), cost, strict=True))


def multiplied_widths(order, shape, neurons, widths, hops):
    """Recursion without remembering: each value computes all that it reads; and biases count."""
    cost = [o * (c * k + 1) for o, c, k in zip(neurons, [shape[0], *neurons], widths, strict=False)]
    P = places(shape[1], widths, hops)
    if order == "layer":
        return sum(p * c for p, c in zip(P, cost, strict=True))

    def of(level):
        return cost[level] + (widths[level] * of(level - 1) if level else 0)

    return P[-1] * of(len(P) - 1)


def hop_twice_and_features(order, shape, neurons, widths, hops):
    """hops[0] everywhere, and C everywhere."""
    hops = [hops[0] for _ in hops]
    cost = [o * shape[0] * k for o, k in zip(neurons, widths, strict=True)]
    P = places(shape[1], widths, hops)
    if order == "layer":
        return sum(p * c for p, c in zip(P, cost, strict=True))
    return P[-1] * sum(n * c for n, c in zip(chain(widths, hops), cost, strict=True))


WRONG = [
    ((first_hop, count_by_chain), {"The hop of level 1 is used on every level"}),
    ((hop_in_frames, count_by_chain), {"A hop above level 1 is counted in frames, not in places of the map below"}),
    ((stacked_maps, count_by_chain), {"A window is flattened time first"}),
    (
        (relu_on_all, count_by_chain),
        {"On every level one window is missing", "ReLU is applied after the last layer too"},
    ),
    ((relu_first, count_by_chain), {"ReLU is applied to the recording too"}),
    ((list_of_scores, count_by_chain), {"An axis of the answer is lost"}),
    ((map_by_loops, flops), {"Additions are counted beside the multiplications"}),
    ((map_by_loops, every_window), {"Layer by layer, values that windows share are counted for each window"}),
    (
        (map_by_loops, plain_scan_only),
        {"Each level is counted at one place for each window, in both orders"},
    ),
    ((map_by_loops, summed_widths), {"The widths are added, not chained"}),
    (
        (first_hop, forgotten_plus_one),
        {"The hop of level 1 is used on every level", "On every level one window is missing"},
    ),
    (
        (map_by_loops, multiplied_widths),
        {
            "A value that is read twice within one window is counted twice",
            "Adding the bias is counted as a multiply-add",
        },
    ),
    (
        (map_by_loops, hop_twice_and_features),
        {
            "The hop of level 1 is used on every level",
            "The features of the recording are taken for the channels of every level",
        },
    ),
]

_X = np.array([[1.0, 2.0, 2.0, 0.0, 3.0, 1.0, 2.0, 5.0]])
_LAYERS = [
    (np.array([[1.0, -1.0, 1.0], [0.0, 1.0, 0.0]]), np.array([-2.0, 0.0])),
    (np.array([[1.0, 2.0, 1.0, -1.0]]), np.array([-1.0])),
]
EXAMPLES = [
    ("layer_first", (_X, _LAYERS, [3, 2], [2, 1]), np.array([[7.0, 5.0]])),
    ("mac_count_scan", ("layer", (1, 8), [2, 1], [3, 2], [2, 1]), 26),
    ("mac_count_scan", ("window", (1, 8), [2, 1], [3, 2], [2, 1]), 32),
]
