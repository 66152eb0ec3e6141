"""What goes wrong in any convolution, with loops or without, each as the small function that does it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cnnlab.checks.a3 import wrong_parts as parts
from cnnlab.checks.a3.convolving import sum_of_products
from cnnlab.checks.model import Mistake

_WINDOW = (
    "Window (p, q) is x[n, :, p * S_H : p * S_H + K_H, q * S_W : q * S_W + K_W], of the padded x if there is padding."
)
_COUNT = "H_out = (H - K_H) // S_H + 1 and W_out = (W - K_W) // S_W + 1, where H and W include the padding."
_FLIPPED = (
    "The kernel is flipped",
    (
        "The first row of the kernel meets the last row of the window; here first meets first (cross-correlation).",
        "Look for [::-1], np.flip, K_H - 1 - i, or a function named convolve: where is the kernel turned round?",
        "Tap (i, j) of the kernel is multiplied with row p * S_H + i, column q * S_W + j of x.",
    ),
)
_HALF_FLIPPED = (
    "The kernel is flipped along one axis",
    (
        "Along one axis first meets last; the kernel is not turned round at all here.",
        "Look for a [::-1] or a K - 1 - i along the rows or along the columns.",
        "Tap (i, j) of the kernel is multiplied with row p * S_H + i, column q * S_W + j of x.",
    ),
)
_FILTER_AXES = (
    "The weights are read as (C_in, C_out)",
    (
        "The shape of w is (C_out, C_in, K_H, K_W): filters first, then the channels that each of them looks at.",
        "Look at the order of the first two indices of w, or at the letters of your einsum.",
        "w[o, c] belongs to output channel o and input channel c.",
    ),
)
_OFTEN = (
    "The bias is added more than once",
    (
        "Each number of the answer gets its bias once; here it is added again with each product or channel.",
        "Look at which loop, or which sum, the line with b stands in.",
        "Add up all products first, then add b[o] once.",
    ),
)
_BIAS_AXIS = (
    "The bias runs along rows or columns, not along the filters",
    (
        "b has one number for each filter. Added to y as it is, NumPy lines it up with the last axis.",
        "Look at the shape of b where it is added.",
        "b[None, :, None, None] has its numbers along the axis of the filters.",
    ),
)
_ONE_STRIDE = (
    "One stride is used for both axes",
    (
        "Rows and columns have strides of their own: stride is the pair (S_H, S_W).",
        "Look for stride[0] or stride[1] that stands twice.",
        "S_H, S_W = stride, then p * S_H along the rows and q * S_W along the columns.",
    ),
)
_ONE_AXIS = (
    "The stride is used along one axis only",
    (
        "Along the other axis the windows move by 1.",
        "Look for both numbers of stride: where are the rows, where are the columns moved?",
        "S_H, S_W = stride, then p * S_H along the rows and q * S_W along the columns.",
    ),
)
_LAST = (
    "The last row or column of the answer is missing",
    (
        "The window that ends exactly with the image is a full window too.",
        "Look at how you count the windows, or at where your loops stop: is the + 1 there?",
        _COUNT,
    ),
)
_OTHER_AXIS = (
    "A height stands where a width belongs",
    (
        "The answer has another number of rows or columns when the image or the kernel is not square.",
        "Look at the two lines that compute the size of the answer: H and K_H for rows, W and K_W for columns.",
        _COUNT,
    ),
)
_ZEROS = (
    "The answer is larger than it should be, with zeros in it",
    (
        "There are places in the answer that no full window belongs to; they kept the 0 they started with.",
        "Look at the shape that you give to np.zeros.",
        _COUNT,
    ),
)
_ONE_CHANNEL = (
    "Only one input channel counts",
    (
        "A filter looks at all channels of the window and adds everything up.",
        "Look at the loop over channels: does = stand where += belongs, or an index where a loop belongs?",
        "y[n, o, p, q] is the sum over c, i and j of w[o, c, i, j] times the window's [c, i, j], plus b[o].",
    ),
)
_OVERWRITTEN = (
    "Each product overwrites the one before it",
    (
        "Only the last tap of the kernel counts; all products must be added up.",
        "Look for = where += belongs.",
        "y[n, o, p, q] is the sum over c, i and j of w[o, c, i, j] times the window's [c, i, j], plus b[o].",
    ),
)
_MEAN = (
    "A mean is taken where a sum belongs",
    (
        "The products are divided by their number.",
        "Look for mean, or for a division.",
        "y[n, o, p, q] is the sum over c, i and j of w[o, c, i, j] times the window's [c, i, j], plus b[o].",
    ),
)
WHOLE_NUMBERS = (
    "The answer holds whole numbers",
    (
        "What stands after the point is cut off: an array of whole numbers cannot hold it.",
        "Look at where y is made: is there a dtype=int, or a copy of an array of whole numbers?",
        "np.zeros(shape, dtype=x.dtype).",
    ),
)
_BATCH = (
    "The samples are added up",
    (
        "Each sample has an answer of its own; they do not know of each other.",
        "Look at the axis of samples: is it summed over, or missing on the right of your einsum?",
        "The answer has the shape (N, C_out, H_out, W_out), with sample n made from x[n] alone.",
    ),
)
_FIRST_SAMPLE = (
    "Only the first sample is looked at",
    (
        "Each sample has an answer of its own; here all come from the first.",
        "Look for x[0], and for a missing loop over n.",
        "The answer has the shape (N, C_out, H_out, W_out), with sample n made from x[n] alone.",
    ),
)
_ORDER = (
    "The axes of the answer are in another order",
    (
        "The numbers are right; their order should be sample, filter, row, column.",
        "Look at where the answer is put together, or at what stands on the right of your einsum.",
        "The answer has the shape (N, C_out, H_out, W_out); np.transpose or np.moveaxis changes the order.",
    ),
)
_LOST = (
    "An axis of the answer is lost",
    (
        "The answer keeps its four axes, also where one of them has length 1.",
        "Look for squeeze, or for an index [0].",
        "Start with y = np.zeros((N, C_out, H_out, W_out)), or reshape to this at the end.",
    ),
)


def in_any_convolution(wrong: Callable[..., Mistake]) -> tuple[Mistake, ...]:
    """Return the mistakes that do not depend on padding, made by ``wrong(id, name, hints, **parts)``."""
    return (
        wrong("flipped", *_FLIPPED, kernel=lambda w: w[:, :, ::-1, ::-1]),
        wrong("all_flipped", *_FLIPPED, kernel=lambda w: w[:, ::-1, ::-1, ::-1]),
        wrong("rows_flipped", *_HALF_FLIPPED, kernel=lambda w: w[:, :, ::-1]),
        wrong("columns_flipped", *_HALF_FLIPPED, kernel=lambda w: w[:, :, :, ::-1]),
        wrong(
            "kernel_transposed",
            "Rows and columns of the kernel are exchanged",
            (
                "The first row of the kernel meets the first column of the window.",
                "Look at the order of the last two indices of w.",
                "w[o, c, i, j]: i counts rows, as p does, and j counts columns, as q does.",
            ),
            kernel=lambda w: w.swapaxes(2, 3),
        ),
        wrong("filters_swapped", *_FILTER_AXES, kernel=lambda w: w.swapaxes(0, 1)),
        wrong("filters_reshaped", *_FILTER_AXES, kernel=parts.read_as(1, 0, 2, 3)),
        wrong(
            "first_filter",
            "All outputs use the first filter",
            (
                "The maps of one sample differ by their bias only: each must be made with a filter of its own.",
                "Look for w[0], and for the loop over o.",
                "Output channel o uses w[o] and b[o].",
            ),
            kernel=lambda w: np.repeat(w[:1], len(w), axis=0),
        ),
        wrong(
            "no_bias",
            "The bias is left out",
            (
                "The numbers are those of filters without biases.",
                "Look for b in your function.",
                "Add up all products first, then add b[o] once.",
            ),
            bias=lambda y, b, w: y,
        ),
        wrong("bias_each_product", *_OFTEN, bias=lambda y, b, w: y + w[0].size * b[:, None, None]),
        wrong("bias_each_channel", *_OFTEN, bias=lambda y, b, w: y + w.shape[1] * b[:, None, None]),
        wrong("bias_each_tap", *_OFTEN, bias=lambda y, b, w: y + w[0, 0].size * b[:, None, None]),
        wrong(
            "first_bias",
            "All outputs get the first bias",
            (
                "Each filter has a bias of its own.",
                "Look for b[0], or for b with another index than w.",
                "Output channel o uses w[o] and b[o].",
            ),
            bias=lambda y, b, w: y + b[0],
        ),
        wrong(
            "sum_of_biases",
            "All outputs get the sum of the biases",
            (
                "Each filter has a bias of its own; here all biases are added to every output.",
                "Look for a sum over b.",
                "Output channel o uses w[o] and b[o].",
            ),
            bias=lambda y, b, w: y + b.sum(),
        ),
        wrong("bias_along_columns", *_BIAS_AXIS, bias=lambda y, b, w: y + b),
        wrong("bias_along_rows", *_BIAS_AXIS, bias=lambda y, b, w: y + b[:, None]),
        wrong(
            "no_stride",
            "stride is not used",
            (
                "The answer has a number for every place, as if stride were (1, 1).",
                "Look for stride in your function.",
                _WINDOW,
            ),
            steps=lambda stride: (1, 1),
        ),
        wrong("row_stride_only", *_ONE_AXIS, steps=lambda stride: (stride[0], 1)),
        wrong("column_stride_only", *_ONE_AXIS, steps=lambda stride: (1, stride[1])),
        wrong("row_stride_twice", *_ONE_STRIDE, steps=lambda stride: (stride[0], stride[0])),
        wrong("column_stride_twice", *_ONE_STRIDE, steps=lambda stride: (stride[1], stride[1])),
        wrong(
            "strides_swapped",
            "The two strides are exchanged",
            (
                "The windows move along the rows as they should along the columns, and the other way round.",
                "Look at the order: rows first, columns second, always.",
                "S_H, S_W = stride, then p * S_H along the rows and q * S_W along the columns.",
            ),
            steps=lambda stride: (stride[1], stride[0]),
        ),
        wrong(
            "stride_not_in_start",
            "The stride sets the number of windows, but not where they start",
            (
                "The shape is right, but number p of the answer belongs to the window that starts at row p.",
                "Look at the slice: which row of x does window number p start with?",
                _WINDOW,
            ),
            grid=parts.grid_by(parts.neighbors, parts.neighbors),
        ),
        wrong(
            "stride_is_kernel",
            "The windows move by their own size, not by the stride",
            (
                "Your windows lie side by side; they should start a stride apart and may overlap.",
                "Look at the step of your loops.",
                _WINDOW,
            ),
            grid=parts.grid_by(parts.side_by_side, parts.side_by_side),
        ),
        wrong("stops_early", *_LAST, grid=parts.grid_by(parts.stops_early, parts.stops_early)),
        wrong("rows_stop_early", *_LAST, grid=parts.grid_by(rows=parts.stops_early)),
        wrong("columns_stop_early", *_LAST, grid=parts.grid_by(columns=parts.stops_early)),
        wrong("counts_one_less", *_LAST, grid=parts.grid_by(parts.counts_one_less, parts.counts_one_less)),
        wrong("height_for_width", *_OTHER_AXIS, grid=parts.with_image(lambda s: (s.image[0], s.image[0]))),
        wrong("width_for_height", *_OTHER_AXIS, grid=parts.with_image(lambda s: (s.image[1], s.image[1]))),
        wrong("kernel_height_twice", *_OTHER_AXIS, grid=parts.with_kernel(lambda s: (s.kernel[0], s.kernel[0]))),
        wrong("kernel_width_twice", *_OTHER_AXIS, grid=parts.with_kernel(lambda s: (s.kernel[1], s.kernel[1]))),
        wrong("rounded_up", *_ZEROS, frame=parts.larger(parts.rounded_up)),
        wrong("size_of_stride_one", *_ZEROS, frame=parts.larger(parts.at_stride_one)),
        wrong("size_of_input", *_ZEROS, frame=parts.larger(lambda s: s.image)),
        wrong("written_at_start", *_ZEROS, frame=parts.larger(parts.at_stride_one, at_start=True)),
        wrong("written_at_start_of_input", *_ZEROS, frame=parts.larger(lambda s: s.image, at_start=True)),
        wrong("last_channel", *_ONE_CHANNEL, combine=lambda x, w: sum_of_products(x[:, -1:], w[:, -1:])),
        wrong("first_channel", *_ONE_CHANNEL, combine=lambda x, w: sum_of_products(x[:, :1], w[:, :1])),
        wrong("last_tap", *_OVERWRITTEN, combine=parts.last_tap),
        wrong("last_product", *_OVERWRITTEN, combine=parts.last_product),
        wrong("mean_of_products", *_MEAN, combine=lambda x, w: sum_of_products(x, w) / w[0].size),
        wrong("mean_of_channels", *_MEAN, combine=lambda x, w: sum_of_products(x, w) / w.shape[1]),
        wrong("mean_of_taps", *_MEAN, combine=lambda x, w: sum_of_products(x, w) / w[0, 0].size),
        wrong("whole_numbers", *WHOLE_NUMBERS, then=parts.whole),
        wrong("batch_summed", *_BATCH, combine=parts.sums_of_batch),
        wrong("batch_summed_kept", *_BATCH, combine=parts.kept_sums_of_batch),
        wrong("first_sample_for_all", *_FIRST_SAMPLE, combine=parts.first_sample_for_all),
        wrong("first_sample", *_FIRST_SAMPLE, then=lambda y: y[0]),
        wrong("first_sample_kept", *_FIRST_SAMPLE, then=lambda y: y[:1]),
        wrong("filters_last", *_ORDER, then=lambda y: y.transpose(0, 2, 3, 1)),
        wrong("filters_first", *_ORDER, then=lambda y: y.transpose(1, 0, 2, 3)),
        wrong("rows_and_columns_swapped", *_ORDER, then=lambda y: y.transpose(0, 1, 3, 2)),
        wrong("squeezed", *_LOST, then=np.squeeze),
    )
