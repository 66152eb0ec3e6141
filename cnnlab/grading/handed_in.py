"""What each student handed in, whichever way it came: nbgrader's folders, its exchange, Moodle's or Canvas's zip.

The three ways in give the same: one `HandedIn` for each owner, with the files that may be the notebook. Nothing is
unpacked to disk.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from cnnlab.grading.course import CourseError
from cnnlab.grading.files import File, UnreadableError, file_at, in_folder, printable
from cnnlab.grading.naming import Owner, canvas_owner, exchange_owner, is_of_exchange, moodle_owner
from cnnlab.grading.packed import PackedClass

_ENDINGS = (".ipynb", ".zip")
# Made by nbgrader when something is handed in through its exchange.
_COMPANIONS = ("timestamp.txt", "submission_secret.txt")


@dataclass
class HandedIn:
    """The files of one owner.

    Attributes
    ----------
    owner
        Whose.
    files
        What may be the notebook, or a zip with it.
    others
        Names of files that are neither.
    error
        Why nothing could be looked at; empty if it could.
    notes
        What was unusual.
    companions
        What nbgrader's release of feedback asks for beside a page.
    """

    owner: Owner
    files: list[File] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    error: str = ""
    notes: list[str] = field(default_factory=list)
    companions: list[File] = field(default_factory=list)

    def add(self, files: Iterable[File]) -> None:
        """Sort files into those that may be the notebook, and the others."""
        for file in files:
            if file.is_hidden:
                continue
            if any(file.has_ending(ending) for ending in _ENDINGS):
                self.files.append(file)
            elif file.parts[-1] in _COMPANIONS and not self.owner.lms:
                self.companions.append(file)
            else:
                self.others.append(file.name)


@dataclass
class Class:
    """What came in from everybody, and what belongs to nobody.

    Attributes
    ----------
    handed_in
        One for each owner.
    notices
        For the teaching team.
    """

    handed_in: list[HandedIn]
    notices: list[str]


@contextmanager
def open_class(submissions: Path, assignment: str, known: Iterable[str]) -> Iterator[Class]:
    """Yield what was handed in; the files can be read as long as the ``with`` block lasts.

    Parameters
    ----------
    submissions
        A folder or a zip file.
    assignment
        For example ``"a1"``.
    known
        Names of students, which tell a student's folder from a folder around all of them.

    Raises
    ------
    CourseError
        If there is no such folder or file, or it is neither.
    """
    if submissions.is_dir():
        yield _from_folder(submissions, assignment)
        return
    if not submissions.exists():
        raise CourseError(f"there is no folder {submissions}: collect the submissions there, or name another folder")
    try:
        packed = PackedClass(submissions)
    except UnreadableError as error:
        raise CourseError(
            f"{submissions} cannot be read: {error}. Name a folder, or the zip file as your LMS made it"
        ) from None
    with packed:
        yield _from_files(*packed.files(), assignment, set(known))


class _Sorter:
    """Puts files together by owner."""

    def __init__(self) -> None:
        self.found: dict[Owner, HandedIn] = {}
        self.nobodys: list[str] = []

    def of(self, owner: Owner) -> HandedIn:
        # Late or not, it is the same person; Canvas marks the whole submission.
        key = replace(owner, late=False)
        handed = self.found.setdefault(key, HandedIn(key))
        note = "Canvas marks it as late"
        if owner.late and note not in handed.notes:
            handed.notes.append(note)
        return handed

    def add_flat(self, file: File) -> None:
        """Add a file that stands in no folder."""
        if (moodle := moodle_owner(file.parts[0])) is not None and moodle[1]:
            self.of(moodle[0]).add([replace(file, parts=(moodle[1],))])
        elif (canvas := canvas_owner(file.parts[0])) is not None:
            owner, rest, number = canvas
            self.of(owner).add([replace(file, parts=(rest,), order=number)])
        elif not file.is_hidden and any(file.has_ending(ending) for ending in _ENDINGS):
            self.nobodys.append(file.name)

    def finish(self, notices: list[str]) -> Class:
        if self.nobodys:
            notices = [*notices, _some("Of no student, by their names", self.nobodys)]
        return Class(list(self.found.values()), notices)


def _from_folder(folder: Path, assignment: str) -> Class:
    sorter = _Sorter()
    exchange: dict[Owner, list[tuple[str, Path]]] = {}
    for child in sorted(folder.iterdir()):
        if child.name.startswith("."):
            continue
        if not child.is_dir():
            if child.is_file() and not child.is_symlink():
                sorter.add_flat(file_at(child, (child.name,)))
            continue
        if child.is_symlink():
            # As with files: it could lead to somebody else's work.
            sorter.of(Owner(child.name)).error = "the folder is a link; links are not followed"
        elif (collected := exchange_owner(child.name, assignment)) is not None:
            exchange.setdefault(collected[0], []).append((collected[1], child))
        elif (moodle := moodle_owner(child.name)) is not None:
            _add(sorter.of(moodle[0]), child, deep=True)
        elif not is_of_exchange(child.name):
            _add_of_nbgrader(sorter.of(Owner(child.name)), child, assignment)
    for owner, folders in exchange.items():
        when, last = max(folders)
        handed = sorter.of(owner)
        _add(handed, last)
        if len(folders) > 1:
            handed.notes.append(f"handed in {len(folders)} times; the last, of {when}, was graded")
    return sorter.finish([])


def _add(handed: HandedIn, folder: Path, *, deep: bool = False) -> None:
    try:
        handed.add(in_folder(folder, deep=deep))
    except OSError as error:
        handed.error = f"the folder cannot be opened ({error.strerror}); links are not followed"


def _add_of_nbgrader(handed: HandedIn, folder: Path, assignment: str) -> None:
    """Add the files of the assignment's folder or, if there is no notebook in it, those beside it."""
    inner = folder / assignment
    try:
        if inner.is_symlink():
            # It could lead to somebody else's work.
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        handed.add(in_folder(inner) if inner.is_dir() else ())
        if not handed.files:
            handed.others.clear()
            handed.add(file for file in in_folder(folder) if file.parts != (assignment,))
    except OSError as error:
        handed.error = f"the folder cannot be opened ({error.strerror}); links are not followed"


def _from_files(files: list[File], outside: list[str], assignment: str, known: set[str]) -> Class:
    notices = [_some("Not read, since their names lead out of the zip", outside)] if outside else []
    files = [file for file in files if not file.is_hidden]
    top = _folder_around_all(files, assignment, known)
    if top:
        files = [replace(file, parts=file.parts[1:]) for file in files]
    sorter = _Sorter()
    students: dict[str, list[File]] = {}
    exchange: dict[Owner, dict[str, list[File]]] = {}
    for file in files:
        first, below = file.parts[0], replace(file, parts=file.parts[1:])
        if len(file.parts) == 1:
            sorter.add_flat(file)
        elif (collected := exchange_owner(first, assignment)) is not None:
            exchange.setdefault(collected[0], {}).setdefault(collected[1], []).append(below)
        elif (moodle := moodle_owner(first)) is not None:
            sorter.of(moodle[0]).add([below])
        elif not is_of_exchange(first):
            students.setdefault(first, []).append(below)
    for owner, times in exchange.items():
        handed = sorter.of(owner)
        handed.add(times[max(times)])
        if len(times) > 1:
            handed.notes.append(f"handed in {len(times)} times; the last, of {max(times)}, was graded")
    for name, theirs in students.items():
        handed = sorter.of(Owner(name))
        handed.add(replace(f, parts=f.parts[1:]) for f in theirs if len(f.parts) == 2 and f.parts[0] == assignment)
        if not handed.files:
            handed.others.clear()
            handed.add(file for file in theirs if len(file.parts) == 1)
    return sorter.finish(notices)


def _folder_around_all(files: list[File], assignment: str, known: set[str]) -> str:
    """Return the name of the one folder around all students' folders, or nothing."""
    tops = {file.parts[0] for file in files}
    top = next(iter(tops), "")
    if len(tops) != 1 or top in known or moodle_owner(top) or is_of_exchange(top):
        return ""
    below = [file.parts[1:] for file in files]
    if any(not parts for parts in below):
        return ""
    if any(len(parts) == 1 and (moodle_owner(parts[0]) or canvas_owner(parts[0])) for parts in below):
        return top
    # One student's folder has the notebook in it, or in a folder named like the assignment.
    is_students = any(
        parts[0] == assignment or (len(parts) == 1 and parts[0].lower().endswith(_ENDINGS)) for parts in below
    )
    return "" if is_students else top


def _some(what: str, names: list[str]) -> str:
    shown = ", ".join(printable(name) for name in sorted(names)[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{what}: {shown}{more}"
