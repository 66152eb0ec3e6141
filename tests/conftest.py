"""What tests of several areas share: the lanes of array libraries, and one table of tolerances."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import array_api_strict
import numpy as np
import pytest

import cnnlab


@dataclass(frozen=True)
class Lane:
    """One kind of array that array-agnostic code must work with.

    ``array(x)`` makes such an array from anything NumPy can read; ``numpy(x)`` brings it back; ``dtypes`` are the
    floating dtypes that it has, the most exact one last.
    """

    name: str
    array: Callable[[Any], Any]
    dtypes: tuple[str, ...] = ("float32", "float64")

    def numpy(self, x: Any) -> np.ndarray:
        return cnnlab.to_numpy(x)

    @property
    def dtype(self) -> str:
        return self.dtypes[-1]

    def random(self, rng: np.random.Generator, *shape: int, dtype: str | None = None) -> Any:
        """Draw normal numbers on the host and make an array of this lane of them."""
        return self.array(rng.normal(size=shape).astype(dtype or self.dtype))


def read_only(x: Any) -> np.ndarray:
    x = np.array(x)
    x.flags.writeable = False
    return x


def strict(device: str) -> Callable[[Any], Any]:
    where = array_api_strict.Device(device)

    def array(x: Any) -> Any:
        x = np.array(x)
        if device == "no_float64" and x.dtype == np.float64:
            x = x.astype(np.float32)
        return array_api_strict.asarray(x, device=where)

    return array


def on_gpu(x: Any) -> Any:
    return cnnlab.asarray(np.array(x), device="gpu")


LANES = {
    "numpy": Lane("numpy", np.array),
    "read-only": Lane("read-only", read_only),
    "strict": Lane("strict", strict("device1")),
    "strict-no-float64": Lane("strict-no-float64", strict("no_float64"), dtypes=("float32",)),
    "cupy": Lane("cupy", on_gpu),
}


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.gpu] * (name == "cupy")) for name in LANES])
def lane(request):
    """Run the test once for each kind of array: NumPy, read-only NumPy, two fake devices, and CuPy.

    The fake devices are array-api-strict's: one raises whenever data would cross to the host unasked, the other has no
    float64. They stand in for a GPU where there is none. With one, the command is

        CNNLAB_DEVICE=gpu pytest -m gpu

    Without one, the CuPy lane is skipped and the run says why; CNNLAB_TESTS_REQUIRE=gpu makes that a failure.
    """
    return LANES[request.param]


# Relative and absolute, for sums of some hundred products of numbers around 1.
TOLERANCES = {"float32": (2e-5, 2e-5), "float64": (1e-11, 1e-11)}


@pytest.fixture(scope="session")
def assert_close():
    """Compare an array of any lane with what it should be, within the tolerance of its dtype."""

    def compare(got: Any, want: Any) -> None:
        got, want = cnnlab.to_numpy(got), cnnlab.to_numpy(want)
        relative, absolute = TOLERANCES[got.dtype.name]
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=relative, atol=absolute)

    return compare


@pytest.fixture
def rng():
    return np.random.default_rng(20230301)
