"""The layers that the convolution tests share, and the directional gradient check."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest


@dataclass(frozen=True)
class ConvCase:
    """Shapes and options of one layer; chosen awkward: unequal axes, strides that do not divide, even kernels."""

    x: tuple[int, ...]
    w: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)

    def draw(self, rng, lane=None):
        """Draw x, w and b; of one lane, or as NumPy arrays in float64."""
        make = (lambda *shape: lane.random(rng, *shape)) if lane else (lambda *shape: rng.normal(size=shape))
        return make(*self.x), make(*self.w), make(self.w[0])


CONV_CASES = {
    "1-D": ConvCase((2, 3, 8), (4, 3, 3)),
    "1-D stride 3 with a remainder": ConvCase((2, 3, 9), (2, 3, 2), {"stride": 3}),
    "2-D": ConvCase((2, 3, 6, 5), (4, 3, 3, 2)),
    "2-D one pixel kernel": ConvCase((2, 3, 3, 4), (5, 3, 1, 1)),
    "2-D kernel as large as the input": ConvCase((2, 3, 3, 4), (2, 3, 3, 4)),
    "2-D one channel, one filter": ConvCase((1, 1, 5, 4), (1, 1, 2, 3)),
    "2-D unequal options": ConvCase(
        (2, 3, 8, 7), (4, 3, 3, 2), {"stride": (2, 3), "padding": (1, 0), "dilation": (1, 2)}
    ),
    "2-D padding wider than the kernel": ConvCase((1, 2, 3, 2), (2, 2, 2, 1), {"padding": (3, 2)}),
    "2-D same, even kernel": ConvCase((2, 2, 5, 4), (3, 2, 4, 2), {"padding": "same"}),
    "2-D groups": ConvCase((2, 4, 5, 6), (6, 2, 2, 3), {"groups": 2, "stride": (1, 2)}),
    "2-D depthwise": ConvCase((2, 3, 5, 4), (6, 1, 3, 2), {"groups": 3, "padding": 1}),
    "2-D reflect": ConvCase((2, 2, 5, 4), (3, 2, 3, 3), {"padding": (2, 1), "padding_mode": "reflect"}),
    "2-D replicate": ConvCase(
        (2, 2, 4, 5), (3, 2, 3, 2), {"padding": (3, 1), "stride": 2, "padding_mode": "replicate"}
    ),
    "2-D circular": ConvCase((2, 2, 4, 5), (3, 2, 3, 2), {"padding": "same", "padding_mode": "circular"}),
    "3-D": ConvCase((2, 2, 4, 5, 3), (3, 2, 2, 3, 2), {"stride": (1, 2, 1), "padding": (0, 1, 1)}),
    "4-D": ConvCase((1, 2, 3, 2, 3, 2), (2, 1, 2, 1, 2, 2), {"groups": 2}),
}


@pytest.fixture(params=CONV_CASES.values(), ids=CONV_CASES)
def conv_case(request):
    return request.param


@pytest.fixture
def assert_gradient(rng):
    """Compare a gradient with the slope of the loss along random directions, in float64.

    ``loss`` takes one array and returns a number. A slope along a random direction tests every entry of the gradient at
    once: d/dε loss(x + ε·v) = ⟨gradient, v⟩.
    """

    def check(loss, x, gradient, *, step=1e-6):
        assert gradient.shape == x.shape
        for _ in range(3):
            v = rng.normal(size=x.shape)
            slope = (loss(x + step * v) - loss(x - step * v)) / (2 * step)
            np.testing.assert_allclose(np.sum(gradient * v), slope, rtol=1e-6, atol=1e-8)

    return check
