"""Two photos, in color or grey, in their own or a smaller size."""

from dataclasses import dataclass, field
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from cnnlab.data._arguments import how_many

# Name, what it shows, who took it. All are CC0; LICENSE.md beside the files says where each is from.
_PHOTOS = (
    ("chelsea", "a cat, close", "Stefan van der Walt"),
    ("coffee", "a cup of coffee on a wooden table", "Rachel Michetti"),
)
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # red, green, blue: ITU-R BT.709


@dataclass(frozen=True)
class Photo:
    """One photo.

    Attributes
    ----------
    name : str
        "chelsea" or "coffee".
    x : array of float32, shape (3, H, W) or (1, H, W)
        Red, green and blue, or grey, in 0 … 1.
    shows, author, license : str
        What is seen, who took the photo, and "CC0 1.0".
    """

    name: str
    x: NDArray[np.float32] = field(repr=False)
    shows: str
    author: str
    license: str = "CC0 1.0"


def load_photos(*, size: int | None = None, grey: bool = False) -> list[Photo]:
    """Return the photos of a cat, 300 × 451 pixels, and of a cup of coffee, 400 × 600, for filters to be tried on.

    Parameters
    ----------
    size : int or None
        Length of the longer side in pixels, at most 451; the other side keeps its proportion to it. Each new pixel is
        the mean of the area it covers. None: as they are.
    grey : bool
        One channel, 0.2126 red + 0.7152 green + 0.0722 blue, for three.

    Returns
    -------
    list of Photo

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or out of range; the text says which values are possible.

    Examples
    --------
    >>> cat, coffee = load_photos(size=90, grey=True)
    >>> cat.x.shape, coffee.x.shape
    ((1, 60, 90), (1, 60, 90))
    """
    if not isinstance(grey, bool):
        raise TypeError(f"grey={grey!r}: say True or False")
    if size is not None:
        size = how_many(size, "pixel", name="size")
    photos = []
    for name, shows, author in _PHOTOS:
        x = _read(f"{name}.jpg")
        if grey:
            x = np.sum(_LUMA[:, None, None] * x, axis=0, keepdims=True, dtype=np.float32)  # (1, H, W)
        photos.append(Photo(name=name, x=x if size is None else _shrunk(x, size, name), shows=shows, author=author))
    return photos


def _read(name: str) -> NDArray[np.float32]:
    from PIL import Image  # a dependency of matplotlib, and of ours; slow to import

    with files(__package__).joinpath(name).open("rb") as file, Image.open(file) as picture:
        pixels = np.asarray(picture.convert("RGB"), np.float32) / 255  # (H, W, 3)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))  # (3, H, W)


def _shrunk(x: NDArray[np.float32], size: int, name: str) -> NDArray[np.float32]:
    H, W = x.shape[1:]
    longer = max(H, W)
    if size > longer:
        raise ValueError(f"size={size}: {name} is {H} × {W} pixels; ask for at most {longer}, or for None")
    height, width = (max(1, round(side * size / longer)) for side in (H, W))
    rows, cols = _averaging(height, H), _averaging(width, W)
    small: NDArray[np.float32] = np.matmul(rows @ x, cols.T, dtype=np.float32)  # (C, height, width)
    return small


def _averaging(new: int, old: int) -> NDArray[np.float32]:
    """Return the matrix, shape (new, old), by which each new pixel is the mean of the old ones that it covers."""
    edges = np.arange(new + 1) * (old / new)
    first, last = edges[:-1, None], edges[1:, None]
    pixel = np.arange(old)
    covered = np.clip(np.minimum(last, pixel + 1) - np.maximum(first, pixel), 0, None) * (new / old)
    shares: NDArray[np.float32] = covered.astype(np.float32)
    return shares
