"""Right ways to write exercise 13, and wrong ones as students write them."""

import itertools

import numpy as np

NUMPY_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(x, padding, padding_mode, modes=NUMPY_MODES):
    return np.pad(x, [(0, 0), (0, 0), *((P, P) for P in padding)], mode=modes[padding_mode])


def by_connections(x, w, b, stride, padding, dilation, groups, padding_mode):
    """One multiplication after another; where a tap lies outside, its index is mapped back or dropped."""

    def inside(i, n):
        if 0 <= i < n:
            return i
        match padding_mode:
            case "reflect":
                return -i if i < 0 else 2 * n - 2 - i
            case "replicate":
                return 0 if i < 0 else n - 1
            case "circular":
                return (i + n) % n
        return None

    N, _, *spatial = x.shape
    C_out, C, *kernel = w.shape
    places = []
    for n, K, S, P, D in zip(spatial, kernel, stride, padding, dilation, strict=True):
        size = (n + 2 * P - D * (K - 1) - 1) // S + 1
        places.append([[inside(p * S + u * D - P, n) for u in range(K)] for p in range(size)])
    y = np.zeros((N, C_out, *map(len, places)), x.dtype)
    for j in range(C_out):
        channel = (j * groups) // C_out * C
        for position in np.ndindex(*y.shape[2:]):
            total = np.full(N, b[j])
            for tap in np.ndindex(*kernel):
                source = tuple(axis[p][u] for axis, p, u in zip(places, position, tap, strict=True))
                if None not in source:
                    for c in range(C):
                        total = total + w[(j, c, *tap)] * x[(slice(None), channel + c, *source)]
            y[(slice(None), j, *position)] = total
    return y


def by_windows(x, w, b, stride, padding, dilation, groups, padding_mode):
    """All windows at once by a view, then one einsum a group."""
    padded = pad(x, padding, padding_mode)
    C_out, C, *kernel = w.shape
    reach = [D * (K - 1) + 1 for K, D in zip(kernel, dilation, strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=tuple(range(2, x.ndim)))
    every = [slice(None, None, S) for S in stride] + [slice(None, None, D) for D in dilation]
    windows = windows[(slice(None), slice(None), *every)]
    letters = "uvw"[: len(kernel)]
    places = "pqr"[: len(kernel)]
    M = C_out // groups
    parts = [
        np.einsum(
            f"nc{places}{letters},jc{letters}->nj{places}",
            windows[:, g * C : (g + 1) * C],
            w[g * M : (g + 1) * M],
        )
        for g in range(groups)
    ]
    return np.concatenate(parts, axis=1) + b.reshape(-1, *[1] * len(kernel))


def by_taps(x, w, b, stride, padding, dilation, groups, padding_mode):
    """Add up shifted inputs, one for each tap; the weights hold zeros between the groups."""
    padded = pad(x, padding, padding_mode)
    C_out, C, *kernel = w.shape
    full = np.zeros((C_out, x.shape[1], *kernel), w.dtype)
    for j in range(C_out):
        start = j // (C_out // groups) * C
        full[j, start : start + C] = w[j]
    sizes = [
        (n - D * (K - 1) - 1) // S + 1 for n, K, S, D in zip(padded.shape[2:], kernel, stride, dilation, strict=True)
    ]
    y = 0
    for tap in itertools.product(*map(range, kernel)):
        seen = tuple(
            slice(u * D, u * D + (size - 1) * S + 1, S)
            for u, D, S, size in zip(tap, dilation, stride, sizes, strict=True)
        )
        shifted = padded[(slice(None), slice(None), *seen)]
        y = y + np.moveaxis(np.tensordot(full[(slice(None), slice(None), *tap)], shifted, axes=(1, 1)), 0, 1)
    return y + np.expand_dims(b, tuple(range(1, len(kernel) + 1)))


def by_columns(x, w, b, stride, padding, dilation, groups, padding_mode):
    """A table with one column for each window, and a matrix product; the padding by joining pieces."""
    for axis, P in enumerate(padding, start=2):
        n = x.shape[axis]
        cells = np.arange(-P, n + P)
        if padding_mode == "zeros":
            shape = list(x.shape)
            shape[axis] = P
            x = np.concatenate([np.zeros(shape, x.dtype), x, np.zeros(shape, x.dtype)], axis=axis)
            continue
        if padding_mode == "reflect":
            cells = n - 1 - np.abs(n - 1 - np.abs(cells))
        elif padding_mode == "replicate":
            cells = np.clip(cells, 0, n - 1)
        else:
            cells = cells % n
        x = x.take(cells, axis=axis)
    C_out, C, *kernel = w.shape
    starts = [range(0, n - D * (K - 1), S) for n, K, S, D in zip(x.shape[2:], kernel, stride, dilation, strict=True)]
    y = np.empty((len(x), C_out, *map(len, starts)), x.dtype)
    M = C_out // groups
    for g, n in np.ndindex(groups, len(x)):
        table = []
        for corner in itertools.product(*starts):
            taps = np.ix_(*(s + D * np.arange(K) for s, D, K in zip(corner, dilation, kernel, strict=True)))
            table.append(x[n, g * C : (g + 1) * C][(slice(None), *taps)].ravel())
        rows = w[g * M : (g + 1) * M].reshape(M, -1)
        y[n, g * M : (g + 1) * M] = (rows @ np.array(table).T + b[g * M : (g + 1) * M, None]).reshape(M, *y.shape[2:])
    return y


def by_a_wider_kernel(x, w, b, stride, padding, dilation, groups, padding_mode):
    """Dilation by zeros between the weights; every place is computed, and every S-th kept."""
    spread = [D * (K - 1) + 1 for K, D in zip(w.shape[2:], dilation, strict=True)]
    wide = np.zeros((*w.shape[:2], *spread), w.dtype)
    wide[(slice(None), slice(None), *(slice(None, None, D) for D in dilation))] = w
    ones = (1,) * len(stride)
    y = by_windows(x, wide, b, ones, padding, ones, groups, padding_mode)
    return y[(slice(None), slice(None), *(slice(None, None, S) for S in stride))]


RIGHT = [by_connections, by_windows, by_taps, by_columns, by_a_wider_kernel]


def symmetric(x, w, b, stride, padding, dilation, groups, padding_mode):
    modes = {"zeros": "constant", "reflect": "symmetric", "replicate": "edge", "circular": "wrap"}
    return by_windows(pad(x, padding, padding_mode, modes), w, b, stride, [0] * len(padding), dilation, groups, "zeros")


def circle_by_hand(x, w, b, stride, padding, dilation, groups, padding_mode):
    if padding_mode == "circular":
        for axis, P in enumerate(padding, start=2):
            head = np.take(x, range(P), axis=axis)
            tail = np.take(x, range(x.shape[axis] - P, x.shape[axis]), axis=axis)
            x = np.concatenate([head, x, tail], axis=axis)
        padding = (0,) * len(padding)
    return by_taps(x, w, b, stride, padding, dilation, groups, padding_mode)


def group_of_remainder(x, w, b, stride, padding, dilation, groups, padding_mode):
    C_out, C, *_ = w.shape
    outputs = []
    for j in range(C_out):
        g = j % groups
        own = x[:, g * C : (g + 1) * C]
        outputs.append(by_windows(own, w[j : j + 1], b[j : j + 1], stride, padding, dilation, 1, padding_mode))
    return np.concatenate(outputs, axis=1)


def weights_of_all_channels(x, w, b, stride, padding, dilation, groups, padding_mode):
    """Takes w for (C_out, C_in, *kernel): where a group has more than one channel this raises."""
    padded = pad(x, padding, padding_mode)
    C_out, _, *kernel = w.shape
    C = x.shape[1] // groups
    reach = [D * (K - 1) + 1 for K, D in zip(kernel, dilation, strict=True)]
    out = [(n - r) // S + 1 for n, r, S in zip(padded.shape[2:], reach, stride, strict=True)]
    y = np.zeros((len(x), C_out, *out), x.dtype)
    for j in range(C_out):
        first = j // (C_out // groups) * C
        for p in np.ndindex(*out):
            taps = [slice(i * S, i * S + r, D) for i, S, r, D in zip(p, stride, reach, dilation, strict=True)]
            window = padded[(slice(None), slice(first, first + C), *taps)]
            y[(slice(None), j, *p)] = (window * w[j, first : first + C]).sum(axis=tuple(range(1, x.ndim))) + b[j]
    return y


def dilated_by_slicing_x(x, w, b, stride, padding, dilation, groups, padding_mode):
    x = pad(x, padding, padding_mode)
    x = x[(slice(None), slice(None), *(slice(None, None, D) for D in dilation))]
    none = (0,) * len(padding)
    return by_windows(x, w, b, stride, none, (1,) * len(padding), groups, "zeros")


def dilated_by_zeros_in_x(x, w, b, stride, padding, dilation, groups, padding_mode):
    holes = np.zeros((*x.shape[:2], *(D * (n - 1) + 1 for n, D in zip(x.shape[2:], dilation, strict=True))), x.dtype)
    holes[(..., *(slice(None, None, D) for D in dilation))] = x
    return by_columns(holes, w, b, stride, padding, (1,) * len(padding), groups, padding_mode)


def squeezed(x, w, b, stride, padding, dilation, groups, padding_mode):
    return by_windows(x, w, b, stride, padding, dilation, groups, padding_mode).squeeze()


def symmetric_with_local_bias(x, w, b, stride, padding, dilation, groups, padding_mode):
    C_out, C, *_ = w.shape
    M = C_out // groups
    outputs = []
    for g in range(groups):
        own = x[:, g * C : (g + 1) * C]
        outputs.append(symmetric(own, w[g * M : (g + 1) * M], b[:M], stride, padding, dilation, 1, padding_mode))
    return np.concatenate(outputs, axis=1)


WRONG = [
    (symmetric, {"The edge is repeated in reflect"}),
    (circle_by_hand, {"The two sides are exchanged in circular"}),
    (group_of_remainder, {"The filters are dealt out to the groups in turn"}),
    (weights_of_all_channels, {"A filter's slices are looked up by the numbers of all channels"}),
    (dilated_by_slicing_x, {"Only every D-th input is kept"}),
    (dilated_by_zeros_in_x, {"The input is dilated, not the kernel"}),
    (squeezed, {"Axes of length 1 are dropped"}),
    (symmetric_with_local_bias, {"The edge is repeated in reflect", "Every group uses the biases of the first"}),
]
_X = np.array([[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]])
_W = np.array([[[1.0, 10.0]], [[1.0, -1.0]]])
_B = np.array([0.5, 0.0])
EXAMPLES = [
    ("conv_nd", (_X[:, :1], _W[:1], _B[:1], (1,), (0,), (2,), 1, "zeros"), np.array([[[31.5, 42.5]]])),
    ("conv_nd", (_X[:, :1], _W[:1], _B[:1], (1,), (1,), (2,), 1, "reflect"), np.array([[[22.5, 31.5, 42.5, 33.5]]])),
    ("conv_nd", (_X, _W, _B, (1,), (0,), (2,), 2, "zeros"), np.array([[[31.5, 42.5], [-2.0, -2.0]]])),
    *(
        ("conv_nd", (_X[:, :1], np.ones((1, 1, 1)), np.zeros(1), (1,), (2,), (1,), 1, mode), np.array([[row]]))
        for mode, row in {
            "zeros": [0.0, 0, 1, 2, 3, 4, 0, 0],
            "reflect": [3.0, 2, 1, 2, 3, 4, 3, 2],
            "replicate": [1.0, 1, 1, 2, 3, 4, 4, 4],
            "circular": [3.0, 4, 1, 2, 3, 4, 1, 2],
        }.items()
    ),
]
