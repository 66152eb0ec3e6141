"""Inputs for the scanning exercises."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

NumberLayers = list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]


def layers_of_sizes(rng: np.random.Generator, sizes: Sequence[int], dtype: Any = np.float64) -> NumberLayers:
    """Return random layers ``[(W, b), …]`` for sizes such as ``(6, 4, 1)``: input, hidden layers, output."""
    return [(numbers(rng, (n_out, n_in), dtype), numbers(rng, (n_out,), dtype)) for n_in, n_out in pairwise(sizes)]


def numbers(rng: np.random.Generator, shape: Sequence[int], dtype: Any = np.float64) -> np.ndarray[Any, Any]:
    """Return normal numbers with two decimals: short to read on a card, and never equal by accident in large sums."""
    return np.round(rng.standard_normal(tuple(shape)), 2).astype(dtype)
