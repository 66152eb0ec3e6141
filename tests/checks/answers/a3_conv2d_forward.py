"""Right ways to write exercise 10, and wrong ones as students write them."""

import numpy as np


def by_taps(x, w, b, stride, padding):
    (S_H, S_W), (P_H, P_W) = stride, padding
    x = np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)))
    (N, _, H, W), (C_out, _, K_H, K_W) = x.shape, w.shape
    rows, cols = (H - K_H) // S_H + 1, (W - K_W) // S_W + 1
    y = np.zeros((N, C_out, rows, cols), dtype=x.dtype)
    for i in range(K_H):
        for j in range(K_W):
            corner = x[:, :, i : i + S_H * rows : S_H, j : j + S_W * cols : S_W]
            y += np.tensordot(w[:, :, i, j], corner, axes=(1, 1)).transpose(1, 0, 2, 3)
    return y + b.reshape(-1, 1, 1)


def by_window_view(x, w, b, stride, padding):
    x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    windows = windows[:, :, :: stride[0], :: stride[1]]
    return np.einsum("ncpqij,ocij->nopq", windows, w, optimize=True) + b[None, :, None, None]


def by_columns(x, w, b, stride, padding):
    (N, C_in, H, W), (C_out, _, K_H, K_W) = x.shape, w.shape
    big = np.zeros((N, C_in, H + 2 * padding[0], W + 2 * padding[1]), x.dtype)
    big[:, :, padding[0] : padding[0] + H, padding[1] : padding[1] + W] = x
    rows = np.arange((big.shape[2] - K_H) // stride[0] + 1) * stride[0]
    cols = np.arange((big.shape[3] - K_W) // stride[1] + 1) * stride[1]
    r = rows[:, None, None, None] + np.arange(K_H)[:, None]
    c = cols[None, :, None, None] + np.arange(K_W)
    columns = big[:, :, r, c].transpose(1, 4, 5, 0, 2, 3).reshape(C_in * K_H * K_W, -1)
    y = w.reshape(C_out, -1) @ columns + b[:, None]
    return y.reshape(C_out, N, len(rows), len(cols)).swapaxes(0, 1)


def by_strides_of_memory(x, w, b, stride, padding):
    x = np.ascontiguousarray(np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2)))
    rows = 1 + (x.shape[2] - w.shape[2]) // stride[0]
    cols = 1 + (x.shape[3] - w.shape[3]) // stride[1]
    s = x.strides
    windows = np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:2], rows, cols, *w.shape[2:]),
        (s[0], s[1], s[2] * stride[0], s[3] * stride[1], s[2], s[3]),
    )
    return np.moveaxis(np.tensordot(windows, w, ((1, 4, 5), (1, 2, 3))) + b, -1, 1)


def by_places(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    K_H, K_W = w.shape[2:]
    tops, lefts = range(0, x.shape[2] - K_H + 1, stride[0]), range(0, x.shape[3] - K_W + 1, stride[1])
    y = np.zeros((len(x), len(w), len(tops), len(lefts)))
    for p, top in enumerate(tops):
        for q, left in enumerate(lefts):
            y[:, :, p, q] = np.einsum("ncij,ocij->no", x[:, :, top : top + K_H, left : left + K_W], w) + b
    return y


def by_all_outputs(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    K_H, K_W = w.shape[2:]
    rows, cols = (x.shape[2] - K_H) // stride[0] + 1, (x.shape[3] - K_W) // stride[1] + 1
    y = np.zeros((len(x), len(w), rows, cols))
    for n, o, p, q in np.ndindex(*y.shape):
        top, left = p * stride[0], q * stride[1]
        y[n, o, p, q] = np.vdot(x[n, :, top : top + K_H, left : left + K_W], w[o]) + b[o]
    return y


RIGHT = [by_taps, by_window_view, by_columns, by_strides_of_memory, by_places, by_all_outputs]


def flipped_and_without_bias(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    return np.einsum("ncpqij,ocij->nopq", windows, np.flip(w, (2, 3)))


def samples_added_up(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    return np.einsum("ncpqij,ocij->opq", windows, w) + b[:, None, None]


def reshaped_at_the_end(x, w, b, stride, padding):
    (N, C_in, H, W), (C_out, _, K_H, K_W) = x.shape, w.shape
    H, W = H + 2 * padding[0], W + 2 * padding[1]
    x = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    P_H, P_W = (H - K_H) // stride[0] + 1, (W - K_W) // stride[1] + 1
    columns = np.zeros((N, P_H, P_W, C_in * K_H * K_W))
    for p in range(P_H):
        for q in range(P_W):
            top, left = p * stride[0], q * stride[1]
            columns[:, p, q] = x[:, :, top : top + K_H, left : left + K_W].reshape(N, -1)
    y = columns.reshape(-1, C_in * K_H * K_W) @ w.reshape(C_out, -1).T + b
    return y.reshape(N, C_out, P_H, P_W)


def channels_last_in_windows(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    N, C, P_H, P_W, K_H, K_W = windows.shape
    rows = windows.transpose(0, 2, 3, 4, 5, 1).reshape(N, P_H * P_W, K_H * K_W * C)
    y = rows @ w.reshape(len(w), -1).T + b
    return y.reshape(N, P_H, P_W, len(w)).transpose(0, 3, 1, 2)


def bias_with_each_tap(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    rows, cols = ((x.shape[2 + a] - w.shape[2 + a]) // stride[a] + 1 for a in (0, 1))
    y = np.zeros((len(x), len(w), rows, cols))
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            corner = x[:, :, i : i + stride[0] * rows : stride[0], j : j + stride[1] * cols : stride[1]]
            y += np.einsum("nchw,oc->nohw", corner, w[:, :, i, j]) + b[:, None, None]
    return y


def size_of_a_padding_too_few_and_first_bias(x, w, b, stride, padding):
    (N, _, H, W), (C_out, _, K_H, K_W) = x.shape, w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    rows = (H + padding[0] - K_H) // stride[0] + 1
    cols = (W + padding[1] - K_W) // stride[1] + 1
    y = np.zeros((N, C_out, rows, cols))
    for p in range(rows):
        for q in range(cols):
            window = padded[:, :, p * stride[0] : p * stride[0] + K_H, q * stride[1] : q * stride[1] + K_W]
            y[:, :, p, q] = np.tensordot(window, w, ((1, 2, 3), (1, 2, 3))) + b[0]
    return y


WRONG = [
    (flipped_and_without_bias, {"The kernel is flipped", "The bias is left out"}),
    (samples_added_up, {"The samples are added up"}),
    (reshaped_at_the_end, {"The answer is reshaped where its axes should be moved"}),
    (channels_last_in_windows, {"Windows and filters are flattened in different orders"}),
    (bias_with_each_tap, {"The bias is added more than once"}),
    (
        size_of_a_padding_too_few_and_first_bias,
        {"The padding counts on one side only", "All outputs get the first bias"},
    ),
]
_IMAGE = np.array([[[[1.0, 2, 0, 1], [0, 1, 3, 0], [2, 0, 1, 2]]]])
_FILTER = np.array([[[[1.0, 2], [3, -1]]]])
EXAMPLES = [
    (
        "conv2d_forward",
        (_IMAGE, _FILTER, np.array([-1.0]), (2, 2), (1, 0)),
        # Zeros above: 3·1 − 1·2 − 1 and 3·0 − 1·1 − 1; then the second row of the example of exercise 8.
        np.array([[[[0.0, -2.0], [7.0, 3.0]]]]),
    ),
]
