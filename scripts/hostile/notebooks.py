"""Notebooks that were damaged, or whose metadata ask for what is not theirs."""

from __future__ import annotations

import copy
import json
from typing import Any

from hostile.sample import Notebook, Sample, code_cell, instead, named

_GRADES = ("a1-scan_1d", "a1-scan_2d", "a1-aggregate")


def _grade_cells_deleted(notebook: Notebook) -> None:
    notebook["cells"] = [c for c in notebook["cells"] if not c["metadata"].get("nbgrader", {}).get("grade")]


def _grade_cells_copied(notebook: Notebook) -> None:
    for name in _GRADES:
        cell = named(notebook, name)
        place = notebook["cells"].index(cell)
        notebook["cells"][place:place] = [copy.deepcopy(cell), copy.deepcopy(cell) | {"id": f"{name}-again"}]


def _grade_cells_first(notebook: Notebook) -> None:
    cells = notebook["cells"]
    grades = [named(notebook, name) for name in _GRADES]
    notebook["cells"] = [cells[0], *grades, *(c for c in cells[1:] if c not in grades)]


def _grade_ids_renamed(notebook: Notebook) -> None:
    for number, name in enumerate(_GRADES):
        cell = named(notebook, name)
        cell["metadata"]["nbgrader"]["grade_id"] = f"../../hostile-left-{number}'; DROP TABLE grade; --"
        cell["id"] = f"renamed-{number}"


def _one_id_for_all(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["nbgrader"] = {"grade_id": "a1-aggregate", "grade": True, "solution": False, "points": 100}
        cell["id"] = "a1-aggregate"


def _answers_called_grades(notebook: Notebook) -> None:
    one, two = named(notebook, "a1-scan_1d-answer"), named(notebook, "a1-scan_2d-answer")
    one["metadata"]["nbgrader"]["grade_id"], two["metadata"]["nbgrader"]["grade_id"] = (
        "a1-scan_2d-answer",
        "a1-scan_1d-answer",
    )


def _points_raised(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] |= {
                **dict.fromkeys(("points", "max_score", "auto_score", "extra_credit"), 1e9),
                "locked": False,
                "schema_version": 99,
            }


def _graded_by_hand(notebook: Notebook) -> None:
    for name in _GRADES:
        named(notebook, name)["metadata"]["nbgrader"] |= {"solution": True, "task": True, "manual_score": 15}
    notebook["cells"].append(copy.deepcopy(named(notebook, "a1-scan_1d")) | {"id": "more"})
    notebook["cells"][-1]["metadata"]["nbgrader"] |= {"grade_id": "a1-more", "points": 50}


def _grade_cells_filled(notebook: Notebook) -> None:
    for name in _GRADES:
        named(notebook, name)["source"] = "raise SystemExit\nscore = 15\n15.0"


def _as_text_cells(notebook: Notebook) -> None:
    for name in _GRADES:
        cell = named(notebook, name)
        cell["cell_type"] = "markdown"
        del cell["outputs"], cell["execution_count"]


def _without_metadata(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def _format_3(notebook: Notebook) -> None:
    cells = notebook.pop("cells")
    for cell in cells:
        cell["input"] = cell.pop("source")
        cell["language"] = "python"
        cell["prompt_number"] = None
    notebook |= {"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells, "metadata": {}}, None, "x"]}


def _odd_types(notebook: Notebook) -> None:
    odd: list[Any] = [
        {"cell_type": None, "source": None},
        {"cell_type": "code", "source": 5, "metadata": [], "outputs": {}, "id": 7},
        {"cell_type": ["code"], "source": [1, None, ["x"]], "metadata": {"nbgrader": "a1-scan_1d"}},
        {
            "cell_type": "code",
            "source": {"a": 1},
            "metadata": {"nbgrader": {"grade_id": ["a1-scan_1d"]}},
            "outputs": [None],
        },
        {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": None, "grade": "yes"}}, "id": "a1-scan_1d" * 99},
        {},
    ]
    notebook["cells"][1:1] = odd
    notebook |= {"metadata": None, "nbformat_minor": "five", "extra": {"__proto__": 1}}


def _not_numbers(notebook: Notebook) -> None:
    named(notebook, "a1-scan_1d")["metadata"]["nbgrader"]["points"] = float("nan")
    notebook["metadata"] = {"a": float("inf"), "b": float("-inf")}
    notebook["cells"][0]["execution_count"] = float("nan")


def _deep_metadata(notebook: Notebook) -> None:
    deep: Any = {}
    for _ in range(450):
        deep = {"a": deep}
    cell = code_cell("deep", "pass")
    cell["metadata"] = {"nbgrader": {"grade_id": "deep", "deep": deep}}
    notebook["cells"].insert(1, cell)
    named(notebook, "a1-scan_1d")["metadata"]["nbgrader"]["deep"] = copy.copy(deep)


def _control_letters(notebook: Notebook) -> None:
    notebook["cells"].insert(1, code_cell("nul", "x = '\x00'\n"))
    notebook["cells"].insert(1, code_cell("feed", "x = 1\x0c\x0b\x1c\x85\u2028\n"))


def _raw(text: str) -> Sample:
    return Sample(encode=lambda _: text.encode())


SAMPLES = {
    "grade_cells_deleted": Sample(change=_grade_cells_deleted),
    "grade_cells_copied": Sample(change=_grade_cells_copied),
    "grade_cells_first": Sample(change=_grade_cells_first),
    "grade_cells_filled": Sample(change=_grade_cells_filled, scan_1d=instead("pass\n")),
    "grade_cells_made_text": Sample(change=_as_text_cells),
    "grade_ids_renamed": Sample(change=_grade_ids_renamed),
    "one_grade_id_for_all": Sample(change=_one_id_for_all),
    "answers_exchange_their_ids": Sample(change=_answers_called_grades),
    "points_raised": Sample(change=_points_raised, scan_1d=instead("pass\n")),
    "graded_by_hand_it_says": Sample(change=_graded_by_hand, scan_1d=instead("pass\n")),
    "metadata_gone": Sample(change=_without_metadata),
    "format_3": Sample(change=_format_3),
    "format_5": Sample(change=lambda notebook: notebook.update(nbformat=5, nbformat_minor=0)),
    "format_4_of_the_future": Sample(change=lambda notebook: notebook.update(nbformat_minor=99, new={"kind": 1})),
    "format_of_many_digits": Sample(change=lambda notebook: notebook.update(nbformat=10**4000)),
    "odd_types_in_json": Sample(change=_odd_types),
    "nan_in_json": Sample(change=_not_numbers),
    "deep_metadata": Sample(change=_deep_metadata),
    "control_letters_in_code": Sample(change=_control_letters),
    "byte_order_mark": Sample(encode=lambda text: text.encode("utf-8-sig")),
    "utf_16": Sample(encode=lambda text: text.encode("utf-16")),
    "not_utf_8": Sample(above=("# caf\u00e9\n",), encode=lambda text: text.encode("latin-1", "replace")),
    "half_letters_in_json": Sample(
        above=("print('lone')\n",), encode=lambda text: text.replace("lone", "\\ud800").encode()
    ),
    "empty_file": _raw(""),
    "only_white_space": _raw(" \n" * 50),
    "json_of_something_else": _raw(json.dumps([{"nbformat": 4, "cells": []}])),
    "cells_that_are_none": _raw(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [1, None]})),
    "number_of_many_digits": _raw('{"nbformat": ' + "9" * 5000 + ', "cells": []}'),
    "half_of_a_file": Sample(encode=lambda text: text.encode()[: len(text) // 2]),
    "html_page_of_a_login": _raw(
        "<!DOCTYPE html><html><body><script>alert('hostile-left')</script>Log in</body></html>"
    ),
    "named_by_the_browser": Sample(file_name="a1_scanning (1).ipynb"),
    "named_in_capitals": Sample(file_name="A1_SCANNING.IPYNB"),
    "named_otherwise": Sample(file_name="Untitled-final-FINAL.ipynb"),
}
