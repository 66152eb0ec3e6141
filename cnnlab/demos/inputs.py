"""Checks on what a reader hands to a demo; each error says what to change."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def numbers(values: ArrayLike, name: str, *, ndim: int | Sequence[int], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Return `values` as an array of `dtype` after checking rank, type and that every number is finite.

    Parameters
    ----------
    values : array of real numbers
        What the reader passed; it is copied where it must be, never changed.
    name : str
        What the reader calls it, for the error.
    ndim : int or several
        How many axes it may have.
    dtype : dtype
        float32 for pictures and weights of nets, float64 where numbers are shown digit by digit.

    Raises
    ------
    TypeError
        It is a CuPy array: a demo is drawn by the browser, so `cnnlab.to_numpy` must bring it to the host first.
    ValueError
        The rank is another, an axis is empty, or a number is not finite.
    """
    if hasattr(values, "__cuda_array_interface__"):
        raise TypeError(f"{name} lies on a GPU: pass cnnlab.to_numpy({name})")
    array = np.asarray(values)
    ranks = (ndim,) if isinstance(ndim, int) else tuple(ndim)
    if array.ndim not in ranks or array.size == 0:
        axes = " or ".join(map(str, ranks))
        raise ValueError(f"{name} has shape {array.shape}: expected {axes} axes, none of them empty")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} has dtype {array.dtype}: expected real numbers")
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(f"{name} is {array[where]} at index {where}: replace what is not a finite number first")
    return array.astype(dtype)


def nested(values: NDArray[Any]) -> Any:
    """Return an array as nested lists of floats, which JSON keeps to the last bit."""
    return np.asarray(values, dtype=np.float64).tolist()
