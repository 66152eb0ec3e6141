"""Read IDX, the format of MNIST's files: a magic number, the size of each axis, and then the bytes of an array."""

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_UNSIGNED_BYTES = 0x08


def read_idx(path: Path, ndim: int) -> NDArray[np.uint8]:
    """Return the array of bytes in a gzipped IDX file.

    The file begins with two zeros, the type of a number (8 for a byte) and the number of axes; then come the sizes of
    the axes, four bytes each, the highest first; then the numbers in C order.

    Parameters
    ----------
    path : Path
    ndim : int
        Axes that the array must have.

    Returns
    -------
    array of uint8, read-only

    Raises
    ------
    ValueError
        If the file is none of this kind, or its length is not the one that it states.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is no whole gzip file: {error}") from None
    if content[:4] != bytes([0, 0, _UNSIGNED_BYTES, ndim]):
        raise ValueError(f"{path} begins with {content[:4].hex(' ')}: not an IDX file of bytes with {ndim} axes")
    start = 4 + 4 * ndim
    if len(content) < start:
        raise ValueError(f"{path} ends within its header, after {len(content)} bytes")
    shape = tuple(int(side) for side in np.frombuffer(content, ">u4", ndim, offset=4))
    if len(content) != start + prod(shape):
        raise ValueError(f"{path} states the shape {shape}, but holds {len(content) - start} numbers")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
