"""What every op asks of its arguments."""

from collections.abc import Sequence
from typing import Any

from cnnlab.backend import Array, namespace


def float_namespace(**arrays: Array | None) -> Any:
    """Return the namespace of arrays that are floating point, all of one dtype and on one device.

    Parameters
    ----------
    **arrays : array or None
        The inputs of an op by name. None stands for an input that was left out; the first must be there.

    Raises
    ------
    TypeError
        An argument is no array or not floating point, or the dtypes differ: an op does not convert behind one's back.
    DeviceMismatchError
        The arrays lie on different devices.
    """
    required, x = next(iter(arrays.items()))
    if x is None:
        raise TypeError(f"{required} is None, and an array is needed: was a result not returned?")
    xp = namespace(**arrays)
    given = {name: x for name, x in arrays.items() if x is not None}
    for name, x in given.items():
        if not xp.isdtype(x.dtype, "real floating"):
            raise TypeError(
                f"{name} has dtype {x.dtype}, and a floating-point one is needed: "
                f'convert it with cnnlab.asarray({name}, dtype="float32")'
            )
    first = next(iter(given))
    for name, x in given.items():
        if x.dtype != given[first].dtype:
            # NumPy makes float64 unasked, so the wider of the two is most often the one that is meant otherwise.
            narrow, wide = sorted((first, name), key=lambda one: int(xp.finfo(given[one].dtype).bits))
            raise TypeError(
                f"{first} is {given[first].dtype} and {name} is {x.dtype}: convert one of them, as in "
                f'cnnlab.asarray({wide}, dtype="{given[narrow].dtype}")'
            )
    return xp


def check_shape(name: str, x: Array, expected: Sequence[int], because: str) -> None:
    """Raise ValueError unless ``x`` has the expected shape."""
    if tuple(x.shape) != tuple(expected):
        raise ValueError(f"{name} has shape {tuple(x.shape)}, expected {tuple(expected)}: {because}")


def check_axes(x: Array, w: Array, expected: str) -> None:
    """Raise ValueError unless input and weights of a layer that scans have equally many axes."""
    if x.ndim != w.ndim:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and w has shape {tuple(w.shape)}: expected (N, C_in, *spatial) and "
            f"{expected} with equally many axes"
        )
