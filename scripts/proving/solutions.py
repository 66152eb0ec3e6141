"""The course's own answers: the cells of ``course/exercises`` that students are to fill in."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

from cnnlab.checks.calling import call
from cnnlab.checks.model import Case, Exercise
from cnnlab.checks.seeds import VISIBLE_SEED, case_generator

ROOT = Path(__file__).resolve().parents[2]
FILE = "<solution>"  # of the code that is run here, to know it again in a trace
_DEFINING = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
_GRADE_ID = re.compile(r'"grade_id": "([^"]+)"')


@dataclass(frozen=True)
class Cell:
    """A code cell; `answer` if the student writes it."""

    source: str
    grade_id: str = ""
    answer: bool = False


@dataclass(frozen=True)
class Solution:
    """What stands above the grade cell of one exercise.

    Attributes
    ----------
    cells
        Answers, and what the other cells above define: they import names, or load what the functions use.
    own
        Which of them are the answer to this exercise, and not to one before it.
    """

    cells: tuple[str, ...]
    own: tuple[int, ...]

    def functions(self, exercise: Exercise, changed: Mapping[int, str] | None = None) -> list[Callable[..., Any]]:
        """Run the cells, some of them with other code, and return the functions of the exercise.

        Raises
        ------
        Exception
            Whatever the code raises while it runs; KeyError if a function is not there.
        """
        scope: dict[str, Any] = {"__name__": "solution"}
        for number, source in enumerate(self.cells):
            exec(compiled((changed or {}).get(number, source), FILE), scope)
        return [scope[function.name] for function in exercise.functions]


def compiled(source: str, name: str) -> CodeType:
    """Compile code without a word about what is odd in it: mutants are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return compile(source, name, "exec")


@cache
def solution_of(exercise_id: str, folder: Path = ROOT / "course" / "exercises") -> Solution:
    """Return the course's answer to one exercise.

    Raises
    ------
    LookupError
        If there is no grade cell with the exercise's name.
    """
    assignment, _, name = exercise_id.partition(".")
    for path in sorted(folder.glob(f"{assignment}_*.py")):
        found = _up_to(cells_of(path.read_text("utf-8")), f"{assignment}-{name}")
        if found is not None:
            return found
    raise LookupError(f"{folder}/{assignment}_*.py has no grade cell {assignment}-{name}")


def cells_of(text: str) -> list[Cell]:
    """Return the code cells of a py:percent file."""
    cells = []
    for block in re.split(r"^# %%", text, flags=re.MULTILINE)[1:]:
        head, _, source = block.partition("\n")
        if not head.strip().startswith("[markdown]"):
            found = _GRADE_ID.search(head)
            cells.append(Cell(source, found[1] if found else "", '"solution": true' in head))
    return cells


def _up_to(cells: list[Cell], grade_id: str) -> Solution | None:
    grade_ids = [cell.grade_id for cell in cells]
    if grade_id not in grade_ids:
        return None
    above = cells[: grade_ids.index(grade_id)]
    first = max((i + 1 for i, cell in enumerate(above) if _is_grade(cell)), default=0)
    kept = [i for i, cell in enumerate(above) if not _is_grade(cell)]
    sources = tuple(above[i].source if above[i].answer else _definitions(above[i].source) for i in kept)
    return Solution(sources, tuple(number for number, i in enumerate(kept) if i >= first and above[i].answer))


def _definitions(source: str) -> str:
    """Leave out what a cell only shows, checks among it."""
    tree = ast.parse(source)
    tree.body = [statement for statement in tree.body if isinstance(statement, _DEFINING)]
    return ast.unparse(tree)


def _is_grade(cell: Cell) -> bool:
    return bool(cell.grade_id) and not cell.answer


def kinds_of_variables(exercise: Exercise, functions: list[Callable[..., Any]]) -> dict[str, dict[str, str]]:
    """Return what kind of thing each variable of each function holds at its end, for a first case of each function."""
    kinds: dict[str, dict[str, str]] = {}

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "return" and frame.f_code.co_filename == FILE:
            found = kinds.setdefault(frame.f_code.co_name, {})
            found.update({name: _kind(value) for name, value in frame.f_locals.items()})

    by_name = dict(zip((function.name for function in exercise.functions), functions, strict=True))
    first: dict[str, Case] = {}
    for index, check in enumerate(exercise.checks):
        if not check.hidden:
            for case in check.cases(case_generator(exercise, index, VISIBLE_SEED)):
                first.setdefault(exercise.function(case.function).name, case)
    with _profile(watch):
        for name, case in first.items():
            call(exercise.function(name), by_name[name], case)
    return kinds


@contextmanager
def _profile(watch: Callable[[FrameType, str, object], None]) -> Any:
    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(before)


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array {value.dtype.kind} {value.ndim}"
    if isinstance(value, bool | np.bool_):
        return "bool"
    if isinstance(value, int | np.integer):
        return "int"
    if isinstance(value, list | tuple):
        return f"sequence {len(value)}"
    return type(value).__name__
