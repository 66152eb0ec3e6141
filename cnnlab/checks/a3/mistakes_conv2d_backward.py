"""What goes wrong on the way back through a convolution, each as the small function that does it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from cnnlab.checks.a3.three_gradients import (
    Pair,
    Sizes,
    assemble,
    products,
    shares_of_all_filters,
    zeros_around,
)
from cnnlab.checks.assembled import mistakes_from
from cnnlab.checks.model import Mistake

Array = np.ndarray[Any, Any]
_wrong = mistakes_from(assemble)
_dx, _dw, _db = (mistakes_from(assemble, result=result) for result in ("dx", "dw", "db"))


def _every_one(stride: Pair) -> Pair:
    return 1, 1


def _swapped(pair: Pair) -> Pair:
    return pair[1], pair[0]


def _first_twice(pair: Pair) -> Pair:
    return pair[0], pair[0]


def _second_twice(pair: Pair) -> Pair:
    return pair[1], pair[1]


# What each window sends back: shape (N, C_in, P_H, K_H, P_W, K_W).


def _last_filter(dy: Array, w: Array) -> Array:
    return shares_of_all_filters(dy[:, -1:], w[-1:])


def _first_filter(dy: Array, w: Array) -> Array:
    return shares_of_all_filters(dy[:, :1], w[:1])


def _exchanged(w: Array) -> Array:
    if w.shape[0] != w.shape[1]:
        raise ValueError("the numbers of channels do not fit")
    return w.swapaxes(0, 1)


def _reshaped(w: Array) -> Array:
    C_out, C_in, K_H, K_W = w.shape
    return w.reshape(C_in, C_out, K_H, K_W).swapaxes(0, 1)


def _over_batch(dy: Array, w: Array) -> Array:
    shares = shares_of_all_filters(dy, w)
    return np.broadcast_to(shares.sum(axis=0, keepdims=True), shares.shape)


def _shares_without_dy(dy: Array, w: Array) -> Array:
    return shares_of_all_filters(np.ones_like(dy), w)


# How they get into the frame.


def _last_window_stays(shares: Array, rows: Array, columns: Array, frame: Array) -> None:
    for p, q in np.ndindex(len(rows), len(columns)):
        i, j = np.ix_(rows[p], columns[q])
        frame[:, :, i, j] = shares[:, :, p, :, q]


def _last_tap_stays(shares: Array, rows: Array, columns: Array, frame: Array) -> None:
    for u, v in np.ndindex(rows.shape[1], columns.shape[1]):
        i, j = np.ix_(rows[:, u], columns[:, v])
        frame[:, :, i, j] = shares[:, :, :, u, :, v]


# From the frame to dx.


def _minus_padding(frame: Array, s: Sizes) -> Array:
    P_H, P_W = s.padding
    return frame[:, :, P_H:-P_H, P_W:-P_W]


def _minus_padding_if_any(frame: Array, s: Sizes) -> Array:
    return _minus_padding(frame, s) if any(s.padding) else frame


def _minus_padding_if_first(frame: Array, s: Sizes) -> Array:
    return _minus_padding(frame, s) if s.padding[0] else frame


def _minus_padding_if_both(frame: Array, s: Sizes) -> Array:
    return _minus_padding(frame, s) if all(s.padding) else frame


def _uncut(frame: Array, s: Sizes) -> Array:
    return frame


def _cut_behind(frame: Array, s: Sizes) -> Array:
    return frame[:, :, : s.image[0], : s.image[1]]


def _cut_before(frame: Array, s: Sizes) -> Array:
    return frame[:, :, s.padding[0] :, s.padding[1] :]


def _cut_swapped(frame: Array, s: Sizes) -> Array:
    (left, top), (H, W) = s.padding, s.image
    return frame[:, :, top : top + H, left : left + W]


def _covered_only(frame: Array, s: Sizes) -> Array:
    (P_H, P_W), (H, W) = s.padding, s.span
    return frame[:, :, P_H : H - P_H, P_W : W - P_W]


def _covered_uncut(frame: Array, s: Sizes) -> Array:
    return frame[:, :, : s.span[0], : s.span[1]]


def _wrapped(frame: Array, s: Sizes) -> Array:
    """Return dx where an index before the first row or column counts from the end."""
    N, C_in = frame.shape[:2]
    dx = np.zeros((N, C_in, *s.image), frame.dtype)
    (top, left), (H, W) = s.padding, s.image
    for i, j in np.ndindex(top + H, left + W):
        dx[:, :, i - top, j - left] += frame[:, :, i, j]
    return dx


# What the weights saw, and what is made of it.


def _without_zeros(x: Array, padding: Pair) -> Array:
    return x


def _zeros_behind(x: Array, padding: Pair) -> Array:
    P_H, P_W = padding
    return np.pad(x, ((0, 0), (0, 0), (0, 2 * P_H), (0, 2 * P_W)))


def _wrapped_image(x: Array, padding: Pair) -> Array:
    """Return the picture where an index before the first row or column counts from the end."""
    (P_H, P_W), (H, W) = padding, x.shape[2:]
    image = x[:, :, np.arange(-P_H, H)][..., np.arange(-P_W, W)]
    return np.pad(image, ((0, 0), (0, 0), (0, P_H), (0, P_W)))


def _all_that_fit(image: Pair, s: Sizes) -> Pair:
    """Return in how many places all of dy, spread by the stride, fits into the image."""
    rows, columns = (length - (o - 1) * step for length, o, step in zip(image, s.out, s.stride, strict=True))
    if min(rows, columns) < 1:
        raise ValueError("dy does not fit into the image")
    return rows, columns


def _each_sample(dy: Array, windows: Array) -> Array:
    return np.asarray(np.einsum("nopq,ncpuqv->nocuv", dy, windows))


def _last_sample(dy: Array, windows: Array) -> Array:
    return products(dy[-1:], windows[-1:])


def _first_sample(dy: Array, windows: Array) -> Array:
    return products(dy[:1], windows[:1])


def _last_place(dy: Array, windows: Array) -> Array:
    return products(dy[:, :, -1:, -1:], windows[:, :, -1:, :, -1:])


def _last_sample_and_place(dy: Array, windows: Array) -> Array:
    return _last_place(dy[-1:], windows[-1:])


def _without_dy(dy: Array, windows: Array) -> Array:
    return products(np.ones_like(dy), windows)


def _turned(w: Array) -> Array:
    return w[:, :, ::-1, ::-1]


def _divided_by(*axes: int) -> Callable[[Array, Array], Array]:
    """Return a function that divides a gradient by the length of these axes of dy."""

    def scale(gradient: Array, dy: Array) -> Array:
        return np.asarray(gradient / gradient.dtype.type(np.prod([dy.shape[axis] for axis in axes])))

    return scale


_MEAN = (
    "A mean is taken where the sum belongs",
    (
        "The gradient is too small by a factor: how many samples, or places, or both there are.",
        "Look for mean, or for a division. If a mean belongs anywhere, the loss has taken it, and it is in dy already.",
        "Every edge counts in full: use sum, or +=, and divide by nothing.",
    ),
)
_TURN = (
    "The kernel lies the wrong way round in dx",
    (
        "dx is what comes out if the kernel is turned by 180° once too often, or not at all.",
        "Do you add up windows (dx[window] += dy · w)? Then w stays as it is. Do you slide w over the padded dy? "
        "Then w must be turned, along rows and columns.",
        "Windows: d_padded[n, :, i:i+K_H, j:j+K_W] += dy[n, o, p, q] * w[o]. Sliding: w[:, :, ::-1, ::-1].",
    ),
)
_TURN_HALF = (
    "The kernel is turned along one axis only in dx",
    (
        "The kernel must lie right along both of its axes; along one of them it is in a mirror.",
        "Look at the ::-1 in the index of w: for which axes does it stand?",
        "w[:, :, ::-1, ::-1] turns rows and columns. Windows that are added up need no turn at all.",
    ),
)
_TURN_CHANNELS = (
    "The channels of the kernel are reversed in dx",
    (
        "Turning a kernel concerns its rows and columns; here the channels or the filters are reversed.",
        "Look at the ::-1 in the index of w, or at np.flip without axis: which axes does it reverse?",
        "w[:, :, ::-1, ::-1]: the first two axes stay as they are.",
    ),
)
_CHANNELS = (
    "The channel axes of w are mixed up in dx",
    (
        "The weight between channel c and filter o is w[o, c]; here another one is used.",
        "Look at how w meets dy: over which axis of w is the sum? Does reshape stand where axes must change places?",
        "Sum over the filters o, the first axis of w; w.swapaxes(0, 1) exchanges axes, w.reshape does not.",
    ),
)
_DX_OVERWRITTEN = (
    "dx is overwritten where it should be added to",
    (
        "A pixel that several edges leave keeps the share of one of them; all of them count.",
        "Look for = where dx gets its values; an index that stands twice in dx[rows, columns] += … counts once, too.",
        "Start with zeros, then += for each window or each tap, in all filters.",
    ),
)
_DW_OVERWRITTEN = (
    "dw is overwritten where it should be added to",
    (
        "A weight is used at every place of every sample; here only one of them is left in dw.",
        "Look for = where dw gets its values, and for zeros made anew inside of a loop.",
        "Start with dw = np.zeros_like(w) before all loops, then dw[o] += dy[n, o, p, q] * window.",
    ),
)
_CUT_ZERO = (
    "Cutting with p:-p leaves nothing when the padding is 0",
    (
        "a[p:-p] is empty for p = 0, since -0 is 0: the stop is the beginning.",
        "Look at how dx is cut out of the padded array; what happens if only one of the two paddings is 0?",
        "d_padded[:, :, P_H : P_H + H, P_W : P_W + W], with H, W = x.shape[2:].",
    ),
)
_CUT_SOMETIMES = (
    "The border is cut off wrongly when one of the two paddings is 0",
    (
        "The two directions have a padding each; one test decides for both.",
        "Look at the if before the padding is cut off.",
        "d_padded[:, :, P_H : P_H + H, P_W : P_W + W], with H, W = x.shape[2:], needs no if.",
    ),
)
_UNCUT = (
    "The padding is not cut off dx",
    (
        "dx is as large as the padded picture; it should be as large as x.",
        "Look at the end: the gradient of the zeros around the picture is of no use.",
        "d_padded[:, :, P_H : P_H + H, P_W : P_W + W], with H, W = x.shape[2:].",
    ),
)
_CUT_WRONG_SIDE = (
    "The padding is cut off at one side only",
    (
        "There are zeros at all four sides of the picture; dx is taken from the wrong place of the padded array.",
        "Look at how dx is cut out: the picture begins in row P_H and column P_W, and ends H rows and W columns later.",
        "d_padded[:, :, P_H : P_H + H, P_W : P_W + W], with H, W = x.shape[2:].",
    ),
)
_PADDING_SWAPPED = (
    "The two paddings are swapped",
    (
        "padding[0] is for rows, at the top and the bottom; padding[1] for columns, at the left and the right.",
        "Look at np.pad and at how dx is cut out: which of the two does each axis use?",
        "np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W))), with P_H, P_W = padding.",
    ),
)
_PADDING_TWICE = (
    "One padding is used for both directions",
    (
        "padding holds two numbers, for rows and for columns; here one of them serves for both.",
        "Look at np.pad and at how dx is cut out: which of the two does each axis use?",
        "np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W))), with P_H, P_W = padding.",
    ),
)
_STRIDE_IGNORED = (
    "stride is not used",
    (
        "The gradient is the one for stride 1: the windows of neighboring outputs are stride apart.",
        "Look for stride where you find the window of place (p, q). If you slide dy, it has zeros between its entries.",
        "The window begins in row p * stride[0] and column q * stride[1] of the padded picture.",
    ),
)
_STRIDE_SWAPPED = (
    "The two strides are swapped",
    (
        "Rows step by the stride that is meant for columns, and columns by the one for rows.",
        "Look at where the window of place (p, q) begins: which of the two strides does each use?",
        "The window begins in row p * stride[0] and column q * stride[1] of the padded picture.",
    ),
)
_STRIDE_TWICE = (
    "One stride is used for both directions",
    (
        "stride holds two numbers, for rows and for columns; here one of them serves for both.",
        "Look at where the window of place (p, q) begins: which of the two strides does each use?",
        "The window begins in row p * stride[0] and column q * stride[1] of the padded picture.",
    ),
)
_NOT_COVERED = (
    "Rows and columns that no window reaches are missing in dx",
    (
        "If the stride does not divide, pixels are left over behind the last window. Their gradient is 0; they count.",
        "Look at how the size of dx is found: from dy, stride and kernel it comes out too small.",
        "Start with zeros in the size of the padded x, H + 2 * P_H rows and W + 2 * P_W columns.",
    ),
)
_NOT_PADDED = (
    "x is not padded for dw",
    (
        "In the forward pass the weights saw zeros around the picture; dw needs the same padded picture.",
        "Look at what dy is multiplied with.",
        "padded = np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W))) first, then take the windows from it.",
    ),
)
_PADDED_BEHIND = (
    "The zeros are all put at the end of x for dw",
    (
        "There are zeros at all four sides of the picture; here the first window begins at the picture's corner.",
        "Look at np.pad, or at the row and column of x that belong to place (p, q) and tap (u, v).",
        "Row p * stride[0] + u of the padded x is row p * stride[0] + u - P_H of x.",
    ),
)
_WRAPPED = (
    "Row or column -1 is taken for the last one",
    (
        "Pixels before the first row or column are zeros of the padding; x[-1] is no error, but the last row.",
        "Look at your test whether a pixel lies inside of the picture: does it have a lower and an upper bound?",
        "if 0 <= i < H and 0 <= j < W, with i = p * stride[0] + u - P_H and j = q * stride[1] + v - P_W.",
    ),
)
_TOO_MANY_TAPS = (
    "dw is larger than w where rows or columns are left over",
    (
        "If the stride does not divide, dy (with zeros between) fits into more places than w has weights.",
        "Look at how the size of dw is found.",
        "dw has the shape of w: keep the first K_H rows and K_W columns.",
    ),
)
_ONE_SAMPLE = (
    "Only one sample of the batch counts in dw",
    (
        "The weights serve all samples, so all of them count in dw.",
        "Look at the loop over the batch: is dw made anew or overwritten for each sample?",
        "Start with dw = np.zeros_like(w) before all loops, then += for each sample.",
    ),
)
_DB_NOT_ALL = (
    "db is not summed over everything but the filters",
    (
        "A bias is added in every sample and at every place, so dy is summed over batch, rows and columns.",
        "Look at the axes of the sum; db has the shape (C_out,).",
        "db = dy.sum(axis=(0, 2, 3)).",
    ),
)
_DB_ALL = (
    "db is one number for all filters",
    (
        "Each filter has its own bias; here the filters are summed up, too.",
        "Look for a sum without an axis.",
        "db = dy.sum(axis=(0, 2, 3)).",
    ),
)
_DB_WRONG_AXES = (
    "db is summed over the filters",
    (
        "The first axis of dy is the batch, the second the filters; the filters must stay.",
        "Look at the axes of the sum.",
        "db = dy.sum(axis=(0, 2, 3)).",
    ),
)
_DB_OVERWRITTEN = (
    "db is overwritten where it should be added to",
    (
        "Only one sample, or one place, is left in db; all of them count.",
        "Look for = where db gets its values, and for zeros made anew inside of a loop.",
        "db = dy.sum(axis=(0, 2, 3)), or db[o] += dy[n, o, p, q] for every entry.",
    ),
)
_ORDER = (
    "The three gradients are returned in another order",
    (
        "All three are there, but not in the order that is asked for.",
        "Look at the return line.",
        "return dx, dw, db.",
    ),
)


def _reordered() -> list[Mistake]:
    found = []
    for order in list(itertools.permutations(range(3)))[1:]:
        name = "_".join(("dx", "dw", "db")[i] for i in order)
        found.append(_wrong(name, *_ORDER, results=lambda *three, order=order: tuple(three[i] for i in order)))
    return found


MISTAKES = (
    # db
    _db("db_over_places_only", *_DB_NOT_ALL, db=lambda dy: dy.sum(axis=(2, 3))),
    _db("db_over_batch_only", *_DB_NOT_ALL, db=lambda dy: dy.sum(axis=0)),
    _db("db_over_rows_only", *_DB_NOT_ALL, db=lambda dy: dy.sum(axis=(0, 2))),
    _db("db_over_columns_only", *_DB_NOT_ALL, db=lambda dy: dy.sum(axis=(0, 3))),
    _db("db_keeps_axes", *_DB_NOT_ALL, db=lambda dy: dy.sum(axis=(0, 2, 3), keepdims=True)),
    _db("db_of_all", *_DB_ALL, db=lambda dy: dy.sum()),
    _db("db_over_filters", *_DB_WRONG_AXES, db=lambda dy: dy.sum(axis=(1, 2, 3))),
    _db("db_over_batch_and_filters", *_DB_WRONG_AXES, db=lambda dy: dy.sum(axis=(0, 1))),
    _db("db_all_but_columns", *_DB_WRONG_AXES, db=lambda dy: dy.sum(axis=(0, 1, 2))),
    _db("db_all_but_rows", *_DB_WRONG_AXES, db=lambda dy: dy.sum(axis=(0, 1, 3))),
    _db("db_last_sample", *_DB_OVERWRITTEN, db=lambda dy: dy[-1].sum(axis=(1, 2))),
    _db("db_first_sample", *_DB_OVERWRITTEN, db=lambda dy: dy[0].sum(axis=(1, 2))),
    _db("db_last_place", *_DB_OVERWRITTEN, db=lambda dy: dy[-1, :, -1, -1]),
    _db("db_last_place_of_each", *_DB_OVERWRITTEN, db=lambda dy: dy[:, :, -1, -1].sum(axis=0)),
    _db("db_mean", *_MEAN, db=lambda dy: dy.mean(axis=(0, 2, 3))),
    _db("db_mean_over_batch", *_MEAN, db=lambda dy: dy.mean(axis=0).sum(axis=(1, 2))),
    _db("db_mean_over_places", *_MEAN, db=lambda dy: dy.mean(axis=(2, 3)).sum(axis=0)),
    # dw
    _dw("dw_mean", *_MEAN, dw_scale=_divided_by(0, 2, 3)),
    _dw("dw_mean_over_batch", *_MEAN, dw_scale=_divided_by(0)),
    _dw("dw_mean_over_places", *_MEAN, dw_scale=_divided_by(2, 3)),
    _dw(
        "dw_each_sample",
        "dw is not summed over the batch",
        (
            "dw has an axis for the samples; the weights serve all of them, so they are added up.",
            "Look at the sum in dw: over which axes of dy does it run?",
            'np.einsum("nopq,ncpq->oc", dy, seen) for each tap: n is on the left only, so it is summed.',
        ),
        dw_products=_each_sample,
    ),
    _dw("dw_last_sample", *_ONE_SAMPLE, dw_products=_last_sample),
    _dw("dw_first_sample", *_ONE_SAMPLE, dw_products=_first_sample),
    _dw("dw_last_place", *_DW_OVERWRITTEN, dw_products=_last_place),
    _dw("dw_last_sample_and_place", *_DW_OVERWRITTEN, dw_products=_last_sample_and_place),
    _dw(
        "dw_without_dy",
        "dw does not use dy",
        (
            "dw is the sum of what each weight saw; each of it must be multiplied by dy at its place.",
            "Look for dy where dw gets its values.",
            "dw[o] += dy[n, o, p, q] * window.",
        ),
        dw_products=_without_dy,
    ),
    _dw(
        "dw_turned",
        "dw is turned by 180°",
        (
            "The numbers are right, but the first stands last: rows and columns are reversed.",
            "Look for ::-1 or flip on the way to dw. Nothing is turned there: dw is a cross-correlation.",
            "Weight (u, v) saw padded[:, :, u + p * stride[0], v + q * stride[1]].",
        ),
        dw_turn=_turned,
    ),
    _dw(
        "dw_channels_exchanged",
        "The first two axes of dw are exchanged",
        (
            "The numbers are right, but channels stand before filters.",
            "Look at the order of the axes that comes out of your sum; dw has the shape of w.",
            "dw has the shape (C_out, C_in, K_H, K_W): swapaxes(0, 1) at the end, or oc in place of co.",
        ),
        dw_turn=lambda dw: dw.swapaxes(0, 1),
    ),
    _dw("dw_not_padded", *_NOT_PADDED, dw_image=_without_zeros, dw_taps=_all_that_fit),
    _dw("dw_padded_behind", *_PADDED_BEHIND, dw_image=_zeros_behind),
    _dw("dw_wrapped", *_WRAPPED, dw_image=_wrapped_image),
    _dw("dw_padding_swapped", *_PADDING_SWAPPED, dw_image=lambda x, padding: zeros_around(x, _swapped(padding))),
    _dw("dw_padding_first", *_PADDING_TWICE, dw_image=lambda x, padding: zeros_around(x, _first_twice(padding))),
    _dw("dw_padding_second", *_PADDING_TWICE, dw_image=lambda x, padding: zeros_around(x, _second_twice(padding))),
    _dw("dw_stride_ignored", *_STRIDE_IGNORED, dw_stride=_every_one),
    _dw("dw_slid_by_one", *_STRIDE_IGNORED, dw_stride=_every_one, dw_taps=_all_that_fit),
    _dw("dw_stride_swapped", *_STRIDE_SWAPPED, dw_stride=_swapped),
    _dw("dw_stride_first", *_STRIDE_TWICE, dw_stride=_first_twice),
    _dw("dw_stride_second", *_STRIDE_TWICE, dw_stride=_second_twice),
    _dw("dw_too_large", *_TOO_MANY_TAPS, dw_taps=_all_that_fit),
    # dx
    _dx("dx_turned", *_TURN, dx_kernel=_turned),
    _dx("dx_rows_turned", *_TURN_HALF, dx_kernel=lambda w: w[:, :, ::-1]),
    _dx("dx_columns_turned", *_TURN_HALF, dx_kernel=lambda w: w[..., ::-1]),
    _dx("dx_channels_reversed", *_TURN_CHANNELS, dx_kernel=lambda w: w[::-1, ::-1]),
    _dx("dx_channels_for_pixels", *_TURN_CHANNELS, dx_kernel=np.flip),
    _dx("dx_channels_exchanged", *_CHANNELS, dx_kernel=_exchanged),
    _dx("dx_channels_reshaped", *_CHANNELS, dx_kernel=_reshaped),
    _dx("dx_last_window", *_DX_OVERWRITTEN, dx_collect=_last_window_stays),
    _dx("dx_last_tap", *_DX_OVERWRITTEN, dx_collect=_last_tap_stays),
    _dx("dx_last_filter", *_DX_OVERWRITTEN, dx_shares=_last_filter),
    _dx("dx_last_window_and_filter", *_DX_OVERWRITTEN, dx_shares=_last_filter, dx_collect=_last_window_stays),
    _dx("dx_last_tap_and_filter", *_DX_OVERWRITTEN, dx_shares=_last_filter, dx_collect=_last_tap_stays),
    _dx(
        "dx_first_filter",
        "Only the first filter counts in dx",
        (
            "A pixel reaches the maps of all filters; here one of them sends something back.",
            "Look for dy[:, 0], w[0], or a loop over the filters that is missing.",
            "Sum over all filters: d_padded[n, :, i:i+K_H, j:j+K_W] += dy[n, o, p, q] * w[o] for each o.",
        ),
        dx_shares=_first_filter,
    ),
    _dx(
        "dx_over_batch",
        "dx is summed over the batch",
        (
            "Each sample has its own gradient; here all samples get the sum.",
            "Look at the sum in dx: is the sample of dx the sample of dy?",
            "dx[n] uses dy[n] only; the sum runs over the filters.",
        ),
        dx_shares=_over_batch,
    ),
    _dx(
        "dx_without_dy",
        "dx does not use dy",
        (
            "dx is the sum of the weights that a pixel meets; each of them must be multiplied by dy at its place.",
            "Look for dy where dx gets its values.",
            "d_padded[n, :, i:i+K_H, j:j+K_W] += dy[n, o, p, q] * w[o].",
        ),
        dx_shares=_shares_without_dy,
    ),
    _dx("dx_mean_over_batch", *_MEAN, dx_scale=_divided_by(0)),
    _dx("dx_mean_over_filters", *_MEAN, dx_scale=_divided_by(1)),
    _dx("dx_mean_over_places", *_MEAN, dx_scale=_divided_by(2, 3)),
    _dx("dx_cut_to_nothing", *_CUT_ZERO, dx_cut=_minus_padding),
    _dx("dx_cut_if_any", *_CUT_ZERO, dx_cut=_minus_padding_if_any),
    _dx("dx_cut_if_first", *_CUT_SOMETIMES, dx_cut=_minus_padding_if_first),
    _dx("dx_cut_if_both", *_CUT_SOMETIMES, dx_cut=_minus_padding_if_both),
    _dx("dx_uncut", *_UNCUT, dx_cut=_uncut),
    _dx("dx_uncut_and_not_covered", *_UNCUT, dx_cut=_covered_uncut),
    _dx("dx_cut_behind", *_CUT_WRONG_SIDE, dx_cut=_cut_behind),
    _dx("dx_cut_before", *_CUT_WRONG_SIDE, dx_cut=_cut_before),
    _dx("dx_wrapped", *_WRAPPED, dx_cut=_wrapped),
    _dx("dx_cut_swapped", *_PADDING_SWAPPED, dx_cut=_cut_swapped),
    _dx("dx_padding_swapped", *_PADDING_SWAPPED, dx_padding=_swapped),
    _dx("dx_padding_first", *_PADDING_TWICE, dx_padding=_first_twice),
    _dx("dx_padding_second", *_PADDING_TWICE, dx_padding=_second_twice),
    _dx("dx_stride_ignored", *_STRIDE_IGNORED, dx_stride=_every_one),
    _dx("dx_slid_by_one", *_STRIDE_IGNORED, dx_stride=_every_one, dx_cut=_covered_only),
    _dx("dx_stride_swapped", *_STRIDE_SWAPPED, dx_stride=_swapped),
    _dx("dx_stride_first", *_STRIDE_TWICE, dx_stride=_first_twice),
    _dx("dx_stride_second", *_STRIDE_TWICE, dx_stride=_second_twice),
    _dx("dx_not_covered", *_NOT_COVERED, dx_cut=_covered_only),
    # all
    *_reordered(),
)
