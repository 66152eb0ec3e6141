"""Inputs and filters to begin with, made by code: the deck's worked example, groups, sound and a clip."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.demos.pack import pack

Floats = NDArray[np.float64]


def flower(size: int, levels: int) -> Floats:
    """Return a picture (3, size, size) of a red flower with a yellow middle on green, in so many steps from 0 to 1."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    radius, angle = np.hypot(x, y) / (size / 2), np.arctan2(y, x)
    petals = radius < 0.72 + 0.22 * np.cos(5 * angle + 0.6)
    middle = radius < 0.34
    shade = np.clip(1.1 - 0.5 * radius, 0, 1)
    red = np.where(petals, shade, 0.1)
    green = np.where(middle, 0.9, np.where(petals, 0.1, 0.3 + 0.4 * (y > 0) * shade))
    blue = np.where(petals & ~middle, 0.35, 0.15)
    picture: Floats = np.round(np.clip([red, green, blue], 0, 1) * levels) / levels
    return picture


def color_filters() -> Floats:
    """Return six filters (6, 3, 3, 3): edges, a red spot, a yellow spot, green, red against green."""
    vertical = np.array([[1, -1, 0]] * 3) / 2
    spot = np.array([[-1, -1, -1], [-1, 2, -1], [-1, -1, -1]]) / 2
    flat, none, point = np.full((3, 3), 0.5), np.zeros((3, 3)), np.pad([[1.0]], 1)
    return np.array(
        [
            [point, -point, none],
            [vertical, vertical, vertical],
            [spot, spot, -point],
            [-point, flat, none],
            [vertical.T, vertical.T, vertical.T],
            [flat, -flat, point],
        ]
    )


def oriented_filters() -> Floats:
    """Return ten filters (10, 3, 5, 5): edges in five directions, of brightness and of color."""
    y, x = np.mgrid[-2:3, -2:3]
    bell = np.exp(-(x**2 + y**2) / 5)
    angles = np.arange(5) * np.pi / 5
    edges = [np.sin(1.2 * (x * np.cos(a) + y * np.sin(a)) + 0.6) * bell for a in angles]
    edges = [edge - edge.mean() for edge in edges]
    colors = [(1, 1, 1)] * 5 + [(1, -1, 0), (-1, 1, 0), (1, 0, -1), (0, 1, -1), (1, -1, 1)]
    return np.array([[np.round(8 * part * edges[k % 5]) / 8 for part in color] for k, color in enumerate(colors)])


def small() -> dict[str, Any]:
    """Return the default: a picture and six filters, small enough for every number to be read."""
    return {"x": flower(7, 2), "w": color_filters(), "b": np.array([0, 0, 0.5, -1, 0, 0.5])}


def examples() -> list[dict[str, Any]]:
    """Return what the reader can choose beside what was given, packed for the browser."""
    rng = np.random.default_rng(7)

    def weights(*shape: int) -> Floats:
        return rng.integers(-4, 5, shape) / 8

    t = np.arange(20)
    waves = [np.sin(2 * np.pi * t / period) for period in (4, 7, 13)]
    sound = np.round(np.array(waves) * 2) / 2
    clip = np.stack([np.stack([np.roll(flower(7, 2)[c], d - 1, axis=1) for d in range(4)]) for c in (0, 1)])
    maps = rng.integers(0, 5, (8, 6, 6)) / 4
    eight = {"x": maps, "w": weights(8, 8, 3, 3) * 4, "b": np.zeros(8), "padding": 1}
    deck = {"x": flower(32, 16), "w": oriented_filters(), "b": rng.integers(-2, 3, 10) / 4, "padding": 2, "at": [16, 9]}
    found: list[dict[str, Any]] = [
        {"name": "Small: 3 × 7 × 7", **small()},
        {"name": "Deck: 3 × 32 × 32", **deck},
        {"name": "Groups: 8 × 6 × 6", **eight},
        {"name": "1-D: 3 × 20", "x": sound, "w": weights(4, 3, 5) * 4, "b": np.zeros(4)},
        {"name": "3-D: 2 × 4 × 7 × 7", "x": clip, "w": weights(2, 2, 3, 3, 3) * 4, "b": np.array([0, 0.5])},
    ]
    return [{**e, **{name: pack(e[name], "float32") for name in ("x", "w", "b")}} for e in found]
