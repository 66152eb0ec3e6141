"""Write zip files whose bytes depend on nothing but their contents."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def pack(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write a zip file, whole or not at all, the same bytes for the same contents on every machine.

    Parameters
    ----------
    path
        Where.
    files
        Name and contents; they are packed in the order of their names. Nothing is compressed: zlib's bytes differ
        from version to version.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as made:
            for name, data in sorted(files):
                entry = zipfile.ZipInfo(name, _LONG_AGO)
                entry.create_system = 3
                entry.external_attr = 0o100644 << 16
                made.writestr(entry, data)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
