"""The sample class of assignment 2: exercises 4 and 5."""

from __future__ import annotations

from samples.students import Student, changed, copied, without_metadata, written_below

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

# A further exercise is one more entry in each of these; who is half done or has done nothing needs none.
ENTRIES = {"scan_matrix": MATRIX_BY_AXES, "tied_gradient": GRADIENT_BY_ENTRIES, "tied_step": STEP_BY_ENTRIES}
SUMS = {"scan_matrix": MATRIX_BY_UNITS, "tied_gradient": GRADIENT_BY_EINSUM, "tied_step": STEP_BY_INDEX}
SLICES = {"scan_matrix": MATRIX_WITH_BORDER, "tied_gradient": GRADIENT_ADDED_AT, "tied_step": STEP_WITH_A_ZERO}

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

STUDENTS = {
    # three right ones: entry by entry, sums, slices
    "ada": Student(ENTRIES),
    "ben": Student(SUMS),
    "chen": Student(SLICES),
    # the matrix right, the gradient wrong, and so the step
    "dora": Student(ENTRIES | {"tied_gradient": TO_THE_LAST}),
    # the matrix wrong, twice, and the gradient right
    "emil": Student(SUMS | {"scan_matrix": START_AT_EACH, "tied_gradient": GRADIENT_BY_WEIGHTS}),
    # pictures are missing
    "fatma": Student(
        SLICES
        | {
            "scan_matrix": ONE_AXIS,
            "tied_gradient": changed(GRADIENT_BY_WEIGHTS, ("dw_full.sum(axis=0)", "dw_full.mean(axis=0)")),
        }
    ),
    # half done
    "goran": Student({"scan_matrix": MATRIX_WITH_BORDER, "tied_gradient": GRADIENT_BY_WEIGHTS}),
    # nothing done
    "hana": Student(),
    # an exception where there is padding, and a list
    "igor": Student(SLICES | {"scan_matrix": NO_TEST_FOR_INSIDE, "tied_gradient": LIST_OF_NUMBERS}),
    # a changed argument
    "june": Student(SUMS | {"scan_matrix": COLUMNS_FOR_OUTPUTS, "tied_step": IN_PLACE}),
    # right; one answer in a cell of its own, another cell copied, metadata lost
    "kofi": Student(
        {function: text for function, text in SLICES.items() if function != "scan_matrix"},
        (
            written_below("a2-scan_matrix-answer", MATRIX_BY_UNITS),
            copied("a2-tied_step-answer"),
            without_metadata("a2-tied_gradient"),
        ),
    ),
    # 0 is a weight, too
    "lea": Student(
        ENTRIES
        | {
            "tied_gradient": changed(GRADIENT_BY_ENTRIES, ("if s != -1:", "if s > 0:")),
            "tied_step": changed(STEP_BY_ENTRIES, ("ties[i, j] >= 0", "ties[i, j] > 0")),
        }
    ),
}
