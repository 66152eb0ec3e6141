"""Products of matrices by cuBLAS, many in one call, on views; and sums, which are products with ones.

`cupy.matmul` copies a transposed factor, needs arrays of pointers where a factor is the same for all products, leaves
out TF32 for more than two axes, and cannot be recorded into a CUDA graph. cuBLAS itself takes all of that in one call.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np

from cnnlab.kernels.gpu import cublas, device
from cnnlab.kernels.settings import READABLE, forced

TF32 = "CUPY_TF32"  # CuPy's own setting: 1 lets float32 products round their factors to TF32
LONGEST = 2**31 - 1  # side of a matrix: cuBLAS counts in 32 bits
ONES = 2**20  # at most: the longest sum that is a product with ones


def product(a: Any, b: Any) -> Any:
    """Return a @ b (N, M) for matrices a (N, K) and b (K, M), or None where CuPy's own product is to compute it."""
    if forced() == READABLE or not device.takes(a, b) or not a.ndim == b.ndim == 2 or a.dtype != b.dtype:
        return None
    if max(*a.shape, *b.shape) > LONGEST or a.shape[1] != b.shape[0]:
        return None
    (left, flip_a), (right, flip_b) = _as_rows(a), _as_rows(b)
    y = device.empty((a.shape[0], b.shape[1]), a.dtype)
    multiply(left[None], right[None], y[None], flip_a=flip_a, flip_b=flip_b)
    return y


def multiply(a: Any, b: Any, out: Any, *, flip_a: bool = False, flip_b: bool = False, add: bool = False) -> None:
    """Write into out (B, m, n) the products of a (B, m, k) and b (B, k, n).

    Parameters
    ----------
    a, b, out : array
        With a last axis that is contiguous; the rows may lie apart. A factor with B = 1 is the same for all products.
    flip_a, flip_b : bool
        Whether the factor is given transposed, (B, k, m) or (B, n, k).
    add : bool
        Whether to add to what is in out.
    """
    (m, k), n = (a.shape[:0:-1] if flip_a else a.shape[1:]), b.shape[1 if flip_b else 2]
    char = out.dtype.char
    number, (zero, one) = cublas.REAL[char], _scalars(char)
    # cuBLAS counts along columns: our rows are its columns, and outᵀ = bᵀ · aᵀ.
    cublas.call(
        "cublasGemmStridedBatchedEx",
        *(int(flip_b), int(flip_a), n, m, k, one),
        *(b.data.ptr, number, *_steps(b, len(out))),
        *(a.data.ptr, number, *_steps(a, len(out))),
        *(one if add else zero, out.data.ptr, number, *_steps(out, len(out)), len(out)),
        *(_precision(char), cublas.DEFAULT),
    )


def column_sums(x: Any) -> Any:
    """Return the sums (M,) of x (N, M, *places) over all axes but the second, contiguous or not."""
    many, rows, length = x.shape[0], x.shape[1], x.size // max(x.shape[0] * x.shape[1], 1)
    if not device.takes(x) or max(many, length) > ONES or rows > LONGEST:
        return x.reshape(many, rows, -1).sum(axis=(0, 2))
    x = device.contiguous(x)
    char = x.dtype.char
    ones, name = _ones(char, x.data.device_id).data.ptr, f"cublas{'SD'[char == 'd']}gemvStridedBatched"
    zero, one = _scalars(char)
    if length > 1:  # over the places of each picture
        sums = device.empty((many, rows), x.dtype)
        matrix = cublas.TRANSPOSED, length, rows, one, x.data.ptr, length, length * rows
        cublas.call(name, *matrix, ones, 1, 0, zero, sums.data.ptr, 1, rows, many)
        x = sums
    if many == 1:
        return x.reshape(rows)
    sums = device.empty((rows,), x.dtype)  # over the pictures
    cublas.call(name, cublas.NORMAL, rows, many, one, x.data.ptr, rows, 0, ones, 1, 0, zero, sums.data.ptr, 1, 0, 1)
    return sums


def _as_rows(x: Any) -> tuple[Any, bool]:
    """Return a contiguous matrix, and whether it is the transposed of what was given."""
    if x.flags.f_contiguous and not x.flags.c_contiguous:
        return x.T, True
    return device.contiguous(x), False


def _steps(x: Any, batch: int) -> tuple[int, int]:
    """Return how far rows lie apart, and matrices, in numbers."""
    row = x.strides[1] // x.itemsize if x.shape[1] > 1 else x.shape[2]
    return max(row, 1), x.strides[0] // x.itemsize if len(x) == batch > 1 else 0


def _precision(char: str) -> int:
    if char == "d":
        return cublas.COMPUTE_64F
    return cublas.COMPUTE_32F_FAST_TF32 if allows_tf32() else cublas.COMPUTE_32F


def allows_tf32() -> bool:
    """Return whether float32 products may round their factors to TF32, as CuPy's environment variable says."""
    return os.environ.get(TF32, "0") not in {"", "0"}


@cache
def _scalars(char: str) -> tuple[int, int]:
    """Return the addresses of 0 and 1 on the host."""
    numbers = _numbers.setdefault(char, np.arange(2).astype(char))
    return numbers.ctypes.data, numbers.ctypes.data + numbers.itemsize


_numbers: dict[str, Any] = {}  # what the addresses point to


@cache
def _ones(char: str, number: int) -> Any:
    """Return a vector of ones on the device of that number, the current one."""
    del number
    return device.library().full((ONES,), 1, char)
