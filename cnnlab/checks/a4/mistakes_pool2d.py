"""What goes wrong in pooling, forward and backward, each as the small change that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnnlab.checks.a4.pooling import (
    Borders,
    Window,
    assemble_backward,
    assemble_forward,
    equal_shares,
    first_winner,
    on_both_sides,
)
from cnnlab.checks.assembled import mistakes_from
from cnnlab.checks.model import Mistake

Array = np.ndarray[Any, Any]

_forward = mistakes_from(assemble_forward)
_backward = mistakes_from(assemble_backward, of="pool2d_backward")


def _ratio(total: Any, count: int) -> Any:
    with np.errstate(all="ignore"):
        return total / count


def _every_winner(window: Window, dy: Array) -> Array:
    return np.asarray((window.values == window.values.max(axis=(2, 3), keepdims=True)) * dy)


def _shared_winners(window: Window, dy: Array) -> Array:
    winners = window.values == window.values.max(axis=(2, 3), keepdims=True)
    return np.asarray(winners / winners.sum(axis=(2, 3), keepdims=True) * dy)


def _last_winner(window: Window, dy: Array) -> Array:
    return np.asarray(first_winner(window.values[:, :, ::-1, ::-1])[:, :, ::-1, ::-1] * dy)


def _first_by_columns(window: Window, dy: Array) -> Array:
    return np.asarray(first_winner(window.values.swapaxes(2, 3)).swapaxes(2, 3) * dy)


def _one_winner(window: Window, dy: Array) -> Array:
    return np.asarray((window.values == window.values.max()) * dy)


def _one_winner_each_sample(window: Window, dy: Array) -> Array:
    return np.asarray((window.values == window.values.max(axis=(1, 2, 3), keepdims=True)) * dy)


def _with_zeros_kept(dx: Array, gradient: Array) -> Array:
    """Write what is not zero over what was there: only the winner's cell."""
    return np.where(gradient != 0, gradient, dx)


def _from_padding_to_minus_padding(dx: Array, borders: Borders, shape: tuple[int, ...]) -> Array:
    (top, bottom), (left, right) = borders
    return dx[:, :, top:-bottom, left:-right]


def _mean_of_crop(window: Window) -> Any:
    return _ratio(window.values.sum(axis=(2, 3)), window.values[0, 0].size)


def _every_start(n: int, K: int, S: int) -> range:
    return range(0, n, S)


def _one_over(n: int, K: int, S: int) -> range:
    return range(0, n - K + S, S)


def _geometry(wrong: Callable[..., Mistake]) -> tuple[Mistake, ...]:
    """Return what goes wrong with kernel, stride and padding in either direction."""
    return (
        wrong(
            "stride_is_kernel",
            "The window moves by the kernel, not by the stride",
            (
                "Windows need not touch: the stride says how far the next one is.",
                "Look at where a window starts.",
                "Window (p, q) starts at row p * S_H and column q * S_W of the padded map.",
            ),
            step=lambda kernel, stride: kernel,
        ),
        wrong(
            "kernel_is_stride",
            "The window is as large as the stride, not as the kernel",
            (
                "The kernel says how large a window is; the stride only how far the next one is.",
                "Look at where a window ends.",
                "Rows p * S_H … p * S_H + K_H - 1 of the padded map, and columns likewise.",
            ),
            size=lambda kernel, stride: stride,
        ),
        wrong(
            "kernel_swapped",
            "Rows and columns of the kernel are exchanged",
            (
                "kernel is (K_H, K_W): rows first.",
                "Look at where you unpack kernel, and which of its numbers goes with the rows.",
                "K_H, K_W = kernel; rows go with K_H.",
            ),
            size=lambda kernel, stride: kernel[::-1],
        ),
        wrong(
            "kernel_of_rows",
            "K_H is used for the columns too",
            (
                "A window may be wider than it is high.",
                "Look for kernel[0] where columns are meant.",
                "K_H, K_W = kernel; columns go with K_W.",
            ),
            size=lambda kernel, stride: (kernel[0], kernel[0]),
        ),
        wrong(
            "stride_swapped",
            "Rows and columns of the stride are exchanged",
            (
                "stride is (S_H, S_W): rows first.",
                "Look at where you unpack stride, and which of its numbers goes with the rows.",
                "S_H, S_W = stride; rows go with S_H.",
            ),
            step=lambda kernel, stride: stride[::-1],
        ),
        wrong(
            "stride_of_rows",
            "S_H is used for the columns too",
            (
                "The stride along a row may differ from the stride along a column.",
                "Look for stride[0] where columns are meant.",
                "S_H, S_W = stride; columns go with S_W.",
            ),
            step=lambda kernel, stride: (stride[0], stride[0]),
        ),
        wrong(
            "padding_swapped",
            "Rows and columns of the padding are exchanged",
            (
                "padding is (P_H, P_W): rows first.",
                "Look at the pairs that you give to np.pad.",
                "np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)), …).",
            ),
            borders=lambda padding: on_both_sides(padding[::-1]),
        ),
        wrong(
            "padding_of_rows",
            "P_H is used for the columns too",
            (
                "There may be padding above and below, and none at the sides.",
                "Look for padding[0] where columns are meant.",
                "np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)), …).",
            ),
            borders=lambda padding: on_both_sides((padding[0], padding[0])),
        ),
        wrong(
            "all_swapped",
            "Rows and columns are exchanged in kernel, stride and padding",
            (
                "All three pairs have the rows first, as x.shape[2:] has.",
                "Look at where you unpack kernel, stride and padding.",
                "K_H, K_W = kernel, and the other two alike; rows go with the first number.",
            ),
            size=lambda kernel, stride: kernel[::-1],
            step=lambda kernel, stride: stride[::-1],
            borders=lambda padding: on_both_sides(padding[::-1]),
        ),
        wrong(
            "how_is_max",
            "how is not used",
            (
                'For how = "max" and how = "avg" the answers are of the same kind.',
                "Look at your branches on how.",
                'if how == "max": … else: …, with a rule of its own in each.',
            ),
            choice=lambda how: "max",
        ),
        wrong(
            "how_is_average",
            "how is not used",
            (
                'For how = "max" and how = "avg" the answers are of the same kind.',
                "Look at your branches on how.",
                'if how == "max": … else: …, with a rule of its own in each.',
            ),
            choice=lambda how: "avg",
        ),
    )


_HANGING = (
    "Windows that hang over the end are counted",
    (
        "Only windows count that lie on the padded map entirely; cells left over are not looked at.",
        "Look at the number of windows: does it round down?",
        "(H + 2 * P_H - K_H) // S_H + 1 rows, and columns likewise.",
    ),
)
_LAST_MISSING = (
    "The last window is missing",
    (
        "A window may end exactly at the end of the padded map.",
        "Look at the number of windows, or at the end of your range.",
        "range(0, H + 2 * P_H - K_H + 1, S_H), and columns likewise.",
    ),
)
_TOGETHER = (
    "All maps are thrown together",
    (
        "Each map of each sample is pooled by itself, so a window gives one number for each.",
        "Look at the axes of your max, sum or mean.",
        "window = padded[:, :, rows, columns], then window.max(axis=(2, 3)).",
    ),
)
_ONE_SIDE = (
    "The sum is divided by one side of the window",
    (
        "A window has K_H rows of K_W cells each.",
        "Look at what you divide by.",
        "Divide by K_H * K_W.",
    ),
)

_FORWARD = (
    *_geometry(_forward),
    _forward(
        "zeros_win",
        "The zeros of the padding win over negative numbers",
        (
            "For the maximum the padding counts as minus infinity: it never wins.",
            "Look at what stands in the padding when a window holds negative numbers only.",
            'For "max": np.pad(x, …, constant_values=-np.inf).',
        ),
        low=0.0,
    ),
    _forward(
        "minus_infinity_averaged",
        "The average takes in minus infinity",
        (
            "For the average the padding counts as zeros.",
            "Look at what stands in the padding: it hangs on how.",
            'constant_values=-np.inf for "max", 0 for "avg".',
        ),
        zero=-np.inf,
    ),
    _forward(
        "real_cells_only",
        "The padding does not count in the average",
        (
            "Here its zeros count as cells, so every window is divided by the same number.",
            "Look at what you divide by in a window at the border.",
            "Divide the sum by K_H * K_W, also at the border.",
        ),
        average=lambda window: _ratio(window.values.sum(axis=(2, 3)), window.real),
    ),
    _forward(
        "not_divided",
        "The average is not divided",
        (
            'For how = "avg" the answer is the sum of the window.',
            "Look for the division by the number of cells.",
            "Divide the sum by K_H * K_W.",
        ),
        average=lambda window: window.values.sum(axis=(2, 3)),
    ),
    _forward(
        "divided_by_rows",
        *_ONE_SIDE,
        average=lambda window: window.values.sum(axis=(2, 3)) / window.kernel[0],
    ),
    _forward(
        "divided_by_columns",
        *_ONE_SIDE,
        average=lambda window: window.values.sum(axis=(2, 3)) / window.kernel[1],
    ),
    _forward("every_start", *_HANGING, starts=_every_start),
    _forward("every_start_mean", *_HANGING, starts=_every_start, average=_mean_of_crop),
    _forward("one_over", *_HANGING, starts=_one_over),
    _forward("one_over_mean", *_HANGING, starts=_one_over, average=_mean_of_crop),
    _forward("stops_early", *_LAST_MISSING, starts=lambda n, K, S: range(0, n - K, S)),
    _forward("plus_one_forgotten", *_LAST_MISSING, starts=lambda n, K, S: range(0, n - K + 1, S)[:-1]),
    _forward(
        "padding_not_counted",
        "The padding is not counted in the number of windows",
        (
            "The last windows are missing, those that reach into the padding behind the map.",
            "Look at your formula for the number of windows: is H the size with or without padding?",
            "(H + 2 * P_H - K_H) // S_H + 1 rows, and columns likewise.",
        ),
        length=lambda n, P: n - 2 * P,
    ),
    _forward(
        "padding_in_front",
        "The padding counts on one side only",
        (
            "There must be P_H rows above and P_H rows below, and columns likewise.",
            "Look at the pairs that you give to np.pad, or at the number of windows.",
            "np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)), …).",
        ),
        borders=lambda padding: ((padding[0], 0), (padding[1], 0)),
    ),
    _forward(
        "padding_ignored",
        "padding is not used",
        (
            "The windows start at the first cell whatever padding is.",
            "Look for padding in your code.",
            "np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)), …).",
        ),
        borders=lambda padding: ((0, 0), (0, 0)),
    ),
    _forward("max_of_all", *_TOGETHER, maximum=lambda window: window.values.max()),
    _forward("average_of_all", *_TOGETHER, average=lambda window: window.values.mean()),
    _forward(
        "both_of_all",
        *_TOGETHER,
        maximum=lambda window: window.values.max(),
        average=lambda window: window.values.mean(),
    ),
    _forward("max_of_sample", *_TOGETHER, maximum=lambda window: window.values.max(axis=(1, 2, 3))[:, None]),
    _forward("average_of_sample", *_TOGETHER, average=lambda window: window.values.mean(axis=(1, 2, 3))[:, None]),
    _forward(
        "both_of_sample",
        *_TOGETHER,
        maximum=lambda window: window.values.max(axis=(1, 2, 3))[:, None],
        average=lambda window: window.values.mean(axis=(1, 2, 3))[:, None],
    ),
)

_OVERWRITTEN = (
    "Windows that overlap overwrite each other",
    (
        "A cell may lie in several windows; it gets the sum of what they send.",
        "Look for = where a window writes into dx.",
        "dx[…] += …, with dx made of zeros first.",
    ),
)
_WITHOUT_DY = (
    "dy is not used",
    (
        "The right cells get 1, or 1 over the number of cells; they must get that times dy of their window.",
        "Look for dy in the line that writes into dx.",
        "Add dy[n, c, p, q] to the winner, or dy[n, c, p, q] / (K_H * K_W) to each cell.",
    ),
)
_ONE_FOR_ALL = (
    "One winner is taken for all maps",
    (
        "Each map of each sample has a winner of its own in every window.",
        "Look at the axes of max or argmax.",
        "Take the winner of x[n, c, rows, columns], for each n and c.",
    ),
)
_BACK_ONE_SIDE = (
    "dy is divided by one side of the window",
    (
        "A window has K_H rows of K_W cells each.",
        "Look at what you divide by.",
        "Divide by K_H * K_W.",
    ),
)

_BACKWARD = (
    *_geometry(_backward),
    _backward("overwritten", *_OVERWRITTEN, put=lambda dx, gradient: gradient),
    _backward("winner_overwritten", *_OVERWRITTEN, put=_with_zeros_kept),
    _backward("without_dy", *_WITHOUT_DY, upstream=np.ones_like),
    _backward("max_without_dy", *_WITHOUT_DY, maximum=lambda window, dy: first_winner(window.values).astype(dy.dtype)),
    _backward("average_without_dy", *_WITHOUT_DY, average=lambda window, dy: equal_shares(window, np.ones_like(dy))),
    _backward(
        "times_x",
        "The gradient is multiplied by the winner",
        (
            "The winner is passed on as it is, so its slope is 1: it gets dy, however large it is.",
            "Look for a product with x, or with the maximum.",
            "Add dy[n, c, p, q] to the winner.",
        ),
        maximum=lambda window, dy: (
            first_winner(window.values) * np.where(np.isfinite(window.values), window.values, 0) * dy
        ),
    ),
    _backward(
        "every_tie",
        "Every equal maximum gets the whole gradient",
        (
            "Of several equal maxima the first in row-major order gets the gradient, the others nothing.",
            "Look for a comparison such as window == window.max(): how often is it true?",
            "np.unravel_index(window.argmax(), window.shape) for each map: argmax finds the first.",
        ),
        maximum=_every_winner,
    ),
    _backward(
        "shared_tie",
        "Equal maxima share the gradient",
        (
            "Of several equal maxima the first in row-major order gets the gradient, the others nothing.",
            "Look for a division by the number of maxima.",
            "np.unravel_index(window.argmax(), window.shape) for each map: argmax finds the first.",
        ),
        maximum=_shared_winners,
    ),
    _backward(
        "last_tie",
        "The last of equal maxima gets the gradient",
        (
            "Of several equal maxima the first in row-major order gets the gradient, the others nothing.",
            "Look for >= where the winner is searched: it lets a later equal one win.",
            "Use >, or argmax, which finds the first.",
        ),
        maximum=_last_winner,
    ),
    _backward(
        "first_by_columns",
        "Of equal maxima the first by columns gets the gradient",
        (
            "Row-major order goes through the first row, then the second, and so on.",
            "Look at the order of your loops over the window, or at a transposed window.",
            "Rows in the outer loop, columns in the inner one.",
        ),
        maximum=_first_by_columns,
    ),
    _backward("one_winner", *_ONE_FOR_ALL, maximum=_one_winner),
    _backward("one_winner_each_sample", *_ONE_FOR_ALL, maximum=_one_winner_each_sample),
    _backward(
        "zeros_win",
        "The zeros of the padding win over negative numbers",
        (
            "For the maximum the padding counts as minus infinity; here it wins and the gradient is lost in it.",
            "Look at what stands in the padding when a window holds negative numbers only.",
            'For "max": np.pad(x, …, constant_values=-np.inf).',
        ),
        low=0.0,
    ),
    _backward(
        "not_divided",
        "The gradient of the average is not divided",
        (
            "Each cell of the window gets all of dy; it has only one part in K_H * K_W in the mean.",
            "Look for the division by the number of cells.",
            "Add dy[n, c, p, q] / (K_H * K_W) to each cell of the window.",
        ),
        average=lambda window, dy: np.broadcast_to(dy, window.values.shape),
    ),
    _backward(
        "divided_by_rows",
        *_BACK_ONE_SIDE,
        average=lambda window, dy: np.broadcast_to(dy / window.kernel[0], window.values.shape),
    ),
    _backward(
        "divided_by_columns",
        *_BACK_ONE_SIDE,
        average=lambda window, dy: np.broadcast_to(dy / window.kernel[1], window.values.shape),
    ),
    _backward(
        "real_cells_only",
        "The padding does not count in the average",
        (
            "Forward its zeros count as cells, so backward they have their share of dy too; it is lost in them.",
            "Look at what you divide by in a window at the border.",
            "Divide dy by K_H * K_W, also at the border.",
        ),
        average=lambda window, dy: np.broadcast_to(_ratio(dy, window.real), window.values.shape),
    ),
    _backward(
        "average_times_x",
        "The gradient of the average is multiplied by x",
        (
            "The slope of the mean is 1 / (K_H * K_W) for each cell, whatever stands in it.",
            "Look for a product with x or with the window.",
            "Add dy[n, c, p, q] / (K_H * K_W) to each cell of the window.",
        ),
        average=lambda window, dy: equal_shares(window, dy) * window.values,
    ),
    _backward(
        "padding_kept",
        "The padding is still around dx",
        (
            "dx has the shape of x; the gradient that fell into the padding is dropped.",
            "Look at your return line.",
            "return dx[:, :, P_H : P_H + H, P_W : P_W + W].",
        ),
        crop=lambda dx, borders, shape: dx,
    ),
    _backward(
        "cut_at_minus_zero",
        "Cutting with P:-P leaves nothing when P is 0",
        (
            "-0 is 0, so the slice 0:-0 is empty.",
            "Look at the line that cuts the padding off.",
            "dx[:, :, P_H : P_H + H, P_W : P_W + W] works for every padding.",
        ),
        crop=_from_padding_to_minus_padding,
    ),
    _backward(
        "cut_in_front",
        "dx is cut out at the wrong place",
        (
            "With padding, the first cell of x stands at row P_H and column P_W of the padded map.",
            "Look at the line that cuts the padding off.",
            "dx[:, :, P_H : P_H + H, P_W : P_W + W].",
        ),
        crop=lambda dx, borders, shape: dx[:, :, : shape[2], : shape[3]],
    ),
    _backward(
        "padding_ignored",
        "padding is not used",
        (
            "Window (0, 0) starts at the first cell whatever padding is.",
            "Look for padding in your code.",
            "Window (p, q) starts at row p * S_H - P_H and column q * S_W - P_W of x.",
        ),
        borders=lambda padding: ((0, 0), (0, 0)),
    ),
)

MISTAKES = (
    *_FORWARD,
    *(Mistake(f"back_{m.id}", m.name, m.hints, m.function, of=m.of, parts=m.parts) for m in _BACKWARD),
)
