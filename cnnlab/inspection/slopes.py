"""Slopes of a loss along random directions, measured by differences that notice kinks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

STEP = 1e-5  # for values around 1: central differences in float64 then err by some 1e-10
ROUNDING = 64 * float(np.finfo(np.float64).eps)
_SHRINK = 8.0


@dataclass(frozen=True)
class Slope:
    """How fast the loss changes along a direction, and how sure that is.

    Attributes
    ----------
    value
        From a central difference.
    noise
        What rounding may add to it.
    kink
        Whether the loss has a corner or a jump within the step, so that the value means nothing.
    """

    value: float
    noise: float
    kink: bool


def measure(loss: Callable[[float], float], step: float, *, size: float, tolerance: float) -> Slope:
    """Return the slope at 0 of a function of one number.

    Differences over a step and over half of it must agree, and the one-sided slopes must approach one another. Over a
    smooth stretch the central differences differ by O(step²) and the one-sided ones by O(step), so halving the step
    halves the gap; at a corner the gap stays, next to one the central differences disagree.

    Parameters
    ----------
    loss
        The function.
    step
        Largest distance from 0.
    size
        Sum of the absolute values that the loss is a sum of: what rounding is relative to.
    tolerance
        Relative disagreement that is no kink.
    """
    middle = loss(0.0)
    right, left, near_right, near_left = (loss(t) for t in (step, -step, step / 2, -step / 2))
    wide, narrow = (right - left) / (2 * step), (near_right - near_left) / step
    gap, near_gap = (right - 2 * middle + left) / step, (near_right - 2 * middle + near_left) / (step / 2)
    noise = ROUNDING * max(size, abs(middle)) / step
    allowed = tolerance * max(abs(wide), abs(narrow)) / 4 + noise
    kink = not (abs(wide - narrow) <= allowed and (abs(near_gap) <= 4 * allowed or abs(near_gap) <= 0.75 * abs(gap)))
    return Slope(narrow, noise, kink)


def smaller(step: float) -> float:
    """Return the next step to try, from which a kink may be out of reach."""
    return step / _SHRINK
