"""Reaching CuPy where a program has imported it, and launching the kernels of ``kernels.cu``.

A launch takes a GPU some microseconds, and Python's part in front of it should take no longer: what follows from shapes
alone is computed once, grids and sizes included, and `start` is given arguments that are ready.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cnnlab.kernels.arrays import Ints

BLOCK = 256  # threads of a block
BLOCKS = 2**16  # at most
ROWS = 2**16 - 1  # of blocks in a grid, at most
WAVE = 2**12  # blocks that keep a GPU busy: where there would be more, a thread works on several maps
LIMIT = 2**30  # numbers of an array that one launch works on, at most: places are counted in 32 bits
SOURCE = Path(__file__).with_name("kernels.cu")
TYPES = {"float32": "float", "float64": "double"}
NAMES: dict[str, str] = {np.dtype(name).char: name for name in TYPES}
Grid: TypeAlias = tuple[Ints, Ints]  # blocks, and threads of a block


def library() -> Any:
    """Return CuPy if it is imported, else None: without it there are no arrays of its own."""
    return sys.modules.get("cupy")


def takes(*arrays: Any) -> bool:
    """Return whether all are arrays of CuPy on its current device, of float32 or float64, and not empty."""
    cupy = library()
    if cupy is None:
        return False
    for array in arrays:
        if type(array) is not cupy.ndarray or array.dtype.char not in NAMES or not array.size:
            return False
    here = cupy.cuda.runtime.getDevice()
    for array in arrays:  # noqa: SIM110  (a generator takes as long again)
        if array.data.device_id != here:
            return False
    return True


def empty(shape: Ints, dtype: Any) -> Any:
    """Return an array of CuPy whose numbers are to be written."""
    return library().ndarray(shape, dtype)


def contiguous(array: Any) -> Any:
    """Return the array, or a contiguous copy of it."""
    return library().ascontiguousarray(array)


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
    start(
        name, dtype, line(count), tuple(_scalar(one, dtype) if type(one) in {int, float} else one for one in arguments)
    )


def start(name: str, dtype: np.dtype[Any], grid: Grid, arguments: tuple[Any, ...]) -> None:
    """Start a kernel likewise, over a grid of `line` or `plane`, with arguments of the very types that it takes."""
    _function(library(), name, dtype.char)(*grid, arguments)


def line(count: int) -> Grid:
    """Return a grid whose threads share so many numbers."""
    return (min(-(-count // BLOCK), BLOCKS),), (BLOCK,)


def plane(places: int, maps: int) -> Grid:
    """Return a grid whose threads side by side share the places of a map, and those above each other the maps."""
    columns = min(-(-places // BLOCK), BLOCKS)
    wide = min(-(-places // columns), BLOCK)
    high = min(BLOCK // wide, maps)  # small maps share a block
    return (columns, min(-(-maps // high), -(-WAVE // columns), ROWS)), (wide, high)


def by_value(numbers: Ints) -> NDArray[Any]:
    """Return integers as one argument, a struct of ``int``: CuPy takes as long for each argument as for a small one."""
    return np.array(numbers, np.int32).view(f"V{4 * len(numbers)}")


def _scalar(value: Any, dtype: np.dtype[Any]) -> Any:
    return np.int32(value) if type(value) is int else dtype.type(value)


@lru_cache(maxsize=64)
def _function(cupy: Any, name: str, kind: str) -> Any:
    return _module(cupy, NAMES[kind]).get_function(name)


@lru_cache(maxsize=8)
def _module(cupy: Any, dtype: str) -> Any:
    return cupy.RawModule(code=source(dtype), options=("--std=c++17",))
