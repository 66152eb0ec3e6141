"""Arrays by name in one `.npz` file, written whole or not at all, and read without pickle.

The format is NumPy's own: a zip archive with one `.npy` a name (`numpy.load` reads it). It is written here entry by
entry, because `numpy.savez` takes the names as keywords and cannot write one called "file".
"""

from __future__ import annotations

import os
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

SUFFIX = ".npz"


def npz_path(path: str | os.PathLike[str]) -> Path:
    """Return `path` as a `Path`.

    Raises
    ------
    TypeError
        If it is no path.
    ValueError
        If its name does not end in .npz.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path must be a file's name such as 'net.npz', not {path!r}")
    found = Path(path)
    if found.suffix != SUFFIX:
        raise ValueError(f"path (={str(found)!r}) must end in .npz: call it {found.with_suffix(SUFFIX).name!r}")
    return found


def check_writable(path: Path) -> None:
    """Raise OSError, with the next step, unless a file can be made at `path`."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give the name of a file in it, such as {path / 'net.npz'}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written, there is no folder {path.parent}: make it first")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path} cannot be written, you may not write to {path.parent}: choose another folder")


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write `arrays` to `path`: to a new file beside it, brought to the disk, then put in its place.

    Whenever this is stopped, be it by a kill or a power cut, `path` holds the old file or the new one, whole.

    Raises
    ------
    OSError
        If it cannot be written; the old file is then untouched.
    """
    check_writable(path)
    # A name of its own each time: two writers never write into the same file. Made by open, it gets usual permissions.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            _write_zip(file, arrays)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            # OSError makes the fitting subclass from the number, such as PermissionError.
            raise OSError(
                error.errno, f"{path} cannot be written ({error.strerror}): make room there or choose another folder"
            ) from error
        raise


def remove_leftovers(path: Path) -> None:
    """Remove what a kill during `write_arrays` left beside `path`."""
    if path.parent.is_dir():
        start, end = f".{path.name}.", ".tmp"
        for other in path.parent.iterdir():
            if other.name.startswith(start) and other.name.endswith(end):
                other.unlink(missing_ok=True)


def read_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays in `path` by name.

    Raises
    ------
    OSError
        If there is no such file, or it may not be read.
    ValueError
        If it is no whole `.npz` file, or holds Python objects.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}: look for its right name and folder") from None
    except OSError as error:
        raise OSError(error.errno, f"{path} cannot be read ({error.strerror}): see whose file it is") from error
    with file:
        try:
            return _read_zip(file)
        except _ObjectsError as error:
            raise ValueError(
                f"{path}: {error} is an array of Python objects, and reading such could run code that somebody put "
                "there: save arrays of numbers"
            ) from None
        except Exception as error:  # a damaged file fails in many ways, deep in zipfile and NumPy
            raise ValueError(
                f"{path} is no whole .npz file ({type(error).__name__}: {error}): it is cut off, damaged or of another "
                "kind; take a copy of it, or save it anew"
            ) from error


class _ObjectsError(Exception):
    """An array of Python objects; the text is its name."""


def _write_zip(file: IO[bytes], arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            # A ZipInfo without a date, so that the same arrays give the same bytes.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asarray(array), allow_pickle=False)


def _read_zip(file: IO[bytes]) -> dict[str, np.ndarray[Any, Any]]:
    with zipfile.ZipFile(file) as archive:
        damaged = archive.testzip()  # first: after a damaged header NumPy may read too little to see the checksum
        if damaged is not None:
            raise zipfile.BadZipFile(f"{damaged} is damaged")
        arrays = {}
        for entry in archive.namelist():
            name = entry.removesuffix(".npy")
            if name == entry:
                raise zipfile.BadZipFile(f"it holds {entry}, which is no .npy")
            with archive.open(entry) as opened:
                try:
                    arrays[name] = np.lib.format.read_array(opened, allow_pickle=False)
                except ValueError as error:
                    raise (_ObjectsError(name) if "allow_pickle" in str(error) else error) from error
        return arrays


def _sync_folder(folder: Path) -> None:
    """Bring the folder's list of names to the disk too; Windows opens no folders and does so by itself."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
