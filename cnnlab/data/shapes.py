"""Four shapes: small pictures made by code, each with a flower, a disc, a polygon or a leaf."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.data import _paint
from cnnlab.data._arguments import how_many, number_at_least_zero, rows_and_columns
from cnnlab.data._seeds import SHAPES, balanced_classes, stream
from cnnlab.data.flowers import RADII

NAMES = ("flower", "disc", "polygon", "leaf")
_DRAW = (_paint.flower, _paint.disc, _paint.polygon, _paint.leaf)
_SMALLEST_SIDE = 24


@dataclass(frozen=True)
class ShapeSet:
    """N pictures of one shape each.

    Attributes
    ----------
    x : array of float32, shape (N, 3, H, W)
        Red, green and blue in 0 … 1.
    y : array of int64, shape (N,)
        Which shape: an index into ``names``.
    center : array of float32, shape (N, 2)
        Row and column of the shape's center; pixel (i, j) is centered on (i, j).
    radius : array of float32, shape (N,)
        Radius, in pixels, of the circle that the shape lies in.
    names : tuple of str
        "flower", "disc", "polygon", "leaf".
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    center: NDArray[np.float32]
    radius: NDArray[np.float32]
    names: tuple[str, ...] = NAMES

    def __len__(self) -> int:
        return len(self.y)


def load_shapes(n: int = 2000, *, size: int | tuple[int, int] = 24, shift: float = 2, seed: int = 0) -> ShapeSet:
    """Draw pictures of one shape each, near the middle of a blurred meadow: the course's set for training a CNN.

    Of each four in a row, one shows a flower, one a disc, one a polygon and one a leaf, all of the same sizes and
    mostly the same colors (see `load_flowers`, which draws the same things into larger scenes). Picture ``i`` does
    not depend on ``n``, so a larger ``n`` only adds pictures. For a test set take another seed.

    Parameters
    ----------
    n : int
        How many pictures.
    size : int or (int, int)
        Height and width in pixels, at least 24; one number for a square.
    shift : float
        How many pixels, down and right, a shape may lie from the middle of the picture. No shape leaves the picture:
        of 24 pixels, one of radius 8 leaves 3.5 on each side, one of radius 11 leaves 0.5.
    seed : int
        Another seed gives other pictures.

    Returns
    -------
    ShapeSet

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or out of range; the text says which values are possible.

    Examples
    --------
    >>> few = load_shapes(8, size=(24, 32))
    >>> few.x.shape, sorted(few.names[y] for y in few.y[:4])
    ((8, 3, 24, 32), ['disc', 'flower', 'leaf', 'polygon'])
    """
    n = how_many(n, "picture")
    height, width = rows_and_columns("size", size, example="size=24 or size=(24, 32)")
    if min(height, width) < _SMALLEST_SIDE:
        raise ValueError(f"size={size}: a shape needs pictures of at least {_SMALLEST_SIDE} × {_SMALLEST_SIDE} pixels")
    shift = number_at_least_zero("shift", shift)
    y = balanced_classes(n, len(NAMES), seed, SHAPES)
    x = np.empty((n, 3, height, width), np.float32)
    circles = np.empty((n, 3), np.float32)
    for i in range(n):
        x[i], circles[i] = _picture(stream(seed, SHAPES, i), (height, width), int(y[i]), shift)
    return ShapeSet(x=x, y=y, center=circles[:, :2].copy(), radius=circles[:, 2].copy())


def _picture(
    rng: np.random.Generator, size: tuple[int, int], shape: int, shift: float
) -> tuple[NDArray[np.float32], tuple[float, float, float]]:
    """Draw one picture. All classes draw the same numbers up to the shape, so nothing else differs."""
    picture = _paint.ground(*size, rng)
    radius = rng.uniform(*RADII)
    row, column = (
        (side - 1) / 2 + rng.uniform(-1, 1) * min(shift, (side - 1) / 2 - radius)  # whatever the shift: one draw a side
        for side in size
    )
    brightness, grain = rng.uniform(0.8, 1.1), rng.standard_normal(picture.shape, dtype=np.float32)
    _DRAW[shape](picture, (row, column), radius, rng)
    pixels = np.clip(picture * np.float32(brightness) + np.float32(0.02) * grain, 0, 1)
    return pixels, (row, column, radius)
