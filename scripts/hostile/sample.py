"""A hostile notebook: the cells of assignment 1 with some code in them, and what else was done to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from samples.a1 import BACKWARD, FORWARD, LOOP_1D, LOOP_2D

Notebook = dict[str, Any]

FILE_NAME = "a1_scanning.ipynb"
# Names of what samples leave behind have this in them, so that it can be told from what others do on the machine.
MARK = "hostile-left"
# Where samples try to reach somebody, and the trial listens.
PORT, SOCKET = 47115, "hostile-listens"

_RIGHT = LOOP_1D.replace("def scan_1d(", "def right_answer(")
_HEAD = "def scan_1d(x, layers, width, hop):\n"


@dataclass(frozen=True)
class Sample:
    """One notebook.

    Attributes
    ----------
    above
        Cells between the imports and the first answer.
    scan_1d, scan_2d
        The answers; those to exercise 3 are right.
    below
        Cells at the end.
    change
        What else was done to the notebook.
    file_name
        As it was handed in.
    encode
        From the notebook to the bytes of the file.
    """

    above: tuple[str, ...] = ()
    scan_1d: str = LOOP_1D
    scan_2d: str = LOOP_2D
    below: tuple[str, ...] = ()
    change: Callable[[Notebook], None] | None = None
    file_name: str = FILE_NAME
    encode: Callable[[str], bytes] = str.encode


def deed(body: str) -> str:
    """Return a right answer to exercise 1 that does something else first, whatever comes of it."""
    return (
        f"def attack():\n{_indented(body)}\n\n{_RIGHT}\n\n{_HEAD}    try:\n        attack()\n    except Exception:\n"
        + ("        pass\n    return right_answer(x, layers, width, hop)\n")
    )


def instead(body: str) -> str:
    """Return a function that has no answer to exercise 1 but something else."""
    return f'{_HEAD}{_indented(body)}    raise NotImplementedError("nothing was found")\n'


def as_if(expression: str, *, first: str = "") -> str:
    """Return an answer to exercise 1 in which `expression` stands for the right answer y."""
    return f"{first}{_RIGHT}\n\n{_HEAD}    y = right_answer(x, layers, width, hop)\n    return {expression}\n"


def bytes_of(sample: Sample, release: Notebook) -> bytes:
    """Return the file of a sample."""
    notebook = notebook_of(sample, release)
    # A line a cell: the files are many, and together they stay below a megabyte.
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        return sample.encode(json.dumps(notebook) + "\n")
    rest = json.dumps({key: value for key, value in notebook.items() if key != "cells"})
    lines = ",\n ".join(json.dumps(cell, ensure_ascii=False) for cell in cells)
    return sample.encode(f'{{"cells": [\n {lines}\n],\n{rest[1:]}\n')


def notebook_of(sample: Sample, release: Notebook) -> Notebook:
    """Return a sample's notebook: without the text and the figures of the release, which nobody needs for points."""
    answers = {
        "scan_1d": sample.scan_1d,
        "scan_2d": sample.scan_2d,
        "aggregate": FORWARD,
        "aggregate_backward": BACKWARD,
    }
    code = [cell for cell in release["cells"] if cell["cell_type"] == "code"]
    cells = [code_cell("imports", "import numpy as np\nfrom cnnlab.checks import check")]
    cells += [code_cell(f"above-{i}", source) for i, source in enumerate(sample.above)]
    for cell in code:
        nbgrader = cell["metadata"].get("nbgrader")
        if nbgrader is None:
            continue
        name = nbgrader["grade_id"].removeprefix("a1-").removesuffix("-answer")
        source = "".join(cell["source"]) if nbgrader["grade"] else answers[name]
        kept = {key: value for key, value in nbgrader.items() if key != "checksum"}
        cells.append({**cell, "source": _text(source), "metadata": {"nbgrader": kept}})
    cells += [code_cell(f"below-{i}", source) for i, source in enumerate(sample.below)]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    if sample.change is not None:
        sample.change(notebook)
    return notebook


def code_cell(identifier: str, source: str) -> Notebook:
    """Return a cell of a student's own."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": identifier,
        "metadata": {},
        "outputs": [],
        "source": _text(source),
    }


def named(notebook: Notebook, grade_id: str) -> Notebook:
    """Return the cell of that name."""
    cell: Notebook = next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)
    return cell


def _text(text: str) -> str:
    # One string, not a list of lines as Jupyter writes it: the files are many.
    return text.rstrip("\n")


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in text.strip("\n").split("\n"))
