"""Right ways to write exercise 4, and wrong ones as students write them."""

import itertools

import numpy as np


def places(w, n, stride, padding):
    return [(n[a] + 2 * padding[a] - w.shape[2 + a]) // stride[a] + 1 for a in range(len(n))]


def by_loops(w, n, stride, padding):
    """Row and column as numbers, 1-D and 2-D apart."""
    P = places(w, n, stride, padding)
    C_out, C_in = w.shape[:2]
    M = np.zeros((C_out * int(np.prod(P)), C_in * int(np.prod(n))))
    for o in range(C_out):
        for c in range(C_in):
            if len(n) == 1:
                for p in range(P[0]):
                    for t in range(w.shape[2]):
                        i = p * stride[0] + t - padding[0]
                        if 0 <= i < n[0]:
                            M[o * P[0] + p, c * n[0] + i] = w[o, c, t]
                continue
            for p in range(P[0]):
                for q in range(P[1]):
                    for a in range(w.shape[2]):
                        for b in range(w.shape[3]):
                            y, x = p * stride[0] + a - padding[0], q * stride[1] + b - padding[1]
                            if 0 <= y < n[0] and 0 <= x < n[1]:
                                M[(o * P[0] + p) * P[1] + q, (c * n[0] + y) * n[1] + x] = w[o, c, a, b]
    return M


def by_slices(w, n, stride, padding):
    """Write whole kernels into a matrix for the padded input, then cut the padding out."""
    P = places(w, n, stride, padding)
    C_out, C_in, *K = w.shape
    wide = [size + 2 * p for size, p in zip(n, padding, strict=True)]
    M = np.zeros((C_out, *P, C_in, *wide), w.dtype)
    for o in range(C_out):
        for place in itertools.product(*map(range, P)):
            window = tuple(slice(q * s, q * s + k) for q, s, k in zip(place, stride, K, strict=True))
            M[(o, *place, slice(None), *window)] = w[o]
    inside = tuple(slice(p, p + size) for size, p in zip(n, padding, strict=True))
    return M[(..., *inside)].reshape(C_out * int(np.prod(P)), -1)


def by_einsum(w, n, stride, padding):
    """One 0/1 array for each axis says which tap of which place meets which input."""
    meets = []
    for size, K, s, p, P in zip(n, w.shape[2:], stride, padding, places(w, n, stride, padding), strict=True):
        place, tap, position = np.ogrid[:P, :K, :size]
        meets.append((place * s + tap - p == position).astype(w.dtype))
    if len(n) == 1:
        M = np.einsum("ocT,pTi->opci", w, meets[0])
        return M.reshape(M.shape[0] * M.shape[1], -1)
    M = np.einsum("ocAB,pAy,qBx->opqcyx", w, *meets)
    return M.reshape(M.shape[0] * M.shape[1] * M.shape[2], -1)


def scan(x, w, stride, padding):
    x = np.pad(x, [(0, 0), *((p, p) for p in padding)])
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=tuple(range(1, x.ndim)))
    windows = windows[(slice(None), *(slice(None, None, s) for s in stride))]
    axes = [0, *range(x.ndim, 2 * x.ndim - 1)]
    return np.tensordot(w, windows, axes=(list(range(1, w.ndim)), axes))


def by_unit_inputs(w, n, stride, padding):
    """A column of a matrix is what it makes of a unit vector."""
    inputs = w.shape[1] * int(np.prod(n))
    return np.stack([scan(e.reshape(-1, *n), w, stride, padding).ravel() for e in np.eye(inputs, dtype=w.dtype)], 1)


def by_kron(w, n, stride, padding):
    """Add up, over all taps, a diagonal of ones times the weight of the tap."""
    total = 0
    for tap in np.ndindex(*w.shape[2:]):
        ones = np.ones((1, 1), w.dtype)
        for size, s, p, t, P in zip(n, stride, padding, tap, places(w, n, stride, padding), strict=True):
            axis = np.zeros((P, size), w.dtype)
            for q in range(P):
                if 0 <= q * s + t - p < size:
                    axis[q, q * s + t - p] = 1
            ones = np.kron(ones, axis)
        total = total + np.kron(w[(..., *tap)], ones)
    return total


RIGHT = [by_loops, by_slices, by_einsum, by_unit_inputs, by_kron]


def rolled(w, n, stride, padding):
    """A first row, rolled."""
    C_out, C_in, *K = w.shape
    rows = []
    for o in range(C_out):
        first = np.zeros((C_in, *n))
        first[(slice(None), *(slice(0, k) for k in K))] = w[o]
        for place in np.ndindex(*places(w, n, stride, padding)):
            shift = [q * s - p for q, s, p in zip(place, stride, padding, strict=True)]
            rows.append(np.roll(first, shift, axis=tuple(range(1, 1 + len(n)))).ravel())
    return np.array(rows)


def negative_index(w, n, stride, padding):
    """No test for places left of the input; those right of it are tested."""
    P = places(w, n, stride, padding)
    C_out, C_in, *K = w.shape
    M = np.zeros((C_out, *P, C_in, *n))
    for place in np.ndindex(*P):
        for tap in np.ndindex(*K):
            at = [q * s + t - p for q, s, t, p in zip(place, stride, tap, padding, strict=True)]
            if all(i < size for i, size in zip(at, n, strict=True)):
                M[(slice(None), *place, slice(None), *at)] = w[(..., *tap)]
    return M.reshape(C_out * int(np.prod(P)), -1)


def one_block_of_columns(w, n, stride, padding):
    """The loop over input channels writes into the same columns... with +=."""
    P = places(w, n, stride, padding)
    M = np.zeros((len(w) * int(np.prod(P)), int(np.prod(n))))
    for o in range(len(w)):
        for c in range(w.shape[1]):
            M[o * int(np.prod(P)) : (o + 1) * int(np.prod(P))] += by_loops(w[o : o + 1, c : c + 1], n, stride, padding)
    return M


def by_convolve(w, n, stride, padding):
    """np.convolve of a unit vector, which flips."""
    return by_unit_inputs(np.flip(w, axis=tuple(range(2, w.ndim))), n, stride, padding)


def flat_test(w, n, stride, padding):
    """One test for the number of the position, none for its row and column."""
    P = places(w, n, stride, padding)
    C_out, C_in, *K = w.shape
    size = int(np.prod(n))
    M = np.zeros((C_out * int(np.prod(P)), C_in * size))
    for o, c in np.ndindex(C_out, C_in):
        for row, place in enumerate(np.ndindex(*P)):
            for tap in np.ndindex(*K):
                at = [q * s + t - p for q, s, t, p in zip(place, stride, tap, padding, strict=True)]
                number = at[0] if len(at) == 1 else at[0] * n[1] + at[1]
                if 0 <= number < size:
                    M[o * int(np.prod(P)) + row, c * size + number] = w[(o, c, *tap)]
    return M


def place_first(w, n, stride, padding):
    """As the lecture's picture shows it: sorted by place."""
    P, C_out, C_in = int(np.prod(places(w, n, stride, padding))), *w.shape[:2]
    M = by_loops(w, n, stride, padding).reshape(C_out, P, C_in, -1)
    return M.transpose(1, 0, 3, 2).reshape(P * C_out, -1)


def transposed_without_stride(w, n, stride, padding):
    return by_slices(w, n, (1,) * len(n), padding).T


def flipped_and_one_short(w, n, stride, padding):
    """Two mistakes: a window too few on each axis, and a flipped kernel."""
    P = [count - 1 for count in places(w, n, stride, padding)]
    w = np.flip(w, axis=tuple(range(2, w.ndim)))
    M = by_loops(w, n, stride, padding).reshape(w.shape[0], *places(w, n, stride, padding), -1)
    return M[(slice(None), *(slice(count) for count in P))].reshape(w.shape[0] * int(np.prod(P)), M.shape[-1])


def square(w, n, stride, padding):
    """Takes K for both axes; on a high kernel the index is out of range."""
    K = w.shape[2]
    if w.ndim == 4 and w.shape[3] < K:
        raise IndexError("index out of range")
    return by_loops(w[..., :K], n, stride, padding)


def height_for_width(w, n, stride, padding):
    return by_einsum(w, (n[0],) * len(n), stride, padding)


def only_1d(w, n, stride, padding):
    if len(n) > 1:
        raise NotImplementedError("2-D comes later")
    return by_loops(w, n, stride, padding).T


WRONG = [
    (rolled, {"The rows wrap round"}),
    (negative_index, {"The rows wrap round"}),
    (one_block_of_columns, {"Blocks of input channels are forgotten"}),
    (by_convolve, {"The kernel is flipped"}),
    (flat_test, {"What hangs over the edge of a row lands in the next row of the picture"}),
    (place_first, {"The channels are counted last, not first"}),
    (transposed_without_stride, {"The matrix is transposed", "stride is not used"}),
    (flipped_and_one_short, {"The last window is missing", "The kernel is flipped"}),
    (square, {"The kernel is taken for a square"}),
    (height_for_width, {"The size of axis 0 is used for all axes"}),
    (only_1d, {"The matrix is transposed"}),
]

LINE = np.array([[[2.0, -1.0]]])
EXAMPLES = [
    (
        "scan_matrix",
        (LINE, (4,), (1,), (0,)),
        np.array([[2.0, -1.0, 0.0, 0.0], [0.0, 2.0, -1.0, 0.0], [0.0, 0.0, 2.0, -1.0]]),
    ),
    (
        "scan_matrix",
        (LINE, (4,), (2,), (1,)),
        np.array([[-1.0, 0.0, 0.0, 0.0], [0.0, 2.0, -1.0, 0.0], [0.0, 0.0, 0.0, 2.0]]),
    ),
    (
        "scan_matrix",
        (np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), (2, 3), (1, 1), (0, 0)),
        np.array([[1.0, 2.0, 0.0, 3.0, 4.0, 0.0], [0.0, 1.0, 2.0, 0.0, 3.0, 4.0]]),
    ),
    (
        "scan_matrix",
        (np.array([[[2.0, -1.0], [5.0, 3.0]]]), (3,), (1,), (0,)),
        np.array([[2.0, -1.0, 0.0, 5.0, 3.0, 0.0], [0.0, 2.0, -1.0, 0.0, 5.0, 3.0]]),
    ),
]
