"""Bring a submission back into the form of its assignment: nbgrader's metadata, and cells that are gone.

What the metadata of a submission says is not believed. A cell is one of the assignment's if it bears the name of one,
in nbgrader's metadata or as its cell id; everything else about it is taken from the release.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnlab.grading.model import Cell

_Notebook = Mapping[str, Any]


@dataclass(frozen=True)
class Repaired:
    """A submission in the form of its assignment.

    Attributes
    ----------
    notebook
        With the release's metadata, and each grade cell exactly once.
    cells
        The code to run: all code cells except grade cells, in the order of the notebook.
    grade_positions
        Where the grade cells stood in what was handed in, by ``grade_id``; those that were gone are not in it.
    own_cells
        Positions of the cells that the student wrote or changed.
    notes
        What was repaired.
    """

    notebook: dict[str, Any]
    cells: tuple[Cell, ...]
    grade_positions: Mapping[str, int]
    own_cells: frozenset[int]
    notes: tuple[str, ...]


def repair(submitted: _Notebook, release: _Notebook) -> Repaired:
    """Return the submission with the metadata and the grade cells of the release.

    Parameters
    ----------
    submitted
        From `cnnlab.grading.intake.read_notebook`; it is not changed.
    release
        What was given to the students, of the same form.
    """
    originals = {name: cell for cell in release["cells"] if (name := _grade_id(cell)) is not None}
    given = {cell["source"].strip() for cell in release["cells"]}
    notes: list[str] = []
    cells = [copy.deepcopy(dict(cell)) for cell in submitted["cells"]]
    seen: set[str] = set()
    for cell in reversed(cells):  # nbgrader's rule too: of a copied cell, the last one counts
        claimed = _grade_id(cell)
        name = claimed if claimed in originals else cell["id"] if claimed is None and cell["id"] in originals else None
        cell["metadata"] = {}
        if name is None:
            continue
        if name in seen:
            notes.append(f"cell {name} was there twice; the last one counts")
            continue
        seen.add(name)
        if claimed is None:
            notes.append(f"cell {name} had lost its metadata")
        _take_over(cell, originals[name], notes)
    for cell in cells:
        if _is_check(cell):
            cell["source"] = originals[cell["metadata"]["nbgrader"]["grade_id"]]["source"]
    looked_at = {id(cell) for cell in parts_of_answers({"cells": cells}).values()}
    for cell in cells:
        if cell["cell_type"] == "code" and id(cell) not in looked_at:
            cell["outputs"] = []  # pictures are kept for those who grade by hand only
    runnable = [position for position, cell in enumerate(cells) if cell["cell_type"] == "code" and not _is_check(cell)]
    numbered = tuple(Cell(position, cells[position]["source"]) for position in runnable)
    own = frozenset(position for position in runnable if cells[position]["source"].strip() not in given)
    grades = {str(_grade_id(cell)): position for position, cell in enumerate(cells) if _is_check(cell)}
    missing = [name for name, cell in originals.items() if name not in seen and cell["metadata"]["nbgrader"]["grade"]]
    # At the end: where the cell stood does not matter, and the positions of the others stay what they were.
    for name in missing:
        cells.append(copy.deepcopy(originals[name]))
        notes.append(f"grade cell {name} was missing and was put back")
    _give_ids(cells)
    return Repaired({**submitted, "cells": cells}, numbered, grades, own, tuple(notes))


def grade_cells(notebook: _Notebook) -> dict[str, dict[str, Any]]:
    """Return nbgrader's metadata of the cells that a machine grades, by ``grade_id``."""
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: cell["metadata"]["nbgrader"]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and _is_check(cell)
    }


def answer_cells(notebook: _Notebook) -> dict[str, dict[str, Any]]:
    """Return nbgrader's metadata of the cells whose text a person grades, by ``grade_id``."""
    found = [cell["metadata"]["nbgrader"] for cell in notebook["cells"] if "nbgrader" in cell["metadata"]]
    return {data["grade_id"]: data for data in found if data.get("grade") and data.get("solution")}


def parts_of_answers(notebook: _Notebook) -> dict[str, Mapping[str, Any]]:
    """Return the cells that a person looks at, by ``grade_id``: answers, and figures whose names begin like theirs."""
    answers = tuple(answer_cells(notebook))
    named = {str(_grade_id(cell)): cell for cell in notebook["cells"] if _grade_id(cell) is not None}
    return {name: cell for name, cell in named.items() if answers and name.startswith(answers)}


def _grade_id(cell: Mapping[str, Any]) -> str | None:
    name = cell["metadata"].get("nbgrader", {}).get("grade_id")
    return name if isinstance(name, str) else None


def _is_check(cell: Mapping[str, Any]) -> bool:
    metadata = cell["metadata"].get("nbgrader", {})
    return bool(metadata.get("grade")) and not metadata.get("solution")


def _take_over(cell: dict[str, Any], original: Mapping[str, Any], notes: list[str]) -> None:
    cell["metadata"] = copy.deepcopy(original["metadata"])
    if cell["cell_type"] == original["cell_type"]:
        return
    notes.append(f"cell {cell['metadata']['nbgrader']['grade_id']} was a {cell['cell_type']} cell")
    cell["cell_type"] = original["cell_type"]
    if cell["cell_type"] == "code":
        cell.update(outputs=[], execution_count=None)
    else:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


def _give_ids(cells: list[dict[str, Any]]) -> None:
    """Give each cell an id of its own; a cell of the assignment is named like it."""
    taken = {name for cell in cells if (name := _grade_id(cell)) is not None}
    for position, cell in enumerate(cells):
        name = _grade_id(cell)
        if name is None and cell["id"] in taken:
            name = f"cell-{position}-copy"
        cell["id"] = name or cell["id"]
        taken.add(cell["id"])
