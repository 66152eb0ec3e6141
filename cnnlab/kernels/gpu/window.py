"""Sizes of a scan as the kernels take them: always three axes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from typing import Any

from numpy.typing import NDArray

from cnnlab.geometry import PoolGeometry
from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.case import Case
from cnnlab.kernels.gpu import device
from cnnlab.kernels.passes import Layer

AXES = 3


@dataclass(frozen=True)
class Window:
    """A kernel that moves over a map.

    Attributes
    ----------
    spatial, kernel, stride, dilation, before, out : tuple of int
        Sizes of map and kernel, steps, zeros before the map, and size of the output; three entries, those of missing
        axes in front.
    """

    spatial: Ints
    kernel: Ints
    stride: Ints
    dilation: Ints
    before: Ints
    out: Ints

    @cached_property
    def numbers(self) -> Ints:
        """All sizes, in the order of Window in ``kernels.cu``."""
        return (*self.spatial, *self.kernel, *self.stride, *self.dilation, *self.before, *self.out)

    @cached_property
    def argument(self) -> NDArray[Any]:
        """All sizes as one argument of a kernel."""
        return device.by_value(self.numbers)

    @cached_property
    def inputs(self) -> int:
        """Places of the map."""
        return prod(self.spatial)

    @cached_property
    def taps(self) -> int:
        """Taps of the kernel."""
        return prod(self.kernel)

    @cached_property
    def positions(self) -> int:
        """Places of the output."""
        return prod(self.out)

    @cached_property
    def is_pixel(self) -> bool:
        """Whether each output sees the one input at its own place."""
        return self.taps == 1 and self.spatial == self.out and not any(self.before)


@lru_cache(maxsize=1024)
def window(spatial: Ints, kernel: Ints, *, stride: Ints, dilation: Ints, before: Ints, out: Ints) -> Window:
    """Return the sizes with axes of size 1 in front."""
    more = AXES - len(kernel)
    ones, zeros = (1,) * more, (0,) * more
    return Window(ones + spatial, ones + kernel, ones + stride, ones + dilation, zeros + before, ones + out)


def of_convolution(layer: Layer, case: Case) -> Window:
    """Return the sizes of a correlation; only zeros are padded there."""
    pads = layer.pads
    spatial = tuple(size - sum(added) for size, added in zip(case.padded, pads, strict=True))
    before = tuple(zeros for zeros, _ in pads)
    return window(spatial, case.kernel, stride=case.stride, dilation=case.dilation, before=before, out=case.out)


def of_pool(geometry: PoolGeometry, spatial: Ints) -> Window:
    """Return the sizes of a pooling layer; places beyond the map are not seen."""
    before = tuple(zeros for zeros, _ in geometry.padding)
    out = tuple(geometry.output_size(spatial))
    return window(
        tuple(spatial), geometry.kernel, stride=geometry.stride, dilation=geometry.dilation, before=before, out=out
    )
