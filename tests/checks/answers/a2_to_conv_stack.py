"""Right ways to write exercise 7, and wrong ones as students write them."""

from math import prod

import numpy as np


def blocks_of(widths, hops):
    """How many blocks of each level one window has."""
    n = [1]
    for width, hop in zip(widths[:0:-1], hops[:0:-1], strict=True):
        n.insert(0, (n[0] - 1) * hop + width)
    return n


def by_loops(layers, C, widths, hops):
    """Entry by entry."""
    kernels, biases, strides = [], [], []
    n = blocks_of(widths, hops)
    places = (n[0] - 1) * hops[0] + widths[0]
    channels = C
    for level in range(len(layers)):
        W, b = layers[level]
        blocks = n[level] if level < len(n) else 1
        width = widths[level] if level < len(n) else 1
        units = len(W) // blocks
        w = np.zeros((units, channels, width), W.dtype)
        for d in range(units):
            for c in range(channels):
                for t in range(width):
                    w[d, c, t] = W[d * blocks, c * places + t]
        kernels.append(w)
        biases.append(b[::blocks].copy())
        strides.append(hops[level] if level < len(n) else 1)
        channels, places = units, blocks
    return kernels, biases, strides


def by_reshape(layers, C, widths, hops):
    """The number of blocks from the sizes of the matrices; returns tuples."""
    kernels, biases = [], []
    places = layers[0][0].shape[1] // C
    ones = [1] * (len(layers) - len(widths))
    for (W, b), K, S in zip(layers, [*widths, *ones], [*hops, *ones], strict=True):
        n = (places - K) // S + 1
        kernels.append(W.reshape(len(W) // n, n, -1, places)[:, 0, :, :K])
        biases.append(b.reshape(-1, n)[:, 0])
        places = n
    return tuple(kernels), tuple(biases), (*hops, *ones)


def by_mean(layers, C, widths, hops):
    """The mean over all copies, in their own windows: they are equal."""
    kernels, biases = [], []
    n = [*blocks_of(widths, hops), *[1] * (len(layers) - len(widths))]
    channels = C
    for level, (W, b) in enumerate(layers):
        K, S = (widths[level], hops[level]) if level < len(widths) else (1, 1)
        D = len(b) // n[level]
        whole = W.reshape(D, n[level], channels, -1)
        kernels.append(sum(whole[:, p, :, p * S : p * S + K] for p in range(n[level])) / n[level])
        biases.append(b.reshape(D, -1).mean(axis=1))
        channels = D
    return kernels, biases, [*hops, *[1 for _ in layers[len(hops) :]]]


def by_probing(layers, C, widths, hops):
    """What a unit makes of a window that is 1 at a single place."""
    kernels, biases, strides = [], [], []
    n = blocks_of(widths, hops)
    size = [(n[0] - 1) * hops[0] + widths[0], *n]
    for level, (W, b) in enumerate(layers):
        places, blocks = (size[level], n[level]) if level < len(n) else (1, 1)
        width = widths[level] if level < len(n) else 1
        channels = W.shape[1] // places
        columns = []
        for c in range(channels):
            for t in range(width):
                probe = np.zeros((channels, places), W.dtype)
                probe[c, t] = 1
                columns.append((W @ probe.ravel()).reshape(-1, blocks)[:, 0])
        kernels.append(np.stack(columns, axis=1).reshape(-1, channels, width))
        biases.append(np.array([b[d] for d in range(0, len(b), blocks)]))
        strides.append(np.int64(hops[level]) if level < len(n) else 1)
    return [kernels, biases, strides]


RIGHT = [by_loops, by_reshape, by_mean, by_probing]


def dense(layers, C, widths, hops):
    """A kernel as wide as the whole window, and 1×1s."""
    W, b = layers[0]
    kernels, biases = [W.reshape(len(W), C, -1)], [b]
    for W, b in layers[1:]:
        kernels.append(W[:, :, None])
        biases.append(b)
    return kernels, biases, [prod(hops)] + [1] * (len(layers) - 1)


def frames_first(layers, C, widths, hops):
    """(k, C) for (C, k), on every level."""
    kernels = []
    places = layers[0][0].shape[1] // C
    ones = [1] * (len(layers) - len(widths))
    for (W, _), K, S in zip(layers, [*widths, *ones], [*hops, *ones], strict=True):
        n = (places - K) // S + 1
        kernels.append(W[::n].reshape(len(W) // n, places, -1).transpose(0, 2, 1)[:, :, :K])
        places = n
    return kernels, *by_reshape(layers, C, widths, hops)[1:]


def not_moved_back(layers, C, widths, hops):
    """Shapes (units, width, channels)."""
    kernels, biases, strides = by_reshape(layers, C, widths, hops)
    return [np.moveaxis(w, 1, 2) for w in kernels], biases, strides


def in_and_out(layers, C, widths, hops):
    kernels, biases, strides = by_loops(layers, C, widths, hops)
    return [w.swapaxes(0, 1) for w in kernels], [0 * b for b in biases], strides


def first_rows(layers, C, widths, hops):
    """The first rows of each matrix, the first entries of each bias."""
    kernels, biases, strides = [], [], []
    n = [*blocks_of(widths, hops), *[1] * len(layers)]
    channels = C
    for level, (W, b) in enumerate(layers):
        units = len(b) // n[level]
        width = widths[level] if level < len(widths) else 1
        kernels.append(W[:units].reshape(units, channels, -1)[:, :, :width])
        biases.append(b[:units])
        strides.append(hops[level] if level < len(hops) else 1)
        channels = units
    return kernels, biases, strides


def all_copies(layers, C, widths, hops):
    """Every row's own window as a unit of its own, with every bias; strides in frames."""
    kernels, biases, strides = [], [], []
    places, channels, step = layers[0][0].shape[1] // C, C, 1
    for level, (W, b) in enumerate(layers):
        K, S = (widths[level], hops[level]) if level < len(widths) else (1, 1)
        n = (places - K) // S + 1
        rows = W.reshape(len(W), channels, places)
        kernels.append(np.array([rows[r, :, (r % n) * S : (r % n) * S + K] for r in range(len(W))]))
        biases.append(b)
        step = step * S if level < len(widths) else 1
        strides.append(step)
        places, channels = n, len(W) // n
    return kernels, biases, strides


def uncut(layers, C, widths, hops):
    """Takes the whole row of block 0."""
    kernels = []
    n, channels = [*blocks_of(widths, hops), *[1] * len(layers)], C
    for level, (W, _) in enumerate(layers):
        kernels.append(W.reshape(-1, n[level], channels, W.shape[1] // channels)[:, 0])
        channels = len(W) // n[level]
    return kernels, *by_reshape(layers, C, widths, hops)[1:]


def flat_kernels(layers, C, widths, hops):
    """Matrices, and the hop of level 1 for all."""
    kernels, biases, _ = by_reshape(layers, C, widths, hops)
    strides = [hops[0]] * len(hops) + [1] * (len(layers) - len(hops))
    return [w.reshape(w.shape[0], -1) for w in kernels], biases, strides


def levels_only(layers, C, widths, hops):
    """Stops when the widths do."""
    kernels, biases, _ = by_loops(layers, C, widths, hops)
    return kernels[: len(widths)], biases[: len(widths)], hops


def flipped_and_wide(layers, C, widths, hops):
    """As for np.convolve, and with the zeros."""
    kernels, biases, strides = uncut(layers, C, widths, hops)
    return [w[:, :, ::-1] for w in kernels], biases, strides


COPIES = "Each tied block is copied, not taken once"
WRONG = [
    (dense, {COPIES, "The whole hop of the scan is put on layer 1"}),
    (frames_first, {"Columns are read place by place, not channel by channel"}),
    (not_moved_back, {"The axes of a kernel are (units, width, channels)"}),
    (in_and_out, {"The axes of a kernel are (channels, units, width)", "The biases are dropped"}),
    (first_rows, {"Rows are read block by block, not unit by unit"}),
    (all_copies, {COPIES, "The stride of level 2 is counted in frames, not in places of the map below"}),
    (uncut, {"The zeros around a block are kept in the kernel"}),
    (flat_kernels, {"A kernel has no axis for its places", "The stride of level 1 is used on every level"}),
    (levels_only, {"The layers above the levels are missing"}),
    (flipped_and_wide, {"The zeros around a block are kept in the kernel", "The kernel is flipped"}),
]

_TIED = [
    (
        np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 2.0], [3.0, -1.0, 0.0], [0.0, 3.0, -1.0]]),
        np.array([5.0, 5.0, -2.0, -2.0]),
    ),
    (np.array([[1.0, 0.0, 4.0, -3.0]]), np.array([6.0])),
    (np.array([[2.0], [-1.0]]), np.array([0.0, 7.0])),
]
EXAMPLES = [
    (
        "to_conv_stack",
        ([(np.array([[1.0, 2.0, 3.0, -1.0]]), np.array([-1.0]))], 2, [2], [1]),
        ((np.array([[[1.0, 2.0], [3.0, -1.0]]]),), (np.array([-1.0]),), (1,)),
    ),
    (
        "to_conv_stack",
        (_TIED, 1, [2, 2], [1, 2]),
        (
            (
                np.array([[[1.0, 2.0]], [[3.0, -1.0]]]),
                np.array([[[1.0, 0.0], [4.0, -3.0]]]),
                np.array([[[2.0]], [[-1.0]]]),
            ),
            (np.array([5.0, -2.0]), np.array([6.0]), np.array([0.0, 7.0])),
            (1, 2, 1),
        ),
    ),
]
