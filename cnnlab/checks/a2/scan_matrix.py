"""Exercise 4, the giant matrix: a scan at all places at once is one matrix (rows D11 and D12)."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

import numpy as np

from cnnlab.checks.a1.inputs import numbers
from cnnlab.checks.a2.matrix import assemble
from cnnlab.checks.a2.mistakes_scan_matrix import MISTAKES
from cnnlab.checks.model import Case, Check, Exercise, Function

Array = np.ndarray[Any, Any]
Sizes = tuple[int, ...]


def scan_matrix(w: Array, n: Sizes, stride: Sizes, padding: Sizes) -> Array:
    """Return the matrix M with ``M @ x.ravel()`` = the scan of x, ``x`` of shape (C_in, *n).

    Parameters
    ----------
    w
        Weights, shape (C_out, C_in, *kernel).
    n
        Sizes of the input, one for each axis of the kernel.
    stride, padding
        Steps from window to window, and zeros added at both ends, for each axis.

    Returns
    -------
    numpy.ndarray
        Shape (C_out · P, C_in · prod(n)) for P places; rows and columns in C order. Source: rows D11 and D12.
    """
    C_out, C_in, *kernel = w.shape
    counts = [(size + 2 * p - K) // s + 1 for size, K, s, p in zip(n, kernel, stride, padding, strict=True)]
    M = np.zeros((C_out, *counts, C_in, *n), dtype=w.dtype)
    for place in np.ndindex(*counts):
        for tap in np.ndindex(*kernel):
            position = [q * s + t - p for q, s, t, p in zip(place, stride, tap, padding, strict=True)]
            if all(0 <= i < size for i, size in zip(position, n, strict=True)):  # a zero of the padding has no column
                M[(slice(None), *place, slice(None), *position)] = w[(slice(None), slice(None), *tap)]
    return M.reshape(C_out * prod(counts), C_in * prod(n))


def _case(
    rng: np.random.Generator,
    channels: Sizes,
    kernel: Sizes,
    n: Sizes,
    *,
    stride: Sizes = (),
    padding: Sizes = (),
    dtype: Any = np.float64,
) -> Case:
    stride, padding = stride or (1,) * len(n), padding or (0,) * len(n)
    w = numbers(rng, (*channels, *kernel), dtype)
    return Case(_describe(channels, kernel, n, stride, padding), (w, n, stride, padding))


def _describe(channels: Sizes, kernel: Sizes, n: Sizes, stride: Sizes, padding: Sizes) -> str:
    C_out, C_in = channels
    sizes, windows = (" × ".join(map(str, each)) for each in (n, kernel))
    steps, zeros = (str(each if len(each) > 1 else each[0]) for each in (stride, padding))
    return f"{C_in} → {C_out} channels, input {sizes}, kernel {windows}, stride {steps}, padding {zeros}"


# What a wrong answer earns must not hang on the seed. Kernel, stride, padding and how many inputs are left over decide
# what shows, and are fixed; the seed draws weights, channels and places: at least two places an axis, unequal channels.


_CHANNELS = ((2, 3), (3, 2), (2, 4), (4, 2))


def _drawn(
    rng: np.random.Generator,
    kernel: Sizes,
    stride: Sizes = (),
    padding: Sizes = (),
    rest: Sizes = (),
    *,
    channels: Sizes = (),
    dtype: Any = np.float64,
) -> Case:
    ones = (1,) * len(kernel)
    stride, padding, rest = stride or ones, padding or (0,) * len(kernel), rest or (0,) * len(kernel)
    while True:
        counts = rng.integers(2, 7 if max(stride) == 1 else 5, len(kernel)).tolist()
        n = tuple(
            K + (P - 1) * s + r - 2 * p for K, P, s, r, p in zip(kernel, counts, stride, rest, padding, strict=True)
        )
        # A wide input: a picture as high as wide would hide that the two are exchanged.
        if min(n) >= 2 and (len(n) == 1 or n[0] < n[1]):
            break
    channels = channels or _CHANNELS[rng.integers(len(_CHANNELS))]
    return _case(rng, channels, kernel, n, stride=stride, padding=padding, dtype=dtype)


def _example(rng: np.random.Generator) -> list[Case]:
    w = np.array([[[2.0, -1.0]]])
    ways = (((1,), (0,)), ((2,), (1,)))
    return [Case(_describe((1, 1), (2,), (4,), *way), (w, (4,), *way)) for way in ways]


def _one_channel(rng: np.random.Generator) -> list[Case]:
    return [_case(rng, (1, 1), (3,), (5,)), _case(rng, (1, 1), (2,), (6,))]


def _channels(rng: np.random.Generator) -> list[Case]:
    return [_case(rng, channels, (2,), (4,)) for channels in ((1, 2), (2, 1), (2, 3))]


def _stride_and_padding(rng: np.random.Generator) -> list[Case]:
    one = partial(_case, rng, (1, 1))
    return [
        one((3,), (8,), stride=(2,)),
        one((3,), (4,), padding=(2,)),
        one((2,), (6,), stride=(3,), padding=(1,)),
        _case(rng, (2, 3), (3,), (5,), stride=(2,), padding=(1,)),
    ]


def _pictures(rng: np.random.Generator) -> list[Case]:
    return [
        _case(rng, (1, 1), (2, 2), (3, 4)),
        _case(rng, (1, 1), (2, 3), (3, 5)),
        _case(rng, (3, 2), (3, 2), (4, 5)),
    ]


def _pictures_stride_and_padding(rng: np.random.Generator) -> list[Case]:
    return [
        _case(rng, (1, 1), (2, 3), (4, 8), stride=(1, 2)),
        _case(rng, (1, 1), (3, 2), (2, 4), padding=(2, 1)),
        _case(rng, (2, 3), (2, 3), (4, 6), stride=(2, 3), padding=(0, 1)),
    ]


def _hidden_one_channel(rng: np.random.Generator) -> list[Case]:
    kernels = ((2,), (3,), (4,))
    single = _case(rng, (1, 1), (3,), (3,))
    return [*(_drawn(rng, kernel, channels=(1, 1)) for kernel in kernels), single]


def _hidden_channels(rng: np.random.Generator) -> list[Case]:
    return [_drawn(rng, (2,)), _drawn(rng, (3,)), _drawn(rng, (2,), channels=(3, 3)), _drawn(rng, (1,))]


def _hidden_strides(rng: np.random.Generator) -> list[Case]:
    return [_drawn(rng, (3,), (2,), rest=(1,)), _drawn(rng, (4,), (3,), rest=(2,)), _drawn(rng, (2,), (4,), rest=(3,))]


def _hidden_padding(rng: np.random.Generator) -> list[Case]:
    return [
        _drawn(rng, (3,), padding=(1,)),
        _drawn(rng, (3,), padding=(2,)),
        _case(rng, (2, 3), (4,), (2,), padding=(3,)),  # less input than padding
        _drawn(rng, (4,), (2,), padding=(1,), rest=(1,)),
    ]


def _hidden_pictures(rng: np.random.Generator) -> list[Case]:
    return [_drawn(rng, (2, 3), channels=(1, 1)), _drawn(rng, (3, 2)), _drawn(rng, (2, 2))]


def _hidden_pictures_strides(rng: np.random.Generator) -> list[Case]:
    return [_drawn(rng, (3, 2), (1, 2), rest=(0, 1)), _drawn(rng, (2, 3), (2, 3), rest=(1, 2))]


def _hidden_pictures_padding(rng: np.random.Generator) -> list[Case]:
    return [
        _drawn(rng, (2, 3), padding=(1, 0)),
        _drawn(rng, (3, 2), padding=(2, 1)),
        _drawn(rng, (2, 4), padding=(0, 2)),
        _drawn(rng, (2, 3), (1, 2), (0, 1), (0, 1)),
    ]


def _hidden_single(rng: np.random.Generator) -> list[Case]:
    case = _drawn(rng, (3, 2), (1, 2), (1, 0), (0, 1), dtype=np.float32)
    w, *others = case.arguments
    line = _drawn(rng, (3,), (2,), (1,), (1,), dtype=np.float32)
    return [Case(case.name, (np.asfortranarray(w), *others)), line]


_visible = partial(Check, points=0.5, hidden=False)
_hidden = partial(Check, points=0.5, hidden=True)

SCAN_MATRIX = Exercise(
    id="a2.scan_matrix",
    title="The giant matrix",
    functions=(Function("scan_matrix", ("w", "n", "stride", "padding"), scan_matrix, assemble=assemble),),
    points=7,
    checks=(
        _visible("The example above", cases=_example),
        _visible("1-D, one channel", cases=_one_channel),
        _visible("1-D, several channels: blocks side by side and below each other", cases=_channels),
        _visible("1-D, with stride and padding", cases=_stride_and_padding),
        _visible("2-D, one channel, then several", cases=_pictures),
        _visible("2-D, with stride and padding", cases=_pictures_stride_and_padding),
        _hidden("1-D, one channel, other sizes", cases=_hidden_one_channel),
        _hidden("1-D, several channels, other sizes", cases=_hidden_channels),
        _hidden("1-D, strides after which some inputs are left over", cases=_hidden_strides),
        _hidden("1-D, padding", cases=_hidden_padding),
        _hidden("2-D, other sizes", cases=_hidden_pictures),
        _hidden("2-D, a stride for each axis", cases=_hidden_pictures_strides),
        _hidden("2-D, a padding for each axis", cases=_hidden_pictures_padding),
        _hidden("Weights in float32, stored in another order; stride and padding at once", cases=_hidden_single),
    ),
    mistakes=MISTAKES,
)
