"""Whether a command may write all that it writes, asked before it does anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cnnlab.grading.address import find_address
from cnnlab.grading.course import Course, CourseError

_SHOWN = 4
_OF_STUDENTS = ("feedback", "autograded")


def check_writable(course: Course, *also: Path) -> None:
    """Raise `CourseError` that names what cannot be written.

    Parameters
    ----------
    course
        Whose ``out/``, ``feedback/``, ``autograded/`` and gradebook.
    also
        Further folders.
    """
    found = cannot_write(course, *also)
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise CourseError(
            f"there is no permission to write in {'; '.join(found[:_SHOWN])}{more}. Nothing was done. Allow it (chmod, "
            "chown, or mount the disk for writing), or work in a copy of the course folder: --course DIR"
        )


def cannot_write(course: Course, *also: Path) -> list[str]:
    """Return each place that cannot be written, and whose it is; parameters as in `check_writable`."""
    found = [line for folder in (*also, *_folders(course)) for line in _complaint(folder)]
    address = find_address(course)
    if not address.on_server:  # a server says it itself
        found += _complaint(address.file.parent)  # SQLite writes its journal beside the file
        if os.access(address.file, os.F_OK) and not os.access(address.file, os.R_OK | os.W_OK):
            found.append(f"{address.file} ({_owner(address.file)})")
    return list(dict.fromkeys(found))


def _folders(course: Course) -> Iterator[Path]:
    yield from (course.root / "out", course.out, course.out / "results", course.out / "recorded")
    for name in _OF_STUDENTS:
        of_all = course.root / name
        yield of_all
        if os.access(of_all, os.R_OK | os.X_OK):
            students = sorted(path for path in of_all.iterdir() if path.is_dir())
            yield from (folder for student in students for folder in (student, student / course.assignment))


def _complaint(folder: Path) -> Iterator[str]:
    """Yield what is wrong with a folder, or with the one that it would be made in."""
    there = folder
    while not os.access(there, os.F_OK):  # not Path.exists, which raises where it may not look
        there = there.parent
    if not there.is_dir():
        yield f"{folder} ({there} is a file and no folder)"
    elif not os.access(there, os.W_OK | os.X_OK):
        yield f"{there} ({_owner(there)})"


def _owner(path: Path) -> str:
    state = path.stat()
    try:
        who = path.owner()
    except KeyError:  # a user of another machine
        who = f"user {state.st_uid}"
    return f"it is {who}'s, mode {state.st_mode & 0o7777:o}"
