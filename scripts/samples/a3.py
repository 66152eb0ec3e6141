"""The sample class of assignment 3."""

from __future__ import annotations

from samples.students import Student, changed, deleted, without_metadata, written_below

# ---- exercise 8 ----

LOOPS = """\
def conv2d_loops(x, w, b, stride):
    N, C_in, H, W = x.shape
    C_out, _, K_H, K_W = w.shape
    H_out = (H - K_H) // stride[0] + 1
    W_out = (W - K_W) // stride[1] + 1
    y = np.zeros((N, C_out, H_out, W_out), dtype=x.dtype)
    for n in range(N):
        for o in range(C_out):
            for p in range(H_out):
                for q in range(W_out):
                    s = 0
                    for c in range(C_in):
                        for i in range(K_H):
                            for j in range(K_W):
                                s += x[n, c, p * stride[0] + i, q * stride[1] + j] * w[o, c, i, j]
                    y[n, o, p, q] = s + b[o]
    return y
"""
LOOPS_OVER_WINDOWS = """\
def conv2d_loops(x, w, b, stride):
    tops = range(0, x.shape[2] - w.shape[2] + 1, stride[0])
    lefts = range(0, x.shape[3] - w.shape[3] + 1, stride[1])
    y = np.empty((len(x), len(w), len(tops), len(lefts)), dtype=x.dtype)
    for n, picture in enumerate(x):
        for o, filter in enumerate(w):
            for p, top in enumerate(tops):
                for q, left in enumerate(lefts):
                    window = picture[:, top : top + w.shape[2], left : left + w.shape[3]]
                    y[n, o, p, q] = (window * filter).sum() + b[o]
    return y
"""
LOOPS_OVER_INDICES = """\
import itertools


def conv2d_loops(x, w, b, stride):
    H_out, W_out = ((x.shape[a] - w.shape[a]) // stride[a - 2] + 1 for a in (2, 3))
    y = np.tile(b[:, None, None].astype(x.dtype), (len(x), 1, H_out, W_out))
    everything = itertools.product(*map(range, y.shape), *map(range, w.shape[1:]))
    for n, o, p, q, c, i, j in everything:
        y[n, o, p, q] += w[o, c, i, j] * x[n, c, p * stride[0] + i, q * stride[1] + j]
    return y
"""

# ---- exercise 9 ----

OUTPUT_SIZE = """\
def output_size(length, kernel, stride, padding, dilation):
    return (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
"""
OUTPUT_SIZE_COUNTED = """\
def output_size(length, kernel, stride, padding, dilation):
    last_tap = (kernel - 1) * dilation
    return len(range(0, length + 2 * padding - last_tap, stride))
"""
SAME_PADDING = """\
def same_padding(kernel, dilation):
    total = dilation * (kernel - 1)
    return total // 2, (total + 1) // 2
"""
SAME_PADDING_BY_DIVMOD = """\
def same_padding(kernel, dilation):
    before, odd = divmod((kernel - 1) * dilation, 2)
    return (before, before + odd)
"""
RECEPTIVE_FIELD = """\
def receptive_field(layers):
    field, jump = 1, 1
    for kernel, stride, dilation in layers:
        field = field + (kernel - 1) * dilation * jump
        jump = jump * stride
    return field
"""
RECEPTIVE_FIELD_BACK = """\
def receptive_field(layers):
    # from one output back to the picture: how many places of the layer below
    seen = 1
    for kernel, stride, dilation in layers[::-1]:
        seen = (seen - 1) * stride + dilation * (kernel - 1) + 1
    return seen
"""
PARAMETER_COUNT = """\
def parameter_count(in_channels, out_channels, kernel, bias):
    n = in_channels * out_channels * kernel[0] * kernel[1]
    if bias:
        n += out_channels
    return n
"""
PARAMETER_COUNT_BY_FILTER = """\
def parameter_count(in_channels, out_channels, kernel, bias):
    K_H, K_W = kernel
    one_filter = in_channels * K_H * K_W + int(bias)
    return out_channels * one_filter
"""
MAC_COUNT = """\
def mac_count(x_shape, y_shape, kernel):
    total = x_shape[1] * kernel[0] * kernel[1]
    for n in y_shape:
        total = total * n
    return total
"""
MAC_COUNT_BY_NUMPY = """\
def mac_count(x_shape, y_shape, kernel):
    N, C_in, H, W = x_shape
    return int(np.prod(y_shape)) * C_in * int(np.prod(kernel))
"""
SIZES = {
    "output_size": OUTPUT_SIZE,
    "same_padding": SAME_PADDING,
    "receptive_field": RECEPTIVE_FIELD,
    "parameter_count": PARAMETER_COUNT,
    "mac_count": MAC_COUNT,
}
SIZES_OTHERWISE = {
    "output_size": OUTPUT_SIZE_COUNTED,
    "same_padding": SAME_PADDING_BY_DIVMOD,
    "receptive_field": RECEPTIVE_FIELD_BACK,
    "parameter_count": PARAMETER_COUNT_BY_FILTER,
    "mac_count": MAC_COUNT_BY_NUMPY,
}

# ---- exercise 10 ----

FORWARD_BY_TAPS = """\
def conv2d_forward(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    K_H, K_W = w.shape[2:]
    H_out = (x.shape[2] - K_H) // stride[0] + 1
    W_out = (x.shape[3] - K_W) // stride[1] + 1
    y = np.zeros((len(x), len(w), H_out, W_out), dtype=x.dtype)
    y += b.reshape(1, -1, 1, 1)
    for i in range(K_H):
        for j in range(K_W):
            seen = x[:, :, i::stride[0], j::stride[1]][:, :, :H_out, :W_out]
            y += np.einsum('nchw,oc->nohw', seen, w[:, :, i, j])
    return y
"""
FORWARD_BY_VIEW = """\
def conv2d_forward(x, w, b, stride, padding):
    p, q = padding
    frame = np.zeros((x.shape[0], x.shape[1], x.shape[2] + 2 * p, x.shape[3] + 2 * q), x.dtype)
    frame[:, :, p:p + x.shape[2], q:q + x.shape[3]] = x
    windows = np.lib.stride_tricks.sliding_window_view(frame, w.shape[2:], axis=(2, 3))
    windows = windows[:, :, ::stride[0], ::stride[1]]          # N, C, H', W', K, K
    y = np.tensordot(windows, w, axes=([1, 4, 5], [1, 2, 3]))  # N, H', W', O
    return np.moveaxis(y, 3, 1) + b[:, None, None]
"""
FORWARD_BY_MATRIX = """\
def im2col(x, K_H, K_W, stride, padding):
    x = np.pad(x, [(0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])])
    N, C, H, W = x.shape
    H_out, W_out = (H - K_H) // stride[0] + 1, (W - K_W) // stride[1] + 1
    n, c, h, v = x.strides
    windows = np.lib.stride_tricks.as_strided(
        x,
        shape=(N, H_out, W_out, C, K_H, K_W),
        strides=(n, h * stride[0], v * stride[1], c, h, v),
        writeable=False,
    )
    return windows.reshape(N * H_out * W_out, C * K_H * K_W), (N, H_out, W_out)


def conv2d_forward(x, w, b, stride, padding):
    columns, places = im2col(x, w.shape[2], w.shape[3], stride, padding)
    y = columns @ w.reshape(len(w), -1).T + b
    return y.reshape(*places, len(w)).transpose(0, 3, 1, 2)
"""
FORWARD_BY_LOOPS = """\
def conv2d_forward(x, w, b, stride, padding):
    # the loops of exercise 8, with zeros around
    N, C_in, H, W = x.shape
    padded = np.zeros((N, C_in, H + 2 * padding[0], W + 2 * padding[1]), dtype=x.dtype)
    padded[:, :, padding[0]:padding[0] + H, padding[1]:padding[1] + W] = x
    return conv2d_loops(padded, w, b, stride)
"""

# ---- exercise 11 ----

BACKWARD_BY_PLACES = """\
def conv2d_backward(dy, x, w, stride, padding):
    N, C_in, H, W = x.shape
    C_out, _, K_H, K_W = w.shape
    xp = np.zeros((N, C_in, H + 2 * padding[0], W + 2 * padding[1]), dtype=x.dtype)
    xp[:, :, padding[0]:padding[0] + H, padding[1]:padding[1] + W] = x
    dxp = np.zeros_like(xp)
    dw = np.zeros(w.shape, dtype=x.dtype)
    db = np.zeros(C_out, dtype=x.dtype)
    for n in range(N):
        for o in range(C_out):
            for p in range(dy.shape[2]):
                for q in range(dy.shape[3]):
                    d = dy[n, o, p, q]
                    top, left = p * stride[0], q * stride[1]
                    db[o] += d
                    dw[o] += d * xp[n, :, top:top + K_H, left:left + K_W]
                    dxp[n, :, top:top + K_H, left:left + K_W] += d * w[o]
    dx = dxp[:, :, padding[0]:padding[0] + H, padding[1]:padding[1] + W]
    return dx, dw, db
"""
BACKWARD_BY_TAPS = """\
def conv2d_backward(dy, x, w, stride, padding):
    (S_H, S_W), (P_H, P_W) = stride, padding
    H_out, W_out = dy.shape[2:]
    frame = np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)))
    back = frame * 0
    dw = np.empty(w.shape, w.dtype)
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            at = np.s_[:, :, u:u + S_H * (H_out - 1) + 1:S_H, v:v + S_W * (W_out - 1) + 1:S_W]
            dw[:, :, u, v] = np.einsum('nohw,nchw->oc', dy, frame[at])
            back[at] += np.einsum('nohw,oc->nchw', dy, w[:, :, u, v])
    rows, columns = slice(P_H, P_H + x.shape[2]), slice(P_W, P_W + x.shape[3])
    return back[:, :, rows, columns], dw, np.einsum('nohw->o', dy)
"""
BACKWARD_BY_MATRIX = """\
def conv2d_backward(dy, x, w, stride, padding):
    C_out, C_in, K_H, K_W = w.shape
    columns, (N, H_out, W_out) = im2col(x, K_H, K_W, stride, padding)
    d = dy.transpose(0, 2, 3, 1).reshape(-1, C_out)
    db = d.sum(axis=0)
    dw = (d.T @ columns).reshape(w.shape)
    shares = (d @ w.reshape(C_out, -1)).reshape(N, H_out, W_out, C_in, K_H, K_W)
    H, W = x.shape[2:]
    dx = np.zeros((N, C_in, H + 2 * padding[0], W + 2 * padding[1]), dtype=x.dtype)
    for p in range(H_out):
        for q in range(W_out):
            a, e = p * stride[0], q * stride[1]
            dx[:, :, a:a + K_H, e:e + K_W] += shares[:, p, q]
    dx = dx[:, :, padding[0]:, padding[1]:]
    return dx[:, :, :H, :W], dw, db
"""

# ---- exercise 12 ----

KERNELS = """\
def compose_kernels(k1, k2):
    C_mid, C_in, K_H, K_W = k1.shape
    C_out, _, L_H, L_W = k2.shape
    w = np.zeros((C_out, C_in, K_H + L_H - 1, K_W + L_W - 1), dtype=k1.dtype)
    for o in range(C_out):
        for c in range(C_in):
            for m in range(C_mid):
                for i in range(L_H):
                    for j in range(L_W):
                        w[o, c, i:i + K_H, j:j + K_W] += k2[o, m, i, j] * k1[m, c]
    return w
"""
KERNELS_BY_FIRST = """\
def compose_kernels(k1, k2):
    rows, columns = k2.shape[2:]
    w = np.zeros((len(k2), k1.shape[1], k1.shape[2] + rows - 1, k1.shape[3] + columns - 1), k1.dtype)
    for i, j in np.ndindex(*k1.shape[2:]):
        w[:, :, i:i + rows, j:j + columns] += np.tensordot(k2, k1[:, :, i, j], axes=(1, 0)).transpose(0, 3, 1, 2)
    return w
"""
KERNELS_BY_LAYER = """\
def compose_kernels(k1, k2):
    # The second layer, backward: what reaches the first kernel's taps is a convolution of k1 with k2.
    turned = k2[:, :, ::-1, ::-1]
    pictures = k1.transpose(1, 0, 2, 3)
    no_bias = np.zeros(len(k2), dtype=k2.dtype)
    w = conv2d_forward(pictures, turned, no_bias, (1, 1), (k2.shape[2] - 1, k2.shape[3] - 1))
    return w.transpose(1, 0, 2, 3)
"""
BIASES = """\
def compose_biases(b1, k2, b2):
    b = np.array(b2)
    for o in range(k2.shape[0]):
        for m in range(k2.shape[1]):
            b[o] += b1[m] * np.sum(k2[o, m])
    return b
"""
BIASES_BY_EINSUM = """\
def compose_biases(b1, k2, b2):
    return np.einsum('omij,m->o', k2, b1) + b2
"""

PLAIN = {
    "conv2d_loops": LOOPS,
    **SIZES,
    "conv2d_forward": FORWARD_BY_TAPS,
    "conv2d_backward": BACKWARD_BY_PLACES,
    "compose_kernels": KERNELS,
    "compose_biases": BIASES,
}
VIEWS = {
    "conv2d_loops": LOOPS_OVER_WINDOWS,
    **SIZES_OTHERWISE,
    "conv2d_forward": FORWARD_BY_VIEW,
    "conv2d_backward": BACKWARD_BY_TAPS,
    "compose_kernels": KERNELS_BY_FIRST,
    "compose_biases": BIASES_BY_EINSUM,
}
MATRICES = {
    "conv2d_loops": LOOPS_OVER_INDICES,
    **SIZES,
    "conv2d_forward": FORWARD_BY_MATRIX,
    "conv2d_backward": BACKWARD_BY_MATRIX,
    "compose_kernels": KERNELS_BY_LAYER,
    "compose_biases": BIASES_BY_EINSUM,
}

# ---- what goes wrong ----

BIAS_IN_THE_LOOP = """\
def conv2d_loops(x, w, b, stride):
    N, C_in, H, W = x.shape
    C_out, C_in, K_H, K_W = w.shape
    sh, sw = stride
    out_h = (H - K_H) // sh + 1
    out_w = (W - K_W) // sw + 1
    out = np.zeros((N, C_out, out_h, out_w), dtype=x.dtype)
    for n in range(N):
        for f in range(C_out):
            for i in range(out_h):
                for j in range(out_w):
                    for c in range(C_in):
                        patch = x[n, c, i * sh : i * sh + K_H, j * sw : j * sw + K_W]
                        out[n, f, i, j] += np.sum(patch * w[f, c]) + b[f]
    return out
"""
LISTS = """\
def conv2d_loops(x, w, b, stride):
    tops = range(0, x.shape[2] - w.shape[2] + 1, stride[0])
    lefts = range(0, x.shape[3] - w.shape[3] + 1, stride[1])

    def number(picture, o, top, left):
        return float(np.sum(picture[:, top:top + w.shape[2], left:left + w.shape[3]] * w[o]) + b[o])

    return [[[[number(p, o, i, j) for j in lefts] for i in tops] for o in range(len(w))] for p in x]
"""
NO_COLON = """\
def conv2d_loops(x, w, b, stride)
    y = []
    for n in range(x.shape[0]):
        pass
    return y
"""
NEVER_ENDS = """\
def receptive_field(layers):
    field, jump, i = 1, 1, 0
    while i < len(layers):
        kernel, stride, dilation = layers[i]
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field
"""
LAST_STRIDE = """\
def receptive_field(layers):
    field = 1
    stride_before = 1
    for kernel, stride, dilation in layers:
        field += dilation * (kernel - 1) * stride_before
        stride_before = stride
    return field
"""
NO_RETURN = """\
def same_padding(kernel, dilation):
    total = dilation * (kernel - 1)
    result = (total // 2, total - total // 2)
"""
HELPER_ON_TOP = """\
def around(x, padding):
    P_H, P_W = padding
    return np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)))


def conv2d_forward(x, w, b, stride, padding):
    xp = around(x, padding)
    print("x with zeros around it:", xp.shape)
    print(xp)
    windows = np.lib.stride_tricks.sliding_window_view(xp, w.shape[2:], axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    print("windows:", windows.shape)
    y = np.einsum("nchwij,ocij->nohw", windows, w, optimize=True) + b[None, :, None, None]
    print("y:", y)
    return y
"""
HELPER_AGAIN = """\
def around(x, padding):
    P = padding[0]
    return np.pad(x, [(0, 0), (0, 0), (P, P), (P, P)])


def conv2d_backward(dy, x, w, stride, padding):
    N, C, H, W = x.shape
    K_H, K_W = w.shape[2:]
    xp = around(x, padding)
    dxp = np.zeros((N, C, H + 2 * padding[0], W + 2 * padding[1]), dtype=x.dtype)
    dw = np.zeros_like(w)
    for p in range(dy.shape[2]):
        for q in range(dy.shape[3]):
            rows = slice(p * stride[0], p * stride[0] + K_H)
            columns = slice(q * stride[1], q * stride[1] + K_W)
            dw += np.tensordot(dy[:, :, p, q], xp[:, :, rows, columns], axes=(0, 0))
            dxp[:, :, rows, columns] += np.tensordot(dy[:, :, p, q], w, axes=1)
    dx = dxp[:, :, padding[0] : padding[0] + H, padding[1] : padding[1] + W]
    return dx, dw, dy.sum(axis=(0, 2, 3))
"""
MEAN_AND_CUT = """\
def conv2d_backward(dy, x, w, stride, padding):
    N = dy.shape[0]
    S_H, S_W = stride
    P_H, P_W = padding
    K_H, K_W = w.shape[2], w.shape[3]
    db = np.sum(dy, axis=(0, 2, 3)) / N
    padded = np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)))
    dw = np.zeros_like(w)
    dpadded = np.zeros_like(padded)
    for p in range(dy.shape[2]):
        for q in range(dy.shape[3]):
            window = padded[:, :, p * S_H : p * S_H + K_H, q * S_W : q * S_W + K_W]
            dw += np.einsum("no,ncij->ocij", dy[:, :, p, q], window)
            dpadded[:, :, p * S_H : p * S_H + K_H, q * S_W : q * S_W + K_W] += np.einsum(
                "no,ocij->ncij", dy[:, :, p, q], w
            )
    dx = dpadded[:, :, P_H:-P_H, P_W:-P_W]
    return dx, dw, db
"""
DX_TO_COME = """\
def conv2d_backward(dy, x, w, stride, padding):
    db = dy.sum(axis=(0, 2, 3))
    padded = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    dw = np.zeros_like(w)
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            met = padded[:, :, u :: stride[0], v :: stride[1]][:, :, : dy.shape[2], : dy.shape[3]]
            dw[:, :, u, v] = np.tensordot(dy, met, axes=((0, 2, 3), (0, 2, 3)))
    return np.zeros_like(x), dw, db  # dx: tomorrow
"""
MISSPELLED_VARIABLE = """\
def conv2d_backward(dy, x, w, stride, padding):
    P_H, P_W = padding
    padded = np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)))
    d_padded = np.zeros_like(paded)
    dw = np.zeros_like(w)
    for p in range(dy.shape[2]):
        for q in range(dy.shape[3]):
            rows = slice(p * stride[0], p * stride[0] + w.shape[2])
            columns = slice(q * stride[1], q * stride[1] + w.shape[3])
            dw += np.einsum("no,ncij->ocij", dy[:, :, p, q], padded[:, :, rows, columns])
            d_padded[:, :, rows, columns] += np.einsum("no,ocij->ncij", dy[:, :, p, q], w)
    return d_padded[:, :, P_H : P_H + x.shape[2], P_W : P_W + x.shape[3]], dw, dy.sum((0, 2, 3))
"""
SECOND_TURNED = """\
def compose_kernels(k1, k2):
    # a convolution turns the kernel round, doesn't it?
    k2 = np.flip(k2, axis=(2, 3))
    K_H, K_W = k1.shape[2:]
    L_H, L_W = k2.shape[2:]
    w = np.zeros((k2.shape[0], k1.shape[1], K_H + L_H - 1, K_W + L_W - 1), dtype=k1.dtype)
    for a in range(L_H):
        for b in range(L_W):
            w[:, :, a : a + K_H, b : b + K_W] += np.tensordot(k2[:, :, a, b], k1, axes=1)
    return w
"""
OTHER_NAME = """\
def compose_bias(b1, k2, b2):
    return b2 + np.sum(k2, axis=(2, 3)) @ b1
"""
IN_PLACE = """\
def compose_biases(b1, k2, b2):
    b2 += k2.sum(axis=(2, 3)) @ b1
    return b2
"""

STUDENTS = {
    # three right ones: loops, views and sums over them, matrices
    "ada": Student(PLAIN),
    "ben": Student(VIEWS),
    "chen": Student(MATRICES),
    # forward wrong, backward right
    "dora": Student(
        PLAIN
        | {
            "conv2d_loops": BIAS_IN_THE_LOOP,
            "conv2d_forward": changed(FORWARD_BY_TAPS, ("(padding[0],) * 2, (padding[1],) * 2", "padding, padding")),
        }
    ),
    # forward right, backward wrong
    "emil": Student(
        VIEWS | {"output_size": changed(OUTPUT_SIZE, ("// stride", "/ stride")), "conv2d_backward": MEAN_AND_CUT}
    ),
    "fatma": Student(
        PLAIN
        | {
            "receptive_field": LAST_STRIDE,
            "mac_count": changed(MAC_COUNT, ("x_shape[1] * kernel[0]", "kernel[0]")),
            "compose_kernels": SECOND_TURNED,
        }
    ),
    # half done; and every product by itself
    "goran": Student(
        {"conv2d_loops": LOOPS, **SIZES_OTHERWISE, "conv2d_forward": FORWARD_BY_LOOPS, "conv2d_backward": DX_TO_COME}
    ),
    # nothing done
    "hana": Student(),
    # a list, no return, a shape that fits at times, an exception, a misspelled name
    "igor": Student(
        MATRICES
        | {
            "conv2d_loops": LISTS,
            "same_padding": NO_RETURN,
            "conv2d_forward": changed(FORWARD_BY_VIEW, ("b[:, None, None]", "b")),
            "conv2d_backward": MISSPELLED_VARIABLE,
            "compose_kernels": KERNELS,
            "compose_biases": OTHER_NAME,
        }
    ),
    # an endless loop, float32 in place of the dtype of x, a changed argument
    "june": Student(
        PLAIN
        | {
            "receptive_field": NEVER_ENDS,
            "conv2d_forward": changed(FORWARD_BY_TAPS, ("dtype=x.dtype", "dtype=np.float32")),
            "compose_biases": IN_PLACE,
        }
    ),
    # right, in cells of their own; a grade cell is gone, and two cells have lost what nbgrader wrote into them
    "kofi": Student(
        changes=(
            *(written_below(f"a3-{function}-answer", text) for function, text in VIEWS.items()),
            deleted("a3-conv2d_forward"),
            without_metadata("a3-conv2d_backward"),
            without_metadata("a3-compose_kernels-answer"),
        )
    ),
    # a colon missing, much printed, and a helper that is written again, wrongly, for the next exercise
    "lea": Student(
        VIEWS | {"conv2d_loops": NO_COLON, "conv2d_forward": HELPER_ON_TOP, "conv2d_backward": HELPER_AGAIN}
    ),
}
