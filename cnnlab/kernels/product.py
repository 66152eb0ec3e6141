"""Products of matrices, for the fully connected layers: BLAS's, shared among our threads where there are several."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.kernels.results import results
from cnnlab.kernels.settings import READABLE, forced
from cnnlab.kernels.threads import bind, one_blas_thread, run_parts, shares_of, split, thread_count

LEAST_ROWS = 8  # of a part: BLAS multiplies fewer about as slowly


def product(a: Any, b: Any) -> Any:
    """Return a @ b for matrices of any array library.

    Parameters
    ----------
    a : array (N, K)
    b : array (K, M)

    Returns
    -------
    array (N, M)
    """
    if forced() == READABLE or not (_ours(a) and _ours(b)) or a.dtype != b.dtype or thread_count() < 2:
        return a @ b
    with one_blas_thread():
        pieces = shares_of(a.size * b.shape[1])
        if pieces == 1:
            return a @ b
        y = results.empty((len(a), b.shape[1]), a.dtype)
        if len(a) >= LEAST_ROWS * pieces:
            parts = [bind(_rows, a, b, y, some) for some in split(len(a), pieces)]
        else:
            parts = [bind(_columns, a, b, y, some) for some in split(b.shape[1], pieces)]
        run_parts(parts)
        return y


def _ours(array: Any) -> bool:
    return type(array) is np.ndarray and array.ndim == 2 and array.dtype.char in "fd" and array.dtype.isnative


def _rows(a: Any, b: Any, y: Any, some: slice) -> None:
    np.matmul(a[some], b, out=y[some])


def _columns(a: Any, b: Any, y: Any, some: slice) -> None:
    y[:, some] = a @ b[:, some]
