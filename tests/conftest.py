"""What tests of several areas share: the lanes of array libraries, and one table of tolerances."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import array_api_strict
import numpy as np
import pytest

import cnnlab

from .postgresql_server import server

__all__ = ["server"]  # a fixture


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
    return cnnlab.asarray(cnnlab.to_numpy(x).copy(), device="gpu")


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

        pytest -m gpu

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


def _examples() -> dict[str, Callable[[], Any]]:
    """One small demo of each class, by the name of the class."""
    from cnnlab import data, demos

    rng = np.random.default_rng(5)

    def layers(*sizes: int) -> list[Any]:
        return [(rng.normal(size=(n, m)), np.zeros(n)) for m, n in pairwise(sizes)]

    def wrong_answer() -> Any:
        x, w = rng.integers(-2, 3, (5, 7)).astype(float), np.array([[1.0, 2.0], [0.0, -1.0]])
        cut = np.lib.stride_tricks.sliding_window_view(x, (2, 2))
        right, flipped = (np.einsum("ijuv,uv->ij", cut, k) for k in (w, w[::-1, ::-1]))
        return demos.Autopsy(right, flipped, x=x, w=w)

    with_arguments = {
        "WelcomeScanner": lambda: demos.WelcomeScanner(rng.normal(size=(4, 50)), layers(40, 3, 1), width=10),
        "FlowerScanner": lambda: demos.FlowerScanner(
            rng.random((3, 26, 32)), layers(3 * 6 * 5, 4, 1), size=(6, 5), flower=data.flower_sprite(8)
        ),
        "Autopsy": wrong_answer,
    }
    classes = {name: getattr(demos, name) for name in demos.__all__ if isinstance(getattr(demos, name), type)}
    return {name: with_arguments.get(name, cls) for name, cls in classes.items()}


DEMOS = (
    *("WelcomeScanner", "FlowerScanner", "GiantMatrix", "SharedGradient", "OrderOfComputation", "MapToDecision"),
    *("DistributedScan", "ConvStepper", "VolumeView", "ReceptiveField", "ArchitectureCalculator", "FilterGallery"),
    *("PoolingStepper", "Autopsy"),
)


@pytest.fixture(params=DEMOS)
def example_demo(request):
    """Each of the fourteen demos, small."""
    return _examples()[request.param]()


@pytest.fixture
def all_demos():
    """All fourteen, in the order of the course."""
    examples = _examples()
    assert set(examples) == set(DEMOS)
    return [examples[name]() for name in DEMOS]
