"""Arrays on their way to the browser: base64 of little-endian bytes with a dtype and a shape."""

import base64
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

Packed: TypeAlias = Literal["float32", "float64", "int16", "int32", "uint8"]


def pack(array: ArrayLike, dtype: Packed = "float32") -> dict[str, Any]:
    """Return `array` as JSON-ready data that ``unpack`` in ``front/elements.js`` reads.

    Parameters
    ----------
    array : array of numbers, any shape
    dtype : {"float32", "float64", "int16", "int32", "uint8"}
        What the numbers are stored as; NumPy's casting rules apply.

    Returns
    -------
    dict
        ``dtype``, ``shape`` and ``base64`` (C order, little-endian).

    Examples
    --------
    >>> pack([[1.0, 2.0]])
    {'dtype': 'float32', 'shape': [1, 2], 'base64': 'AACAPwAAAEA='}
    """
    values = np.ascontiguousarray(array, dtype=np.dtype(dtype).newbyteorder("<"))
    return {"dtype": dtype, "shape": list(values.shape), "base64": base64.b64encode(values.tobytes()).decode("ascii")}


def pack_sound(wave: ArrayLike) -> dict[str, Any]:
    """Return a sound in -1 … 1 packed as 16-bit samples; a louder one is turned down, never clipped."""
    samples = np.asarray(wave, dtype=np.float64)
    peak = max(1.0, float(np.abs(samples).max(initial=0.0)))
    return pack(np.round(samples / peak * 32767), "int16")
