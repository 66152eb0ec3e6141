"""Files that were handed in: where they stood, and how to read them, without believing anything of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_MOST_DEEP = 8
_MOST_FILES = 2_000


class UnreadableError(ValueError):
    """A file that is not a notebook; the text says why, for the teaching team and the student."""


@dataclass(frozen=True)
class File:
    """A file of one student, or of a whole class.

    Attributes
    ----------
    parts
        Folders and name, below the student's folder.
    read
        Returns the bytes, or raises `UnreadableError`: also when there are more than the given number.
    is_regular
        False for links, folders, pipes and places that could not be looked into.
    is_twice
        Whether another file had the same name.
    order
        Of files that fit equally well, the highest counts.
    """

    parts: tuple[str, ...]
    read: Callable[[int], bytes]
    is_regular: bool = True
    is_twice: bool = False
    order: int = 0

    @property
    def name(self) -> str:
        """The last part, as it can be shown."""
        return printable(self.parts[-1])

    @property
    def is_hidden(self) -> bool:
        """Whether it is one of those that macOS and Jupyter make, and no submission."""
        return any(part.startswith(".") or part == "__MACOSX" for part in self.parts)

    def has_ending(self, ending: str) -> bool:
        """Whether the name ends so, in capitals or not."""
        return self.parts[-1].lower().endswith(ending)


def printable(name: str) -> str:
    """Return the name with a ? for all that would move a cursor or break a line."""
    return "".join(char if char.isprintable() else "?" for char in name)


def too_large(most: int) -> str:
    """Return the reason for a file above the limit."""
    return f"the file is larger than {most >> 20} MiB: clear the outputs and hand it in again"


def in_folder(folder: Path, *, deep: bool = False) -> Iterator[File]:
    """Yield what is in a folder; links are named but never followed.

    Parameters
    ----------
    folder
        A student's, or the folder of an assignment in it.
    deep
        Also what is in the folders in it.

    Raises
    ------
    OSError
        If the folder cannot be opened.
    """
    for count, (path, parts) in enumerate(_walk(folder, (), _MOST_DEEP if deep else 0)):
        if count == _MOST_FILES:
            return
        yield file_at(path, parts)


def file_at(path: Path, parts: tuple[str, ...]) -> File:
    """Return a file on disk under the name by which it was handed in."""
    return File(parts, _Reader(path), is_regular=path.is_file() and not path.is_symlink())


def _walk(folder: Path, parts: tuple[str, ...], depth: int) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for path in sorted(folder.iterdir()):
        here = (*parts, path.name)
        if depth and path.is_dir() and not path.is_symlink():
            yield from _walk(path, here, depth - 1)
        else:
            yield path, here


class _Reader:
    """Reads a file on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, most: int) -> bytes:
        try:
            # A link could show the student any file of the grader in their feedback.
            descriptor = os.open(self._path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(descriptor, "rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            raise UnreadableError(f"the file cannot be opened ({error.strerror}); links are not followed") from None
        if len(data) > most:
            raise UnreadableError(too_large(most))
        return data
