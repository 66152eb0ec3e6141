"""The sample class of assignment 2."""

from __future__ import annotations

from samples.students import Student, changed, copied, deleted, without_metadata, written_below

# ---- exercise 4 ----

MATRIX_BY_AXES = """\
def scan_matrix(w, n, stride, padding):
    if w.ndim == 3:
        # one axis is a picture with a single row
        w = w[:, :, None, :]
        n, stride, padding = (1, n[0]), (1, stride[0]), (0, padding[0])
    C_out, C_in, K_H, K_W = w.shape
    H, W = n
    P_H = (H + 2 * padding[0] - K_H) // stride[0] + 1
    P_W = (W + 2 * padding[1] - K_W) // stride[1] + 1
    M = np.zeros((C_out * P_H * P_W, C_in * H * W), dtype=w.dtype)
    for o in range(C_out):
        for p in range(P_H):
            for q in range(P_W):
                row = (o * P_H + p) * P_W + q
                for c in range(C_in):
                    for i in range(K_H):
                        for j in range(K_W):
                            y = p * stride[0] + i - padding[0]
                            x = q * stride[1] + j - padding[1]
                            if 0 <= y < H and 0 <= x < W:
                                M[row, (c * H + y) * W + x] = w[o, c, i, j]
    return M
"""
MATRIX_BY_UNITS = """\
def scan_matrix(w, n, stride, padding):
    # The columns of a matrix are what it makes of the unit vectors: scan them all, as a batch.
    axes = tuple(range(2, 2 + len(n)))
    size = w.shape[1] * int(np.prod(n))
    units = np.eye(size, dtype=w.dtype).reshape(size, w.shape[1], *n)
    units = np.pad(units, [(0, 0), (0, 0)] + [(p, p) for p in padding])
    windows = np.lib.stride_tricks.sliding_window_view(units, w.shape[2:], axis=axes)
    windows = windows[(slice(None), slice(None), *(slice(None, None, s) for s in stride))]
    taps = tuple(range(2 + len(n), 2 + 2 * len(n)))
    y = np.tensordot(w, windows, axes=((1, *(a for a in axes)), (1, *taps)))  # (C_out, size, *places)
    return np.moveaxis(y, 1, -1).reshape(-1, size)
"""
MATRIX_WITH_BORDER = """\
def scan_matrix(w, n, stride, padding):
    # First the matrix for the padded input, then away with the columns of the zeros.
    large = tuple(size + 2 * p for size, p in zip(n, padding))
    places = tuple((size - k) // s + 1 for size, k, s in zip(large, w.shape[2:], stride))
    M = np.zeros((w.shape[0], *places, w.shape[1], *large), dtype=w.dtype)
    for place in np.ndindex(*places):
        window = tuple(slice(q * s, q * s + k) for q, s, k in zip(place, stride, w.shape[2:]))
        M[(slice(None), *place, slice(None), *window)] = w
    inside = tuple(slice(p, p + size) for p, size in zip(padding, n))
    M = M[(..., slice(None), *inside)]
    return M.reshape(w.shape[0] * int(np.prod(places)), -1)
"""

# ---- exercise 5 ----

GRADIENT_BY_ENTRIES = """\
def tied_gradient(dw_full, ties):
    g = np.zeros(ties.max() + 1, dtype=dw_full.dtype)
    for n in range(dw_full.shape[0]):
        for i in range(dw_full.shape[1]):
            for j in range(dw_full.shape[2]):
                s = ties[i, j]
                if s != -1:
                    g[s] = g[s] + dw_full[n, i, j]
    return g
"""
GRADIENT_BY_WEIGHTS = """\
def tied_gradient(dw_full, ties):
    total = dw_full.sum(axis=0)
    return np.array([total[ties == s].sum() for s in range(ties.max() + 1)], dtype=dw_full.dtype)
"""
GRADIENT_ADDED_AT = """\
def tied_gradient(dw_full, ties):
    gradient = np.zeros(int(ties.max()) + 1, dtype=dw_full.dtype)
    connected = ties >= 0
    np.add.at(gradient, ties[connected], dw_full.sum(axis=0)[connected])
    return gradient
"""
GRADIENT_BY_EINSUM = """\
def tied_gradient(dw_full, ties):
    stands_there = (ties == np.arange(ties.max() + 1)[:, None, None]).astype(dw_full.dtype)
    return np.einsum("nij,sij->s", dw_full, stands_there)
"""
STEP_BY_ENTRIES = """\
def tied_step(w, dw_full, ties, lr):
    gradient = tied_gradient(dw_full, ties)
    w_new = w.copy()
    for s in range(len(w)):
        w_new[s] -= lr * gradient[s]
    W_new = np.zeros(ties.shape, dtype=w.dtype)
    for i in range(len(ties)):
        for j in range(len(ties[0])):
            W_new[i, j] = w_new[ties[i, j]] if ties[i, j] >= 0 else 0
    return w_new, W_new
"""
STEP_BY_INDEX = """\
def tied_step(w, dw_full, ties, lr):
    w_new = w - lr * tied_gradient(dw_full, ties)
    return w_new, np.where(ties >= 0, w_new[ties], 0).astype(w.dtype)
"""
STEP_WITH_A_ZERO = """\
def tied_step(w, dw_full, ties, lr):
    w_new = w - np.asarray(lr, w.dtype) * np.asarray(tied_gradient(dw_full, ties))
    with_zero = np.append(w_new, w.dtype.type(0))  # the last one is what -1 finds
    return w_new, with_zero[ties]
"""

# ---- exercise 6 ----

MAPS_BY_LOOPS = """\
def layer_first(x, layers, widths, hops):
    below = x
    for l in range(len(layers)):
        W, b = layers[l]
        K, S = widths[l], hops[l]
        C, T = below.shape
        P = (T - K) // S + 1
        z = np.zeros((len(b), P), dtype=x.dtype)
        for n in range(len(b)):
            for p in range(P):
                z[n, p] = b[n]
                for c in range(C):
                    for t in range(K):
                        z[n, p] += W[n, c * K + t] * below[c, p * S + t]
        if l + 1 < len(layers):
            z[z < 0] = 0
        below = z
    return below
"""
MAPS_BY_VIEWS = """\
def layer_first(x, layers, widths, hops):
    y = x
    for level, (W, b) in enumerate(layers):
        if level > 0:
            y = np.maximum(y, 0)
        windows = np.lib.stride_tricks.sliding_window_view(y, widths[level], axis=1)[:, :: hops[level]]
        y = np.einsum("nck,cpk->np", W.reshape(len(b), len(y), -1), windows) + b[:, None]
    return y
"""
MAPS_BY_TAPS = """\
def layer_first(x, layers, widths, hops):
    for level, ((W, b), width, hop) in enumerate(zip(layers, widths, hops)):
        w = W.reshape(len(W), len(x), width)
        reach = x.shape[1] - width + 1
        z = b[:, None]
        for t in range(width):
            z = z + w[:, :, t] @ x[:, t : t + reach : hop]
        x = z if level == len(layers) - 1 else z * (z > 0)
    return x
"""
MAPS_BY_COLUMNS = """\
def layer_first(x, layers, widths, hops):
    y = x
    for level, (W, b) in enumerate(layers):
        starts = np.arange(0, y.shape[1] - widths[level] + 1, hops[level])
        columns = y[:, starts + np.arange(widths[level])[:, None]]  # (channels, width, places)
        y = W @ columns.reshape(-1, len(starts)) + b[:, np.newaxis]
        if level + 1 < len(layers):
            y = np.where(y > 0, y, 0)
    return y
"""
MAPS_BY_THE_MATRIX = """\
def layer_first(x, layers, widths, hops):
    # every layer is a giant matrix, as in exercise 4
    y = x
    for level in range(len(layers)):
        W, b = layers[level]
        w = W.reshape(len(b), y.shape[0], widths[level])
        M = scan_matrix(w, (y.shape[1],), (hops[level],), (0,))
        y = (M @ y.ravel()).reshape(len(b), -1) + b[:, None]
        if level < len(layers) - 1:
            y = np.maximum(y, 0)
    return y
"""
MAPS_BY_RECURSION = """\
def layer_first(x, layers, widths, hops):
    if len(layers) > 1:
        # the levels below make a map; then one level is left
        x = np.maximum(layer_first(x, layers[:-1], widths[:-1], hops[:-1]), 0)
    W, b = layers[-1]
    columns = []
    start = 0
    while start + widths[-1] <= x.shape[1]:
        columns.append(np.dot(W, x[:, start : start + widths[-1]].flatten()) + b)
        start += hops[-1]
    return np.stack(columns, axis=-1)
"""
COUNT_BY_LEVELS = """\
def mac_count_scan(order, shape, neurons, widths, hops):
    C, T = shape
    L = len(neurons)
    cost, places = [], []
    for l in range(L):
        cost.append(neurons[l] * widths[l] * (C if l == 0 else neurons[l - 1]))
        T = (T - widths[l]) // hops[l] + 1
        places.append(T)
    if order == "window":
        needed = [0] * L
        needed[L - 1] = 1
        for l in range(L - 1, 0, -1):
            needed[l - 1] = (needed[l] - 1) * hops[l] + widths[l]
        places = [places[L - 1] * n for n in needed]
    total = 0
    for l in range(L):
        total += places[l] * cost[l]
    return total
"""
COUNT_IN_FRAMES = """\
def mac_count_scan(order, shape, neurons, widths, hops):
    # All in frames: how many a value of each level sees, and how far apart two of them begin.
    C, T = shape
    sees, apart = [1], [1]
    for width, hop in zip(widths, hops):
        sees.append(sees[-1] + (width - 1) * apart[-1])
        apart.append(apart[-1] * hop)

    def how_many(frames, level):
        return (frames - sees[level]) // apart[level] + 1

    total = 0
    for level, (out, channels, width) in enumerate(zip(neurons, [C, *neurons], widths), start=1):
        if order == "layer":
            times = how_many(T, level)
        else:
            times = how_many(T, len(neurons)) * how_many(sees[-1], level)
        total += times * out * channels * width
    return total
"""
COUNT_BY_MARKS = """\
def mac_count_scan(order, shape, neurons, widths, hops):
    C, T = shape
    P = [T]
    for k, s in zip(widths, hops):
        P.append((P[-1] - k) // s + 1)
    cost = np.array(neurons) * np.array([C] + neurons[:-1]) * np.array(widths)
    if order == "layer":
        return int(cost @ P[1:])
    # Mark what the first window reads; every other one reads as much.
    marked = np.arange(P[-1]) == 0
    total = 0
    for level in reversed(range(len(neurons))):
        total += np.count_nonzero(marked) * cost[level]
        below = np.zeros(P[level], dtype=bool)
        for p in np.flatnonzero(marked):
            below[p * hops[level] : p * hops[level] + widths[level]] = True
        marked = below
    return P[-1] * total
"""
COUNT_BY_SETS = """\
def mac_count_scan(order, shape, neurons, widths, hops):
    channels = (shape[0], *neurons)
    levels = range(len(neurons))
    lengths = [shape[1]]
    for level in levels:
        lengths.append(len(range(0, lengths[-1] - widths[level] + 1, hops[level])))

    def macs(level, places):
        return len(places) * neurons[level] * channels[level] * widths[level]

    if order == "layer":
        return sum(macs(level, range(lengths[level + 1])) for level in levels)
    total = 0
    for window in range(lengths[-1]):
        places = {window}
        for level in reversed(levels):
            total += macs(level, places)
            places = {p * hops[level] + t for p in places for t in range(widths[level])}
    return total
"""

# ---- exercise 7 ----

STACK_BY_ENTRIES = """\
def to_conv_stack(layers, C, widths, hops):
    kernels, biases, strides = [], [], []
    channels = C
    places = layers[0][0].shape[1] // C
    for l in range(len(layers)):
        W, b = layers[l]
        if l < len(widths):
            width, hop = widths[l], hops[l]
        else:
            width, hop = 1, 1
        n = (places - width) // hop + 1
        units = W.shape[0] // n
        kernel = np.zeros((units, channels, width), dtype=W.dtype)
        bias = np.zeros(units, dtype=b.dtype)
        for d in range(units):
            bias[d] = b[d * n]
            for c in range(channels):
                for t in range(width):
                    kernel[d, c, t] = W[d * n, c * places + t]
        kernels.append(kernel)
        biases.append(bias)
        strides.append(hop)
        channels, places = units, n
    return kernels, biases, strides
"""
STACK_BY_RESHAPE = """\
def to_conv_stack(layers, C, widths, hops):
    above = len(layers) - len(widths)
    widths, hops = [*widths, *[1] * above], [*hops, *[1] * above]
    blocks = [1]
    for width, hop in zip(widths[:0:-1], hops[:0:-1]):
        blocks = [(blocks[0] - 1) * hop + width] + blocks
    channels = [C] + [len(b) // n for (_, b), n in zip(layers, blocks)]
    kernels = [
        W.reshape(channels[i + 1], blocks[i], channels[i], -1)[:, 0, :, : widths[i]] for i, (W, _) in enumerate(layers)
    ]
    biases = [b.reshape(-1, n)[:, 0] for (_, b), n in zip(layers, blocks)]
    return kernels, biases, hops
"""
STACK_BY_SLICES = """\
def to_conv_stack(layers, C, widths, hops):
    kernels, biases, strides = [], [], []
    size = layers[0][0].shape[1] // C
    for level, (W, b) in enumerate(layers):
        width, hop = (widths[level], hops[level]) if level < len(widths) else (1, 1)
        blocks = len(range(0, size - width + 1, hop))
        rows = W[::blocks]  # block 0 of each unit
        kernels.append(np.stack([rows[:, c : c + width] for c in range(0, W.shape[1], size)], axis=1))
        biases.append(b[::blocks].copy())
        strides.append(hop)
        size = blocks
    return kernels, biases, strides
"""
STACK_BY_THE_LAST = """\
def to_conv_stack(layers, C, widths, hops):
    # all blocks are equal; take the last one, it stands at the end of its row
    kernels, biases = (), ()
    ones = (1,) * (len(layers) - len(widths))
    places = layers[0][0].shape[1] // C
    for (W, b), width, hop in zip(layers, (*widths, *ones), (*hops, *ones)):
        n = 1 + (places - width) // hop
        kernels += (W[n - 1 :: n].reshape(len(b) // n, -1, places)[:, :, -width:],)
        biases += (b[n - 1 :: n],)
        places = n
    return kernels, biases, (*hops, *ones)
"""

# A further exercise is one more entry in each of these; who is half done or has done nothing needs none.
ENTRIES = {
    "scan_matrix": MATRIX_BY_AXES,
    "tied_gradient": GRADIENT_BY_ENTRIES,
    "tied_step": STEP_BY_ENTRIES,
    "layer_first": MAPS_BY_LOOPS,
    "mac_count_scan": COUNT_BY_LEVELS,
    "to_conv_stack": STACK_BY_ENTRIES,
}
SUMS = {
    "scan_matrix": MATRIX_BY_UNITS,
    "tied_gradient": GRADIENT_BY_EINSUM,
    "tied_step": STEP_BY_INDEX,
    "layer_first": MAPS_BY_VIEWS,
    "mac_count_scan": COUNT_IN_FRAMES,
    "to_conv_stack": STACK_BY_RESHAPE,
}
SLICES = {
    "scan_matrix": MATRIX_WITH_BORDER,
    "tied_gradient": GRADIENT_ADDED_AT,
    "tied_step": STEP_WITH_A_ZERO,
    "layer_first": MAPS_BY_TAPS,
    "mac_count_scan": COUNT_BY_MARKS,
    "to_conv_stack": STACK_BY_SLICES,
}

# ---- what goes wrong ----

START_AT_EACH = """\
def scan_matrix(w, n, stride, padding):
    n = [size + 2 * p for size, p in zip(n, padding)]
    C_out, C_in = w.shape[:2]
    kernel = w.shape[2:]
    places = [(size - k) // s + 1 for size, k, s in zip(n, kernel, stride)]
    M = np.zeros((C_out, *places, C_in, *n), dtype=w.dtype)
    for o in range(C_out):
        for place in np.ndindex(*places):
            for c in range(C_in):
                for tap in np.ndindex(*kernel):
                    where = [p + t for p, t in zip(place, tap)]
                    M[(o, *place, c, *where)] = w[(o, c, *tap)]
    return M.reshape(C_out * np.prod(places), C_in * np.prod(n))
"""
ONE_AXIS = """\
def scan_matrix(w, n, stride, padding):
    C_out, C_in, K = w.shape  # pictures: later
    T, S, P = n[0], stride[0], padding[0]
    places = (T + 2 * P - K) // S + 1
    M = np.zeros((places * C_out, C_in * T), dtype=w.dtype)
    row = 0
    for p in range(places):
        for o in range(C_out):
            for c in range(C_in):
                for t in range(K):
                    x = p * S + t - P
                    if x >= 0 and x < T:
                        M[row, c * T + x] = w[o, c, t]
            row += 1
    return M
"""
NO_TEST_FOR_INSIDE = """\
def scan_matrix(w, n, stride, padding):
    places = tuple((size + 2 * p - k) // s + 1 for size, p, k, s in zip(n, padding, w.shape[2:], stride))
    M = np.zeros((len(w), *places, w.shape[1], *n), dtype=w.dtype)
    for place in np.ndindex(places):
        for tap in np.ndindex(w.shape[2:]):
            at = tuple(q * s + t - p for q, s, t, p in zip(place, stride, tap, padding))
            M[(slice(None), *place, slice(None), *at)] = w[(slice(None), slice(None), *tap)]
    return M.reshape(-1, w.shape[1] * int(np.prod(n)))
"""
COLUMNS_FOR_OUTPUTS = """\
def scan_matrix(w, n, stride, padding):
    w = np.flip(w, axis=tuple(range(2, w.ndim)))  # a filter is turned round before it is slid
    C_out, C_in, *kernel = w.shape
    places = [(n[a] + 2 * padding[a] - kernel[a]) // stride[a] + 1 for a in range(len(n))]
    M = np.zeros((C_in, *n, C_out, *places), dtype=w.dtype)
    for place in np.ndindex(*places):
        for tap in np.ndindex(*kernel):
            at = [place[a] * stride[a] + tap[a] - padding[a] for a in range(len(n))]
            if min(at) >= 0 and all(i < size for i, size in zip(at, n)):
                M[(slice(None), *at, slice(None), *place)] = w[(slice(None), slice(None), *tap)].T
    return M.reshape(C_in * int(np.prod(n)), -1)
"""
TO_THE_LAST = """\
def tied_gradient(dw_full, ties):
    gradient = np.zeros(ties.max() + 1, dtype=dw_full.dtype)
    for sample in dw_full:
        np.add.at(gradient, ties, sample)
    return gradient
"""
LIST_OF_NUMBERS = """\
def tied_gradient(dw_full, ties):
    total = dw_full.sum(axis=0)
    return [float(total[ties == s].sum()) for s in range(ties.max() + 1)]
"""
IN_PLACE = """\
def tied_step(w, dw_full, ties, lr):
    w -= lr * tied_gradient(dw_full, ties)
    W_new = np.zeros(ties.shape, dtype=w.dtype)
    W_new[ties >= 0] = w[ties[ties >= 0]]
    return w, W_new
"""
MAPS_FROM_NEIGHBORS = """\
def layer_first(x, layers, widths, hops):
    for (W, b), width, hop in zip(layers, widths, hops):
        places = (x.shape[1] - width) // hop + 1
        y = [W @ x[:, p : p + width].ravel() + b for p in range(places)]
        x = np.maximum(np.array(y).T, 0)
    return x
"""
ROW_FOR_EACH_PLACE = """\
def layer_first(x, layers, widths, hops):
    below = x
    for level, (W, b) in enumerate(layers):
        above = []
        for start in range(0, below.shape[1] - widths[level] + 1, hops[level]):
            above.append(W @ below[:, start : start + widths[level]].ravel() + b)
        if level == len(layers) - 1:
            return np.array(above)
        below = np.maximum(np.array(above).T, 0)
"""
ONLY_LEVEL_1 = """\
def layer_first(x, layers, widths, hops):
    (W, b), *others = layers
    starts = range(0, x.shape[1] - widths[0] + 1, hops[0])
    y = np.stack([W @ x[:, s : s + widths[0]].ravel() + b for s in starts], axis=1)
    for W, b in others:
        y = W @ np.maximum(y, 0) + b[:, None]
    return y
"""
BEFORE_THE_END = """\
def layer_first(x, layers, widths, hops):
    for i in range(len(layers)):
        W, b = layers[i]
        columns = []
        start = 0
        while start < x.shape[1] - widths[i]:
            columns.append(W @ x[:, start : start + widths[i]].reshape(-1) + b)
            start = start + hops[i]
        x = np.stack(columns, axis=1)
        if i < len(layers) - 1:
            x[x < 0] = 0
    return x
"""
NOTHING_REMEMBERED = """\
def mac_count_scan(order, shape, neurons, widths, hops):
    C, T = shape
    channels = [C] + neurons
    places = []
    for width, hop in zip(widths, hops):
        T = (T - width) // hop + 1
        places.append(T)

    def own(level):
        return neurons[level] * channels[level] * widths[level]

    def with_all_below(level):
        if level == 0:
            return own(0)
        return own(level) + widths[level] * with_all_below(level - 1)

    if order == "layer":
        return sum(p * own(level) for level, p in enumerate(places))
    return places[-1] * with_all_below(len(neurons) - 1)
"""
WINDOWS_OF_LEVEL_1 = """\
def mac_count_scan(order, shape, neurons, widths, hops):
    macs = [n * c * k for n, c, k in zip(neurons, [shape[0]] + neurons, widths)]
    if order == "layer":
        total, below = 0, shape[1]
        for level in range(len(neurons)):
            below = (below - widths[level]) // hops[level] + 1
            total += below * macs[level]
        return total
    windows = (shape[1] - widths[0]) // hops[0] + 1
    total, n = 0, 1
    for level in reversed(range(len(neurons))):
        total += n * macs[level]
        n = (n - 1) * hops[level] + widths[level]
    return windows * total
"""
UNFINISHED_LINE = """\
def mac_count_scan(order, shape, neurons, widths, hops):
    C, T = shape
    channels = [C] + neurons[:-1]
    total = 0
    for level in range(len(neurons)):
        T = (T - widths[level]) // hops[level] + 1
        total += T * neurons[level] * channels[level] *
    return total
"""
SAME_IN_BOTH_ORDERS = """\
def mac_count_scan(order, shape, neurons, widths, hops):
    C, windows = shape
    one_window = 0
    for out, width, hop in zip(neurons, widths, hops):
        windows = (windows - width) // hop + 1
        one_window += C * width * out
        C = out
    return windows * one_window  # the order does not matter
"""
STAYS_ON_ONE_LEVEL = """\
def mac_count_scan(order, shape, neurons, widths, hops):
    channels = [shape[0]] + neurons
    places = [shape[1]]
    for width, hop in zip(widths, hops):
        places.append((places[-1] - width) // hop + 1)
    total = 0
    if order == "layer":
        for i in range(len(neurons)):
            total += places[i + 1] * neurons[i] * channels[i] * widths[i]
        return total
    i, n = len(neurons) - 1, 1
    while i >= 0:
        total += n * neurons[i] * channels[i] * widths[i]
        n = (n - 1) * hops[i] + widths[i]
    return total * places[-1]
"""
LONGER_LISTS = """\
def to_conv_stack(layers, C, widths, hops):
    above = len(layers) - len(widths)
    widths += [1] * above
    hops += [1] * above
    n = [1]
    for level in range(len(layers) - 1, 0, -1):
        n.insert(0, (n[0] - 1) * hops[level] + widths[level])
    kernels, biases = [], []
    for level, (W, b) in enumerate(layers):
        units = len(b) // n[level]
        kernels.append(W.reshape(units, n[level], C, -1)[:, 0, :, : widths[level]])
        biases.append(b[:: n[level]])
        C = units
    return kernels, biases, hops
"""
FIRST_ROWS = """\
def to_conv_stack(layers, C, widths, hops):
    depth = len(layers)
    widths = widths + [1] * (depth - len(widths))
    strides = hops + [1] * (depth - len(hops))
    blocks = [1] * depth
    for level in range(depth - 2, -1, -1):
        blocks[level] = (blocks[level + 1] - 1) * strides[level + 1] + widths[level + 1]
    kernels, biases = [], []
    for level in range(depth):
        W, b = layers[level]
        units = len(W) // blocks[level]
        kernels.append(W[:units].reshape(units, C, -1)[:, :, : widths[level]])
        biases.append(b[:units])
        C = units
    return kernels, biases, strides
"""
ONE_WIDE_KERNEL = """\
def to_conv_stack(layers, C, widths, hops):
    W, b = layers[0]
    kernels = [W.reshape(len(W), C, -1)]  # sees the whole window
    biases = [b]
    strides = [int(np.prod(hops))]
    for W, b in layers[1:]:
        kernels.append(W[:, :, None])
        biases.append(b)
        strides.append(1)
    return kernels, biases, strides
"""
LISTS_THAT_STAY = """\
def to_conv_stack(layers, C, widths, hops, kernels=[], biases=[], strides=[]):
    places = layers[0][0].shape[1] // C
    for i, (W, b) in enumerate(layers):
        K = widths[i] if i < len(widths) else 1
        S = hops[i] if i < len(hops) else 1
        n = (places - K) // S + 1
        kernels.append(W[::n].reshape(len(W) // n, -1, places)[:, :, :K])
        biases.append(b[::n])
        strides.append(S)
        places = n
    return kernels, biases, strides
"""
TURNED_AND_IN_FRAMES = """\
def to_conv_stack(layers, C, widths, hops):
    kernels, biases, strides = [], [], []
    frames = 1  # between two places
    size = layers[0][0].shape[1] // C
    for i, (W, b) in enumerate(layers):
        K, S = (widths[i], hops[i]) if i < len(widths) else (1, 1)
        n = (size - K) // S + 1
        w = W.reshape(len(b) // n, n, -1, size)[:, 0, :, 0:K]
        kernels.append(np.flip(w, axis=2))  # a convolution turns its filter round
        biases.append(b.reshape(-1, n)[:, 0])
        frames = frames * S
        strides.append(frames if i < len(hops) else 1)
        size = n
    return kernels, biases, strides
"""

STUDENTS = {
    # three right ones: entry by entry, sums, slices
    "ada": Student(ENTRIES),
    "ben": Student(SUMS),
    "chen": Student(SLICES),
    # the matrix right, the gradient wrong, and so the step; maps right, by that matrix; lists that get longer
    "dora": Student(
        ENTRIES
        | {
            "tied_gradient": TO_THE_LAST,
            "layer_first": MAPS_BY_THE_MATRIX,
            "mac_count_scan": NOTHING_REMEMBERED,
            "to_conv_stack": LONGER_LISTS,
        }
    ),
    # the matrix wrong, twice, and the gradient right; the maps wrong, twice, and the count right
    "emil": Student(
        SUMS
        | {
            "scan_matrix": START_AT_EACH,
            "tied_gradient": GRADIENT_BY_WEIGHTS,
            "layer_first": MAPS_FROM_NEIGHBORS,
            "to_conv_stack": FIRST_ROWS,
        }
    ),
    # pictures are missing, and the distributed scan
    "fatma": Student(
        SLICES
        | {
            "scan_matrix": ONE_AXIS,
            "tied_gradient": changed(GRADIENT_BY_WEIGHTS, ("dw_full.sum(axis=0)", "dw_full.mean(axis=0)")),
            "layer_first": ROW_FOR_EACH_PLACE,
            "mac_count_scan": WINDOWS_OF_LEVEL_1,
            "to_conv_stack": ONE_WIDE_KERNEL,
        }
    ),
    # half done, up to the middle of a line
    "goran": Student(
        {
            "scan_matrix": MATRIX_WITH_BORDER,
            "tied_gradient": GRADIENT_BY_WEIGHTS,
            "layer_first": MAPS_BY_RECURSION,
            "mac_count_scan": UNFINISHED_LINE,
        }
    ),
    # nothing done
    "hana": Student(),
    # an exception where there is padding, and a list; one where the scan is distributed; right when called once
    "igor": Student(
        SLICES
        | {
            "scan_matrix": NO_TEST_FOR_INSIDE,
            "tied_gradient": LIST_OF_NUMBERS,
            "layer_first": ONLY_LEVEL_1,
            "mac_count_scan": SAME_IN_BOTH_ORDERS,
            "to_conv_stack": LISTS_THAT_STAY,
        }
    ),
    # a changed argument; the maps right, and fractions counted
    "june": Student(
        SUMS
        | {
            "scan_matrix": COLUMNS_FOR_OUTPUTS,
            "tied_step": IN_PLACE,
            "mac_count_scan": changed(COUNT_BY_LEVELS, ("(T - widths[l]) // hops[l]", "(T - widths[l]) / hops[l]")),
            "to_conv_stack": TURNED_AND_IN_FRAMES,
        }
    ),
    # right; some answers in cells of their own, another cell copied, metadata lost, a grade cell gone
    "kofi": Student(
        {
            "tied_gradient": GRADIENT_ADDED_AT,
            "tied_step": STEP_WITH_A_ZERO,
            "mac_count_scan": COUNT_BY_SETS,
            "to_conv_stack": STACK_BY_THE_LAST,
        },
        (
            written_below("a2-scan_matrix-answer", MATRIX_BY_UNITS),
            copied("a2-tied_step-answer"),
            without_metadata("a2-tied_gradient"),
            written_below("a2-layer_first-answer", MAPS_BY_COLUMNS),
            deleted("a2-layer_first"),
            without_metadata("a2-to_conv_stack-answer"),
        ),
    ),
    # 0 is a weight, too; the last window is a window, too; and an endless loop
    "lea": Student(
        ENTRIES
        | {
            "tied_gradient": changed(GRADIENT_BY_ENTRIES, ("if s != -1:", "if s > 0:")),
            "tied_step": changed(STEP_BY_ENTRIES, ("ties[i, j] >= 0", "ties[i, j] > 0")),
            "layer_first": BEFORE_THE_END,
            "mac_count_scan": STAYS_ON_ONE_LEVEL,
        }
    ),
}
