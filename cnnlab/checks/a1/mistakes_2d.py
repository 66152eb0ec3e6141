"""What goes wrong when a picture is scanned, each as the small function that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnnlab.checks.a1.scanning import (
    Layers,
    counts_one_less,
    every_place,
    every_start,
    full_windows,
    neighbors,
    no_bias,
    no_relu,
    one_over,
    relu_everywhere,
    scan,
    side_by_side,
    stops_early,
)
from cnnlab.checks.assembled import mistakes_from

Picture = np.ndarray[Any, Any]
Pair = tuple[int, int]
Scan2d = Callable[[Picture, Layers, Pair, Pair], Any]


def _same(value: Any) -> Any:
    return value


def assemble(
    *,
    resize: Callable[[Pair], Pair] = _same,
    restride: Callable[[Pair], Pair] = _same,
    then: Callable[[Picture], Any] = _same,
    **parts: Any,
) -> Scan2d:
    """Return a scan with other parts: those of `scan`, and what is done to the sizes and to the answer."""

    def wrong(image: Picture, layers: Layers, size: Pair, stride: Pair) -> Any:
        return then(scan(image, layers, resize(size), restride(stride), **parts))

    return wrong


def _missing(what: str, axis: str, size: str, step: str) -> tuple[str, tuple[str, str, str]]:
    return (
        f"The last {what} of the map is missing",
        (
            f"The map has one {what} too few: the windows that end exactly with the picture.",
            f"Look at how you count the windows along {axis}, or at where that loop stops.",
            f"Windows start at every place in range(0, {axis} - {size} + 1, {step}).",
        ),
    )


_LAST_ROW = _missing("row", "H", "K_H", "stride[0]")
_LAST_COLUMN = _missing("column", "W", "K_W", "stride[1]")
_LAST_BOTH = (
    "The last row and the last column of the map are missing",
    (
        "The map is one row and one column too small: the windows that end exactly with the picture.",
        "Look at how you count the windows, or at where your two loops stop.",
        "Windows start at range(0, H - K_H + 1, stride[0]) and range(0, W - K_W + 1, stride[1]).",
    ),
)
_PARTIAL = (
    "Windows that hang over the edge are scored",
    (
        "Some places of the map belong to windows that are only partly inside the picture; only full windows count.",
        "Look at the last start of each loop: does the window still end inside the picture?",
        "Windows start at range(0, H - K_H + 1, stride[0]) and range(0, W - K_W + 1, stride[1]).",
    ),
)
_LOST_AXIS = (
    "An axis of the answer is lost",
    (
        "The answer must keep its three axes (outputs, rows, columns), also when one of them has length 1.",
        "Look for squeeze, for an index [0], or for one number kept per window.",
        "Start with y = np.zeros((out, P_H, P_W)) and fill y[:, p, q] for each window.",
    ),
)
_ONE_STRIDE = (
    "One stride is used for both directions",
    (
        "The picture is scanned with the same stride down and across; stride holds one number for each.",
        "Look at both loops: which of the two strides does each use?",
        "Rows step by stride[0], columns by stride[1].",
    ),
)

_wrong = mistakes_from(assemble)

MISTAKES = (
    _wrong(
        "size_swapped",
        "Height and width of the window are swapped",
        (
            "The window is as high as it should be wide, and as wide as it should be high.",
            "Look at where you unpack size, and at which axis of the picture each part cuts.",
            "K_H, K_W = size, and the window is image[:, top : top + K_H, left : left + K_W].",
        ),
        resize=lambda size: size[::-1],
    ),
    _wrong(
        "map_transposed",
        "The map is transposed: width before height",
        (
            "The numbers are right, but rows and columns of the map are exchanged.",
            "Look at the shape you give the map, and at the order of the two loops.",
            "The shape is (out, P_H, P_W); the place of a window is y[:, row, column].",
        ),
        then=lambda y: y.transpose(0, 2, 1),
    ),
    _wrong(
        "stride_swapped",
        "The two strides are swapped",
        (
            "Rows step by the stride that is meant for columns, and columns by the one for rows.",
            "Look at both loops: which of the two strides does each use?",
            "Rows step by stride[0], columns by stride[1].",
        ),
        restride=lambda stride: stride[::-1],
    ),
    _wrong("rows_stop_early", *_LAST_ROW, starts=(stops_early, full_windows)),
    _wrong("rows_one_less", *_LAST_ROW, starts=(counts_one_less, full_windows)),
    _wrong("columns_stop_early", *_LAST_COLUMN, starts=(full_windows, stops_early)),
    _wrong("columns_one_less", *_LAST_COLUMN, starts=(full_windows, counts_one_less)),
    _wrong("both_stop_early", *_LAST_BOTH, starts=stops_early),
    _wrong("both_one_less", *_LAST_BOTH, starts=counts_one_less),
    _wrong("partial_windows", *_PARTIAL, starts=every_start),
    _wrong("partial_last_windows", *_PARTIAL, starts=one_over),
    _wrong(
        "channel_last",
        "The window is flattened channel last",
        (
            "The numbers of a window reach the network pixel by pixel, all channels of a pixel together.",
            "Look at the line that makes a vector from the window: is there a transpose or moveaxis?",
            "image[:, top : top + K_H, left : left + K_W].reshape(-1) lists channel 0 row by row, then channel 1.",
        ),
        flatten=lambda window: window.transpose(1, 2, 0).reshape(-1),
    ),
    _wrong(
        "columns_first",
        "The window is flattened column by column",
        (
            "Within a channel the numbers reach the network column by column; they should come row by row.",
            "Look at the line that makes a vector from the window: is there a transpose, or a loop over columns first?",
            "image[:, top : top + K_H, left : left + K_W].reshape(-1) lists channel 0 row by row, then channel 1.",
        ),
        flatten=lambda window: window.transpose(0, 2, 1).reshape(-1),
    ),
    _wrong(
        "fortran_order",
        "The window is flattened in Fortran order",
        (
            "The numbers of a window reach the network with the channel changing fastest and the column slowest.",
            "Look at the line that makes a vector from the window: is there a .T or order='F'?",
            "image[:, top : top + K_H, left : left + K_W].reshape(-1) lists channel 0 row by row, then channel 1.",
        ),
        flatten=lambda window: window.T.reshape(-1),
    ),
    _wrong(
        "stride_ignored",
        "stride is not used",
        (
            "The map has a place for every window, as if stride were (1, 1).",
            "Look for stride in your two loops: where do the windows start?",
            "Windows start at range(0, H - K_H + 1, stride[0]) and range(0, W - K_W + 1, stride[1]).",
        ),
        starts=every_place,
    ),
    _wrong(
        "stride_not_in_start",
        "stride sets the size of the map, but not where the windows start",
        (
            "The map has the right size, but the place (p, q) belongs to the window that starts at row p, column q.",
            "Look at the slices: in which row and column does the window of place (p, q) start?",
            "It starts at row p * stride[0] and column q * stride[1].",
        ),
        starts=neighbors,
    ),
    _wrong(
        "stride_is_size",
        "The windows move by their own size, not by stride",
        (
            "Your windows lie side by side; they should start stride apart and may overlap.",
            "Look at the steps of your two loops.",
            "Rows step by stride[0], columns by stride[1].",
        ),
        starts=side_by_side,
    ),
    _wrong(
        "row_stride_twice",
        *_ONE_STRIDE,
        restride=lambda stride: (stride[0], stride[0]),
    ),
    _wrong(
        "column_stride_twice",
        *_ONE_STRIDE,
        restride=lambda stride: (stride[1], stride[1]),
    ),
    _wrong(
        "relu_last",
        "ReLU is applied after the last layer too",
        (
            "Negative scores became 0: the last layer has no ReLU.",
            "Look at the loop over the layers: what is different for the last one?",
            "for W, b in layers[:-1]: v = np.maximum(W @ v + b, 0); then W, b = layers[-1] without ReLU.",
        ),
        apply=relu_everywhere,
    ),
    _wrong(
        "no_relu",
        "ReLU between the layers is missing",
        (
            "Negative numbers pass from one layer to the next; a ReLU should make them 0.",
            "Look at the loop over the layers: what happens between two of them?",
            "v = np.maximum(W @ v + b, 0) after every layer except the last.",
        ),
        apply=no_relu,
    ),
    _wrong(
        "no_bias",
        "The bias is left out",
        (
            "The numbers are those of a network without biases.",
            "Look at where a layer is computed: it is given as a pair (W, b).",
            "v = W @ v + b.",
        ),
        apply=no_bias,
    ),
    _wrong(
        "places_first",
        "The outputs are the last axis, not the first",
        (
            "The numbers are right, but the axes are in another order: the shape should be (outputs, rows, columns).",
            "Look at how you collect the results: nested lists of places become the first axes of an array.",
            "Fill y[:, p, q] for each window, or move the last axis to the front with np.moveaxis(y, -1, 0).",
        ),
        then=lambda y: y.transpose(1, 2, 0),
    ),
    _wrong("squeezed", *_LOST_AXIS, then=np.squeeze),
    _wrong("outputs_squeezed", *_LOST_AXIS, then=lambda y: y[0] if len(y) == 1 else y),
    _wrong("first_output", *_LOST_AXIS, then=lambda y: y[0]),
    _wrong("flat_map", *_LOST_AXIS, then=lambda y: y.reshape(len(y), -1)),
    _wrong(
        "only_maximum",
        "Only the best score is kept",
        (
            "The answer holds one score for the whole picture; here every window keeps its own.",
            "Look for max at the end of your function.",
            "Return all of y, shape (outputs, rows, columns); taking the maximum is a later exercise.",
        ),
        then=lambda y: y.max(axis=(1, 2)),
    ),
)
