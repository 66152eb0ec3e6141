"""Checks on what a reader hands to the flower scanner; each error says what to change."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.inputs import numbers

Floats = NDArray[np.float32]


def picture(image: ArrayLike, name: str = "image") -> Floats:
    """Return an image as (C, H, W) with C 1 or 3 and values in 0 … 1."""
    array = numbers(image, name, ndim=(2, 3))
    array = array[None] if array.ndim == 2 else array
    if array.shape[0] not in (1, 3):
        hint = ": transpose it to (3, H, W)" if array.shape[2] in (1, 3) else ": expected (3, H, W) or (H, W)"
        raise ValueError(f"{name} has shape {array.shape}{hint}")
    least, most = float(array.min()), float(array.max())
    if least < 0 or most > 1:
        hint = "divide it by 255" if least >= 0 and most <= 255 else "scale it"
        raise ValueError(f"{name} runs from {least:g} to {most:g}: expected values in 0 … 1, {hint}")
    return array


def sprite(flower: Any, shape: tuple[int, ...]) -> tuple[Floats, Floats] | None:
    """Return (patch, mask) of shapes (C, h, w) and (h, w) after checking that they fit a picture of this shape."""
    if flower is None:
        return None
    if isinstance(flower, tuple | list) and len(flower) == 2:
        patch, mask = picture(flower[0], "flower’s patch"), numbers(flower[1], "flower’s mask", ndim=2)
    else:
        rgba = numbers(flower, "flower", ndim=3)
        if rgba.shape[0] != shape[0] + 1:
            raise ValueError(
                f"flower has shape {rgba.shape}: expected ({shape[0] + 1}, h, w), the picture’s channels and the "
                "opacity, or a pair (patch, mask)"
            )
        patch, mask = picture(rgba[:-1], "flower"), rgba[-1]
    if mask.min() < 0 or mask.max() > 1:
        raise ValueError(f"flower’s mask runs from {mask.min():g} to {mask.max():g}: expected 0 (clear) to 1 (opaque)")
    if mask.shape != patch.shape[1:] or patch.shape[0] != shape[0]:
        raise ValueError(
            f"flower’s patch has shape {patch.shape} and its mask {mask.shape}: expected ({shape[0]}, h, w) and (h, w)"
        )
    if mask.shape[0] > shape[1] or mask.shape[1] > shape[2]:
        raise ValueError(f"flower has {mask.shape[0]} × {mask.shape[1]} pixels, more than the picture’s {shape[1:]}")
    return patch, mask


def center(truth: Any, shape: tuple[int, ...]) -> list[float] | None:
    """Return the row and column where the flower really is, after checking that they lie in the picture."""
    if truth is None:
        return None
    values = numbers(truth, "truth", ndim=1, dtype=np.float64)
    if len(values) != 2 or not all(0 <= v <= side - 1 for v, side in zip(values, shape[1:], strict=True)):
        raise ValueError(
            f"truth={values.tolist()}: expected the row and the column of the flower’s center, within 0 … "
            f"{shape[1] - 1} and 0 … {shape[2] - 1}"
        )
    return [float(v) for v in values]
