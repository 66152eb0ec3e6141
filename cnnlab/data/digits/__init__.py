"""Handwritten digits: 8 × 8 pixels as they are, or enlarged and written a little differently."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.data._arguments import how_many, number_at_least_zero, one_of, rows_and_columns
from cnnlab.data._seeds import DIGITS, stream
from cnnlab.data.digits._enlarge import Hand, enlarge

TEST_FORMS = (11, 12, 13)
_STORED_SIDE, _SMALLEST_SIDE = 8, 16


@dataclass(frozen=True)
class DigitSet:
    """N pictures of handwritten digits.

    Attributes
    ----------
    x : array of float32, shape (N, 1, H, W)
        Darkness in 0 … 1, ink on white paper being 1 on 0.
    y : array of int64, shape (N,)
        The digit.
    form : array of int64, shape (N,)
        Which of 14 printed forms the digit was written on; one form is one person's.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    form: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)


def load_digits(
    split: str = "train",
    *,
    size: int | tuple[int, int] = 8,
    warp: float | None = None,
    copies: int = 1,
    shift: int | tuple[int, int] = 0,
    seed: int = 0,
) -> DigitSet:
    """Return handwritten digits, 1415 to train with and 382 by other hands: part of the package, nothing is fetched.

    The pictures are scikit-learn's copy of the test part of UCI's "Optical Recognition of Handwritten Digits" (E.
    Alpaydin and C. Kaynak, 1998, CC BY 4.0), by 13 people. Each filled in a printed form of 130 digits, one filled in
    two, and the data do not tell who. The last three of the 14 forms are the test set, so its hands are unknown in
    training (unless the two forms of one person were parted). That is harder, and says more of what a net will do,
    than a random tenth.

    Parameters
    ----------
    split : {"train", "test"}
        The first 11 forms, or the last 3.
    size : int or (int, int)
        8 for the pictures as they are. Otherwise height and width in pixels, at least 16: each digit is drawn larger,
        20/28 of the shorter side, with sharp strokes, and warped. 28 gives pictures like those of MNIST.
    warp : float or None
        How far an enlarged digit is turned (up to 12° at 1), slanted, stretched and bent; 0 not at all. None is 1.
    copies : int
        How many differently warped pictures of each digit. Picture ``c * N + i`` is copy ``c`` of digit ``i``, and
        does not depend on how many copies there are.
    shift : int or (int, int)
        Pixels by which every picture is moved down and right (negative: up and left); one number for both. What
        leaves the picture is lost, and paper follows.
    seed : int
        Another seed warps otherwise.

    Returns
    -------
    DigitSet

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or out of range; the text says which values are possible.

    Examples
    --------
    >>> seen, unseen = load_digits("train"), load_digits("test", size=28, shift=(0, 5))
    >>> seen.x.shape, unseen.x.shape, unseen.y[:5].tolist()
    ((1415, 1, 8, 8), (382, 1, 28, 28), [0, 1, 2, 3, 4])
    """
    one_of("split", split, ("train", "test"))
    height, width = rows_and_columns("size", size, example="size=28 or size=(28, 40)")
    copies = how_many(copies, "copy", name="copies")
    down, right = rows_and_columns("shift", shift, example="shift=5 or shift=(0, 5)")
    stored = _stored()
    chosen = np.isin(stored["form"], TEST_FORMS) == (split == "test")
    ink, y, form = (stored[name][chosen] for name in ("ink", "digit", "form"))
    if (height, width) == (_STORED_SIDE, _STORED_SIDE):
        if copies > 1 or warp:
            raise ValueError(f"copies={copies}, warp={warp}: 8 × 8 digits are given as they are; for more ask size=28")
        x = ink
    elif min(height, width) < _SMALLEST_SIDE:
        raise ValueError(f"size={size}: ask for 8, the pictures as they are, or for at least {_SMALLEST_SIDE} pixels")
    else:
        strength = 1.0 if warp is None else number_at_least_zero("warp", warp)
        numbers = np.flatnonzero(chosen).tolist()  # not the place in the split: a hand belongs to a picture
        x = np.concatenate(
            [
                enlarge(ink, [Hand.drawn(stream(seed, DIGITS, copy, i), strength) for i in numbers], (height, width))
                for copy in range(copies)
            ]
        )
    return DigitSet(
        x=_moved(x, down, right)[:, None], y=np.tile(y, copies).astype(np.int64), form=np.tile(form, copies)
    )


@cache
def _stored() -> dict[str, NDArray[Any]]:
    with files(__package__).joinpath("digits.npz").open("rb") as file, np.load(file, allow_pickle=False) as archive:
        arrays = {"ink": (archive["ink"] / 16).astype(np.float32), "digit": archive["digit"]}
        arrays["form"] = archive["form"].astype(np.int64)
    return arrays


def _moved(x: NDArray[np.float32], down: int, right: int) -> NDArray[np.float32]:
    moved = np.zeros_like(x)
    (to_row, from_row), (to_col, from_col) = (
        _overlap(by, side) for by, side in zip((down, right), x.shape[1:], strict=True)
    )
    moved[:, to_row, to_col] = x[:, from_row, from_col]
    return moved


def _overlap(by: int, side: int) -> Sequence[slice]:
    """Return where along a side what stays is put, and where it comes from."""
    by = max(-side, min(side, by))
    return slice(max(by, 0), side + min(by, 0)), slice(max(-by, 0), side - max(by, 0))
