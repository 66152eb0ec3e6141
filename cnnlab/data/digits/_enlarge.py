"""Draw 8 × 8 digits larger, as if written a little differently: turned, slanted, stretched, with an unsteady hand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# As in MNIST, where the digit fills 20 of 28 pixels: what is left around it is room for a shift.
_SHARE = 20 / 28
_TURN, _SLANT, _STRETCH = np.deg2rad(12), 0.15, 0.12  # largest of each, either way
_BEND = np.float32(0.3)  # spread of the bends, in cells of the 8 × 8 picture
_BENDS = 4  # grid of bends along each axis: neighbors a third of the picture apart
_PAPER, _INK = 0.25, 0.75  # darkness below and above which a pixel is white or black
_MARGIN = 3  # cells of paper around a picture, more than the four that an interpolation reaches over


@dataclass(frozen=True)
class Hand:
    """How one copy of a digit differs from the stored one."""

    turned: Floats  # (2, 2), from places in the new picture to places in the old one
    bends: Floats  # (2, 4, 4), cells down and right

    @classmethod
    def drawn(cls, rng: np.random.Generator, strength: float) -> "Hand":
        """Draw a hand; with strength 0 it changes nothing, and each strength draws the same numbers."""
        angle, slant, tall, wide = strength * rng.uniform(-1, 1, 4) * (_TURN, _SLANT, _STRETCH, _STRETCH)
        c, s = np.cos(angle), np.sin(angle)
        turned = np.array([[c, s], [-s, c]]) @ np.array([[1, 0], [slant, 1]]) @ np.diag(np.exp([tall, wide]))
        bends = np.float32(strength) * _BEND * rng.standard_normal((2, _BENDS, _BENDS), dtype=np.float32)
        return cls(turned.astype(np.float32), bends)


def enlarge(ink: Floats, hands: list[Hand], size: tuple[int, int]) -> Floats:
    """Draw each picture larger, in the middle, by the hand given for it.

    Parameters
    ----------
    ink : array of float32, shape (N, 8, 8)
        Darkness in 0 … 1.
    hands : list of N Hand
    size : (int, int)
        Height and width in pixels. The 8 cells become 20/28 of the shorter side.

    Returns
    -------
    array of float32, shape (N, H, W)
    """
    H, W = size
    cell = _SHARE * min(size) / 8  # pixels
    down, right = ((np.arange(side, dtype=np.float32) - (side - 1) / 2) / cell for side in size)
    places = np.stack(np.broadcast_arrays(down[:, None], right)).reshape(2, H * W)  # in cells from the middle
    turned = np.stack([hand.turned for hand in hands]) @ places  # (N, 2, H·W)
    rows, cols = (_spread(side) for side in size)
    bent = rows @ np.stack([hand.bends for hand in hands]) @ cols.T  # (N, 2, H, W)
    return _sharpen(_sample(ink, 3.5 + turned + bent.reshape(turned.shape))).reshape(-1, H, W)


def _spread(side: int) -> Floats:
    """Return the weights, shape (side, 4), by which a grid of bends is smoothly spread over a side."""
    at = np.linspace(0, _BENDS - 1, side)
    distance = np.minimum(np.abs(at[:, None] - np.arange(_BENDS)), 1)
    return (0.5 + 0.5 * np.cos(np.pi * distance)).astype(np.float32)


def _sample(ink: Floats, at: Floats) -> Floats:
    """Read pictures (N, 8, 8) at fractional rows and columns, ``at`` (N, 2, P), by Catmull-Rom cubics; (N, P)."""
    padded = np.pad(ink, ((0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN)))
    side = padded.shape[1]
    at = np.clip(at + np.float32(_MARGIN), 1, side - 2 - 1e-4)  # what lies farther out is paper too
    first = at.astype(np.intp) - 1
    weights = _cubic(at - (first + 1).astype(np.float32))  # (4, N, 2, P)
    start = (np.arange(len(ink))[:, None] * side + first[:, 0]) * side + first[:, 1]  # (N, P)
    flat, value = padded.ravel(), np.zeros(start.shape, np.float32)
    for i in range(4):
        row = sum(weights[j, :, 1] * flat[start + i * side + j] for j in range(4))
        value += weights[i, :, 0] * row
    return value


def _cubic(t: Floats) -> Floats:
    """Return the weights of the four neighbors of a place ``t`` of the way from the second to the third."""
    return np.stack(
        [((2 - t) * t - 1) * t / 2, ((3 * t - 5) * t * t + 2) / 2, ((4 - 3 * t) * t + 1) * t / 2, (t - 1) * t * t / 2]
    ).astype(np.float32)


def _sharpen(ink: Floats) -> Floats:
    """Make the blurred edges of a stroke about a pixel wide again."""
    part = np.clip((ink - _PAPER) / (_INK - _PAPER), 0, 1)
    sharp: Floats = (part * part * (3 - 2 * part)).astype(np.float32)
    return sharp
