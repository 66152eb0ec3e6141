"""Making arrays, moving them, and finding the library that computes with them.

Only `asarray` and `to_numpy` move data between devices.
"""

import sys
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeAlias

import array_api_compat
import array_api_compat.numpy
import numpy as np

from cnnlab.backend.errors import DeviceMismatchError
from cnnlab.backend.gpu import loaded_cupy, require_cupy
from cnnlab.backend.state import current_device, resolve

# A numpy.ndarray, a cupy.ndarray or another array that follows the Python array API standard.
# The type checker cannot tell them apart, so shapes and dtypes are written in the docstrings.
Array: TypeAlias = Any

_FOREIGN = " device "  # in the place of an array that is neither NumPy's nor CuPy's


def asarray(x: Any, *, dtype: Any = None, device: str | None = None) -> Array:
    """Make an array on a device, moving the data there if it lies elsewhere.

    Parameters
    ----------
    x : array, number or nested sequence of numbers
        The data.
    dtype : dtype or str, optional
        Element type; by default that of ``x``.
    device : {"cpu", "gpu", "auto"}, optional
        Where the result shall lie; by default the current device (`use_device`).

    Returns
    -------
    array
        A ``numpy.ndarray`` or ``cupy.ndarray``; ``x`` itself when it is already as wanted.

    Raises
    ------
    ValueError
        The device name is unknown.
    GPUNotInstalledError, GPUBrokenError, NoGPUError
        The device is "gpu" and cannot be used.

    Examples
    --------
    >>> asarray([1, 2], dtype="float32", device="cpu")
    array([1., 2.], dtype=float32)
    """
    target = current_device() if device is None else resolve(device)
    if target == "gpu":
        cupy = require_cupy()
        source = x if isinstance(x, cupy.ndarray) else to_numpy(x)
        return cupy.asarray(source, dtype=dtype)
    return np.asarray(to_numpy(x), dtype=dtype)


def to_numpy(x: Any) -> np.ndarray[Any, Any]:
    """Bring an array to the host as ``numpy.ndarray``.

    Parameters
    ----------
    x : array, number or nested sequence of numbers
        The data, on any device.

    Returns
    -------
    numpy.ndarray
        ``x`` itself when it is a NumPy array already; it may share memory with another library's array on the CPU.

    Examples
    --------
    >>> to_numpy([1.0, 2.0])
    array([1., 2.])
    """
    if array_api_compat.is_cupy_array(x):
        host: np.ndarray[Any, Any] = x.get()
        return host
    if isinstance(x, np.ndarray | np.generic) or not hasattr(x, "__dlpack__"):
        return np.asarray(x)
    return np.from_dlpack(x)


def namespace(*arrays: Array | None, **named: Array | None) -> Any:
    """Return the library to compute with: the one that the arrays belong to.

    Parameters
    ----------
    *arrays, **named : array or None
        The inputs of one computation. None stands for an input that was left out. Keywords give an error message the
        names to speak of; positional arrays are called "argument 1", "argument 2", …

    Returns
    -------
    module
        The array API namespace (from array-api-compat) of NumPy, CuPy or whatever library the arrays come from.

    Raises
    ------
    TypeError
        Something is no array, or there is no array at all.
    DeviceMismatchError
        The arrays lie in different places.

    Examples
    --------
    >>> xp = namespace(np.ones(3), None)
    >>> xp.sum(xp.ones(3))
    np.float64(3.0)
    """
    found = False
    for x in (*arrays, *named.values()):  # asked at each op
        if type(x) is np.ndarray:
            found = True
        elif x is not None:
            break
    else:
        if found:
            return array_api_compat.numpy
    present = [x for x in (*arrays, *named.values()) if x is not None]
    cupy = sys.modules.get("cupy")  # what follows takes as long as a small layer
    if cupy is not None and {type(x) for x in present} == {cupy.ndarray} and len({x.device.id for x in present}) == 1:
        return _of_cupy()
    given = {f"argument {i}": x for i, x in enumerate(arrays, start=1)} | named
    given = {name: x for name, x in given.items() if x is not None}
    if not given:
        missing = " and ".join(named) or "every argument"
        raise TypeError(f"{missing} is None, and at least one array is needed: was a result not returned?")
    for name, x in given.items():
        if not array_api_compat.is_array_api_obj(x):
            raise TypeError(f"{name} is a {type(x).__name__}, not an array: make one with cnnlab.asarray(...)")
        if isinstance(x, np.ndarray) and type(x).__module__.startswith("numpy.ma"):
            raise TypeError(f"{name} is a {type(x).__name__}, and its mask would be lost: fill it, {name}.filled(0)")
    places = {name: _place(x) for name, x in given.items()}
    if len(set(places.values())) > 1:
        raise DeviceMismatchError(_describe_mismatch(places))
    return array_api_compat.array_namespace(next(iter(given.values())))


def namespace_of_floats(arrays: Iterable[Array | None]) -> Any:
    """Return NumPy's namespace if all are its arrays of one kind of floats, float32 or float64, else None.

    An answer for the commonest inputs of an op, in a fraction of the time that `namespace` and a look at each dtype
    take; None says nothing.
    """
    dtype = None
    for x in arrays:
        if type(x) is not np.ndarray:
            return None
        if dtype is None:
            dtype = x.dtype
        elif x.dtype is not dtype:
            return None
    return array_api_compat.numpy if dtype is _FLOAT32 or dtype is _FLOAT64 else None


_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)  # there is one object for each, in native byte order


@cache
def _of_cupy() -> Any:
    import array_api_compat.cupy as namespace_of_cupy

    return namespace_of_cupy


def on_gpu(x: Array) -> bool:
    """Return whether an array lies on a GPU, where reading one number would wait for all that is in the queue."""
    return bool(array_api_compat.is_cupy_array(x))


def synchronize() -> None:
    """Wait until the GPU has finished what it was given; on the CPU there is nothing to wait for.

    A GPU works while Python goes on. Call this before reading a clock.
    """
    cupy = loaded_cupy()
    if cupy is not None:
        cupy.cuda.runtime.deviceSynchronize()


def _place(x: Array) -> str:
    """Name where an array lies, in the words of `use_device` where they apply."""
    if array_api_compat.is_numpy_array(x):
        return "cpu"
    if array_api_compat.is_cupy_array(x):
        return "gpu" if x.device.id == 0 else f"gpu number {x.device.id}"
    return f"{type(x).__module__.partition('.')[0]}{_FOREIGN}{array_api_compat.device(x)}"


def _describe_mismatch(places: dict[str, str]) -> str:
    where = ", ".join(f"{name} is on {place}" for name, place in places.items())
    first_name, first_place = next(iter(places.items()))
    other, other_place = next((name, place) for name, place in places.items() if place != first_place)
    if set(places.values()) == {"cpu", "gpu"}:
        variable = other if other.isidentifier() else "the_array"
        return f'{where}: move {other} with {variable} = cnnlab.asarray({variable}, device="{first_place}")'
    foreign = [name for name, place in ((first_name, first_place), (other, other_place)) if _FOREIGN in place]
    if len(foreign) == 1:
        return f"{where}: make an array of the library that cnnlab computes with, cnnlab.asarray({foreign[0]})"
    return f"{where}: bring {other} to where {first_name} is before computing with both"
