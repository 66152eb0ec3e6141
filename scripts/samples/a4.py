"""The sample class of assignment 4."""

from __future__ import annotations

from samples.students import Student, changed, deleted, made_markdown, written_below

# ---- exercise 13 ----

CONV_BY_PLACES = """\
def conv_nd(x, w, b, stride, padding, dilation, groups, padding_mode):
    names = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    x = np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)), mode=names[padding_mode])
    axes = len(stride)
    out = []
    for a in range(axes):
        covered = (w.shape[2 + a] - 1) * dilation[a] + 1
        out.append((x.shape[2 + a] - covered) // stride[a] + 1)
    y = np.zeros((x.shape[0], w.shape[0], *out), dtype=x.dtype)
    per_group_in, per_group_out = x.shape[1] // groups, w.shape[0] // groups
    for place in np.ndindex(*out):
        for o in range(w.shape[0]):
            g = o // per_group_out
            total = b[o]
            for c in range(per_group_in):
                for tap in np.ndindex(*w.shape[2:]):
                    at = tuple(place[a] * stride[a] + tap[a] * dilation[a] for a in range(axes))
                    total = total + w[(o, c, *tap)] * x[(slice(None), g * per_group_in + c, *at)]
            y[(slice(None), o, *place)] = total
    return y
"""
CONV_BY_VIEW = """\
def padded_by_index(x, axis, p, mode):
    n = x.shape[axis]
    i = np.arange(-p, n + p)
    inside = (i >= 0) & (i < n)
    if mode == "reflect":
        i = np.abs(i)
        i = np.where(i >= n, 2 * n - 2 - i, i)
    elif mode == "circular":
        i = i % n
    else:
        i = np.clip(i, 0, n - 1)
    padded = np.take(x, i, axis=axis)
    if mode == "zeros":
        shape = [1] * x.ndim
        shape[axis] = -1
        padded = padded * inside.reshape(shape).astype(x.dtype)
    return padded


def conv_nd(x, w, b, stride, padding, dilation, groups, padding_mode):
    d = len(padding)
    for a in range(d):
        x = padded_by_index(x, 2 + a, padding[a], padding_mode)
    reach = tuple((k - 1) * f + 1 for k, f in zip(w.shape[2:], dilation))
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=tuple(range(2, 2 + d)))
    view = view[(..., *(slice(None, None, s) for s in stride), *(slice(None, None, f) for f in dilation))]
    parts = []
    for channels, filters in zip(np.split(view, groups, axis=1), np.split(w, groups, axis=0)):
        taps = list(range(2 + d, 2 + 2 * d))
        part = np.tensordot(channels, filters, axes=([1, *taps], list(range(1, 2 + d))))
        parts.append(np.moveaxis(part, -1, 1))
    return np.concatenate(parts, axis=1) + b.reshape(-1, *[1] * d)
"""
CONV_BY_TAPS = """\
def conv_nd(x, w, b, stride, padding, dilation, groups, padding_mode):
    mode = {'zeros': 'constant', 'reflect': 'reflect', 'replicate': 'edge', 'circular': 'wrap'}[padding_mode]
    x = np.pad(x, [(0, 0), (0, 0)] + list(zip(padding, padding)), mode=mode)
    kernel = w.shape[2:]
    out = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation)]
    x = x.reshape(len(x), groups, -1, *x.shape[2:])
    w = w.reshape(groups, len(w) // groups, -1, *kernel)
    y = 0
    for tap in np.ndindex(*kernel):
        seen = tuple(
            slice(t * d, t * d + s * (n - 1) + 1, s) for t, d, s, n in zip(tap, dilation, stride, out)
        )
        y = y + np.einsum('ngc...,goc->ngo...', x[(..., *seen)], w[(..., *tap)])
    return y.reshape(len(x), len(b), *out) + np.expand_dims(b, tuple(range(1, 1 + len(out))))
"""

# ---- exercise 14 ----

POOL_BY_PLACES = """\
def pool2d_forward(x, kernel, stride, padding, how):
    N, C, H, W = x.shape
    rows = (H + 2 * padding[0] - kernel[0]) // stride[0] + 1
    columns = (W + 2 * padding[1] - kernel[1]) // stride[1] + 1
    y = np.zeros((N, C, rows, columns), dtype=x.dtype)
    for p in range(rows):
        for q in range(columns):
            top = p * stride[0] - padding[0]
            left = q * stride[1] - padding[1]
            # only what lies on the map: no padding is needed then
            part = x[:, :, max(top, 0) : top + kernel[0], max(left, 0) : left + kernel[1]]
            if how == "max":
                y[:, :, p, q] = part.max(axis=(2, 3))
            else:
                y[:, :, p, q] = part.sum(axis=(2, 3)) / (kernel[0] * kernel[1])
    return y
"""
POOL_BY_VIEW = """\
def pool2d_forward(x, kernel, stride, padding, how):
    if tuple(kernel) == tuple(stride) == (1, 1) and padding == (0, 0):
        return x  # nothing to do
    fill = {"max": -np.inf, "avg": 0.0}[how]
    x = np.pad(x, [(0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2], constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    return windows.max(axis=(4, 5)) if how == "max" else windows.mean(axis=(4, 5))
"""
POOL_BY_TAPS = """\
def pool2d_forward(x, kernel, stride, padding, how):
    (P_H, P_W), (S_H, S_W) = padding, stride
    x = np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)), constant_values=-np.inf if how == 'max' else 0)
    rows = 1 + (x.shape[2] - kernel[0]) // S_H
    columns = 1 + (x.shape[3] - kernel[1]) // S_W
    taps = [
        x[:, :, u : u + S_H * rows : S_H, v : v + S_W * columns : S_W][:, :, :rows, :columns]
        for u in range(kernel[0])
        for v in range(kernel[1])
    ]
    if how == 'max':
        return np.maximum.reduce(taps)
    return sum(taps) / len(taps)
"""
BACK_BY_PLACES = """\
def pool2d_backward(dy, x, kernel, stride, padding, how):
    N, C, H, W = x.shape
    dx = np.zeros(x.shape, dtype=x.dtype)
    for n in range(N):
        for c in range(C):
            for p in range(dy.shape[2]):
                for q in range(dy.shape[3]):
                    best, winner = -np.inf, None
                    for u in range(kernel[0]):
                        for v in range(kernel[1]):
                            i = p * stride[0] + u - padding[0]
                            j = q * stride[1] + v - padding[1]
                            if not (0 <= i < H and 0 <= j < W):
                                continue
                            if how == "avg":
                                dx[n, c, i, j] += dy[n, c, p, q] / (kernel[0] * kernel[1])
                            elif x[n, c, i, j] > best:
                                best, winner = x[n, c, i, j], (i, j)
                    if how == "max":
                        dx[n, c, winner[0], winner[1]] += dy[n, c, p, q]
    return dx
"""
BACK_BY_ARGMAX = """\
def pool2d_backward(dy, x, kernel, stride, padding, how):
    around = ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1]))
    xp = np.pad(x, around, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(xp, kernel, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    n, c, p, q = np.indices(dy.shape)
    dxp = np.zeros(xp.shape, dtype=dy.dtype)
    if how == "max":
        u, v = np.unravel_index(windows.reshape(*dy.shape, -1).argmax(axis=-1), kernel)
        np.add.at(dxp, (n, c, p * stride[0] + u, q * stride[1] + v), dy)
    else:
        for u in range(kernel[0]):
            for v in range(kernel[1]):
                np.add.at(dxp, (n, c, p * stride[0] + u, q * stride[1] + v), dy / (kernel[0] * kernel[1]))
    return dxp[:, :, padding[0] : padding[0] + x.shape[2], padding[1] : padding[1] + x.shape[3]]
"""
BACK_BY_TAPS = """\
def pool2d_backward(dy, x, kernel, stride, padding, how):
    (P_H, P_W), (S_H, S_W) = padding, stride
    rows, columns = dy.shape[2:]
    frame = np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)), constant_values=-np.inf)
    y = pool2d_forward(x, kernel, stride, padding, 'max')
    waiting = np.ones(dy.shape, dtype=bool)  # windows whose winner has not come yet
    d = np.zeros_like(frame)
    for u in range(kernel[0]):
        for v in range(kernel[1]):
            at = np.s_[:, :, u : u + S_H * (rows - 1) + 1 : S_H, v : v + S_W * (columns - 1) + 1 : S_W]
            if how == 'max':
                wins = waiting & (frame[at] == y)
                waiting &= ~wins
                d[at] += np.where(wins, dy, 0)
            else:
                d[at] += dy / (kernel[0] * kernel[1])
    return d[:, :, P_H : P_H + x.shape[2], P_W : P_W + x.shape[3]]
"""

PLACES = {"conv_nd": CONV_BY_PLACES, "pool2d_forward": POOL_BY_PLACES, "pool2d_backward": BACK_BY_PLACES}
VIEWS = {"conv_nd": CONV_BY_VIEW, "pool2d_forward": POOL_BY_VIEW, "pool2d_backward": BACK_BY_ARGMAX}
TAPS = {"conv_nd": CONV_BY_TAPS, "pool2d_forward": POOL_BY_TAPS, "pool2d_backward": BACK_BY_TAPS}

# ---- what goes wrong ----

OVERWRITES = """\
def pool2d_backward(dy, x, kernel, stride, padding, how):
    KH, KW = kernel
    xp = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2), constant_values=-np.inf)
    dxp = np.zeros(xp.shape, dtype=x.dtype)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            for i in range(dy.shape[2]):
                for j in range(dy.shape[3]):
                    h, v = i * stride[0], j * stride[1]
                    if how == "max":
                        k = np.argmax(xp[n, c, h:h + KH, v:v + KW])
                        dxp[n, c, h + k // KW, v + k % KW] = dy[n, c, i, j]
                    else:
                        dxp[n, c, h:h + KH, v:v + KW] = dy[n, c, i, j] / (KH * KW)
    return dxp[:, :, padding[0]:padding[0] + x.shape[2], padding[1]:padding[1] + x.shape[3]]
"""
ZEROS_AROUND = """\
def pool2d_forward(x, kernel, stride, padding, how):
    KH, KW = kernel
    pads = ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2)
    xp = np.pad(x, pads)
    real = np.pad(np.ones_like(x), pads)
    H2 = (xp.shape[2] - KH) // stride[0] + 1
    W2 = (xp.shape[3] - KW) // stride[1] + 1
    y = np.zeros((x.shape[0], x.shape[1], H2, W2), dtype=x.dtype)
    for i in range(H2):
        for j in range(W2):
            rows = slice(i * stride[0], i * stride[0] + KH)
            columns = slice(j * stride[1], j * stride[1] + KW)
            if how == "max":
                y[:, :, i, j] = np.max(xp[:, :, rows, columns], axis=(2, 3))
            else:  # the mean of what is really there
                y[:, :, i, j] = np.sum(xp[:, :, rows, columns], axis=(2, 3)) / np.sum(
                    real[:, :, rows, columns], axis=(2, 3)
                )
    return y
"""
OWN_PADDING = """\
def conv_nd(x, w, b, stride, padding, dilation, groups, padding_mode):
    D = dilation[0]
    for axis, p in enumerate(padding, start=2):
        n = x.shape[axis]
        before = {
            "zeros": None,
            "reflect": range(p, 0, -1),
            "replicate": [0] * p,
            "circular": range(p),
        }[padding_mode]
        after = {
            "zeros": None,
            "reflect": range(n - 2, n - 2 - p, -1),
            "replicate": [n - 1] * p,
            "circular": range(n - p, n),
        }[padding_mode]
        if before is None:
            widths = [(0, 0)] * x.ndim
            widths[axis] = (p, p)
            x = np.pad(x, widths)
        else:
            x = np.take(x, [*before, *range(n), *after], axis=axis)
    C_out, C = w.shape[:2]
    kernel = w.shape[2:]
    out = [(n - D * (k - 1) - 1) // s + 1 for n, k, s in zip(x.shape[2:], kernel, stride)]
    y = np.zeros((len(x), C_out, *out), x.dtype)
    for o in range(C_out):
        g = o // (C_out // groups)
        for place in np.ndindex(*out):
            cut = tuple(slice(p * s, p * s + D * (k - 1) + 1, D) for p, s, k in zip(place, stride, kernel))
            window = x[(slice(None), slice(g * C, (g + 1) * C), *cut)]
            y[(slice(None), o, *place)] = (window * w[o]).reshape(len(x), -1).sum(axis=1) + b[o]
    return y
"""
PART_OF_THE_INPUT = """\
def pool2d_forward(x, kernel, stride, padding, how):
    return x[:, :, :: stride[0], :: stride[1]]
"""
EVERY_TIE = """\
def pool2d_backward(dy, x, kernel, stride, padding, how):
    P_H, P_W = padding
    H, W = x.shape[2:]
    frame = np.full((*x.shape[:2], H + 2 * P_H, W + 2 * P_W), -np.inf, dtype=x.dtype)
    frame[:, :, P_H:P_H + H, P_W:P_W + W] = x
    back = np.zeros_like(frame)
    for i in range(dy.shape[2]):
        for j in range(dy.shape[3]):
            at = np.s_[:, :, i * stride[0]:i * stride[0] + kernel[0], j * stride[1]:j * stride[1] + kernel[1]]
            d = dy[:, :, i, j][:, :, None, None]
            if how == "max":
                back[at] += (frame[at] == frame[at].max(axis=(2, 3), keepdims=True)) * d
            else:
                back[at] += d / (kernel[0] * kernel[1])
    return back[:, :, P_H:P_H + H, P_W:P_W + W]
"""
PICTURES_ONLY = """\
def conv_nd(x, w, b, stride, padding, dilation, groups, padding_mode):
    # for pictures; dilation and the modes are still missing
    N, C_in, H, W = x.shape
    C_out, C, K_H, K_W = w.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    rows = (x.shape[2] - K_H) // stride[0] + 1
    columns = (x.shape[3] - K_W) // stride[1] + 1
    y = np.zeros((N, C_out, rows, columns), dtype=x.dtype)
    for n in range(N):
        for o in range(C_out):
            first = o // (C_out // groups) * C
            for i in range(rows):
                for j in range(columns):
                    top, left = i * stride[0], j * stride[1]
                    window = x[n, first:first + C, top:top + K_H, left:left + K_W]
                    y[n, o, i, j] = np.sum(window * w[o]) + b[o]
    return y
"""
OWN_MODE_NAMES = """\
def conv_nd(x, w, b, stride, padding, dilation, groups, padding_mode):
    widths = [(0, 0), (0, 0)] + [(p, p) for p in padding]
    if padding_mode == "zeros":
        x = np.pad(x, widths)
    else:
        x = np.pad(x, widths, mode=padding_mode)
    out = [
        (n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], w.shape[2:], stride, dilation)
    ]
    y = np.zeros((len(x), len(w), *out))
    C = w.shape[1]
    for o in range(len(w)):
        g = o // (len(w) // groups)
        for place in np.ndindex(*out):
            taps = tuple(
                slice(p * s, p * s + d * (k - 1) + 1, d)
                for p, s, d, k in zip(place, stride, dilation, w.shape[2:])
            )
            for n in range(len(x)):
                y[(n, o, *place)] = np.sum(x[(n, slice(g * C, g * C + C), *taps)] * w[o]) + b[o]
    return y
"""
SHARES_IN_PLACE = """\
def pool2d_backward(dy, x, kernel, stride, padding, how):
    if how == "avg":
        dy /= kernel[0] * kernel[1]
    dx = np.zeros((*x.shape[:2], x.shape[2] + 2 * padding[0], x.shape[3] + 2 * padding[1]), dtype=x.dtype)
    xp = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2), constant_values=-np.inf)
    for n, c, p, q in np.ndindex(*dy.shape):
        rows = slice(p * stride[0], p * stride[0] + kernel[0])
        columns = slice(q * stride[1], q * stride[1] + kernel[1])
        if how == "avg":
            dx[n, c, rows, columns] += dy[n, c, p, q]
        else:
            window = xp[n, c, rows, columns]
            u, v = np.argwhere(window == window.max())[0]
            dx[n, c, rows.start + u, columns.start + v] += dy[n, c, p, q]
    return dx[:, :, padding[0]:padding[0] + x.shape[2], padding[1]:padding[1] + x.shape[3]]
"""

STUDENTS = {
    # three right ones: place by place, views, tap by tap
    "ada": Student(PLACES),
    "ben": Student(VIEWS),
    "chen": Student(TAPS),
    # forward right, backward wrong
    "dora": Student(
        PLACES
        | {"conv_nd": changed(CONV_BY_TAPS, ("'reflect': 'reflect'", "'reflect': 'symmetric'"))}
        | {"pool2d_backward": OVERWRITES}
    ),
    # forward wrong, twice, and backward right
    "emil": Student(
        VIEWS
        | {
            "conv_nd": changed(
                CONV_BY_VIEW, ("np.split(view, groups, axis=1)", "[view[:, g::groups] for g in range(groups)]")
            ),
            "pool2d_forward": ZEROS_AROUND,
        }
    ),
    "fatma": Student(TAPS | {"conv_nd": OWN_PADDING, "pool2d_backward": EVERY_TIE}),
    # half done
    "goran": Student({"conv_nd": PICTURES_ONLY, "pool2d_forward": POOL_BY_VIEW}),
    # nothing done
    "hana": Student(),
    # a part of the input, which is a view of it, and no return
    "igor": Student(
        {
            "conv_nd": changed(CONV_BY_PLACES, ("return y", "return y.squeeze()")),
            "pool2d_forward": PART_OF_THE_INPUT,
            "pool2d_backward": changed(BACK_BY_PLACES, ("    return dx\n", "")),
        }
    ),
    # an exception for two of the modes, a changed argument
    "june": Student(
        {
            "conv_nd": OWN_MODE_NAMES,
            "pool2d_forward": changed(POOL_BY_VIEW, ("windows.mean(", "windows.sum(")),
            "pool2d_backward": SHARES_IN_PLACE,
        }
    ),
    # right; one answer stands below its check, its cell is gone, and another answer became text
    "kofi": Student(
        {"pool2d_forward": POOL_BY_TAPS, "pool2d_backward": BACK_BY_TAPS},
        (
            written_below("a4-conv_nd", CONV_BY_VIEW),
            deleted("a4-conv_nd-answer"),
            made_markdown("a4-pool2d_backward-answer"),
        ),
    ),
    # in a copy of the file
    "lea": Student(
        {
            "conv_nd": changed(
                CONV_BY_PLACES, ("axes = len(stride)", "axes = len(stride)\n    stride = stride[:1] * axes")
            ),
            "pool2d_forward": POOL_BY_TAPS,
            "pool2d_backward": changed(
                BACK_BY_TAPS, ("P_H : P_H + x.shape[2], P_W : P_W + x.shape[3]", "P_H:-P_H, P_W:-P_W")
            ),
        },
        file_name="a4_other_convolutions_and_pooling-Copy1.ipynb",
    ),
}
