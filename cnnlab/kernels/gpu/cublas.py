"""cuBLAS by its own C functions, found where CuPy finds it.

CuPy's binding refuses every call while a stream is recorded into a CUDA graph; cuBLAS itself may be recorded if it
works in memory that it was given and that stays. So each stream has a handle of its own with such memory.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib import import_module
from threading import get_ident
from typing import Any
from weakref import finalize

from cnnlab.kernels.gpu import device

KEPT = 32  # handles, at most
BYTES = 2**22  # that a handle works in; as NVIDIA recommends, and more from Hopper on
BYTES_HOPPER = 2**25
HOPPER = 9  # compute capability

# Numbers of cublas_api.h and library_types.h.
NORMAL, TRANSPOSED = 0, 1
REAL = {"f": 0, "d": 1}  # CUDA_R_32F and CUDA_R_64F
COMPUTE_32F, COMPUTE_32F_FAST_TF32, COMPUTE_64F = 68, 77, 70
DEFAULT = -1  # CUBLAS_GEMM_DEFAULT

_pointer, _int, _long = ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong
_MATRIX = [_pointer, _int, _int, _long]  # address, type, numbers between columns and between matrices
_GEMM = [_pointer, *[_int] * 5, _pointer, *_MATRIX, *_MATRIX, _pointer, *_MATRIX, *[_int] * 3]
_GEMV = [_pointer, *[_int] * 3, _pointer, _pointer, _int, _long, *[_pointer, _int, _long], _pointer]
_GEMV += [_pointer, _int, _long, _int]
_TAKES = {
    "cublasCreate_v2": [_pointer],
    "cublasDestroy_v2": [_pointer],
    "cublasSetStream_v2": [_pointer, _pointer],
    "cublasSetWorkspace_v2": [_pointer, _pointer, ctypes.c_size_t],
    "cublasGemmStridedBatchedEx": _GEMM,
    "cublasSgemvStridedBatched": _GEMV,
    "cublasDgemvStridedBatched": _GEMV,
}


class CuBLASError(RuntimeError):
    """A function of cuBLAS refused what it was given."""


@cache
def functions() -> Any:
    """Return the library with its functions told what they take."""
    finder = import_module("cuda.pathfinder")  # which CuPy brings with it
    library = ctypes.CDLL(finder.load_nvidia_dynamic_lib("cublas").abs_path)
    for name, takes in _TAKES.items():
        getattr(library, name).argtypes = takes
    return library


def call(name: str, *arguments: Any) -> None:
    """Call a function on the current stream.

    Parameters
    ----------
    name : str
        Of a function of cuBLAS whose first argument is a handle.
    *arguments
        The others.

    Raises
    ------
    CuBLASError
        The function returned anything but success.
    """
    used = handle()  # held, so that no other thread's can push it out meanwhile
    _checked(name, getattr(functions(), name)(used.address, *arguments))


class Handle:
    """A handle of cuBLAS for one stream, with the memory that it works in."""

    def __init__(self, stream: int) -> None:
        cupy, library = device.library(), functions()
        major = int(cupy.cuda.runtime.getDeviceProperties(cupy.cuda.runtime.getDevice())["major"])
        size = BYTES_HOPPER if major >= HOPPER else BYTES
        self.memory = device.empty((size,), "uint8")
        made = ctypes.c_void_p()
        _checked("cublasCreate", library.cublasCreate_v2(ctypes.byref(made)))
        self.address = made.value
        _checked("cublasSetStream", library.cublasSetStream_v2(self.address, stream))
        _checked("cublasSetWorkspace", library.cublasSetWorkspace_v2(self.address, int(self.memory.data.ptr), size))
        finalize(self, library.cublasDestroy_v2, self.address).atexit = False


_handles: dict[tuple[int, int, int], Handle] = {}


def handle() -> Handle:
    """Return this thread's handle for the current stream of the current device."""
    cuda = device.library().cuda
    key = cuda.runtime.getDevice(), get_ident(), cuda.get_current_stream().ptr
    found = _handles.get(key)
    if found is None:
        found = _handles[key] = Handle(key[2])
        while len(_handles) > KEPT:
            _handles.pop(next(iter(_handles)))
    return found


def handles_of(stream: int) -> list[Handle]:
    """Return the handles that work on a stream."""
    return [found for key, found in _handles.items() if key[2] == stream]


def forget(stream: int) -> None:
    """Drop the handles of a stream that is about to end: another one may get its address."""
    for key in [key for key in _handles if key[2] == stream]:
        del _handles[key]


def _checked(name: str, status: int) -> None:
    if status != 0:
        raise CuBLASError(f"{name} returned status {status} of cublasStatus_t: run it with CUBLAS_LOGINFO_DBG=1")
