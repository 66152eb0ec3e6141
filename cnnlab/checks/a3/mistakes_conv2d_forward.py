"""What goes wrong in a convolution layer without loops, each as the small function that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnnlab.checks.a3 import wrong_parts as parts
from cnnlab.checks.a3.convolving import Array, Pair, convolve
from cnnlab.checks.a3.mistakes_convolving import in_any_convolution
from cnnlab.checks.assembled import mistakes_from


def assemble(**parts: Any) -> Callable[[Array, Array, Array, Pair, Pair], Any]:
    """Return a convolution that has other parts: those of `convolve`."""

    def conv2d_forward(x: Array, w: Array, b: Array, stride: Pair, padding: Pair) -> Any:
        return convolve(x, w, b, stride, padding, **parts)

    return conv2d_forward


_wrong = mistakes_from(assemble)

_PADDED = "padded = np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)))."
_ONE_SIDE = (
    "The padding counts on one side only",
    (
        "P_H rows of zeros belong above and below, P_W columns to the left and to the right.",
        "Look at H and W where you compute the size of the answer, and at both sides where you pad.",
        "The padded image has H + 2 * P_H rows and W + 2 * P_W columns; the size of the answer is computed from these.",
    ),
)
_ONE_PADDING = (
    "One padding is used for both axes",
    (
        "Rows and columns have paddings of their own: padding is the pair (P_H, P_W).",
        "Look for padding[0] or padding[1] that stands in both places.",
        _PADDED,
    ),
)
_BATCH_PADDED = (
    "The axis of samples is padded too",
    (
        "The answer has more samples than x: samples of zeros were added in front and behind.",
        "Look at the widths that you give to np.pad: one pair for each of the four axes.",
        _PADDED,
    ),
)
_NOT_ZEROS = (
    "The border is not padded with zeros",
    (
        "Around the image stand copies of its own numbers; there should be zeros.",
        "Look at the mode that you give to np.pad; without one it takes zeros.",
        _PADDED,
    ),
)
_FLATTENED = (
    "Windows and filters are flattened in different orders",
    (
        "In the matrix product the numbers of a window meet the wrong weights.",
        "Look at the order of the axes just before each reshape: it must be the same for windows and for w.",
        "w.reshape(C_out, -1) lists channel, row, column; bring the windows into that order with np.transpose first.",
    ),
)
_RESHAPED = (
    "The answer is reshaped where its axes should be moved",
    (
        "The shape is right, but the numbers stand in wrong places: reshape never moves an axis.",
        "Look at the last reshape: in which order did the product have its axes?",
        "First reshape to the axes as they are, such as (N, H_out, W_out, C_out); then use np.transpose.",
    ),
)

MISTAKES = (
    *in_any_convolution(_wrong),
    _wrong(
        "no_padding",
        "padding is not used",
        (
            "The answer is the one for padding (0, 0).",
            "Look for padding in your function.",
            _PADDED,
        ),
        pad=lambda x, padding: x,
    ),
    _wrong("padded_before", *_ONE_SIDE, pad=parts.padded_by(lambda P_H, P_W: ((P_H, 0), (P_W, 0)))),
    _wrong("padded_behind", *_ONE_SIDE, pad=parts.padded_by(lambda P_H, P_W: ((0, P_H), (0, P_W)))),
    _wrong("row_padding_twice", *_ONE_PADDING, pad=parts.padded_by(lambda P_H, P_W: ((P_H, P_H), (P_H, P_H)))),
    _wrong("column_padding_twice", *_ONE_PADDING, pad=parts.padded_by(lambda P_H, P_W: ((P_W, P_W), (P_W, P_W)))),
    _wrong(
        "paddings_swapped",
        "The two paddings are exchanged",
        (
            "The rows of zeros are as many as the columns of zeros should be, and the other way round.",
            "Look at the order: rows first, columns second, always; or do you give np.pad (padding, padding)?",
            _PADDED,
        ),
        pad=parts.padded_by(lambda P_H, P_W: ((P_W, P_W), (P_H, P_H))),
    ),
    _wrong(
        "pair_is_before_and_behind",
        "The padding is read as (before, behind)",
        (
            "The pair is (P_H, P_W), rows and columns; here both axes get the first in front and the second behind.",
            "Look at what np.pad does with the pair that you give it for each axis.",
            _PADDED,
        ),
        pad=parts.padded_by(lambda P_H, P_W: ((P_H, P_W), (P_H, P_W))),
    ),
    _wrong(
        "padded_doubly",
        "Twice as many zeros are added",
        (
            "There are 2 * P_H rows of zeros on each side; 2 * P_H is for both sides together.",
            "Look for a padding that is done twice, or for 2 * padding where you pad.",
            _PADDED,
        ),
        pad=parts.padded_by(lambda P_H, P_W: ((2 * P_H, 2 * P_H), (2 * P_W, 2 * P_W))),
    ),
    _wrong(
        "batch_padded",
        *_BATCH_PADDED,
        pad=parts.padded_by(lambda P_H, P_W: ((P_H, P_H), (P_W, P_W)), batch=lambda P_H, P_W: P_H),
    ),
    _wrong(
        "batch_padded_as_columns",
        *_BATCH_PADDED,
        pad=parts.padded_by(lambda P_H, P_W: ((P_H, P_H), (P_W, P_W)), batch=lambda P_H, P_W: P_W),
    ),
    _wrong("padding_once_in_size", *_ONE_SIDE, grid=parts.less_padding(1)),
    _wrong(
        "padding_not_in_size",
        "The size of the answer is computed without the padding",
        (
            "The padded image is 2 * P_H rows higher and 2 * P_W columns wider, and the answer grows with it.",
            "Look at H and W where you compute the size of the answer: do they belong to x before it is padded?",
            "Pad first, then N, C_in, H, W = padded.shape.",
        ),
        grid=parts.less_padding(2),
    ),
    _wrong(
        "zeros_over_border",
        "The border is overwritten with zeros",
        (
            "The zeros belong around the image, not in place of its outer rows and columns.",
            "Look at the array in which you write zeros, or at its size: it should be larger than x.",
            _PADDED,
        ),
        pad=parts.zeros_over_border,
    ),
    _wrong("edge_padded", *_NOT_ZEROS, pad=parts.padded_with("edge")),
    _wrong("reflected", *_NOT_ZEROS, pad=parts.padded_with("reflect")),
    _wrong("wrapped", *_NOT_ZEROS, pad=parts.padded_with("wrap")),
    _wrong("weights_read_channel_last", *_FLATTENED, kernel=parts.read_as(0, 2, 3, 1)),
    _wrong("weights_read_filter_last", *_FLATTENED, kernel=parts.read_as(1, 2, 3, 0)),
    _wrong("reshaped_from_filters_last", *_RESHAPED, then=parts.read_answer_as(0, 2, 3, 1)),
    _wrong("reshaped_from_filters_first", *_RESHAPED, then=parts.read_answer_as(1, 0, 2, 3)),
    _wrong("reshaped_from_samples_last", *_RESHAPED, then=parts.read_answer_as(1, 2, 3, 0)),
)
