"""The device on which new arrays are made.

Plain module state: a ContextVar would be lost between the cells of a Jupyter notebook.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from cnnlab.backend.errors import GPUUnavailableError
from cnnlab.backend.gpu import require_cupy

VARIABLE = "CNNLAB_DEVICE"
_CHOICES = ("cpu", "gpu", "auto")

_current: str | None = None  # None: not asked for yet, CNNLAB_DEVICE decides at first use


def use_device(name: str) -> str:
    """Choose the device for new arrays.

    Parameters
    ----------
    name : {"cpu", "gpu", "auto"}
        "auto" takes the GPU where one can be used, else the CPU; `gpu_status` then says why.

    Returns
    -------
    str
        "cpu" or "gpu", the device now in use.

    Raises
    ------
    ValueError
        The name is none of the three.
    GPUNotInstalledError, GPUBrokenError, NoGPUError
        "gpu" was asked for and cannot be had. The device in use stays as it was.

    Examples
    --------
    >>> use_device("cpu")
    'cpu'
    >>> current_device()
    'cpu'
    """
    global _current  # noqa: PLW0603
    _current = resolve(name)
    return _current


def current_device() -> str:
    """Return the device for new arrays, "cpu" or "gpu".

    Raises
    ------
    ValueError, GPUNotInstalledError, GPUBrokenError, NoGPUError
        Nothing was chosen yet, and the environment variable CNNLAB_DEVICE asks for what does not exist.
    """
    if _current is None:
        return use_device(_from_environment())
    return _current


@contextmanager
def device(name: str) -> Iterator[str]:
    """Choose the device for new arrays inside a ``with`` block.

    Parameters
    ----------
    name : {"cpu", "gpu", "auto"}
        As in `use_device`; the same errors.

    Examples
    --------
    >>> with device("cpu") as name:
    ...     print(name)
    cpu
    """
    global _current  # noqa: PLW0603
    before = _current
    try:
        yield use_device(name)
    finally:
        _current = before


def resolve(name: str) -> str:
    """Turn a device name into "cpu" or "gpu", having made sure that it can be used."""
    if name not in _CHOICES:
        raise ValueError(f'device {name!r} is unknown: choose "cpu", "gpu" or "auto"')
    if name == "cpu":
        return "cpu"
    try:
        require_cupy()
    except GPUUnavailableError:
        if name == "auto":
            return "cpu"
        raise
    return "gpu"


def _from_environment() -> str:
    name = os.environ.get(VARIABLE, "") or "cpu"
    if name not in _CHOICES:
        raise ValueError(
            f'the environment variable {VARIABLE} is {name!r}: set it to "cpu", "gpu" or "auto", or unset it'
        )
    return name
