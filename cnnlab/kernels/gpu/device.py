"""Reaching CuPy where a program has imported it, and launching the kernels of ``kernels.cu``."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

BLOCK = 256  # threads of a block
BLOCKS = 2**16  # at most
LIMIT = 2**30  # numbers of an array that one launch works on, at most: places are counted in 32 bits
SOURCE = Path(__file__).with_name("kernels.cu")
TYPES = {"float32": "float", "float64": "double"}


def library() -> Any:
    """Return CuPy if it is imported, else None: without it there are no arrays of its own."""
    return sys.modules.get("cupy")


def takes(*arrays: object) -> bool:
    """Return whether all are arrays of CuPy on its current device, of float32 or float64, and not empty."""
    cupy = library()
    if cupy is None or not all(type(array) is cupy.ndarray for array in arrays):
        return False
    here = cupy.cuda.runtime.getDevice()
    return all(a.dtype.char in "fd" and a.size > 0 and a.data.device_id == here for a in arrays)  # type: ignore[attr-defined]


def empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """Return a new array of CuPy, its numbers undefined."""
    return library().empty(shape, dtype)


def source(dtype: str) -> str:
    """Return the text of the kernels for float32 or float64."""
    return f"#define T {TYPES[dtype]}\n{SOURCE.read_text(encoding='utf-8')}"


def launch(name: str, dtype: np.dtype[Any], count: int, *arguments: Any) -> None:
    """Start a kernel of ``kernels.cu`` on the current stream, and do not wait for it.

    Parameters
    ----------
    name : str
        Of the kernel.
    dtype : dtype
        What T stands for.
    count : int
        How many numbers its threads share.
    *arguments : array, int, float or numpy.int32
        As the kernel takes them; contiguous arrays.
    """
    packed = tuple(_scalar(one, dtype) if type(one) in {int, float} else one for one in arguments)
    _function(library(), name, dtype.name)((min(-(-count // BLOCK), BLOCKS),), (BLOCK,), packed)


def _scalar(value: Any, dtype: np.dtype[Any]) -> Any:
    return np.int32(value) if type(value) is int else dtype.type(value)


@lru_cache(maxsize=64)
def _function(cupy: Any, name: str, dtype: str) -> Any:
    return _module(cupy, dtype).get_function(name)


@lru_cache(maxsize=8)
def _module(cupy: Any, dtype: str) -> Any:
    return cupy.RawModule(code=source(dtype), options=("--std=c++17",))
