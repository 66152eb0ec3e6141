"""Flower scenes: pictures made by code, half of them with a flower, all with other things."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.data import _paint
from cnnlab.data._arguments import how_many, number_or_range, rows_and_columns
from cnnlab.data._seeds import balanced_labels, stream

RADII = (8.0, 11.0)
_NO_FLOWERS = (_paint.disc, _paint.polygon, _paint.leaf)
_SMALLEST_SIDE = 24

Range = tuple[float, float]
Circle = tuple[float, float, float]  # row, column, radius


@dataclass(frozen=True)
class FlowerSet:
    """N pictures, half of them with a flower.

    Attributes
    ----------
    x : array of float32, shape (N, 3, H, W)
        Red, green and blue in 0 … 1.
    y : array of float32, shape (N,)
        1 where the picture contains a flower, else 0.
    center : array of float32, shape (N, 2)
        Row and column of the flower's center, or of the thing that stands in its place; pixel (i, j) is centered
        on (i, j).
    radius : array of float32, shape (N,)
        Its radius in pixels.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    center: NDArray[np.float32]
    radius: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.y)


def load_flowers(
    n: int = 2000,
    *,
    where: float | Range | None = None,
    rows: float | Range | None = None,
    size: int | tuple[int, int] = 64,
    seed: int = 0,
) -> FlowerSet:
    """Draw scenes of 2 to 4 things on a blurred meadow and, at a chosen place, a flower or another thing.

    The other things are discs (often with a flower's yellow center), polygons and leaves, of the same sizes and
    mostly the same colors. Scene ``i`` does not depend on ``n``, so a larger ``n`` only adds scenes.

    Parameters
    ----------
    n : int
        How many pictures. Of each two in a row, one has a flower.
    where : float, (float, float) or None
        Column of the flower's center, or range of columns it is drawn from; anywhere if None.
    rows : float, (float, float) or None
        The same for its row.
    size : int or (int, int)
        Height and width in pixels, at least 24; one number for a square.
    seed : int
        Another seed gives other scenes.

    Returns
    -------
    FlowerSet

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or out of range; the text says which values are possible.

    Examples
    --------
    >>> few = load_flowers(4, where=(16, 16), size=(48, 64))
    >>> few.x.shape, few.center[:, 1].tolist(), int(few.y.sum())
    ((4, 3, 48, 64), [16.0, 16.0, 16.0, 16.0], 2)
    """
    n = how_many(n, "picture")
    height, width = rows_and_columns("size", size, example="size=64 or size=(48, 64)")
    if min(height, width) < _SMALLEST_SIDE:
        raise ValueError(f"size={size}: a flower needs pictures of at least {_SMALLEST_SIDE} × {_SMALLEST_SIDE} pixels")
    columns = _range("where", where, width)
    rows = _range("rows", rows, height)
    y = balanced_labels(n, seed)
    x = np.empty((n, 3, height, width), np.float32)
    circles = np.empty((n, 3), np.float32)
    for i in range(n):
        x[i], circles[i] = _scene(stream(seed, i), (height, width), bool(y[i]), rows, columns)
    return FlowerSet(x=x, y=y, center=circles[:, :2].copy(), radius=circles[:, 2].copy())


def flower_sprite(radius: float = 10.0, *, seed: int = 0) -> NDArray[np.float32]:
    """Draw one flower on a transparent ground, to lay over a picture anywhere.

    Parameters
    ----------
    radius : float
        In pixels, 8 to 11 as in the scenes.
    seed : int
        Another seed gives another flower.

    Returns
    -------
    array of float32, shape (4, side, side)
        Red, green and blue in 0 … 1 and, last, the opacity; side is 2⌈radius⌉ + 1, so the center is a pixel.

    Examples
    --------
    >>> flower_sprite(9).shape
    (4, 19, 19)
    """
    if not RADII[0] <= radius <= RADII[1]:
        raise ValueError(f"radius={radius}: flowers have radii from {RADII[0]:g} to {RADII[1]:g} pixels")
    side = 2 * int(np.ceil(radius)) + 1
    black, white = np.zeros((3, side, side), np.float32), np.ones((3, side, side), np.float32)
    for ground in (black, white):
        _paint.flower(ground, (side // 2, side // 2), radius, stream(seed, 0))
    opacity = np.clip(1 - (white - black).mean(axis=0), 0, 1)
    color = np.divide(black, opacity, out=np.zeros_like(black), where=opacity > 1e-3)
    return np.concatenate([np.clip(color, 0, 1), opacity[None]])


def _scene(
    rng: np.random.Generator, size: tuple[int, int], has_flower: bool, rows: Range, columns: Range
) -> tuple[NDArray[np.float32], Circle]:
    """Draw one scene. Both classes draw the same numbers up to the thing at the place, so nothing else differs."""
    picture = _paint.ground(*size, rng)
    key: Circle = (rng.uniform(*rows), rng.uniform(*columns), rng.uniform(*RADII))
    instead = _NO_FLOWERS[rng.integers(len(_NO_FLOWERS))]
    taken = [key]
    for _ in range(rng.integers(2, 5)):
        circle = _free_place(rng, size, rng.uniform(0.7 * RADII[0], RADII[1]), taken)
        draw = _NO_FLOWERS[rng.integers(len(_NO_FLOWERS))]
        if circle is not None:
            taken.append(circle)
            draw(picture, circle[:2], circle[2], rng)
    brightness, grain = rng.uniform(0.8, 1.1), rng.standard_normal(picture.shape, dtype=np.float32)
    draw = _paint.flower if has_flower else instead
    draw(picture, key[:2], key[2], rng)
    return np.clip(picture * np.float32(brightness) + np.float32(0.02) * grain, 0, 1), key


def _free_place(rng: np.random.Generator, size: tuple[int, int], radius: float, taken: list[Circle]) -> Circle | None:
    """Return a place inside the picture that touches nothing, or None if forty tries find none."""
    tries = rng.uniform(radius, [size[0] - 1 - radius, size[1] - 1 - radius], (40, 2))
    circles = np.array(taken)
    distance = np.hypot(*(tries[:, None] - circles[:, :2]).transpose(2, 0, 1))  # (tries, taken)
    free = np.flatnonzero((distance > radius + circles[:, 2]).all(axis=1))
    return (float(tries[free[0], 0]), float(tries[free[0], 1]), radius) if len(free) else None


def _range(name: str, asked: float | Range | None, side: int) -> Range:
    """Return the range of a coordinate of the center; a flower of any radius fits everywhere in it."""
    least, most = RADII[1], side - 1 - RADII[1]
    low, high = (
        (least, most)
        if asked is None
        else number_or_range(name, asked, example=f"pixels, {name}=16 or {name}=(16, 20)")
    )
    if low > high:
        raise ValueError(f"{name}={asked} runs backwards: give the smaller number first, {name}=({high}, {low})")
    if low < least or high > most:
        raise ValueError(
            f"{name}={asked} does not keep the flower inside {side} pixels: its center may lie from {least:g} "
            f"to {most:g}"
        )
    return low, high
