"""Read zip files of people nobody knows, without writing anything: no file, no link and no folder is ever made.

What a zip says of itself is not believed. Names are only compared; sizes are counted while reading, so that a bomb
costs its limit and no more; packing methods other than deflate, which unfold without a limit, are refused.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from cnnlab.grading.files import File, UnreadableError, printable, too_large

# What a student's own zip may be and hold; a class's zip is made by an LMS and may hold more.
MAX_STUDENT_ZIP = 50 << 20
MAX_STUDENT_ENTRIES = 2_000
MAX_CLASS_ENTRIES = 200_000

_CHUNK = 1 << 16
_IN_DIRECTORY = b"PK\x01\x02"
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# What zipfile raises for bytes that are no zip, or only half of one.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(ValueError, NotImplementedError, RuntimeError, IndexError, KeyError, OverflowError),
)


class PackedClass:
    """The zip file of a class; use it in a ``with`` statement. Raises `UnreadableError` when it is none."""

    def __init__(self, path: Path) -> None:
        self._zip = _open(path, MAX_CLASS_ENTRIES)

    def __enter__(self) -> PackedClass:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def files(self) -> tuple[list[File], list[str]]:
        """Return the files, and the names that lead out of the zip."""
        return _files(self._zip)


def student_files(data: bytes) -> tuple[list[File], list[str]]:
    """Return what is in a student's zip, as `PackedClass.files` does; raises `UnreadableError`.

    Parameters
    ----------
    data
        The zip, which stays in memory as long as the files are used.
    """
    # Counted before zipfile makes an object of each: a directory of many empty names is a bomb too.
    count = data.count(_IN_DIRECTORY)
    if count > MAX_STUDENT_ENTRIES:
        raise UnreadableError(f"the zip has more than {MAX_STUDENT_ENTRIES} files in it")
    return _files(_open(io.BytesIO(data), MAX_STUDENT_ENTRIES))


def _open(file: Path | io.BytesIO, most: int) -> zipfile.ZipFile:
    try:
        opened = zipfile.ZipFile(file)
    except _BROKEN as error:
        raise UnreadableError(f"it is no zip file, or a damaged one ({_text(error)})") from None
    if len(opened.infolist()) > most:
        opened.close()
        raise UnreadableError(f"the zip has more than {most} files in it")
    return opened


def _files(opened: zipfile.ZipFile) -> tuple[list[File], list[str]]:
    found: dict[tuple[str, ...], File] = {}
    outside = []
    for entry in opened.infolist():
        name = _name(entry)
        # Windows programs of old separate by \; nothing here is ever used as a path.
        parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in {"", "."})
        if name.startswith(("/", "\\")) or ".." in parts or (parts and parts[0].endswith(":")):
            outside.append(printable(name))
        elif parts and not _is_folder(entry, name):
            twice = parts in found
            found.pop(parts, None)  # of two files with one name the last counts, as when they are unpacked
            found[parts] = File(parts, _Reader(opened, entry), is_regular=not _is_link(entry), is_twice=twice)
    return list(found.values()), outside


class _Reader:
    """Reads one entry."""

    def __init__(self, opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
        self._zip = opened
        self._entry = entry

    def __call__(self, most: int) -> bytes:
        entry = self._entry
        if _is_link(entry):
            raise UnreadableError("the file cannot be opened (it is a link in a zip); links are not followed")
        if entry.flag_bits & _ENCRYPTED:
            raise UnreadableError("the file is locked with a password")
        if entry.compress_type not in _METHODS:
            raise UnreadableError("the zip is packed by a method other than deflate: make an ordinary zip")
        try:
            return b"".join(self._chunks(most))
        except UnreadableError:
            raise
        except _BROKEN as error:
            raise UnreadableError(f"the zip is damaged ({_text(error)})") from None

    def _chunks(self, most: int) -> Iterator[bytes]:
        length = 0
        with self._zip.open(self._entry) as file:
            while chunk := file.read(_CHUNK):
                length += len(chunk)
                if length > most:
                    raise UnreadableError(too_large(most))
                yield chunk


def _name(entry: zipfile.ZipInfo) -> str:
    """Return the name; many programs write UTF-8 and do not say so, and zipfile takes it for the DOS code page 437."""
    if entry.flag_bits & _UTF8_NAME:
        return entry.orig_filename
    try:
        return entry.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.orig_filename


def _is_folder(entry: zipfile.ZipInfo, name: str) -> bool:
    return name.endswith(("/", "\\")) or stat.S_ISDIR(entry.external_attr >> 16)


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _text(error: BaseException) -> str:
    return printable(str(error))[:100] or type(error).__name__
