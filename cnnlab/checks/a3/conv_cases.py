"""Inputs for the forward exercises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnnlab.checks.a1.inputs import numbers
from cnnlab.checks.model import Case

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]


def conv_case(
    rng: np.random.Generator,
    N: int,
    channels: Pair,
    kernel: Pair,
    out: Sequence[int],
    *,
    stride: Pair = (1, 1),
    rest: Pair = (0, 0),
    padding: Pair | None = None,
    bias: bool = True,
    dtype: Any = np.float64,
) -> Case:
    """Make a case from the size of its answer.

    Parameters
    ----------
    rng
        Draws the numbers.
    N
        Samples.
    channels
        C_in and C_out.
    kernel, out
        Rows and columns of the kernel and of the answer.
    stride, rest
        Steps, and how many rows and columns are left over behind the last window.
    padding
        None: the function takes none.
    bias
        Whether the biases are other than 0.
    dtype
        Of all arrays.
    """
    C_in, C_out = channels
    P_H, P_W = (0, 0) if padding is None else padding
    H = (out[0] - 1) * stride[0] + kernel[0] + rest[0] - 2 * P_H
    W = (out[1] - 1) * stride[1] + kernel[1] + rest[1] - 2 * P_W
    x = numbers(rng, (N, C_in, H, W), dtype)
    w = numbers(rng, (C_out, C_in, *kernel), dtype)
    b = biases(rng, C_out, dtype) if bias else np.zeros(C_out, dtype)
    return named_case(x, w, b, stride, padding)


def biases(rng: np.random.Generator, count: int, dtype: Any = np.float64) -> Array:
    """Return numbers with two decimals, none of them near zero: a bias that is left out must show."""
    b = numbers(rng, (count,), dtype)
    return np.asarray(b + np.where(b < 0, -1, 1).astype(dtype))


def named_case(x: Array, w: Array, b: Array, stride: Pair, padding: Pair | None = None) -> Case:
    """Make a case whose name tells its sizes."""
    N, C_in, H, W = x.shape
    C_out, _, K_H, K_W = w.shape
    size = f"{_count(N, 'sample')}, {_count(C_in, 'channel')} of {H} × {W}, {_count(C_out, 'filter')} of {K_H} × {K_W}"
    name = f"{size}, stride {stride}"
    if padding is None:
        return Case(name, (x, w, b, stride))
    return Case(f"{name}, padding {padding}", (x, w, b, stride, padding))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"
