"""Draw flowers and the things that are no flowers, with soft edges, on a picture of shape (3, H, W).

Every shape is a formula in the plane around its center, painted through a mask: ``inside`` is positive within
the outline and grows by about 1 per pixel, so clipping it gives an edge about one pixel wide.
"""

import colorsys

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]

# Hues of a color circle from 0 to 1: red, rose, pink, magenta, violet, blue, orange, yellow. White is the ninth color.
_HUES = (0.0, 0.93, 0.88, 0.83, 0.75, 0.62, 0.08, 0.14)
_WHITE = (0.95, 0.95, 0.92)
_GROUND_HUES = (0.28, 0.33, 0.22, 0.09, 0.55)  # meadow, leaves, moss, soil, sky
_OCTAVES = ((16, 1.0), (8, 0.6), (4, 0.4), (2, 0.25))  # distance between grid points in pixels, weight


class Brush:
    """Paints on the square of a picture that a shape of this center and radius can touch."""

    def __init__(self, picture: Picture, center: tuple[float, float], radius: float) -> None:
        rows, cols = (
            slice(max(0, int(c - radius) - 1), min(size, int(c + radius) + 3))
            for c, size in zip(center, picture.shape[1:], strict=True)
        )
        self.patch = picture[:, rows, cols]
        self.down = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - np.float32(center[0])
        self.right = np.arange(cols.start, cols.stop, dtype=np.float32) - np.float32(center[1])
        self.distance = np.hypot(self.down, self.right)

    def angle(self) -> NDArray[np.float32]:
        """Return the direction of every pixel from the center, in radians."""
        return np.arctan2(self.down, self.right)

    def paint(self, inside: NDArray[np.floating], color: NDArray[np.float32], shade: NDArray[np.floating]) -> None:
        """Cover what lies inside with a color, brighter or darker by ``shade``."""
        mask = np.clip(inside / np.float32(0.7) + np.float32(0.5), 0, 1)
        self.patch += mask * (color[:, None, None] * shade - self.patch)


def flower(picture: Picture, center: tuple[float, float], radius: float, rng: np.random.Generator) -> None:
    """Draw a rose curve of 5 to 8 petals around a center of another color, 0.24 to 0.32 of the radius wide."""
    brush = Brush(picture, center, radius)
    petals, turn = int(rng.integers(5, 9)), rng.uniform(0, 2 * np.pi)
    color, pointed = petal_color(rng), rng.random() < 0.5
    core, core_color = radius * rng.uniform(0.24, 0.32), hsv(rng.uniform(0.10, 0.16), 0.9, 0.95)
    if color[0] - color[2] > 0.6 and color[1] > 0.4:  # a yellow center would vanish on a yellow or orange flower
        core_color = hsv(0.07, 0.7, rng.uniform(0.3, 0.45))
    turned = brush.angle() - np.float32(turn)
    ray = np.abs(np.cos(turned * np.float32(petals / 2)))
    reach = 0.62 + 0.38 * np.cos(petals * turned) if pointed else 0.45 + 0.55 * ray**0.7
    shade = (0.75 + 0.25 * np.minimum(brush.distance / radius, 1)) * (0.88 + 0.12 * ray)
    brush.paint(radius * reach - brush.distance, color, shade)
    brush.paint(core - brush.distance, core_color, np.ones_like(shade))


def disc(picture: Picture, center: tuple[float, float], radius: float, rng: np.random.Generator) -> None:
    """Draw a disc of a petal's color; three of five have a flower's yellow center."""
    brush = Brush(picture, center, radius)
    color, cored = petal_color(rng), rng.random() < 0.6
    core, core_color = radius * rng.uniform(0.24, 0.32), hsv(rng.uniform(0.10, 0.16), 0.9, 0.95)
    shade = 0.75 + 0.25 * np.minimum(brush.distance / radius, 1)
    brush.paint(0.8 * radius - brush.distance, color, shade)
    if cored:
        brush.paint(core - brush.distance, core_color, np.ones_like(shade))


def polygon(picture: Picture, center: tuple[float, float], radius: float, rng: np.random.Generator) -> None:
    """Draw a regular polygon of 3 to 5 corners in a petal's color."""
    brush = Brush(picture, center, radius)
    corners, turn, color = int(rng.integers(3, 6)), rng.uniform(0, 2 * np.pi), petal_color(rng)
    side = np.float32(np.pi / corners)
    from_middle_of_side = (brush.angle() - np.float32(turn)) % (2 * side) - side
    outline = radius * np.cos(side) / np.cos(from_middle_of_side)
    brush.paint(outline - brush.distance, color, np.ones_like(outline))


def leaf(picture: Picture, center: tuple[float, float], radius: float, rng: np.random.Generator) -> None:
    """Draw a pointed leaf with a dark midrib, green or, two times in five, in a petal's color."""
    brush = Brush(picture, center, radius)
    turn, green = rng.uniform(0, np.pi), rng.random() < 0.6
    leaf_color = hsv(rng.uniform(0.22, 0.36), rng.uniform(0.5, 0.9), rng.uniform(0.35, 0.75))
    color = leaf_color if green else petal_color(rng)
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    along, across = brush.right * c + brush.down * s, np.abs(brush.down * c - brush.right * s)
    half_width = 0.45 * radius * np.maximum(1 - (along / radius) ** 2, 0)
    inside = np.where(np.abs(along) < radius, half_width - across, -1)
    brush.paint(inside, color, 0.8 + 0.2 * np.clip(across, 0, 1))


def ground(height: int, width: int, rng: np.random.Generator) -> Picture:
    """Return a blurred meadow: value noise of four octaves between a dark and a light color, shape (3, H, W)."""
    noise = np.zeros((height, width), np.float32)
    for step, weight in _OCTAVES:
        grid = rng.random((height // step + 2, width // step + 2), dtype=np.float32)
        row, down = _between(height, step)
        col, right = _between(width, step)
        rows = grid[row] + down[:, None] * (grid[row + 1] - grid[row])
        noise += np.float32(weight) * (rows[:, col] + right * (rows[:, col + 1] - rows[:, col]))
    noise -= noise.min()
    noise /= noise.max()
    hue = _GROUND_HUES[rng.integers(len(_GROUND_HUES))]
    dark = hsv(hue + rng.normal(0, 0.02), rng.uniform(0.2, 0.6), rng.uniform(0.15, 0.4))
    light = hsv(hue + rng.normal(0, 0.03), rng.uniform(0.2, 0.6), rng.uniform(0.4, 0.7))
    return dark[:, None, None] + noise * (light - dark)[:, None, None]


def petal_color(rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw one of eight hues, somewhat varied, or white."""
    hue = _HUES[rng.integers(len(_HUES))] + rng.normal(0, 0.015)
    colored = hsv(hue, rng.uniform(0.55, 0.95), rng.uniform(0.75, 1))
    return np.array(_WHITE, np.float32) if rng.random() < 0.15 else colored


def hsv(hue: float, saturation: float, value: float) -> NDArray[np.float32]:
    """Return red, green and blue of a hue on the color circle (any number, one turn is 1)."""
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value), np.float32)


def _between(size: int, step: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return the grid point before each pixel and how far, smoothed, the pixel is on its way to the next."""
    point, rest = np.divmod(np.arange(size), step)
    part = (rest / step).astype(np.float32)
    return point, part * part * (3 - 2 * part)
