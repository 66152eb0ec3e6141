"""The sample classes: what the students of each class answer, and what they must get for it.

A module an assignment (`a1`, `a2`, …) holds the answers as text, in its own STUDENTS; one more module is one more
class. What must come out stands in ``course/samples/<assignment>/``, written by hand: the points in expected.csv, and
the mistakes that must be named in expected_mistakes.csv.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from samples.students import Student

ROOT = Path(__file__).parents[2]


def assignments() -> list[str]:
    """Return the assignments that have a sample class."""
    return sorted(path.stem for path in Path(__file__).parent.glob("a[0-9].py"))


def students(assignment: str) -> Mapping[str, Student]:
    """Return the students of a class by name."""
    found: Mapping[str, Student] = importlib.import_module(f"samples.{assignment}").STUDENTS
    return found


def folder(assignment: str) -> Path:
    """Return where the notebooks of a class lie, with what they must get."""
    return ROOT / "course" / "samples" / assignment
