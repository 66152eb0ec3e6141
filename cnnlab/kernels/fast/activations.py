"""Activations and sums of maps, compiled: one pass over memory, for `cnnlab.kernels.elementwise` to ask first.

Tanh is NumPy's, which was faster than a compiled one (docs/decisions/0016-parts-that-the-cache-holds.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnnlab.kernels.fast.processor import refusal
from cnnlab.kernels.settings import compiled_allowed


def relu_forward(dtype: np.dtype[Any]) -> Callable[..., int] | None:
    """Return what writes x where not x ≤ 0, else 0; or None for what is left to NumPy."""
    if not _applies(dtype):
        return None
    from cnnlab.kernels.fast import runs

    return runs.relu_shared


def relu_backward(dtype: np.dtype[Any]) -> Callable[..., int] | None:
    """Return what writes dy where not x ≤ 0, else 0; or None likewise."""
    if not _applies(dtype):
        return None
    from cnnlab.kernels.fast import runs

    return runs.relu_back_shared


def tanh_backward(dtype: np.dtype[Any]) -> Callable[..., int] | None:
    """Return what writes dy · (1 − y²), or None likewise."""
    if not _applies(dtype):
        return None
    from cnnlab.kernels.fast import runs

    return runs.tanh_back_shared


def sum_maps(dtype: np.dtype[Any]) -> Callable[..., int] | None:
    """Return what writes the sums of maps, or None likewise."""
    if not _applies(dtype):
        return None
    from cnnlab.kernels.fast import runs

    return runs.sum_maps_shared


def _applies(dtype: np.dtype[Any]) -> bool:
    return compiled_allowed() and dtype.char in "fd" and refusal() is None
