"""Find each student's notebook, whatever its name, and read it without believing anything in it."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from cnnlab.grading.figures import figures_of
from cnnlab.grading.files import File, UnreadableError, printable
from cnnlab.grading.handed_in import HandedIn, open_class
from cnnlab.grading.naming import Owner
from cnnlab.grading.packed import MAX_STUDENT_ZIP, student_files
from cnnlab.grading.people import Person, match

MAX_BYTES = 20 << 20
_MAX_CELLS = 2_000
# Code travels to the sandbox in one header, where a character may take twelve bytes.
_MAX_CODE = 300_000
# File systems take 255 bytes; our own files have some more letters in their names.
_MAX_NAME = 200
_MOST_ZIPS = 3
_MAX_COMPANION = 4096


@dataclass(frozen=True)
class Received:
    """What one student handed in.

    Attributes
    ----------
    student
        Name in nbgrader; where an LMS's name has no match, that one. Nobody else in the class has it.
    state
        ``"read"``, or why there is no notebook; ``"fault"`` when the reason is a bug of ours.
    reason
        One sentence unless the state is ``"read"``.
    notebook
        Cells and metadata in the form of nbformat 4; outputs are gone.
    digest
        SHA-256 of the file.
    notes
        What was unusual.
    owner
        Who handed it in, as an LMS says; None for nbgrader's folders and for those who are missing.
    companions
        Text of ``timestamp.txt`` and ``submission_secret.txt``, which nbgrader's exchange wrote.
    """

    student: str
    state: Literal["read", "missing", "unreadable", "fault"]
    reason: str = ""
    notebook: Mapping[str, Any] | None = None
    digest: str = ""
    notes: tuple[str, ...] = ()
    owner: Owner | None = None
    companions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Intake:
    """What came in from a class.

    Attributes
    ----------
    received
        One for every student who handed something in or should have, sorted by name.
    notices
        What the teaching team should know: files of nobody, names without a match.
    """

    received: tuple[Received, ...]
    notices: tuple[str, ...]


def collect(submissions: Path, assignment: str, expected_name: str, roster: Iterable[str]) -> list[Received]:
    """Read the submissions of a class; see `take_stock`, which knows more about the students than their names."""
    return list(take_stock(submissions, assignment, expected_name, [Person(name) for name in roster]).received)


def take_stock(submissions: Path, assignment: str, expected_name: str, people: Sequence[Person]) -> Intake:
    """Read the submissions of a class. No file can raise.

    Parameters
    ----------
    submissions
        A folder with one folder a student, as nbgrader collects them, or the ``inbound`` folder of its exchange; or
        what an LMS packed, as a zip file or unpacked.
    assignment, expected_name
        Such as ``"a1"`` and ``"a1_scanning.ipynb"``. Other names are accepted: browsers write
        ``a1_scanning (1).ipynb``.
    people
        Students who should have handed something in.

    Raises
    ------
    CourseError
        If `submissions` is neither a folder nor a zip file.
    """
    known = {person.id for person in people}
    with open_class(submissions, assignment, known) as came_in:
        matched = match([each.owner for each in came_in.handed_in if each.owner.lms], people)
        received = [
            _receive_in_any_case(handed, matched.get(handed.owner, handed.owner.label), expected_name)
            for handed in came_in.handed_in
        ]
        notices = came_in.notices
    received = _without_name_twice(received, matched)
    there = {each.student for each in received}
    received += [Received(name, "missing", "nothing was handed in") for name in known - there]
    unknown = sorted(
        printable(each.owner.label) for each in received if each.owner is not None and each.owner not in matched
    )
    if unknown:
        shown = ", ".join(unknown[:10]) + (f" and {len(unknown) - 10} more" if len(unknown) > 10 else "")
        notices = [
            *notices,
            f"No match, or not only one, in the gradebook and students.csv for {len(unknown)} of those in the "
            f"{_owners_lms(received)} files; they are listed by the names that the files have: {shown}",
        ]
    return Intake(tuple(sorted(received, key=lambda each: each.student)), tuple(notices))


def _owners_lms(received: Iterable[Received]) -> str:
    names = {each.owner.lms.capitalize() for each in received if each.owner is not None}
    return " and ".join(sorted(names))


def _without_name_twice(received: list[Received], matched: Mapping[Owner, str]) -> list[Received]:
    """Give each a name of their own, or one student's file would be taken for another's."""
    folders = {each.student for each in received if each.owner is None and each.state == "read"}
    taken: Counter[str] = Counter()
    clean = []
    # nbgrader's own names come first, then who was matched; a name that had to be changed comes last.
    for each in sorted(
        received,
        key=lambda each: (each.owner is not None, each.owner not in matched, each.state == "unreadable", each.student),
    ):
        name = each.student
        if each.owner is not None and name in folders:
            name = each.owner.label
        while taken[name]:
            taken[name] += 1
            name = f"{name} ({taken[name]})"
        taken[name] += 1
        clean.append(replace(each, student=name))
    return clean


def _receive_in_any_case(handed: HandedIn, student: str, expected_name: str) -> Received:
    """Return what came in; what we did not think of is this student's fault report, and nobody else's."""
    try:
        return _receive(handed, student, expected_name)
    except Exception as error:
        return Received(student, "fault", fault_of(error), owner=handed.owner if handed.owner.lms else None)


def fault_of(error: Exception) -> str:
    """Return the reason for a file that no bug of ours should have met."""
    return f"it could not be taken in: {type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"


def _receive(handed: HandedIn, student: str, expected_name: str) -> Received:
    owner = handed.owner if handed.owner.lms else None
    notes = list(handed.notes)
    if not student.isprintable() or not student.strip() or student.startswith("."):
        # Old zip programs write other bytes than UTF-8, and a tab or a line break would tear tables apart.
        return Received(
            printable(student).strip().lstrip(".")[:_MAX_NAME] or "?",
            "unreadable",
            "the folder's name is no printable UTF-8 text: rename it and grade again",
            owner=owner,
        )
    if len(student.encode()) > _MAX_NAME:
        short = student.encode()[: _MAX_NAME - 10].decode(errors="ignore")
        reason = f"the student's name is longer than {_MAX_NAME} bytes: rename it and grade again"
        return Received(f"{short}…", "unreadable", reason, owner=owner)
    if handed.error:
        return Received(student, "unreadable", handed.error, notes=tuple(notes), owner=owner)
    files = [file for file in handed.files if file.has_ending(".ipynb")]
    name = ""
    try:
        if not files:
            files = _out_of_zips([file for file in handed.files if file.has_ending(".zip")], notes)
        if not files:
            found = f"; there is {', '.join(map(printable, sorted(handed.others)[:3]))}" if handed.others else ""
            reason = f"there is no notebook in the student's folder{found}"
            return Received(student, "missing", reason, notes=tuple(notes), owner=owner)
        chosen = max(files, key=lambda file: _preference(file, expected_name))
        name = chosen.name
        notes += _about(chosen, files, expected_name)
        data = chosen.read(MAX_BYTES)
        notebook = read_notebook(data)
    except UnreadableError as error:
        reason = f"{name}: {error}" if name else str(error)
        return Received(student, "unreadable", reason, notes=tuple(notes), owner=owner)
    digest = hashlib.sha256(data).hexdigest()
    return Received(
        student,
        "read",
        notebook=notebook,
        digest=digest,
        notes=tuple(notes),
        owner=owner,
        companions=dict(_companions(handed)),
    )


def _companions(handed: HandedIn) -> Iterable[tuple[str, str]]:
    for file in handed.companions:
        try:
            yield file.name, file.read(_MAX_COMPANION).decode("utf-8", "replace")
        except UnreadableError:
            continue  # the page is there all the same; nbgrader's release says what it misses


def _about(chosen: File, files: Sequence[File], expected_name: str) -> Iterable[str]:
    if chosen.name != expected_name:
        yield f"the file is named {chosen.name}"
    if len(files) > 1:
        yield f"{len(files)} notebooks were handed in; {chosen.name} was graded"
    if chosen.is_twice:
        yield f"{chosen.name} was there twice; the last one counts"


def _out_of_zips(zips: Sequence[File], notes: list[str]) -> list[File]:
    """Return the notebooks in a student's own zips; a zip in a zip in it is not opened."""
    found: list[File] = []
    inner: list[str] = []
    for file in sorted(zips, key=lambda file: file.order)[-_MOST_ZIPS:]:
        try:
            packed, outside = student_files(file.read(MAX_STUDENT_ZIP))
        except UnreadableError as error:
            if len(zips) == 1:
                raise UnreadableError(f"{file.name}: {error}") from None
            notes.append(f"{file.name}: {error}")
            continue
        visible = [each for each in packed if not each.is_hidden]
        found += [each for each in visible if each.has_ending(".ipynb")]
        inner += [each.name for each in visible if each.has_ending(".zip")]
        if outside:
            notes.append(f"{len(outside)} names in {file.name} lead out of it, and were not read")
    if found:
        notes.append(f"the notebook was in {', '.join(file.name for file in zips)}")
    elif inner:
        raise UnreadableError(f"the zip holds no notebook but another zip, {inner[0]}: hand in the notebook itself")
    elif zips:
        raise UnreadableError(f"there is no notebook in {', '.join(file.name for file in zips)}")
    return found


def _preference(file: File, expected_name: str) -> tuple[bool, bool, bool, int, int, list[tuple[int, str]]]:
    """Order files: real ones first, the exact name, then names with it; of a browser's copies, the highest number.

    An LMS says which file came last, and then that counts more than the exact name.
    """
    stem = expected_name.removesuffix(".ipynb").lower()
    name = file.parts[-1]
    # Numbers are compared by their length first, not made to an int: a name may be sixty thousand digits.
    parts = [
        (len(part.lstrip("0")), part.lstrip("0")) if part.isdecimal() else (-1, part)
        for part in re.split(r"(\d+)", name)
    ]
    exact = name == expected_name and not file.order
    return file.is_regular, exact, stem in name.lower(), file.order, -len(file.parts), parts


def read_notebook(data: bytes) -> dict[str, Any]:
    """Return a clean notebook made from the bytes of a file.

    Only what the grader needs is taken over: type, text and metadata of each cell. Outputs, which may be huge or
    harmful, are left behind; of figures their pixels or drawings come along (`cnnlab.grading.figures`).

    Raises
    ------
    UnreadableError
        If the bytes are not JSON, or the JSON is not a notebook of format 3 or 4.
    """
    try:
        parsed = json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise UnreadableError("its JSON is nested too deeply") from None
    except ValueError as error:
        raise UnreadableError(f"it is not valid JSON ({_place(error)})") from None
    cells = _cells_of(parsed)
    if len(cells) > _MAX_CELLS:
        raise UnreadableError(f"it has {len(cells)} cells; at most {_MAX_CELLS} are graded")
    used: set[str] = set()
    clean = [_clean_cell(cell, position, used) for position, cell in enumerate(cells)]
    code = sum(len(cell["source"]) for cell in clean if cell["cell_type"] == "code")
    if code > _MAX_CODE:
        raise UnreadableError(f"it has {code} characters of code; at most {_MAX_CODE} are graded")
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": clean}


def _place(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return "a number in it has thousands of digits"  # Python refuses to read such numbers


def _cells_of(parsed: Any) -> list[Any]:
    match parsed:
        case {"nbformat": 4, "cells": list(cells)}:
            return cells
        case {"nbformat": 3, "worksheets": list(sheets)}:
            return [cell for sheet in sheets if isinstance(sheet, dict) for cell in _list(sheet.get("cells"))]
        case {"nbformat": int(version)}:
            shown = version if abs(version) < 1_000_000 else "of many digits"
            raise UnreadableError(f"it says that it is a notebook of format {shown}, and is none of format 3 or 4")
    raise UnreadableError("it is JSON, but no notebook")


def _clean_cell(cell: Any, position: int, used: set[str]) -> dict[str, Any]:
    if not isinstance(cell, dict):
        raise UnreadableError(f"its cell {position + 1} is no cell")
    kind = cell.get("cell_type")
    kind = kind if isinstance(kind, str) and kind in {"code", "raw"} else "markdown"
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    identifier = cell.get("id")
    if not isinstance(identifier, str) or not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", identifier) or identifier in used:
        identifier = f"cell-{position}"
    used.add(identifier)
    clean: dict[str, Any] = {
        "id": identifier,
        "cell_type": kind,
        # Format 3 kept the text of code cells under "input".
        "source": _text(cell.get("source", cell.get("input", ""))),
        "metadata": {"nbgrader": _flat(metadata["nbgrader"])} if isinstance(metadata.get("nbgrader"), dict) else {},
    }
    if kind != "code":
        return clean
    return clean | {"outputs": figures_of(_list(cell.get("outputs"))), "execution_count": None}


def _flat(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return nbgrader's metadata without what is nested: nothing of nbgrader's is, and no depth is copied then."""
    return {key: value for key, value in metadata.items() if not isinstance(value, (dict, list))}


def _text(source: Any) -> str:
    parts = source if isinstance(source, list) else [source]
    joined = "".join(part for part in parts if isinstance(part, str))
    # Kept once for a whole class: most cells are as they were given out.
    return sys.intern(joined.encode("utf-8", "replace").decode("utf-8"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
