"""Right ways to write exercise 11, and wrong ones as students write them."""

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view


def pad(x, padding):
    P_H, P_W = padding
    return np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)))


def edge_by_edge(dy, x, w, stride, padding):
    H, W = x.shape[2:]
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(dy[0, :, 0, 0])
    for n, o, p, q in np.ndindex(*dy.shape):
        db[o] += dy[n, o, p, q]
        for c, u, v in np.ndindex(*w.shape[1:]):
            i = p * stride[0] + u - padding[0]
            j = q * stride[1] + v - padding[1]
            if 0 <= i < H and 0 <= j < W:
                dw[o, c, u, v] += dy[n, o, p, q] * x[n, c, i, j]
                dx[n, c, i, j] += dy[n, o, p, q] * w[o, c, u, v]
    return dx, dw, db


def window_by_window(dy, x, w, stride, padding):
    (s_h, s_w), (K_H, K_W) = stride, w.shape[2:]
    X = pad(x, padding)
    dX, dw = np.zeros_like(X), np.zeros_like(w)
    for p in range(dy.shape[2]):
        for q in range(dy.shape[3]):
            here = np.s_[:, :, p * s_h : p * s_h + K_H, q * s_w : q * s_w + K_W]
            g = dy[:, :, p, q]  # (N, C_out)
            dw += np.tensordot(g, X[here], (0, 0))
            dX[here] += np.tensordot(g, w, (1, 0))
    rows = slice(padding[0], dX.shape[2] - padding[0])
    columns = slice(padding[1], dX.shape[3] - padding[1])
    return dX[:, :, rows, columns], dw, dy.sum((0, 2, 3))


def tap_by_tap(dy, x, w, stride, padding):
    P_H, P_W = dy.shape[2:]
    X = pad(x, padding)
    dX, dw = np.zeros(X.shape, X.dtype), np.empty(w.shape, w.dtype)
    for u, v in np.ndindex(*w.shape[2:]):
        seen = np.s_[:, :, u : u + stride[0] * (P_H - 1) + 1 : stride[0], v : v + stride[1] * (P_W - 1) + 1 : stride[1]]
        dw[:, :, u, v] = np.einsum("nopq,ncpq->oc", dy, X[seen])
        dX[seen] += np.einsum("nopq,oc->ncpq", dy, w[:, :, u, v])
    top, left = padding
    return dX[:, :, top:, left:][:, :, : x.shape[2], : x.shape[3]], dw, np.einsum("nopq->o", dy)


def spread(dy, stride):
    N, C_out, P_H, P_W = dy.shape
    out = np.zeros((N, C_out, (P_H - 1) * stride[0] + 1, (P_W - 1) * stride[1] + 1), dy.dtype)
    out[:, :, :: stride[0], :: stride[1]] = dy
    return out


def by_two_convolutions(dy, x, w, stride, padding):
    """Slide dy over x for dw, and the turned kernel over dy for dx."""
    (K_H, K_W), (H, W) = w.shape[2:], x.shape[2:]
    D, X = spread(dy, stride), pad(x, padding)
    windows = sliding_window_view(X, D.shape[2:], axis=(2, 3))  # (N, C_in, taps, taps, *D)
    dw = np.einsum("nopq,ncuvpq->ocuv", D, windows, optimize=True)[:, :, :K_H, :K_W]
    D = np.pad(D, ((0, 0), (0, 0), (K_H - 1, K_H - 1), (K_W - 1, K_W - 1)))
    windows = sliding_window_view(D, (K_H, K_W), axis=(2, 3))
    covered = np.einsum("noijuv,ocuv->ncij", windows, w[:, :, ::-1, ::-1], optimize=True)
    full = np.zeros_like(X)
    full[:, :, : covered.shape[2], : covered.shape[3]] = covered
    return full[:, :, padding[0] : padding[0] + H, padding[1] : padding[1] + W], dw, dy.sum(axis=(0, 2, 3))


def by_columns(dy, x, w, stride, padding):
    """im2col, two matrix products and col2im."""
    N, C_in, H, W = x.shape
    C_out, _, K_H, K_W = w.shape
    P_H, P_W = dy.shape[2:]
    X = np.ascontiguousarray(pad(x, padding))
    a, b, c, d = X.strides
    shape = (N, P_H, P_W, C_in, K_H, K_W)
    columns = as_strided(X, shape, (a, c * stride[0], d * stride[1], b, c, d)).reshape(N * P_H * P_W, -1)
    flat = dy.transpose(0, 2, 3, 1).reshape(-1, C_out)
    dw = (flat.T @ columns).reshape(w.shape)
    shares = (flat @ w.reshape(C_out, -1)).reshape(shape)
    dX = np.zeros_like(X)
    for u in range(K_H):
        for v in range(K_W):
            for p in range(P_H):
                dX[:, :, p * stride[0] + u, v : v + stride[1] * (P_W - 1) + 1 : stride[1]] += shares[
                    :, p, :, :, u, v
                ].transpose(0, 2, 1)
    return dX[:, :, padding[0] : padding[0] + H, padding[1] : padding[1] + W], dw, flat.sum(axis=0)


def by_scattering(dy, x, w, stride, padding):
    """np.add.at counts an index that stands twice, twice; dw from one einsum over all windows."""
    (K_H, K_W), (P_H, P_W), (H, W) = w.shape[2:], dy.shape[2:], x.shape[2:]
    X = pad(x, padding)
    rows = (np.arange(P_H)[:, None] * stride[0] + np.arange(K_H)[None, :])[:, :, None, None]
    columns = np.arange(P_W)[:, None] * stride[1] + np.arange(K_W)[None, :]
    dX = np.zeros_like(X)
    np.add.at(dX, np.s_[:, :, rows, columns], np.einsum("nopq,ocuv->ncpuqv", dy, w))
    dw = np.einsum("nopq,ncpuqv->ocuv", dy, X[:, :, rows, columns])
    return [dX[:, :, padding[0] : H + padding[0], padding[1] : W + padding[1]], dw, dy.swapaxes(0, 1).sum((1, 2, 3))]


RIGHT = [edge_by_edge, window_by_window, tap_by_tap, by_two_convolutions, by_columns, by_scattering]


def no_turn_and_mean_over_batch(dy, x, w, stride, padding):
    """Slide w itself over dy, and divide dw by the batch: two mistakes in two results."""
    dx, dw, db = by_two_convolutions(dy, x, w[:, :, ::-1, ::-1], stride, padding)
    return dx, dw / len(x), db


def minus_zero(dy, x, w, stride, padding):
    X = pad(x, padding)
    dX = np.zeros_like(X)
    dw = np.zeros_like(w)
    for n in range(len(x)):
        for p in range(dy.shape[2]):
            for q in range(dy.shape[3]):
                i, j = p * stride[0], q * stride[1]
                for o in range(len(w)):
                    dw[o] += dy[n, o, p, q] * X[n, :, i : i + w.shape[2], j : j + w.shape[3]]
                    dX[n, :, i : i + w.shape[2], j : j + w.shape[3]] += dy[n, o, p, q] * w[o]
    p, q = padding
    return dX[:, :, p:-p, q:-q], dw, dy.sum(axis=(0, 2, 3))


def fancy_index(dy, x, w, stride, padding):
    """An index that stands twice in dX[...] += counts once."""
    (K_H, K_W), (P_H, P_W), (H, W) = w.shape[2:], dy.shape[2:], x.shape[2:]
    X = pad(x, padding)
    dX = np.zeros_like(X)
    rows = (np.arange(P_H)[:, None] * stride[0] + np.arange(K_H))[:, :, None, None]
    columns = np.arange(P_W)[:, None] * stride[1] + np.arange(K_W)
    dX[:, :, rows, columns] += np.einsum("nopq,ocuv->ncpuqv", dy, w)
    dw = np.einsum("nopq,ncpuqv->ocuv", dy, X[:, :, rows, columns])
    return dX[:, :, padding[0] : H + padding[0], padding[1] : W + padding[1]], dw, dy.sum((0, 2, 3))


def equals_for_plus_equals(dy, x, w, stride, padding):
    X = pad(x, padding)
    dX, dw, db = np.zeros_like(X), np.zeros_like(w), np.zeros(len(w))
    for n, o, p, q in np.ndindex(*dy.shape):
        i, j = p * stride[0], q * stride[1]
        here = np.s_[n, :, i : i + w.shape[2], j : j + w.shape[3]]
        dX[here] = dy[n, o, p, q] * w[o]
        dw[o] = dy[n, o, p, q] * X[here]
        db[o] = dy[n, o, p, q]
    top, left = padding
    return dX[:, :, top : top + x.shape[2], left : left + x.shape[3]], dw, db


def stride_one_everywhere(dy, x, w, stride, padding):
    """Slide dy, without zeros between its entries, for dw; the other two are right."""
    dx, _, db = edge_by_edge(dy, x, w, stride, padding)
    windows = sliding_window_view(pad(x, padding), dy.shape[2:], axis=(2, 3))
    return dx, np.einsum("nopq,ncuvpq->ocuv", dy, windows), db


def no_turn_and_no_cut(dy, x, w, stride, padding):
    """Two mistakes in dx: the kernel is not turned, the padding not cut off."""
    _, dw, db = window_by_window(dy, x, w, stride, padding)
    dX = np.zeros_like(pad(x, padding))
    D = np.pad(spread(dy, stride), ((0, 0), (0, 0), *((k - 1, k - 1) for k in w.shape[2:])))
    for i in range(D.shape[2] - w.shape[2] + 1):
        for j in range(D.shape[3] - w.shape[3] + 1):
            window = D[:, :, i : i + w.shape[2], j : j + w.shape[3]]
            dX[:, :, i, j] = np.tensordot(window, w, ((1, 2, 3), (0, 2, 3)))
    return dX, dw, db


def turned_and_averaged(dy, x, w, stride, padding):
    """Two mistakes in dw."""
    dx, dw, db = window_by_window(dy, x, w, stride, padding)
    return dx, np.array([[kernel[::-1, ::-1] for kernel in block] for block in dw]) / dy[:, 0].size, db


def sizes_from_dy(dy, x, w, stride, padding):
    """Size dx by what the windows cover, and sum db over the places of each sample only."""
    covered = [(o - 1) * s + k for o, s, k in zip(dy.shape[2:], stride, w.shape[2:], strict=True)]
    dX = np.zeros((*x.shape[:2], *covered))
    for n, o, p, q in np.ndindex(*dy.shape):
        i, j = p * stride[0], q * stride[1]
        dX[n, :, i : i + w.shape[2], j : j + w.shape[3]] += dy[n, o, p, q] * w[o]
    dx = dX[:, :, padding[0] : covered[0] - padding[0], padding[1] : covered[1] - padding[1]]
    return dx, tap_by_tap(dy, x, w, stride, padding)[1], dy.sum(axis=(2, 3))


def weights_first(dy, x, w, stride, padding):
    dx, dw, db = edge_by_edge(dy, x, w, stride, padding)
    return dw, dx, db


def no_lower_bound(dy, x, w, stride, padding):
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), dy.sum(axis=(0, 2, 3))
    for n, o, p, q in np.ndindex(*dy.shape):
        for c, u, v in np.ndindex(*w.shape[1:]):
            i, j = p * stride[0] + u - padding[0], q * stride[1] + v - padding[1]
            if i < x.shape[2] and j < x.shape[3]:
                dw[o, c, u, v] += dy[n, o, p, q] * x[n, c, i, j]
                dx[n, c, i, j] += dy[n, o, p, q] * w[o, c, u, v]
    return dx, dw, db


TURN, MEAN = "The kernel lies the wrong way round in dx", "A mean is taken where the sum belongs"
WRONG = [
    (no_turn_and_mean_over_batch, {TURN, MEAN}),
    (minus_zero, {"Cutting with p:-p leaves nothing when the padding is 0"}),
    (fancy_index, {"dx is overwritten where it should be added to"}),
    (
        equals_for_plus_equals,
        {
            "dx is overwritten where it should be added to",
            "dw is overwritten where it should be added to",
            "db is overwritten where it should be added to",
        },
    ),
    (stride_one_everywhere, {"stride is not used"}),
    (no_turn_and_no_cut, {TURN, "The padding is not cut off dx"}),
    (turned_and_averaged, {"dw is turned by 180°", MEAN}),
    (
        sizes_from_dy,
        {
            "Rows and columns that no window reaches are missing in dx",
            "db is not summed over everything but the filters",
        },
    ),
    (no_lower_bound, {"Row or column -1 is taken for the last one"}),
    (weights_first, {"The three gradients are returned in another order"}),
]
EXAMPLES = [
    (
        "conv2d_backward",
        (
            np.array([[[[1.0, 0.0], [-1.0, 2.0]]]]),
            np.array([[[[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]]]),
            np.array([[[[1.0, 2.0], [0.0, -1.0]]]]),
            (1, 1),
            (0, 0),
        ),
        (
            np.array([[[[1.0, 2.0, 0.0], [-1.0, -1.0, 4.0], [0.0, 1.0, -2.0]]]]),
            np.array([[[[3.0, 7.0], [-2.0, 3.0]]]]),
            np.array([2.0]),
        ),
    ),
]
