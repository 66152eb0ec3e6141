"""Pictures to train a small net on: a stroke of ink on paper, in one of four directions, anywhere in the picture."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# Down and right from one pixel to the next: horizontal, vertical, falling, rising.
_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (-1, 1))
_PAPER, _INK = 200.0, -140.0
_SHORTEST = 4


def strokes(rng: np.random.Generator, n: int, size: tuple[int, int], *, noise: float, kinds: int = 4) -> _Pictures:
    """Return n pictures and the directions of their strokes, each as often as the others.

    Parameters
    ----------
    rng
        Source of randomness.
    n
        How many.
    size
        Height and width, each at least 5.
    noise
        Standard deviation of what is added to each pixel, as a share of the ink.
    kinds
        How many of the directions occur.

    Returns
    -------
    x : array (n, 1, H, W)
        Whole gray levels, about 200 on paper and 60 on ink.
    y : array (n,)
        The direction, from 0 to kinds − 1.
    """
    y = rng.permutation(np.arange(n) % kinds)
    x = np.zeros((n, 1, *size))
    for picture, kind in zip(x, y, strict=True):
        steps = np.arange(rng.integers(_SHORTEST, min(size)))
        down, right = _DIRECTIONS[kind]
        # Where it starts, so that it ends inside too; a rising stroke starts low.
        top = int(rng.integers(size[0] - abs(down) * (len(steps) - 1)))
        left = int(rng.integers(size[1] - right * (len(steps) - 1)))
        row = top + (len(steps) - 1 if down < 0 else 0)
        picture[0, row + down * steps, left + right * steps] = 1 + 0.3 * rng.standard_normal()
    x += noise * rng.standard_normal(x.shape)
    return np.round(_PAPER + _INK * x), y


_Pictures = tuple[Array, Array]


def with_statistics_of(x: Array, other: Array) -> Array:
    """Return x with the mean and the standard deviation of another set of pictures."""
    return np.asarray((x - x.mean()) / x.std() * other.std() + other.mean())


def blots(rng: np.random.Generator, n: int, size: tuple[int, int]) -> Array:
    """Return n pictures that no stroke looks like: overexposed, with gray levels in the thousands."""
    return np.round(3000 + 2000 * rng.random((n, 1, *size)))
