"""What goes wrong when sizes and costs are counted, each as the small function that does it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from cnnlab.checks.a3.counting import (
    assemble_mac_count,
    assemble_output_size,
    assemble_parameter_count,
    assemble_receptive_field,
    assemble_same_padding,
)
from cnnlab.checks.assembled import mistakes_from

_size = mistakes_from(assemble_output_size, of="output_size")
_same = mistakes_from(assemble_same_padding, of="same_padding")
_field = mistakes_from(assemble_receptive_field, of="receptive_field")
_parameters = mistakes_from(assemble_parameter_count, of="parameter_count")
_macs = mistakes_from(assemble_mac_count, of="mac_count")

_SIZE = "(length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1."
_TOTAL = "total = dilation * (kernel - 1); then (total // 2, total - total // 2)."
_FIELD = "r, jump = 1, 1; for each layer: r += dilation * (kernel - 1) * jump, then jump *= stride."
_WEIGHTS = "out_channels * in_channels * K_H * K_W, plus out_channels if bias."
_MACS = "N * C_out * H_out * W_out * C_in * K_H * K_W, the first four from y_shape, C_in from x_shape."

_FRACTION = (
    "The division leaves a fraction",
    (
        "Half a window does not count; only what fits entirely does.",
        "Look for / in your function.",
        "// divides and rounds down: " + _SIZE,
    ),
)
_SIZE_DILATION = (
    "The dilated kernel is taken as dilation * kernel",
    (
        "Between the taps there are gaps, one fewer than taps; behind the last tap there is none.",
        "Draw a kernel of 3 with dilation 2: how many places from its first tap to its last?",
        "The kernel covers dilation * (kernel - 1) + 1.",
    ),
)
_SAME_DILATION = (
    "The dilated kernel is taken as dilation * kernel",
    (
        "Between the taps there are gaps, one fewer than taps; behind the last tap there is none.",
        "Draw a kernel of 3 with dilation 2: how many places from its first tap to its last?",
        _TOTAL,
    ),
)
_HALF = (
    "The two sides together are not what a kernel takes away",
    (
        "An output gets shorter by dilation * (kernel - 1); an even kernel takes an odd number away.",
        "Look at how you halve it: what is left over when the number is odd?",
        _TOTAL,
    ),
)
_FIELD_DILATION = (
    "The dilated kernel is taken as dilation * kernel",
    (
        "Between the taps there are gaps, one fewer than taps; behind the last tap there is none.",
        "Draw a kernel of 3 with dilation 2: how many places from its first tap to its last?",
        _FIELD,
    ),
)
_MISSING_LAYER = (
    "One layer is not counted",
    (
        "Every layer adds to the field, the first and the last too.",
        "Look at where your loop starts and ends.",
        _FIELD,
    ),
)
_ONE_SIDE = (
    "One side of the kernel is used twice",
    (
        "A kernel of 3 × 5 has 15 taps, not 9 or 25.",
        "Look for kernel[0] or kernel[1] that stands twice.",
        "K_H, K_W = kernel, then K_H * K_W.",
    ),
)
_NOT_BOTH = (
    "Only one side of the kernel counts",
    (
        "A kernel of 3 × 5 has 15 taps, not 3 or 5.",
        "Look for the product of both sides.",
        "K_H, K_W = kernel, then K_H * K_W.",
    ),
)
_BIASES = (
    "The biases are too many or too few",
    (
        "There is one bias for each filter: it is added to a whole map.",
        "Look at what you add for the bias.",
        _WEIGHTS,
    ),
)
_INPUT = (
    "Places of the input are counted, not those of the output",
    (
        "Work is done once for each number that comes out.",
        "Look at which rows and columns you multiply with: those of x or those of y?",
        _MACS,
    ),
)
_SQUARE = (
    "One side of the answer is used twice",
    (
        "An answer of 4 rows and 6 columns has 24 places, not 16 or 36.",
        "Look for an index of y_shape that stands twice.",
        _MACS,
    ),
)


def _sums(strides: Sequence[int]) -> list[int]:
    return [sum(strides[:n]) or 1 for n in range(len(strides))]


def _grown(reaches: Sequence[int], strides: Sequence[int]) -> int:
    r = 1
    for reach, stride in zip(reaches, strides, strict=True):
        r = r * stride + reach
    return r - 1


def _grown_from_end(reaches: Sequence[int], strides: Sequence[int]) -> int:
    return _grown(reaches[::-1], strides[::-1])


def _without_brackets(length: int, padding: int, reach: int, stride: int) -> Any:
    return length + padding - (reach - 1) - 1 // stride


MISTAKES = (
    _size(
        "size_rounded_up",
        "The division is rounded up",
        (
            "A window that hangs over the end does not count; the last one that fits entirely is the last.",
            "Look for ceil, or for -(-a // b).",
            "// divides and rounds down: " + _SIZE,
        ),
        steps=lambda length, padding, reach, stride: -(-(length + padding - reach) // stride),
    ),
    _size(
        "size_rounded",
        "The division is rounded to the nearest",
        (
            "Half a window does not count, and neither do nine tenths; only what fits entirely does.",
            "Look for round.",
            "// divides and rounds down: " + _SIZE,
        ),
        steps=lambda length, padding, reach, stride: round((length + padding - reach) / stride),
    ),
    _size(
        "size_fraction",
        *_FRACTION,
        steps=lambda length, padding, reach, stride: (length + padding - reach) / stride,
    ),
    _size(
        "size_no_brackets",
        "Only the last number is divided by the stride",
        (
            "Division comes before addition and subtraction: a - 1 // s is a - (1 // s).",
            "Look at the brackets around what you divide.",
            _SIZE,
        ),
        steps=_without_brackets,
    ),
    _size(
        "size_padding_once",
        "The padding is added once",
        (
            "There is padding in front and behind; the padded row is longer by both.",
            "Look for padding in your formula.",
            _SIZE,
        ),
        both_sides=lambda padding: padding,
    ),
    _size(
        "size_padding_ignored",
        "padding is not used",
        (
            "The answer is the one for padding 0.",
            "Look for padding in your formula.",
            _SIZE,
        ),
        both_sides=lambda padding: 0,
    ),
    _size(
        "size_one_forgotten",
        "The + 1 is forgotten",
        (
            "The first window stands where no step was made yet; the steps come on top of it.",
            "Take a kernel that just fits: how many windows are there, how many steps?",
            _SIZE,
        ),
        first=0,
    ),
    _size(
        "size_one_in_division",
        "The + 1 stands inside the division",
        (
            "The first window is not divided by the stride: it counts in full.",
            "Look at the brackets: is the + 1 behind // stride?",
            _SIZE,
        ),
        first=0,
        steps=lambda length, padding, reach, stride: (length + padding - reach + 1) // stride,
    ),
    _size(
        "size_reach_one_short",
        "The kernel counts as one shorter than it is",
        (
            "Without dilation a kernel of 3 covers 3 places; in your formula it covers 2.",
            "Look at the - 1 that belongs to dilation * (kernel - 1).",
            _SIZE,
        ),
        reach=lambda kernel, dilation: dilation * (kernel - 1),
    ),
    _size("size_dilation_times_kernel", *_SIZE_DILATION, reach=lambda kernel, dilation: dilation * kernel),
    _size(
        "size_gap_once",
        "The dilation widens the kernel once, not between every two taps",
        (
            "There is a gap between every two neighboring taps.",
            "Draw a kernel of 3 with dilation 2: how many places from its first tap to its last?",
            "The kernel covers dilation * (kernel - 1) + 1.",
        ),
        reach=lambda kernel, dilation: kernel + dilation - 1,
    ),
    _size(
        "size_dilation_ignored",
        "dilation is not used",
        (
            "The answer is the one for dilation 1.",
            "Look for dilation in your formula.",
            "The kernel covers dilation * (kernel - 1) + 1.",
        ),
        reach=lambda kernel, dilation: kernel,
    ),
    _size(
        "size_stride_ignored",
        "stride is not used",
        (
            "The answer is the one for stride 1.",
            "Look for stride in your formula.",
            _SIZE,
        ),
        step=lambda stride: 1,
    ),
    _same(
        "same_more_in_front",
        "The larger half stands in front",
        (
            "If the two sides differ, the larger one is at the end.",
            "Look at the order of the pair.",
            _TOTAL,
        ),
        split=lambda total, dilation: (total - total // 2, total // 2),
    ),
    _same("same_both_rounded_down", *_HALF, split=lambda total, dilation: (total // 2, total // 2)),
    _same("same_both_rounded_up", *_HALF, split=lambda total, dilation: (total - total // 2, total - total // 2)),
    _same(
        "same_fractions",
        "The division leaves a fraction",
        (
            "Half a zero cannot be added: one side gets it whole.",
            "Look for / in your function.",
            _TOTAL,
        ),
        split=lambda total, dilation: (total / 2, total / 2),
    ),
    _same(
        "same_all_on_each_side",
        "Each side gets the padding of both",
        (
            "What the kernel takes away is made up for by both sides together.",
            "Look for a division by 2.",
            _TOTAL,
        ),
        split=lambda total, dilation: (total, total),
    ),
    _same(
        "same_all_at_end",
        "All padding stands at the end",
        (
            "The two sides share the padding.",
            "Look at the first number of the pair.",
            _TOTAL,
        ),
        split=lambda total, dilation: (0, total),
    ),
    _same(
        "same_halved_before_dilation",
        "The kernel is halved before the dilation is multiplied in",
        (
            "With a dilation of 2 an even kernel takes an even number away, and the two sides are equal.",
            "Look at what you halve: the total, with the dilation in it?",
            _TOTAL,
        ),
        split=lambda total, dilation: (
            total // dilation // 2 * dilation,
            (total // dilation - total // dilation // 2) * dilation,
        ),
    ),
    _same("same_dilation_times_kernel", *_SAME_DILATION, total=lambda kernel, dilation: dilation * kernel - 1),
    _same(
        "same_dilation_ignored",
        "dilation is not used",
        (
            "The answer is the one for dilation 1.",
            "Look for dilation in your function.",
            _TOTAL,
        ),
        total=lambda kernel, dilation: kernel - 1,
    ),
    _same(
        "same_kernel_for_loss",
        "The kernel takes away one less than you count",
        (
            "With a kernel of 1 nothing is lost, and no padding is needed.",
            "Look for kernel where kernel - 1 belongs.",
            _TOTAL,
        ),
        total=lambda kernel, dilation: dilation * kernel,
    ),
    _same(
        "same_one_number",
        "One number is returned for both sides",
        (
            "The two sides may differ, so there are two numbers.",
            "Look at the return line.",
            "return before, after.",
        ),
        then=lambda pair: pair[0],
    ),
    _field(
        "field_strides_ignored",
        "The strides do not count",
        (
            "Behind a stride of 2, a step of one place is a step of two pixels in the image.",
            "Look for stride in your loop.",
            _FIELD,
        ),
        jumps=lambda strides: [1] * len(strides),
    ),
    _field(
        "field_previous_stride_only",
        "Only the stride of the layer before counts, not the product of all before",
        (
            "Two strides of 2, one after the other, make a step of four pixels.",
            "Look at the factor of a layer: does it keep growing from layer to layer?",
            _FIELD,
        ),
        jumps=lambda strides: [1, *strides[:-1]],
    ),
    _field(
        "field_strides_added",
        "The strides are added where they should be multiplied",
        (
            "Strides of 2 and 3, one after the other, make a step of six pixels.",
            "Look at how the factor grows from layer to layer.",
            _FIELD,
        ),
        jumps=_sums,
    ),
    _field(
        "field_own_stride",
        "A layer's own stride counts in its field",
        (
            "The stride of a layer says where its next window starts; it makes this window no larger.",
            "Look at the order of the two lines in your loop.",
            _FIELD,
        ),
        jumps=lambda strides: [prod(strides[: n + 1]) for n in range(len(strides))],
    ),
    _field(
        "field_grown_forward",
        "The field so far is multiplied by the stride",
        (
            "A stride enlarges the steps of the layers behind it, not the field that is there already.",
            "Look at the line that changes r: does it multiply r?",
            _FIELD,
        ),
        jumps=list,
        total=_grown,
    ),
    _field(
        "field_grown_backward",
        "On the way back, r places are taken as r steps",
        (
            "Among r neighboring places there are r - 1 steps, each of stride pixels.",
            "Look at the line that changes r: is r multiplied by the stride, or r - 1?",
            "From the last layer to the first: r = (r - 1) * stride + dilation * (kernel - 1) + 1.",
        ),
        jumps=list,
        total=_grown_from_end,
    ),
    _field(
        "field_wrong_order",
        "The layers are taken in the wrong order",
        (
            "The list begins with the layer that looks at the image.",
            "Look at the direction of your loop, and at which strides count for which layer.",
            _FIELD,
        ),
        order=lambda layers: layers[::-1],
    ),
    _field("field_last_missing", *_MISSING_LAYER, order=lambda layers: layers[:-1]),
    _field("field_first_missing", *_MISSING_LAYER, order=lambda layers: layers[1:]),
    _field(
        "field_one_forgotten",
        "The + 1 is forgotten",
        (
            "Without any layer an output is a pixel: its field is 1, and the layers add to it.",
            "Look at the value that you start with.",
            _FIELD,
        ),
        first=0,
    ),
    _field(
        "field_kernel_added",
        "Each layer adds its whole kernel, not one less",
        (
            "A kernel of 1 looks at one place: it adds nothing.",
            "Look for kernel where kernel - 1 belongs.",
            _FIELD,
        ),
        reach=lambda kernel, dilation: dilation * kernel,
    ),
    _field("field_dilation_times_kernel", *_FIELD_DILATION, reach=lambda kernel, dilation: dilation * kernel - 1),
    _field(
        "field_dilation_ignored",
        "dilation is not used",
        (
            "The answer is the one for dilation 1.",
            "Look for dilation in your function.",
            _FIELD,
        ),
        reach=lambda kernel, dilation: kernel - 1,
    ),
    _field(
        "field_fields_multiplied",
        "The kernels are multiplied",
        (
            "Two kernels of 3 look at 5 pixels together, not at 9: their fields overlap.",
            "Look for * where + belongs.",
            _FIELD,
        ),
        total=lambda reaches, jumps: prod(reach + 1 for reach in reaches) - 1,
    ),
    _parameters("parameters_no_bias", "The biases are not counted", _BIASES[1], biases=lambda C_in, C_out, bias: 0),
    _parameters(
        "parameters_bias_always",
        "The biases are counted even if there are none",
        (
            "bias says whether the layer has biases; without them only weights are left.",
            "Look for bias in your function.",
            _WEIGHTS,
        ),
        biases=lambda C_in, C_out, bias: C_out,
    ),
    _parameters("parameters_one_bias", *_BIASES, biases=lambda C_in, C_out, bias: int(bias)),
    _parameters("parameters_bias_each_input", *_BIASES, biases=lambda C_in, C_out, bias: C_in * bias),
    _parameters("parameters_bias_each_pair", *_BIASES, biases=lambda C_in, C_out, bias: C_in * C_out * bias),
    _parameters(
        "parameters_no_inputs",
        "The input channels are not counted",
        (
            "A filter has a kernel for each input channel.",
            "Look for in_channels in your product.",
            _WEIGHTS,
        ),
        inputs=lambda C_in: 1,
    ),
    _parameters(
        "parameters_no_filters",
        "The weights of one filter only are counted",
        (
            "There are out_channels filters, each with weights of its own.",
            "Look for out_channels in your product.",
            _WEIGHTS,
        ),
        filters=lambda C_out: 1,
    ),
    _parameters("parameters_row_side_twice", *_ONE_SIDE, taps=lambda K_H, K_W: K_H * K_H),
    _parameters("parameters_column_side_twice", *_ONE_SIDE, taps=lambda K_H, K_W: K_W * K_W),
    _parameters("parameters_rows_only", *_NOT_BOTH, taps=lambda K_H, K_W: K_H),
    _parameters("parameters_columns_only", *_NOT_BOTH, taps=lambda K_H, K_W: K_W),
    _parameters(
        "parameters_sides_added",
        "The sides of the kernel are added",
        (
            "A kernel of 3 × 5 has 15 taps, not 8.",
            "Look for + where * belongs.",
            "K_H, K_W = kernel, then K_H * K_W.",
        ),
        taps=lambda K_H, K_W: K_H + K_W,
    ),
    _macs("macs_input_places", *_INPUT, places=lambda x, y: x[2] * x[3]),
    _macs("macs_rows_of_answer_twice", *_SQUARE, places=lambda x, y: y[2] * y[2]),
    _macs("macs_columns_of_answer_twice", *_SQUARE, places=lambda x, y: y[3] * y[3]),
    _macs(
        "macs_one_place",
        "The places are not counted",
        (
            "The same filter works at every place of the answer.",
            "Look for the rows and columns of y_shape in your product.",
            _MACS,
        ),
        places=lambda x, y: 1,
    ),
    _macs(
        "macs_no_samples",
        "The samples are not counted",
        (
            "Every image of the batch takes the same work.",
            "Look for the first number of the shapes.",
            _MACS,
        ),
        samples=lambda N: 1,
    ),
    _macs(
        "macs_no_inputs",
        "The input channels are not counted",
        (
            "The sum for one output runs over all input channels.",
            "Look for x_shape[1] in your product.",
            _MACS,
        ),
        inputs=lambda C_in: 1,
    ),
    _macs(
        "macs_no_filters",
        "The filters are not counted",
        (
            "Every filter makes a map of its own.",
            "Look for y_shape[1] in your product.",
            _MACS,
        ),
        filters=lambda C_out: 1,
    ),
    _macs(
        "macs_counted_apart",
        "Multiplications and additions are counted apart",
        (
            "A multiply-add is one multiplication together with one addition, counted once.",
            "Look for a factor 2.",
            _MACS,
        ),
        cost=lambda terms: 2 * terms,
    ),
    _macs(
        "macs_bias_counted",
        "The bias is counted as a multiply-add",
        (
            "Nothing is multiplied with a bias: it is left out of the count.",
            "Look for a + 1, or for C_out added.",
            _MACS,
        ),
        cost=lambda terms: terms + 1,
    ),
    _macs(
        "macs_additions_only",
        "Additions are counted, one fewer than products",
        (
            "A sum of 75 products counts as 75 multiply-adds: each product is added to what is there.",
            "Look for a - 1.",
            _MACS,
        ),
        cost=lambda terms: terms - 1,
    ),
    _macs("macs_row_side_twice", *_ONE_SIDE, taps=lambda K_H, K_W: K_H * K_H),
    _macs("macs_column_side_twice", *_ONE_SIDE, taps=lambda K_H, K_W: K_W * K_W),
    _macs("macs_rows_only", *_NOT_BOTH, taps=lambda K_H, K_W: K_H),
    _macs("macs_columns_only", *_NOT_BOTH, taps=lambda K_H, K_W: K_W),
)
