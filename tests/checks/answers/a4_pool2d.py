"""Right ways to write exercise 14, and wrong ones as students write them."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def sizes(x, kernel, stride, padding):
    return [(n + 2 * P - K) // S + 1 for n, K, S, P in zip(x.shape[2:], kernel, stride, padding, strict=True)]


def pad(x, padding, value):
    return np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2), constant_values=value)


def crop(dx, padding, x):
    return dx[:, :, padding[0] : padding[0] + x.shape[2], padding[1] : padding[1] + x.shape[3]]


def forward_by_loops(x, kernel, stride, padding, how):
    """Six loops, and a question whether the cell is on the map."""
    y = np.zeros((*x.shape[:2], *sizes(x, kernel, stride, padding)), x.dtype)
    for n, c, p, q in np.ndindex(*y.shape):
        best, total = -np.inf, 0.0
        for u in range(kernel[0]):
            for v in range(kernel[1]):
                h, w = p * stride[0] + u - padding[0], q * stride[1] + v - padding[1]
                if 0 <= h < x.shape[2] and 0 <= w < x.shape[3]:
                    best = max(best, x[n, c, h, w])
                    total += x[n, c, h, w]
        y[n, c, p, q] = best if how == "max" else total / (kernel[0] * kernel[1])
    return y


def backward_by_loops(dy, x, kernel, stride, padding, how):
    dx = np.zeros(x.shape, x.dtype)
    for n, c, p, q in np.ndindex(*dy.shape):
        best, winner = None, None
        for u in range(kernel[0]):
            for v in range(kernel[1]):
                h, w = p * stride[0] + u - padding[0], q * stride[1] + v - padding[1]
                if not (0 <= h < x.shape[2] and 0 <= w < x.shape[3]):
                    continue
                if how == "avg":
                    dx[n, c, h, w] += dy[n, c, p, q] / (kernel[0] * kernel[1])
                elif best is None or x[n, c, h, w] > best:
                    best, winner = x[n, c, h, w], (h, w)
        if how == "max":
            dx[(n, c, *winner)] += dy[n, c, p, q]
    return dx


def views(x, kernel, stride, padding, how):
    padded = pad(x, padding, -np.inf if how == "max" else 0)
    return sliding_window_view(padded, kernel, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]


def forward_by_views(x, kernel, stride, padding, how):
    windows = views(x, kernel, stride, padding, how)
    return windows.max(axis=(4, 5)) if how == "max" else windows.mean(axis=(4, 5))


def backward_by_add_at(dy, x, kernel, stride, padding, how):
    """Indices of all winners at once, added up with np.add.at."""
    dx = np.zeros_like(pad(x, padding, 0))
    N, C, H, W = dy.shape
    n, c, p, q = np.ogrid[:N, :C, :H, :W]
    if how == "max":
        windows = views(x, kernel, stride, padding, how)
        u, v = np.divmod(windows.reshape(*dy.shape, -1).argmax(axis=4), kernel[1])
        np.add.at(dx, (n, c, p * stride[0] + u, q * stride[1] + v), dy)
    else:
        for u, v in np.ndindex(*kernel):
            np.add.at(dx, (n, c, p * stride[0] + u, q * stride[1] + v), dy / np.prod(kernel))
    return crop(dx, padding, x)


def taps(padded, kernel, stride, out):
    """For each cell of the kernel, what it sees at all positions."""
    for u, v in np.ndindex(*kernel):
        yield (
            slice(None),
            slice(None),
            slice(u, u + (out[0] - 1) * stride[0] + 1, stride[0]),
            slice(v, v + (out[1] - 1) * stride[1] + 1, stride[1]),
        )


def forward_by_taps(x, kernel, stride, padding, how):
    padded = pad(x, padding, -np.inf if how == "max" else 0)
    seen = [padded[place] for place in taps(padded, kernel, stride, sizes(x, kernel, stride, padding))]
    return np.maximum.reduce(seen) if how == "max" else sum(seen) / len(seen)


def backward_by_taps(dy, x, kernel, stride, padding, how):
    """Tap after tap; a window that has found its winner is done."""
    padded = pad(x, padding, -np.inf)
    dx = np.zeros_like(padded)
    y = forward_by_taps(x, kernel, stride, padding, how)
    open_windows = np.ones(dy.shape, dtype=bool)
    for place in taps(padded, kernel, stride, dy.shape[2:]):
        if how == "max":
            wins = open_windows & (padded[place] == y)
            dx[place] += wins * dy
            open_windows &= ~wins
        else:
            dx[place] += dy / (kernel[0] * kernel[1])
    return crop(dx, padding, x)


def forward_by_maps(x, kernel, stride, padding, how):
    """One map after another, one window after another."""
    maps = []
    for one in pad(x, padding, -np.inf if how == "max" else 0).reshape(-1, 1, 1, *pad(x, padding, 0).shape[2:]):
        rows = range(0, one.shape[2] - kernel[0] + 1, stride[0])
        columns = range(0, one.shape[3] - kernel[1] + 1, stride[1])
        function = np.max if how == "max" else np.mean
        maps.append([[function(one[0, 0, r : r + kernel[0], c : c + kernel[1]]) for c in columns] for r in rows])
    return np.array(maps, dtype=x.dtype).reshape(*x.shape[:2], *np.shape(maps[0]))


def backward_by_matrix(dy, x, kernel, stride, padding, how):
    """Each map's slope is a matrix from cells to windows; the gradient is its transpose times dy."""
    dx = np.zeros_like(x)
    cells = np.pad(np.arange(1, x[0, 0].size + 1).reshape(x.shape[2:]), ((padding[0],) * 2, (padding[1],) * 2))
    for n, c in np.ndindex(*x.shape[:2]):
        slope = np.zeros((dy[n, c].size, x[n, c].size + 1))  # cell 0 is the padding
        values = np.concatenate([[-np.inf], x[n, c].ravel()])
        for o, (p, q) in enumerate(np.ndindex(*dy.shape[2:])):
            r, s = p * stride[0], q * stride[1]
            seen = cells[r : r + kernel[0], s : s + kernel[1]].ravel()
            if how == "max":
                slope[o, seen[np.argmax(values[seen])]] = 1
            else:
                slope[o] = np.bincount(seen, minlength=slope.shape[1]) / seen.size
        dx[n, c] = (slope.T @ dy[n, c].ravel())[1:].reshape(x.shape[2:])
    return dx


RIGHT = [
    (forward_by_loops, backward_by_loops),
    (forward_by_views, backward_by_add_at),
    (forward_by_taps, backward_by_taps),
    (forward_by_maps, backward_by_matrix),
]


def forward_with_zeros(x, kernel, stride, padding, how):
    windows = sliding_window_view(pad(x, padding, 0), kernel, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    return windows.max(axis=(4, 5)) if how == "max" else windows.mean(axis=(4, 5))


def forward_side_by_side(x, kernel, stride, padding, how):
    return forward_by_taps(x, kernel, kernel, padding, how)


def forward_without_padding_in_mean(x, kernel, stride, padding, how):
    if how == "max":
        return forward_by_views(x, kernel, stride, padding, how)
    padded = pad(x, padding, np.nan)
    windows = sliding_window_view(padded, kernel, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    return np.nanmean(windows, axis=(4, 5))


def forward_columns_first(x, kernel, stride, padding, how):
    K_W, K_H = kernel
    return forward_by_views(x, (K_H, K_W), stride, padding, how)


def backward_by_mask(dy, x, kernel, stride, padding, how):
    """The comparison is true for every equal maximum."""
    padded = pad(x, padding, -np.inf)
    dx = np.zeros_like(padded)
    for n, c, p, q in np.ndindex(*dy.shape):
        here = (n, c, slice(p * stride[0], p * stride[0] + kernel[0]), slice(q * stride[1], q * stride[1] + kernel[1]))
        if how == "max":
            dx[here] += (padded[here] == padded[here].max()) * dy[n, c, p, q]
        else:
            dx[here] += dy[n, c, p, q] / padded[here].size
    return crop(dx, padding, x)


def backward_without_dy(dy, x, kernel, stride, padding, how):
    if how == "max":
        return backward_by_loops(np.ones_like(dy), x, kernel, stride, padding, how)
    return backward_by_loops(dy, x, kernel, stride, padding, how)


def backward_that_assigns(dy, x, kernel, stride, padding, how):
    padded = pad(x, padding, -np.inf)
    dx = np.zeros_like(padded)
    for n, c, p, q in np.ndindex(*dy.shape):
        r, s = p * stride[0], q * stride[1]
        if how == "max":
            window = padded[n, c, r : r + kernel[0], s : s + kernel[1]]
            u, v = np.unravel_index(np.argmax(window), window.shape)
            dx[n, c, r + u, s + v] = dy[n, c, p, q]
        else:
            dx[n, c, r : r + kernel[0], s : s + kernel[1]] = dy[n, c, p, q] / (kernel[0] * kernel[1])
    return crop(dx, padding, x)


def backward_by_mask_that_assigns(dy, x, kernel, stride, padding, how):
    padded = pad(x, padding, -np.inf)
    dx = np.zeros_like(padded)
    for p, q in np.ndindex(*dy.shape[2:]):
        r, s = p * stride[0], q * stride[1]
        window = padded[:, :, r : r + kernel[0], s : s + kernel[1]]
        mask = window == window.max(axis=(2, 3), keepdims=True) if how == "max" else 1 / np.prod(kernel)
        dx[:, :, r : r + kernel[0], s : s + kernel[1]] = mask * dy[:, :, p, q, None, None]
    return crop(dx, padding, x)


def backward_cut_by_minus(dy, x, kernel, stride, padding, how):
    dx = np.zeros_like(pad(x, padding, 0))
    dx[:, :, padding[0] : padding[0] + x.shape[2], padding[1] : padding[1] + x.shape[3]] = backward_by_loops(
        dy, x, kernel, stride, padding, how
    )
    P_H, P_W = padding
    return dx[:, :, P_H:-P_H, P_W:-P_W]


def backward_undivided(dy, x, kernel, stride, padding, how):
    scale = kernel[0] * kernel[1] if how == "avg" else 1
    return scale * backward_by_taps(dy, x, kernel, stride, padding, how)


_ZEROS = "The zeros of the padding win over negative numbers"
_OVERWRITE = "Windows that overlap overwrite each other"
_EVERY = "Every equal maximum gets the whole gradient"
WRONG = [
    ((forward_with_zeros, backward_by_taps), {_ZEROS}),
    ((forward_side_by_side, backward_by_taps), {"The window moves by the kernel, not by the stride"}),
    ((forward_without_padding_in_mean, backward_by_taps), {"The padding does not count in the average"}),
    ((forward_columns_first, backward_by_taps), {"Rows and columns of the kernel are exchanged"}),
    ((forward_by_views, backward_by_mask), {_EVERY}),
    ((forward_by_views, backward_without_dy), {"dy is not used"}),
    ((forward_by_views, backward_that_assigns), {_OVERWRITE}),
    ((forward_by_views, backward_by_mask_that_assigns), {_OVERWRITE, _EVERY}),
    ((forward_by_views, backward_cut_by_minus), {"Cutting with P:-P leaves nothing when P is 0"}),
    ((forward_with_zeros, backward_undivided), {_ZEROS, "The gradient of the average is not divided"}),
]
_X = np.array([[[[1.0, 3.0, 2.0], [3.0, 0.0, 3.0]]]])
_DY = np.array([[[[8.0, 4.0]]]])
_PLAIN = ((2, 2), (1, 1), (0, 0))
EXAMPLES = [
    ("pool2d_forward", (_X, *_PLAIN, "max"), np.array([[[[3.0, 3.0]]]])),
    ("pool2d_forward", (_X, *_PLAIN, "avg"), np.array([[[[1.75, 2.0]]]])),
    ("pool2d_backward", (_DY, _X, *_PLAIN, "max"), np.array([[[[0.0, 12.0, 0.0], [0.0, 0.0, 0.0]]]])),
    ("pool2d_backward", (_DY, _X, *_PLAIN, "avg"), np.array([[[[2.0, 3.0, 1.0], [2.0, 3.0, 1.0]]]])),
    ("pool2d_forward", (_X, (2, 2), (4, 4), (1, 1), "max"), np.array([[[[1.0]]]])),
    ("pool2d_forward", (_X, (2, 2), (4, 4), (1, 1), "avg"), np.array([[[[0.25]]]])),
]
