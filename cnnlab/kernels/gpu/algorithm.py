"""What an algorithm for arrays on a GPU has to offer, and the list of those there are."""

from __future__ import annotations

from typing import Any, ClassVar

from cnnlab.kernels.algorithm import Algorithm
from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.case import Case
from cnnlab.kernels.gpu.device import LIMIT
from cnnlab.kernels.gpu.window import AXES
from cnnlab.kernels.passes import Layer


class OnGPU(Algorithm):
    """An algorithm that computes whole passes of contiguous CuPy arrays, all groups at once."""

    provider: ClassVar[str] = "gpu"
    grouped = True
    has_grad_input = True

    def fault(self, case: Case) -> str | None:
        """Refuse: the planner of `cnnlab.kernels.planner` plans for the CPU."""
        del case
        return "it computes arrays on a GPU"

    def refusal(self, case: Case) -> str | None:
        """Return why this cannot compute the case on a GPU, or None if it can."""
        if len(case.kernel) > AXES:
            return f"there are {len(case.kernel)} spatial axes, more than {AXES}"
        picture = max(case.in_channels * case.inputs, case.out_channels * case.positions)
        return f"a picture has {picture:,} numbers, more than {LIMIT:,}" if picture > LIMIT else None

    def correlate(self, x: Any, w: Any, b: Any, layer: Layer, case: Case) -> Any:
        """Return y (N, C_out, *out) for x (N, C_in, *spatial), w (C_out, C_in/G, *kernel) and b (C_out,) or None."""
        raise NotImplementedError(f"{self.name} has no forward")

    def correlate_weights(self, dy: Any, x: Any, layer: Layer, case: Case) -> Any:
        """Return dw (C_out, C_in/G, *kernel) for dy (N, C_out, *out) and x (N, C_in, *spatial)."""
        raise NotImplementedError(f"{self.name} has no grad_weight")

    def correlate_back(self, dy: Any, w: Any, spatial: Ints, layer: Layer, case: Case) -> Any:
        """Return dx (N, C_in, *spatial) for dy (N, C_out, *out) and w (C_out, C_in/G, *kernel)."""
        raise NotImplementedError(f"{self.name} has no grad_input")


known: dict[str, OnGPU] = {}


def weight_shape(case: Case) -> Ints:
    """Return (C_out, C_in/G, *kernel)."""
    return (case.out_channels, case.in_channels // case.groups, *case.kernel)


def pictures(case: Case) -> int:
    """Return how many pictures one launch may work on."""
    picture = max(case.in_channels * case.inputs, case.out_channels * case.positions)
    return max(1, LIMIT // max(picture, 1))
