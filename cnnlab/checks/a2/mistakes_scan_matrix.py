"""What goes wrong when a scan is written as a matrix, each as the small function that does it."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from cnnlab.checks.a2.matrix import assemble, inside_only, number_of, place_of
from cnnlab.checks.assembled import mistakes_from

Array = np.ndarray[Any, Any]
Sizes = tuple[int, ...]


def _zeros(numbers: Sizes) -> Sizes:
    return (0,) * len(numbers)


def _ones(numbers: Sizes) -> Sizes:
    return (1,) * len(numbers)


def _backwards(numbers: Sizes) -> Sizes:
    return numbers[::-1]


def _first_for_all(numbers: Sizes) -> Sizes:
    return numbers[:1] * len(numbers)


def _padded(n: Sizes, padding: Sizes) -> Sizes:
    return tuple(size + 2 * p for size, p in zip(n, padding, strict=True))


def _each_input(n: int, K: int, stride: int, padding: int) -> int:
    return -(-n // stride)


def _each_padded_input(n: int, K: int, stride: int, padding: int) -> int:
    return -(-(n + 2 * padding) // stride)


def _one_less(n: int, K: int, stride: int, padding: int) -> int:
    return (n + 2 * padding - K) // stride


def _rounded_up(n: int, K: int, stride: int, padding: int) -> int:
    return -(-(n + 2 * padding - K) // stride) + 1


def _padded_once(n: int, K: int, stride: int, padding: int) -> int:
    return (n + padding - K) // stride + 1


def _wraps(first: Sizes, tap: Sizes, kernel: Sizes, n: Sizes) -> int | None:
    return number_of([i % size for i, size in zip(place_of(first, tap), n, strict=True)], n)


def _negative_wraps(first: Sizes, tap: Sizes, kernel: Sizes, n: Sizes) -> int | None:
    position = place_of(first, tap)
    return _wraps(first, tap, kernel, n) if all(i < size for i, size in zip(position, n, strict=True)) else None


def _runs_on(first: Sizes, tap: Sizes, kernel: Sizes, n: Sizes) -> int | None:
    column = number_of(place_of(first, tap), n)
    return column if 0 <= column < prod(n) else None


def _in_one_piece(first: Sizes, tap: Sizes, kernel: Sizes, n: Sizes) -> int | None:
    column = number_of(first, n) + number_of(tap, kernel)
    inside = inside_only(first, tap, kernel, n) is not None
    return column if inside and 0 <= column < prod(n) else None


def _turned(*axes: int) -> Any:
    def turn(tap: Sizes, kernel: Sizes) -> Sizes:
        turned = list(tap)
        for axis in {axis % len(tap) for axis in axes}:
            turned[axis] = kernel[axis] - 1 - tap[axis]
        return tuple(turned)

    return turn


def _first_input_only(w: Array) -> Array:
    kept = np.zeros_like(w)
    kept[:, 0] = w[:, 0]
    return kept


def _own_input_only(w: Array) -> Array:
    kept = np.zeros_like(w)
    for channel in range(min(w.shape[:2])):
        kept[channel, channel] = w[channel, channel]
    return kept


def _rows_last(blocks: Array, counts: Sizes, n: Sizes) -> Array:
    C_out, P, C_in, inputs = blocks.shape
    return blocks.transpose(1, 0, 2, 3).reshape(P * C_out, C_in * inputs)


def _columns_last(blocks: Array, counts: Sizes, n: Sizes) -> Array:
    C_out, P, C_in, inputs = blocks.shape
    return blocks.transpose(0, 1, 3, 2).reshape(C_out * P, inputs * C_in)


def _both_last(blocks: Array, counts: Sizes, n: Sizes) -> Array:
    C_out, P, C_in, inputs = blocks.shape
    return blocks.transpose(1, 0, 3, 2).reshape(P * C_out, inputs * C_in)


def _matrix(blocks: Array) -> Array:
    return blocks.reshape(blocks.shape[0] * blocks.shape[1], -1)


def _column_by_column(places: bool, positions: bool) -> Any:
    def layout(blocks: Array, counts: Sizes, n: Sizes) -> Array:
        rows = np.arange(prod(counts)).reshape(counts).ravel(order="F" if places else "C")
        columns = np.arange(prod(n)).reshape(n).ravel(order="F" if positions else "C")
        return _matrix(blocks[:, rows][..., columns])

    return layout


def _fortran(blocks: Array, counts: Sizes, n: Sizes) -> Array:
    C_out, _, C_in, _ = blocks.shape
    apart = blocks.reshape(C_out, *counts, C_in, *n)
    return apart.reshape(C_out * prod(counts), C_in * prod(n), order="F")


def _with_all_axes(blocks: Array, counts: Sizes, n: Sizes) -> Array:
    C_out, _, C_in, _ = blocks.shape
    return blocks.reshape(C_out, *counts, C_in, *n)


_WRAPS = (
    "The rows wrap round",
    (
        "A weight that falls outside of the input at one end came back in at the other end.",
        "Look for np.roll, for %, or for a negative index: Python takes it as counted from the end.",
        "Set an entry only if 0 <= place * stride + tap - padding < n, on each axis.",
    ),
)
_EACH_INPUT = (
    "There is a row for each input, not for each full window",
    (
        "The matrix has rows for windows that hang over the end; only full windows of the padded input count.",
        "Look at how you count the places along an axis: does the size of the kernel come into it?",
        "P = (n + 2 * padding - K) // stride + 1 on each axis.",
    ),
)
_FLIPPED = (
    "The kernel is flipped",
    (
        "The weights of a window stand in reversed order; a scan does not flip its kernel.",
        "Look for [::-1], np.flip, np.convolve, or for an index K - 1 - tap.",
        "Tap number t of w meets input number place * stride + t - padding.",
    ),
)
_BLOCKS = (
    "Blocks of input channels are forgotten",
    (
        "An output adds up what it gets from every input channel, so each channel has a block of columns with its own "
        "weights.",
        "Look at the loop over the input channels, and at the number of columns.",
        "The block of output o and input channel c begins at row o * P and column c * prod(n), and holds w[o, c].",
    ),
)
_LAST = (
    "The channels are counted last, not first",
    (
        "The entries are right, but the order of rows or columns is not: all places of channel 0 come first.",
        "Look at how you number rows and columns, or at the order of the axes before you merge them.",
        "Row o * P + place, column c * prod(n) + position; or axes (C_out, *P, C_in, *n), then reshape.",
    ),
)
_COLUMN_BY_COLUMN = (
    "Places or positions are counted column by column",
    (
        "The entries are right, but in two dimensions the order is not: C order goes row by row.",
        "Look at the order of your two loops, or at how you make one number of (p, q).",
        "Place (p, q) is number p * P_W + q; position (y, x) is number y * W + x.",
    ),
)

_wrong = mistakes_from(assemble)

MISTAKES = (
    _wrong("wraps", *_WRAPS, land=_wraps),
    _wrong("circulant", *_WRAPS, land=_wraps, count=_each_input),
    _wrong("negative_wraps", *_WRAPS, land=_negative_wraps),
    _wrong(
        "runs_on",
        "What hangs over the edge of a row lands in the next row of the picture",
        (
            "A window that hangs over the right or left edge has weights in the row of the picture below or above.",
            "Look at your test for inside: is it made for y * W + x as a whole?",
            "Test each axis by itself, 0 <= y < H and 0 <= x < W, before you make one number of the two.",
        ),
        land=_runs_on,
    ),
    _wrong(
        "in_one_piece",
        "The rows of the kernel stand next to each other",
        (
            "In the picture one row of the kernel lies below the other, so in x.ravel() they are W numbers apart.",
            "Look for w[o, c].ravel() written into neighboring columns.",
            "Tap (i, j) of the window that starts at (y, x) has the column (y + i) * W + x + j.",
        ),
        land=_in_one_piece,
    ),
    _wrong("each_input", *_EACH_INPUT, count=_each_input),
    _wrong("each_padded_input", *_EACH_INPUT, count=_each_padded_input),
    _wrong(
        "last_place",
        "The last window is missing",
        (
            "Along an axis there is one place too few.",
            "Look at how you count the places: with room for the kernel and nothing more there is one place already.",
            "P = (n + 2 * padding - K) // stride + 1 on each axis.",
        ),
        count=_one_less,
    ),
    _wrong(
        "rounded_up",
        "There is one row too many where the stride does not divide",
        (
            "The last window has a part outside of the padded input; only full windows count.",
            "Look at the division when you count the places: does it round up?",
            "P = (n + 2 * padding - K) // stride + 1 on each axis.",
        ),
        count=_rounded_up,
    ),
    _wrong("flipped", *_FLIPPED, turn=_turned(0, -1)),
    _wrong("flipped_rows", *_FLIPPED, turn=_turned(-1)),
    _wrong("flipped_columns", *_FLIPPED, turn=_turned(0)),
    _wrong(
        "transposed",
        "The matrix is transposed",
        (
            "Rows and columns are exchanged: M @ x.ravel() needs a column for each input and a row for each output.",
            "Look at which of your two numbers comes first in M[…, …].",
            "M has shape (C_out * P, C_in * prod(n)).",
        ),
        layout=lambda blocks, counts, n: _matrix(blocks).T,
    ),
    _wrong("first_block", *_BLOCKS, weights=_first_input_only),
    _wrong("first_columns", *_BLOCKS, weights=lambda w: w[:, :1]),
    _wrong("summed_blocks", *_BLOCKS, weights=lambda w: w.sum(axis=1, keepdims=True)),
    _wrong("own_blocks", *_BLOCKS, weights=_own_input_only),
    _wrong(
        "first_output",
        "Only output channel 0 has rows",
        (
            "Each output channel has a block of P rows; those of all but the first are missing.",
            "Look at the first axis of w: does a loop go over it?",
            "The block of output o begins at row o * P, and holds the weights w[o].",
        ),
        weights=lambda w: w[:1],
    ),
    _wrong(
        "same_input",
        "All input channels get the weights of channel 0",
        (
            "The blocks beside each other are equal, but each input channel has weights of its own.",
            "Look at the second index of w, and at np.tile or np.kron.",
            "The block of output o and input channel c holds w[o, c].",
        ),
        weights=lambda w: np.repeat(w[:, :1], w.shape[1], axis=1),
    ),
    _wrong(
        "same_output",
        "All output channels get the weights of channel 0",
        (
            "The blocks below each other are equal, but each output channel has weights of its own.",
            "Look at the first index of w, and at np.tile or np.kron.",
            "The block of output o and input channel c holds w[o, c].",
        ),
        weights=lambda w: np.repeat(w[:1], w.shape[0], axis=0),
    ),
    _wrong(
        "channels_exchanged",
        "The first axis of w is taken for the input channels",
        (
            "Blocks of rows and blocks of columns are exchanged.",
            "Look at the line in which you read the channels off w.shape.",
            "w has shape (C_out, C_in, *kernel): the outputs come first.",
        ),
        weights=lambda w: w.swapaxes(0, 1),
    ),
    _wrong("rows_last", *_LAST, layout=_rows_last),
    _wrong("columns_last", *_LAST, layout=_columns_last),
    _wrong("both_last", *_LAST, layout=_both_last),
    _wrong("places_by_column", *_COLUMN_BY_COLUMN, layout=_column_by_column(True, False)),
    _wrong("positions_by_column", *_COLUMN_BY_COLUMN, layout=_column_by_column(False, True)),
    _wrong("both_by_column", *_COLUMN_BY_COLUMN, layout=_column_by_column(True, True)),
    _wrong(
        "fortran",
        "The axes are merged in Fortran order",
        (
            "The entries are right, but their order is not: the last axis must run fastest.",
            "Look for order='F' in ravel, reshape or flatten.",
            "Leave order out: reshape(C_out * P, C_in * prod(n)).",
        ),
        layout=_fortran,
    ),
    _wrong(
        "all_axes",
        "The axes are not merged into rows and columns",
        (
            "The entries are right, but the answer is no matrix: it has an axis for each axis of output and input.",
            "Look at your return line.",
            "M.reshape(C_out * P, C_in * prod(n)), with P the number of all places.",
        ),
        layout=_with_all_axes,
    ),
    _wrong(
        "stride_ignored",
        "stride is not used",
        (
            "The matrix has a row for every place, as if stride were 1.",
            "Look for stride in your function: it changes how many windows there are, and where they start.",
            "Window number p starts at p * stride - padding.",
        ),
        strides=_ones,
    ),
    _wrong(
        "stride_not_in_start",
        "stride sets the number of rows, but not where they start",
        (
            "The number of rows is right, but from row to row the window moves by 1.",
            "Look at the column of the first weight in row p.",
            "Window number p starts at p * stride - padding.",
        ),
        start=lambda q, stride, padding: q - padding,
    ),
    _wrong(
        "stride_backwards",
        "The stride of rows is used for columns, and the other way round",
        (
            "stride is (S_H, S_W): down first, then across.",
            "Look at each use of stride[0] and stride[1].",
            "Window (p, q) starts at row p * stride[0] - padding[0] and column q * stride[1] - padding[1].",
        ),
        strides=_backwards,
    ),
    _wrong(
        "stride_of_first",
        "The stride of axis 0 is used for all axes",
        (
            "In two dimensions each axis has a stride of its own.",
            "Look at each use of stride[0]: should one of them be stride[1]?",
            "Window (p, q) starts at row p * stride[0] - padding[0] and column q * stride[1] - padding[1].",
        ),
        strides=_first_for_all,
    ),
    _wrong(
        "padding_ignored",
        "padding is not used",
        (
            "The matrix is the one for padding 0.",
            "Look for padding in your function: it changes how many windows there are, and where they start.",
            "P = (n + 2 * padding - K) // stride + 1, and window number p starts at p * stride - padding.",
        ),
        paddings=_zeros,
    ),
    _wrong(
        "padding_once",
        "The padding is counted at one end only",
        (
            "There are too few rows: zeros stand before the input and after it.",
            "Look at how you count the places.",
            "P = (n + 2 * padding - K) // stride + 1 on each axis.",
        ),
        count=_padded_once,
    ),
    _wrong(
        "padding_not_in_start",
        "padding adds rows, but does not move where they start",
        (
            "The first window must begin with the zeros of the padding; here it begins with the input.",
            "Look at the column of the first weight in row p.",
            "Window number p starts at p * stride - padding; what falls below 0 has no column.",
        ),
        start=lambda q, stride, padding: q * stride,
    ),
    _wrong(
        "padded_columns",
        "There are columns for the zeros of the padding",
        (
            "The matrix fits an input that is padded already; M @ x.ravel() takes the input without padding.",
            "Look at the number of columns.",
            "Number the columns by place * stride + tap - padding, and leave out what is below 0 or not below n.",
        ),
        sizes=_padded,
        paddings=_zeros,
    ),
    _wrong(
        "padding_backwards",
        "The padding of rows is used for columns, and the other way round",
        (
            "padding is (rows above and below, columns left and right), in this order.",
            "Look at each use of padding[0] and padding[1].",
            "Window (p, q) starts at row p * stride[0] - padding[0] and column q * stride[1] - padding[1].",
        ),
        paddings=_backwards,
    ),
    _wrong(
        "padding_of_first",
        "The padding of axis 0 is used for all axes",
        (
            "In two dimensions each axis has a padding of its own.",
            "Look at each use of padding[0]: should one of them be padding[1]?",
            "Window (p, q) starts at row p * stride[0] - padding[0] and column q * stride[1] - padding[1].",
        ),
        paddings=_first_for_all,
    ),
    _wrong(
        "sizes_backwards",
        "n is taken as (columns, rows)",
        (
            "n is (H, W): rows first, then columns. Here H is used for W.",
            "Look at the line in which you unpack n.",
            "H, W = n, and position (y, x) is number y * W + x.",
        ),
        sizes=lambda n, padding: n[::-1],
    ),
    _wrong(
        "size_of_first",
        "The size of axis 0 is used for all axes",
        (
            "In two dimensions n has two numbers, and they differ: here H is used for W.",
            "Look at each use of n[0]: should one of them be n[1]?",
            "H, W = n, and position (y, x) is number y * W + x.",
        ),
        sizes=lambda n, padding: n[:1] * len(n),
    ),
    _wrong(
        "square_kernel",
        "The kernel is taken for a square",
        (
            "In two dimensions a kernel has a height and a width; here the height is used for both.",
            "Look at each use of w.shape[2]: should one of them be w.shape[3]?",
            "K_H, K_W = w.shape[2:].",
        ),
        weights=lambda w: w[..., : w.shape[2]],
    ),
)
