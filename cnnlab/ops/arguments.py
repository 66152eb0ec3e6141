"""What every op asks of its arguments."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cnnlab.backend import Array, namespace
from cnnlab.backend.arrays import namespace_of_floats


def given(**arrays: Array | None) -> dict[str, Array]:
    """Return the arrays by name, without those that are None: inputs of an op that may be left out."""
    return {name: x for name, x in arrays.items() if x is not None}


def check_given(**arrays: Array | None) -> None:
    """Raise TypeError if an array is None."""
    for name, x in arrays.items():
        if x is None:
            raise TypeError(f"{name} is None, and an array is needed: was a result not returned?")


def float_namespace(**arrays: Array) -> Any:
    """Return the namespace of arrays that are floating point, all of one dtype and on one device.

    Parameters
    ----------
    **arrays : array
        The inputs of an op by name.

    Raises
    ------
    TypeError
        An argument is None, no array or not floating point, or the dtypes differ: an op does not convert behind one's
        back.
    DeviceMismatchError
        The arrays lie on different devices.
    """
    if (xp := namespace_of_floats(arrays.values())) is not None:
        return xp
    check_given(**arrays)
    xp = namespace(**arrays)
    dtypes = {x.dtype for x in arrays.values()}
    if len(dtypes) == 1 and _is_floating(xp, *dtypes):
        return xp
    for name, x in arrays.items():
        if not _is_floating(xp, x.dtype):
            raise TypeError(
                f"{name} has dtype {x.dtype}, and a floating-point one is needed: "
                f'convert it with cnnlab.asarray({name}, dtype="float32")'
            )
    first = next(iter(arrays))
    for name, x in arrays.items():
        if x.dtype != arrays[first].dtype:
            # NumPy makes float64 unasked, so the wider of the two is most often the one that is meant otherwise. Of two
            # as wide the one in foreign byte order is, as files may bring it.
            narrow, wide = sorted((first, name), key=lambda one: _width(xp, arrays[one].dtype))
            raise TypeError(
                f"{first} is {arrays[first].dtype} and {name} is {x.dtype}: convert one of them, as in "
                f'cnnlab.asarray({wide}, dtype="{arrays[narrow].dtype}")'
            )
    return xp


@lru_cache(maxsize=64)
def _is_floating(xp: Any, dtype: Any) -> bool:
    return bool(xp.isdtype(dtype, "real floating"))


def _width(xp: Any, dtype: Any) -> tuple[int, bool]:
    return int(xp.finfo(dtype).bits), not getattr(dtype, "isnative", True)


def check_shape(name: str, x: Array, expected: Sequence[int], because: str) -> None:
    """Raise ValueError unless ``x`` has the expected shape."""
    if tuple(x.shape) != tuple(expected):
        raise ValueError(f"{name} has shape {tuple(x.shape)}, expected {tuple(expected)}: {because}")


def check_axes(x_shape: Sequence[int], w_shape: Sequence[int], expected: str) -> None:
    """Raise ValueError unless input and weights of a layer that scans have equally many axes."""
    if len(x_shape) != len(w_shape):
        raise ValueError(
            f"x has shape {tuple(x_shape)} and w has shape {tuple(w_shape)}: expected (N, C_in, *spatial) and "
            f"{expected} with equally many axes"
        )
