"""Right ways to write exercise 1."""

import numpy as np


def mlp(layers, columns):
    """Run the network on columns of flattened windows, (in, P) -> (out, P)."""
    for number, (W, b) in enumerate(layers):
        columns = W @ columns + b[:, None]
        if number + 1 < len(layers):
            columns = columns * (columns > 0)
    return columns


def scan_1d_by_loops(x, layers, width, hop):
    scores = []
    start = 0
    while start + width <= x.shape[1]:
        v = [x[c, start + k] for c in range(x.shape[0]) for k in range(width)]
        for number, (W, b) in enumerate(layers):
            v = [sum(W[i, j] * v[j] for j in range(len(v))) + b[i] for i in range(len(b))]
            if number + 1 < len(layers):
                v = [max(value, 0) for value in v]
        scores.append(v)
        start += hop
    return np.array(scores).reshape(len(scores), len(layers[-1][1])).T


def scan_1d_by_slices(x, layers, width, hop):
    starts = range(0, x.shape[1] - width + 1, hop)
    columns = [x[:, start : start + width].ravel() for start in starts]
    return mlp(layers, np.array(columns, dtype=x.dtype).reshape(len(columns), x.shape[0] * width).T)


def scan_1d_by_einsum(x, layers, width, hop):
    W, b = layers[0]
    T = x.shape[1]
    windows = x[:, np.arange(0, max(0, T - width + 1), hop)[:, None] + np.arange(width)]  # (C, P, K)
    y = np.einsum("ock,cpk->op", W.reshape(len(b), x.shape[0], width), windows) + b[:, None]
    return y if len(layers) == 1 else mlp(layers[1:], np.maximum(y, 0))


def scan_1d_by_window_view(x, layers, width, hop):
    C, T = x.shape
    if width > T:
        return np.empty((len(layers[-1][1]), 0))
    windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=1)[:, ::hop]  # (C, P, K)
    return mlp(layers, windows.transpose(0, 2, 1).reshape(C * width, -1))


RIGHT = [scan_1d_by_loops, scan_1d_by_slices, scan_1d_by_einsum, scan_1d_by_window_view]
# Worked by hand in the notebook.
EXAMPLES = [
    (
        "scan_1d",
        (
            np.array([[1.0, 2.0, 0.0, 3.0], [0.0, 1.0, 2.0, 0.0]]),
            [(np.array([[1.0, 2.0, 3.0, -1.0]]), np.array([-1.0]))],
            2,
            1,
        ),
        np.array([[3.0, 2.0, 11.0]]),
    )
]
