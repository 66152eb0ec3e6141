"""Find each student's notebook, whatever its name, and read it without believing anything in it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cnnlab.grading.figures import figures_of

MAX_BYTES = 20 << 20
_MAX_CELLS = 2_000
# Code travels to the sandbox in one header, where a character may take twelve bytes.
_MAX_CODE = 300_000


@dataclass(frozen=True)
class Received:
    """What one student handed in.

    Attributes
    ----------
    student
        Name of the folder.
    state
        ``"read"``, or why there is no notebook.
    reason
        One sentence unless the state is ``"read"``.
    notebook
        Cells and metadata in the form of nbformat 4; outputs are gone.
    digest
        SHA-256 of the file.
    notes
        What was unusual.
    """

    student: str
    state: Literal["read", "missing", "unreadable"]
    reason: str = ""
    notebook: Mapping[str, Any] | None = None
    digest: str = ""
    notes: tuple[str, ...] = ()


class UnreadableError(ValueError):
    """A file that is not a notebook; the text says why, for the teaching team and the student."""


def collect(folder: Path, assignment: str, expected_name: str, roster: Iterable[str]) -> list[Received]:
    """Read the submissions of a class.

    Parameters
    ----------
    folder
        Holds one folder a student, with notebooks in it or in its folder `assignment` (as nbgrader collects them).
    assignment, expected_name
        Such as ``"a1"`` and ``"a1_scanning.ipynb"``. Other names are accepted: browsers write
        ``a1_scanning (1).ipynb``.
    roster
        Students who should have handed something in.

    Returns
    -------
    list of Received
        One for every folder and every name in the roster, sorted by name. No file can raise.
    """
    handed_in = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")}
    return [
        _receive(folder / student, student, assignment, expected_name)
        if student in handed_in
        else Received(student, "missing", "nothing was handed in")
        for student in sorted(handed_in | set(roster))
    ]


def _receive(folder: Path, student: str, assignment: str, expected_name: str) -> Received:
    if not student.isprintable():
        # Old zip programs write other bytes than UTF-8, and a tab or a line break would tear tables apart.
        return Received(
            _printable(student), "unreadable", "the folder's name is no printable UTF-8 text: rename it and grade again"
        )
    try:
        files, others = _files(folder, assignment)
    except OSError as error:
        return Received(
            student, "unreadable", f"the folder cannot be opened ({error.strerror}); links are not followed"
        )
    if not files:
        found = f"; there is {', '.join(map(_printable, sorted(others)[:3]))}" if others else ""
        return Received(student, "missing", f"there is no notebook in the student's folder{found}")
    chosen = max(files, key=lambda path: _preference(path.name, expected_name))
    name = _printable(chosen.name)
    notes = []
    if name != expected_name:
        notes.append(f"the file is named {name}")
    if len(files) > 1:
        notes.append(f"{len(files)} notebooks were handed in; {name} was graded")
    try:
        data = _read_bytes(chosen)
        notebook = read_notebook(data)
    except UnreadableError as error:
        return Received(student, "unreadable", f"{name}: {error}", notes=tuple(notes))
    digest = hashlib.sha256(data).hexdigest()
    return Received(student, "read", notebook=notebook, digest=digest, notes=tuple(notes))


def _files(folder: Path, assignment: str) -> tuple[list[Path], list[str]]:
    """Return the notebooks of a student, and the names of the other files beside them."""
    inner = folder / assignment
    if inner.is_symlink():
        # It could lead to somebody else's work.
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    for place in (inner, folder):
        try:
            # The names that begin with a dot are those of macOS and of Jupyter, and no submissions.
            found = [path for path in place.iterdir() if not path.name.startswith(".") and path != inner]
        except (FileNotFoundError, NotADirectoryError):
            continue
        notebooks = [path for path in found if path.suffix.lower() == ".ipynb"]
        if notebooks or place == folder:
            return notebooks, [path.name for path in found]
    return [], []


def _printable(name: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in name)


def _preference(name: str, expected_name: str) -> tuple[bool, bool, list[tuple[int, str]]]:
    """Order names: the exact one first, then those that contain it; of a browser's copies, the highest number."""
    stem = expected_name.removesuffix(".ipynb").lower()
    parts = [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
    return name == expected_name, stem in name.lower(), parts


def _read_bytes(path: Path) -> bytes:
    try:
        # A link could show the student any file of the grader in their feedback.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"the file cannot be opened ({error.strerror}); links are not followed") from None
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"the file is larger than {MAX_BYTES >> 20} MiB: clear the outputs and hand it in again")
    return data


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
    return "it is not UTF-8 text"


def _cells_of(parsed: Any) -> list[Any]:
    match parsed:
        case {"nbformat": 4, "cells": list(cells)}:
            return cells
        case {"nbformat": 3, "worksheets": list(sheets)}:
            return [cell for sheet in sheets if isinstance(sheet, dict) for cell in _list(sheet.get("cells"))]
        case {"nbformat": int(version)}:
            raise UnreadableError(f"it says that it is a notebook of format {version}, and is none of format 3 or 4")
    raise UnreadableError("it is JSON, but no notebook")


def _clean_cell(cell: Any, position: int, used: set[str]) -> dict[str, Any]:
    if not isinstance(cell, dict):
        raise UnreadableError(f"its cell {position + 1} is no cell")
    kind = cell.get("cell_type")
    kind = kind if kind in {"code", "raw"} else "markdown"
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
        "metadata": {"nbgrader": metadata["nbgrader"]} if isinstance(metadata.get("nbgrader"), dict) else {},
    }
    if kind != "code":
        return clean
    return clean | {"outputs": figures_of(_list(cell.get("outputs"))), "execution_count": None}


def _text(source: Any) -> str:
    parts = source if isinstance(source, list) else [source]
    joined = "".join(part for part in parts if isinstance(part, str))
    return joined.encode("utf-8", "replace").decode("utf-8")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
