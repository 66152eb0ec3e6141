"""Right ways to write exercise 8, and wrong ones as students write them."""

import numpy as np


def by_seven_loops(x, w, b, stride):
    N, C_in, H, W = x.shape
    C_out, _, K_H, K_W = w.shape
    S_H, S_W = stride
    P_H = (H - K_H) // S_H + 1
    P_W = (W - K_W) // S_W + 1
    y = np.zeros((N, C_out, P_H, P_W))
    for n in range(N):
        for o in range(C_out):
            for p in range(P_H):
                for q in range(P_W):
                    y[n, o, p, q] = b[o]
                    for c in range(C_in):
                        for i in range(K_H):
                            for j in range(K_W):
                                y[n, o, p, q] += x[n, c, p * S_H + i, q * S_W + j] * w[o, c, i, j]
    return y


def by_lists(x, w, b, stride):
    K_H, K_W = w.shape[2:]
    maps = []
    for image in x:
        for filter_, bias in zip(w, b, strict=True):
            rows = []
            for top in range(0, x.shape[2] - K_H + 1, stride[0]):
                starts = range(0, x.shape[3] - K_W + 1, stride[1])
                windows = [image[:, top : top + K_H, left : left + K_W] for left in starts]
                rows.append([float((window * filter_).sum() + bias) for window in windows])
            maps.append(rows)
    y = np.array(maps)
    return y.reshape(len(x), len(w), *y.shape[1:])


def by_taps(x, w, b, stride):
    (H, W), (K_H, K_W) = x.shape[2:], w.shape[2:]
    y = 0
    for i in range(K_H):
        for j in range(K_W):
            corner = x[:, :, i : H - K_H + i + 1 : stride[0], j : W - K_W + j + 1 : stride[1]]
            y = y + np.einsum("nchw,oc->nohw", corner, w[:, :, i, j])
    return y + b.reshape(1, -1, 1, 1)


def by_window_view(x, w, b, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    return np.einsum("ncpqij,ocij->nopq", windows, w) + b[:, None, None]


def by_columns(x, w, b, stride):
    (N, _, H, W), (C_out, _, K_H, K_W) = x.shape, w.shape
    rows = np.arange(0, H - K_H + 1, stride[0])
    cols = np.arange(0, W - K_W + 1, stride[1])
    i, j = np.mgrid[:K_H, :K_W].reshape(2, -1)
    columns = x[:, :, rows[:, None, None] + i, cols[None, :, None] + j]  # (N, C_in, P_H, P_W, K_H * K_W)
    columns = columns.transpose(0, 2, 3, 1, 4).reshape(N * len(rows) * len(cols), -1)
    y = columns @ w.reshape(C_out, -1).T + b
    return y.reshape(N, len(rows), len(cols), C_out).transpose(0, 3, 1, 2)


RIGHT = [by_seven_loops, by_lists, by_taps, by_window_view, by_columns]


def turned_kernel_without_bias(x, w, b, stride):
    N, C_in, H, W = x.shape
    C_out, _, K_H, K_W = w.shape
    P_H = (H - K_H) // stride[0] + 1
    P_W = (W - K_W) // stride[1] + 1
    y = np.zeros((N, C_out, P_H, P_W))
    for n in range(N):
        for o in range(C_out):
            for p in range(P_H):
                for q in range(P_W):
                    for c in range(C_in):
                        for i in range(K_H):
                            for j in range(K_W):
                                pixel = x[n, c, p * stride[0] + i, q * stride[1] + j]
                                y[n, o, p, q] += pixel * w[o, c, K_H - 1 - i, K_W - 1 - j]
    return y


def bias_inside(x, w, b, stride):
    N, C_in, H, W = x.shape
    C_out, _, K_H, K_W = w.shape
    S_H, S_W = stride
    y = np.zeros((N, C_out, (H - K_H) // S_H + 1, (W - K_W) // S_W + 1))
    for n, o, p, q in np.ndindex(*y.shape):
        for c in range(C_in):
            for i in range(K_H):
                for j in range(K_W):
                    y[n, o, p, q] += x[n, c, p * S_H + i, q * S_W + j] * w[o, c, i, j] + b[o]
    return y


def in_whole_numbers(x, w, b, stride):
    S_H, S_W = stride
    rows = range(0, x.shape[2] - w.shape[2] + 1, S_H)
    cols = range(0, x.shape[3] - w.shape[3] + 1, S_W)
    y = np.zeros((x.shape[0], w.shape[0], len(rows), len(cols)), dtype=int)
    for n in range(x.shape[0]):
        for o in range(w.shape[0]):
            for p, top in enumerate(rows):
                for q, left in enumerate(cols):
                    window = x[n, :, top : top + w.shape[2], left : left + w.shape[3]]
                    y[n, o, p, q] = np.sum(window * w[o]) + b[o]
    return y


def one_channel_after_the_other(x, w, b, stride):
    S_H, S_W = stride
    rows = range(0, x.shape[2] - w.shape[2] + 1, S_H)
    cols = range(0, x.shape[3] - w.shape[3] + 1, S_W)
    y = np.zeros((x.shape[0], w.shape[0], len(rows), len(cols)))
    for n, o, p, q in np.ndindex(*y.shape):
        for c in range(x.shape[1]):
            window = x[n, c, rows[p] : rows[p] + w.shape[2], cols[q] : cols[q] + w.shape[3]]
            y[n, o, p, q] = np.sum(window * w[o, c]) + b[o]
    return y


def first_stride_and_no_end(x, w, b, stride):
    K_H, K_W = w.shape[2:]
    rows = range(0, x.shape[2] - K_H, stride[0])
    cols = range(0, x.shape[3] - K_W, stride[0])
    y = np.zeros((len(x), len(w), len(rows), len(cols)))
    for n, image in enumerate(x):
        for p, r in enumerate(rows):
            for q, c in enumerate(cols):
                y[n, :, p, q] = np.tensordot(w, image[:, r : r + K_H, c : c + K_W], 3) + b
    return y


def zeros_like_the_input(x, w, b, stride):
    (N, _, H, W), (C_out, _, K_H, K_W) = x.shape, w.shape
    y = np.zeros((N, C_out, H, W))
    for n in range(N):
        for o in range(C_out):
            for top in range(0, H - K_H + 1, stride[0]):
                for left in range(0, W - K_W + 1, stride[1]):
                    y[n, o, top, left] = (x[n, :, top : top + K_H, left : left + K_W] * w[o]).sum() + b[o]
    return y


WRONG = [
    (turned_kernel_without_bias, {"The kernel is flipped", "The bias is left out"}),
    (bias_inside, {"The bias is added more than once"}),
    (in_whole_numbers, {"The answer holds whole numbers"}),
    (one_channel_after_the_other, {"Only one input channel counts"}),
    (
        first_stride_and_no_end,
        {"One stride is used for both axes", "The last row or column of the answer is missing"},
    ),
    (zeros_like_the_input, {"The answer is larger than it should be, with zeros in it"}),
]
_IMAGE = np.array([[[[1.0, 2, 0, 1], [0, 1, 3, 0], [2, 0, 1, 2]]]])
_FILTER = np.array([[[[1.0, 2], [3, -1]]]])
_DECK = np.array([[1.0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]])[None, None]
_CROSS = np.array([[1.0, 0, 1], [0, 1, 0], [1, 0, 1]])[None, None]
EXAMPLES = [
    ("conv2d_loops", (_IMAGE, _FILTER, np.array([-1.0]), (1, 1)), np.array([[[[3.0, 1, 10], [7, 5, 3]]]])),
    (
        "conv2d_loops",
        (_DECK, _CROSS, np.array([0.0]), (1, 1)),
        np.array([[[[4.0, 3, 4], [2, 4, 3], [2, 3, 4]]]]),
    ),
    ("conv2d_loops", (_DECK, _CROSS, np.array([0.0]), (2, 2)), np.array([[[[4.0, 4], [2, 4]]]])),
]
