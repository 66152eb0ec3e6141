"""What goes wrong in a convolution with loops, each as the small function that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnnlab.checks.a3 import wrong_parts as parts
from cnnlab.checks.a3.convolving import Array, Pair, convolve
from cnnlab.checks.a3.mistakes_convolving import WHOLE_NUMBERS, in_any_convolution
from cnnlab.checks.assembled import mistakes_from


def assemble(**parts: Any) -> Callable[[Array, Array, Array, Pair], Any]:
    """Return a convolution without padding that has other parts: those of `convolve`."""

    def conv2d_loops(x: Array, w: Array, b: Array, stride: Pair) -> Any:
        return convolve(x, w, b, stride, (0, 0), **parts)

    return conv2d_loops


_wrong = mistakes_from(assemble)

MISTAKES = (
    *in_any_convolution(_wrong),
    _wrong("cut_each_time", *WHOLE_NUMBERS, combine=parts.cut_each_time, then=parts.whole),
)
