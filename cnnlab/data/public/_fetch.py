"""Find the files of a public set in the cache, or fetch them from the first mirror that has the right ones."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cnnlab.data.public import _sources
from cnnlab.data.public._download import Downloader, is_safe
from cnnlab.data.public._sources import RemoteFile, Source

VARIABLE = "CNNLAB_DATA"


class DownloadError(OSError):
    """A file is neither in the cache nor to be had; the text says which, what was tried, and what to do."""


def cache_folder(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of the public sets: ``data_home``, else ``CNNLAB_DATA``, else the platform's cache."""
    import pooch

    if not isinstance(data_home, str | os.PathLike | None):
        raise TypeError(f"data_home={data_home!r}: give the path of a folder, or None")
    chosen = data_home or os.environ.get(VARIABLE) or pooch.os_cache("cnnlab")
    return Path(chosen).expanduser().absolute()


def stored_sets(folder: Path) -> list[str]:
    """Return the titles of the public sets of which every file is in a folder; sizes are compared, not digests."""

    def is_there(source: Source) -> bool:
        files = (file for split in source.files.values() for file in split)
        try:
            return all(_size(folder / source.folder / file.name) == file.size for file in files)
        except PermissionError:  # a folder that may not be looked into
            return False

    return [s.title for s in (_sources.MNIST, _sources.FASHION_MNIST, _sources.CIFAR10) if is_there(s)]


def fetch(source: Source, split: str, data_home: str | os.PathLike[str] | None) -> list[Path]:
    """Return where the files of a split are, after fetching those that are missing or damaged.

    A file that is there is never written to. One that is fetched has another name until its digest is right, so that
    neither an interruption nor a second process leaves half a file behind, and a damaged one stays until then.

    Raises
    ------
    DownloadError
        If a file cannot be had.
    """
    folder = cache_folder(data_home) / source.folder
    return [_one(source, file, folder) for file in source.files[split]]


def _one(source: Source, file: RemoteFile, folder: Path) -> Path:
    path = folder / file.name
    try:
        there = _size(path) is not None
        if there and _is_published(path, file):
            return path
        folder.mkdir(parents=True, exist_ok=True)
        faults = _first_mirror(source, file, path)
    except OSError as error:  # of this machine's files: another mirror would not help
        raise DownloadError(
            _report(source, file, path, [f"{error.filename or folder}: {error.strerror or error}"])
        ) from None
    if not faults:
        return path
    if there:
        faults.insert(0, f"{path}: another file, or a damaged one")
    raise DownloadError(_report(source, file, path, faults))


def _first_mirror(source: Source, file: RemoteFile, path: Path) -> list[str]:
    """Fetch a file from the first mirror that has it; return what was wrong with all of them if none has."""
    import pooch
    import requests

    faults = []
    for mirror in source.mirrors:
        url = mirror + file.name
        try:
            if not is_safe(url):
                raise ValueError("is not https")
            pooch.retrieve(
                url, f"sha256:{file.sha256}", fname=file.name, path=path.parent, downloader=Downloader(file.size)
            )
        except (requests.RequestException, ValueError) as error:
            faults.append(f"{url}: {_in_short(error)}")
        else:
            return []
    return faults


def _in_short(error: Exception) -> str:
    """Say in a few words what was wrong with a mirror."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.RequestException):
        cause = getattr(error.args[0], "reason", error.args[0]) if error.args else error
        kind = type(cause if isinstance(cause, Exception) else error).__name__
        return "no answer in time" if "Timeout" in kind else f"no connection, or a broken one ({kind})"
    text = str(error)
    return "sends another file: its SHA-256 is not the published one" if "hash of downloaded file" in text else text


def _report(source: Source, file: RemoteFile, path: Path, faults: list[str]) -> str:
    others = sorted({f.name for files in source.files.values() for f in files} - {file.name})
    beside = f", beside {', '.join(others)}" if others else ""
    return "\n  ".join(
        [
            f"{file.name} of {source.title} ({file.size / 1e6:.2g} MB) is not at hand, and could not be fetched:",
            *faults,
            f"Put the file there by hand: {path}",
            f"(SHA-256 {file.sha256}){beside},",
            f"or name a folder that has {source.folder}/{file.name} or can be written to: {VARIABLE}=… or data_home=….",
            f"What needs no network: cnnlab.data.{source.instead}, which is part of cnnlab.",
        ]
    )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_published(path: Path, file: RemoteFile) -> bool:
    if _size(path) != file.size:
        return False
    with path.open("rb") as stored:
        return hashlib.file_digest(stored, "sha256").hexdigest() == file.sha256
