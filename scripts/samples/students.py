"""What a student hands in: the release with some cells filled, and what else happened to the file."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]


@dataclass(frozen=True)
class Student:
    """One student of a sample class.

    Attributes
    ----------
    answers
        What stands in the answer cell of a function, by its name. The other cells are left as they were released.
    changes
        What else was done to the notebook, in this order.
    file_name
        What the file is called now; empty: as it was released.
    kept
        How many characters of the file arrived; None: all.
    cells
        What stands in other cells that students fill, by their grade_id.
    figures
        What such cells show: files in the folder figures.
    """

    answers: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[Callable[[Notebook], None], ...] = ()
    file_name: str = ""
    kept: int | None = None
    cells: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)


def filled_in(release: Notebook, assignment: str, student: Student) -> Notebook:
    """Return the release with the student's answers and changes."""
    notebook = copy.deepcopy(release)
    answers = {f"{assignment}-{function}-answer": text for function, text in student.answers.items()}
    for grade_id, text in (*student.cells.items(), *answers.items()):
        _find(notebook, grade_id)["source"] = _lines(text)
    for grade_id, file_name in student.figures.items():
        _find(notebook, grade_id).update(execution_count=1, outputs=[_shown(file_name)])
    for change in student.changes:
        change(notebook)
    return notebook


def changed(source: str, *replacements: tuple[str, str]) -> str:
    """Return an answer with something else in its place, to spoil it."""
    for old, new in replacements:
        if old not in source:
            raise ValueError(f"{old!r} is not in the answer that is to be spoiled")
        source = source.replace(old, new)
    return source


# ---- what may happen to a notebook ----


def written_below(grade_id: str, text: str) -> Callable[[Notebook], None]:
    """Return a change that puts a new cell below one of the release's."""

    def change(notebook: Notebook) -> None:
        cells = notebook["cells"]
        place = cells.index(_find(notebook, grade_id)) + 1
        own = {"cell_type": "code", "execution_count": None, "id": f"below-{grade_id}", "metadata": {}, "outputs": []}
        cells.insert(place, own | {"source": _lines(text)})

    return change


def deleted(grade_id: str) -> Callable[[Notebook], None]:
    """Return a change that deletes a cell."""
    return lambda notebook: notebook["cells"].remove(_find(notebook, grade_id))


def copied(grade_id: str) -> Callable[[Notebook], None]:
    """Return a change that copies a cell, with what nbgrader wrote into it, to the place below it."""

    def change(notebook: Notebook) -> None:
        cells = notebook["cells"]
        cell = _find(notebook, grade_id)
        cells.insert(cells.index(cell) + 1, copy.deepcopy(cell) | {"id": f"copy-of-{grade_id}"})

    return change


def without_metadata(grade_id: str) -> Callable[[Notebook], None]:
    """Return a change that takes a cell's metadata away, as some editors do."""
    return lambda notebook: _find(notebook, grade_id).update(metadata={})


def made_markdown(grade_id: str) -> Callable[[Notebook], None]:
    """Return a change that makes a code cell one of text: the key M, pressed at the wrong time."""

    def change(notebook: Notebook) -> None:
        cell = _find(notebook, grade_id)
        cell["cell_type"] = "markdown"
        del cell["outputs"], cell["execution_count"]

    return change


def _find(notebook: Notebook, grade_id: str) -> dict[str, Any]:
    found = [c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id]
    if len(found) != 1:
        raise ValueError(f"the release has no cell {grade_id}: are the names of the sample answers still right?")
    cell: dict[str, Any] = found[0]
    return cell


def _lines(text: str) -> list[str]:
    return text.rstrip("\n").splitlines(keepends=True)


def _shown(file_name: str) -> dict[str, Any]:
    """Return the output of a cell that shows a picture."""
    picture = (Path(__file__).parent / "figures" / file_name).read_bytes()
    data = {"image/png": base64.b64encode(picture).decode("ascii"), "text/plain": ["<Figure>"]}
    return {"data": data, "metadata": {}, "output_type": "display_data"}
