import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from cnnlab.backend import gpu, state


@pytest.fixture(autouse=True)
def fresh_backend(monkeypatch):
    """Let every test begin as a new process would: no device chosen, CuPy not tried, no environment variable."""
    monkeypatch.setattr(state, "_current", None)
    monkeypatch.setattr(gpu, "_working", None)
    monkeypatch.delenv("CNNLAB_DEVICE", raising=False)


@pytest.fixture
def no_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # importing it raises ModuleNotFoundError, as if it were not there


class CUDARuntimeError(RuntimeError):
    """Named as CuPy names it."""


class FakeGPUArray:
    """Knows what the array layer asks of a CuPy array, and refuses to become a NumPy array unasked."""

    def __init__(self, values, number=0):
        self.values = np.array(values)
        self.dtype = self.values.dtype
        self.device = SimpleNamespace(id=number)

    def get(self):
        return self.values.copy()

    def sum(self):
        return self.values.sum()

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed")


@pytest.fixture
def fake_cupy(monkeypatch):
    """A stand-in for CuPy whose parts a test may break: ``count()`` devices, ``arange(n)``."""
    cupy = ModuleType("cupy")
    cupy.__version__ = "14.0.0"
    cupy.ndarray = type("ndarray", (FakeGPUArray,), {})
    cupy.synchronized = 0

    def asarray(x, dtype=None):
        return (
            x
            if isinstance(x, cupy.ndarray) and dtype is None
            else cupy.ndarray(np.asarray(getattr(x, "values", x), dtype))
        )

    def synchronize():
        cupy.synchronized += 1

    cupy.asarray = asarray
    cupy.arange = lambda n: cupy.ndarray(np.arange(n))
    cupy.cuda = SimpleNamespace(
        runtime=SimpleNamespace(
            CUDARuntimeError=CUDARuntimeError,
            getDeviceCount=lambda: 1,
            getDevice=lambda: 0,
            getDeviceProperties=lambda number: {"name": b"Fake GPU"},
            deviceSynchronize=synchronize,
        )
    )
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    return cupy
