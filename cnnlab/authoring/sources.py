"""Read a py:percent source as a notebook that is the same on every machine and at every build."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def read_source(path: Path, *, shown_as: str) -> NotebookNode:
    """Return the notebook of a py:percent file: no outputs, stable cell ids, fixed metadata.

    Parameters
    ----------
    path
        The source file.
    shown_as
        How the notebook names its source: a path from the project's root, with slashes.

    Raises
    ------
    ValueError
        If the first cell is not text, or a ``grade_id`` cannot serve as a cell id.
    """
    notebook: NotebookNode = jupytext.read(path, fmt="py:percent")
    if not notebook.cells or notebook.cells[0].cell_type != "markdown":
        raise ValueError(f"{shown_as} must begin with a text cell: start it with `# %% [markdown]` and a title")
    _set_cell_ids(notebook, shown_as)
    for cell in notebook.cells:
        # How many blank lines followed the cell in the source; no reader of the notebook needs it.
        cell.metadata.pop("lines_to_next_cell", None)
    # A comment in the first cell, because the notebook's metadata stands at the end of the file.
    note = f"<!-- Generated from {shown_as}: edit that file, then run `make build`. -->"
    notebook.cells[0].source = f"{note}\n\n{notebook.cells[0].source}"
    metadata = {"cnnlab": {"generated_from": shown_as}, "kernelspec": _KERNEL, "language_info": {"name": "python"}}
    notebook.metadata = nbformat.from_dict(metadata)  # type: ignore[no-untyped-call]
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def as_file_text(notebook: NotebookNode) -> str:
    """Return what is written to the ``.ipynb`` file: sorted keys, one newline at the end."""
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook, version=4)  # type: ignore[no-untyped-call]
    return f"{text.rstrip()}\n"


def _set_cell_ids(notebook: NotebookNode, shown_as: str) -> None:
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id is not None:
            if not _CELL_ID.fullmatch(grade_id):
                raise ValueError(f"{shown_as}: grade_id {grade_id!r} must be 1 to 64 letters, digits, - or _")
            cell.id = grade_id
            continue
        text = f"{cell.cell_type}\n{cell.source}"
        cell.id = hashlib.sha256(f"{text}\n{seen[text]}".encode()).hexdigest()[:12]
        seen[text] += 1
