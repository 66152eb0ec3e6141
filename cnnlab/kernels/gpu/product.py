"""Products of matrices by cuBLAS, many in one call, on views.

`cupy.matmul` copies a transposed factor, needs arrays of pointers where a factor is the same for all products, and
leaves out TF32 for more than two axes. cuBLAS itself takes all of that in one call, and CuPy lends its binding.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np

from cnnlab.kernels.gpu import device

TF32 = "CUPY_TF32"  # CuPy's own setting: 1 lets float32 products round their factors to TF32


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
    cupy = device.library()
    cublas, runtime = cupy.cuda.cublas, cupy.cuda.runtime
    double = out.dtype.char == "d"
    number = runtime.CUDA_R_64F if double else runtime.CUDA_R_32F
    one, zero = _scalars(out.dtype.char)
    # cuBLAS counts along columns: our rows are its columns, and outᵀ = bᵀ · aᵀ.
    cublas.gemmStridedBatchedEx(
        *(cupy.cuda.device.get_cublas_handle(), int(flip_b), int(flip_a), n, m, k, one.ctypes.data),
        *(b.data.ptr, number, *_steps(b, len(out))),
        *(a.data.ptr, number, *_steps(a, len(out))),
        *((one if add else zero).ctypes.data, out.data.ptr, number, *_steps(out, len(out)), len(out)),
        *(_precision(cublas, double=double), cublas.CUBLAS_GEMM_DEFAULT),
    )


def _steps(x: Any, batch: int) -> tuple[int, int]:
    """Return how far rows lie apart, and matrices, in numbers."""
    row = x.strides[1] // x.itemsize if x.shape[1] > 1 else x.shape[2]
    return max(row, 1), x.strides[0] // x.itemsize if len(x) == batch > 1 else 0


def _precision(cublas: Any, *, double: bool) -> Any:
    if double:
        return cublas.CUBLAS_COMPUTE_64F
    return cublas.CUBLAS_COMPUTE_32F_FAST_TF32 if allows_tf32() else cublas.CUBLAS_COMPUTE_32F


def allows_tf32() -> bool:
    """Return whether float32 products may round their factors to TF32, as CuPy's environment variable says."""
    return os.environ.get(TF32, "0") not in {"", "0"}


@cache
def _scalars(char: str) -> tuple[Any, Any]:
    return np.ones((), char), np.zeros((), char)
