"""What the gallery shows when it is given nothing: filters made by hand, and a last layer solved in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cnnlab.nn import Sequential

NAMES = ("disc", "square", "stripes", "cross")
SHOWN = 64
_SIDE = 24


def example() -> tuple[Sequential, NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Return a net, pictures (64, 3, 24, 24), their labels, and the templates of a linear classifier (4, 3, 24, 24).

    The first layer holds edges, lines, spots and opposing colors made by hand; the last one and the linear classifier
    are ridge regressions on 320 pictures, so that nothing is trained step by step.
    """
    from cnnlab import nn

    rng = np.random.default_rng(7)
    y = np.arange(320) % len(NAMES)
    x = np.stack([_picture(int(label), rng) for label in y]).astype(np.float32)
    net = nn.Sequential(
        nn.Conv2d(3, 12, 7, rng=rng), nn.ReLU(), nn.MaxPool2d(3), nn.Flatten(), nn.Linear(432, len(NAMES), rng=rng)
    )
    net[0].load_state_dict({"weight": _filters(), "bias": np.zeros(12, np.float32)})
    features = net[:4].eval()(x)
    weight, bias = _ridge(features, y, 30.0)
    net[4].load_state_dict({"weight": 8 * weight, "bias": 8 * bias})
    templates, _ = _ridge(x.reshape(len(x), -1), y, 3000.0)
    return net.train(), x[:SHOWN], y[:SHOWN], templates.reshape(-1, 3, _SIDE, _SIDE)


def _picture(label: int, rng: np.random.Generator) -> NDArray[Any]:
    r, c = np.indices((_SIDE, _SIDE)) - (_SIDE - 1) / 2 + rng.uniform(-3, 3, (2, 1, 1))
    size, angle = rng.uniform(5, 8), rng.uniform(0, np.pi)
    u, v = r * np.cos(angle) + c * np.sin(angle), c * np.cos(angle) - r * np.sin(angle)
    inside = np.hypot(u, v) < size
    shape = (
        inside,
        np.maximum(abs(u), abs(v)) < 0.85 * size,
        inside & (np.cos(u * 2 * np.pi / 5) > 0),
        inside & (np.minimum(abs(u), abs(v)) < 1.6),
    )[label]
    ink, ground = rng.permutation(np.array([rng.uniform(0.65, 1, 3), rng.uniform(0, 0.35, 3)]))
    ink[rng.integers(3)] = rng.uniform()
    picture = np.where(shape, ink[:, None, None], ground[:, None, None])
    clipped: NDArray[Any] = np.clip(picture + rng.normal(0, 0.03, picture.shape), 0, 1)
    return clipped


def _filters() -> NDArray[np.float32]:
    """Edges and lines at four angles, a spot, and three pairs of opposing colors, each with mean 0 and length 1."""
    r, c = np.indices((7, 7)) - 3.0
    bell = np.exp(-(r**2 + c**2) / 7)
    angles = np.arange(4) * np.pi / 4
    across = [r * np.cos(a) + c * np.sin(a) for a in angles]
    grey = [bell * np.sin(u * 1.1) for u in across] + [bell * np.cos(u * 1.5) for u in across]
    spot = np.exp(-(r**2 + c**2) / 3)
    colors: list[tuple[tuple[float, float, float], NDArray[Any]]] = [((1, 1, 1), g) for g in grey]
    colors += [((1, -1, 0), bell * np.sin(c)), ((-0.5, -0.5, 1), bell * np.sin(r))]
    colors += [((1, -0.5, -0.5), spot), ((1, 1, 1), spot)]
    filters = np.stack([np.multiply.outer(np.array(color, float), plane) for color, plane in colors])
    filters -= filters.mean(axis=(2, 3), keepdims=True)
    lengths = np.linalg.norm(filters.reshape(12, -1), axis=1)
    return np.asarray(filters / lengths[:, None, None, None], np.float32)


def _ridge(x: NDArray[Any], y: NDArray[Any], strength: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    target = np.eye(len(NAMES))[y] - 1 / len(NAMES)
    mean = x.mean(axis=0, dtype=np.float64)
    away = x - mean
    # the dual form: as many unknowns as pictures
    weight = (away.T @ np.linalg.solve(away @ away.T + strength * np.eye(len(x)), target)).T
    return weight.astype(np.float32), (1 / len(NAMES) - weight @ mean).astype(np.float32)
