"""Right ways to write exercise 2."""

import numpy as np


def mlp(layers, columns):
    """Run the network on columns of flattened windows, (in, P) -> (out, P)."""
    for number, (W, b) in enumerate(layers):
        columns = W @ columns + b[:, None]
        if number + 1 < len(layers):
            columns = columns * (columns > 0)
    return columns


def scan_2d_by_loops(image, layers, size, stride):
    C, H, W_ = image.shape
    rows = [r for r in range(H) if r % stride[0] == 0 and r + size[0] <= H]
    columns = [c for c in range(W_) if c % stride[1] == 0 and c + size[1] <= W_]
    y = np.empty((len(layers[-1][1]), len(rows), len(columns)))
    for p, r in enumerate(rows):
        for q, c in enumerate(columns):
            v = np.array([image[k, r + i, c + j] for k in range(C) for i in range(size[0]) for j in range(size[1])])
            y[:, p, q] = mlp(layers, v[:, None])[:, 0]
    return y


def scan_2d_by_slices(image, layers, size, stride):
    C = len(image)
    taps = [
        image[c, i : image.shape[1] - size[0] + i + 1 : stride[0], j : image.shape[2] - size[1] + j + 1 : stride[1]]
        for c in range(C)
        for i in range(size[0])
        for j in range(size[1])
    ]
    stack = np.stack(taps)  # (C * K_H * K_W, P_H, P_W)
    return mlp(layers, stack.reshape(len(stack), -1)).reshape(-1, *stack.shape[1:])


def scan_2d_by_tensordot(image, layers, size, stride):
    windows = np.lib.stride_tricks.sliding_window_view(image, size, axis=(1, 2))[:, :: stride[0], :: stride[1]]
    W, b = layers[0]
    y = np.tensordot(W.reshape(len(b), len(image), *size), windows, axes=([1, 2, 3], [0, 3, 4])) + b[:, None, None]
    for W, b in layers[1:]:
        y = np.einsum("oi,ipq->opq", W, np.maximum(y, 0)) + b[:, None, None]
    return y


def scan_2d_by_strides(image, layers, size, stride):
    C, H, W_ = image.shape
    places = ((H - size[0]) // stride[0] + 1, (W_ - size[1]) // stride[1] + 1)
    s = image.strides
    windows = np.lib.stride_tricks.as_strided(
        image, (*places, C, *size), (s[1] * stride[0], s[2] * stride[1], *s), writeable=False
    )
    columns = windows.reshape(places[0] * places[1], -1).T
    return mlp(layers, columns).reshape(-1, *places)


RIGHT = [scan_2d_by_loops, scan_2d_by_slices, scan_2d_by_tensordot, scan_2d_by_strides]
# Worked by hand in the notebook.
EXAMPLES = [
    (
        "scan_2d",
        (
            np.array([[[1.0, 2, 0, 1], [0, 1, 3, 0], [2, 0, 1, 2]]]),
            [(np.array([[1.0, 2.0, 3.0, -1.0]]), np.array([-1.0]))],
            (2, 2),
            (1, 1),
        ),
        np.array([[[3.0, 1, 10], [7, 5, 3]]]),
    )
]
