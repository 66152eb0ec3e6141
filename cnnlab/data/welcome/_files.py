"""Read the two files of this folder; how they were made is told in ``scripts/build_welcome.py``."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORD = "welcome"
NEAR_MISSES = ("become", "outcome", "income", "welfare", "wellness", "well", "come", "awesome")


@dataclass(frozen=True)
class Clips:
    """Single words: the mel powers of clip ``c`` are ``power[first[c] : first[c + 1]]``, shape (frames, 20).

    ``table[speaker, word]`` is the number of a clip. ``splits`` and ``voices`` belong to speakers.
    """

    power: NDArray[np.float32]
    first: NDArray[np.int32]
    table: NDArray[np.int64]
    words: tuple[str, ...]
    voices: tuple[str, ...]
    splits: tuple[str, ...]
    floor: float

    @property
    def longest(self) -> int:
        """Frames of the longest clip."""
        return int(np.diff(self.first).max())


@cache
def clips() -> Clips:
    """Load the clips, once in a process."""
    stored = read("clips.npz")
    floor = float(stored["floor"])
    power = floor * np.expm1(stored["levels"] * stored["step"])
    table = np.full((len(stored["voices"]), len(stored["words"])), -1)
    table[stored["speaker"], stored["word"]] = np.arange(len(stored["word"]))
    power.setflags(write=False)
    return Clips(
        power=power.astype(np.float32),
        first=stored["first"],
        table=table,
        words=tuple(stored["words"].tolist()),
        voices=tuple(stored["voices"].tolist()),
        splits=tuple(stored["splits"].tolist()),
        floor=floor,
    )


def read(name: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a data file, from a folder or from inside a zipped package."""
    with files(__package__).joinpath(name).open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        return dict(archive)
