"""The data that the steps of a grading run hand to each other: frozen, plain, and written as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Any, Literal
from weakref import WeakValueDictionary

_SHORT = 200
Status = Literal["graded", "timeout", "crashed", "unreadable", "missing", "grader_error"]


@dataclass(frozen=True)
class Cell:
    """A code cell to run, and where it stands in the notebook."""

    index: int
    source: str


@dataclass(frozen=True)
class CellReport:
    """What one cell did.

    Attributes
    ----------
    index
        Its position in the notebook.
    error
        Type, text and own line of the exception that it raised.
    stdout, stderr
        What it printed, shortened.
    left_out
        Why it was not run in the end: it hung, or it ended the process.
    """

    index: int
    error: tuple[str, str, str] | None = None
    stdout: str = ""
    stderr: str = ""
    left_out: str = ""


@dataclass(frozen=True)
class CheckRecord:
    """One check of one student; nothing in it tells the input or the expected answer.

    ``mistakes`` holds the identifier and the name of each known mistake that was recognized.
    """

    title: str
    hidden: bool
    passed: bool
    points: float
    max_points: float
    kind: str
    mistakes: Mapping[str, str]


@dataclass(frozen=True)
class ExerciseRecord:
    """One exercise of one student, with the card that the feedback page shows."""

    exercise_id: str
    grade_id: str
    title: str
    score: float
    max_score: float
    checks: tuple[CheckRecord, ...]
    card: str


@dataclass(frozen=True)
class Result:
    """Everything that grading one submission found.

    Attributes
    ----------
    student, assignment
        Whose, and for what.
    status
        ``graded``, or what kept it from being graded in the ordinary way.
    reason
        One sentence when the status is another than ``graded``.
    key
        Hash of the submission, the checks, and everything else that the result depends on.
    isolation
        Name of the executor; empty when nothing was run.
    isolated
        Whether that executor keeps hostile code in.
    seconds
        How long it took.
    exercises, cells
        Details, empty when nothing was run.
    notes
        What the intake repaired, for the teaching team.
    own_cells
        Positions of the cells that the student wrote: what others raise (a demo that is not there while grading) is
        not their concern.
    """

    student: str
    assignment: str
    status: Status
    reason: str = ""
    key: str = ""
    isolation: str = ""
    isolated: bool = True
    seconds: float = 0.0
    exercises: tuple[ExerciseRecord, ...] = ()
    cells: tuple[CellReport, ...] = ()
    notes: tuple[str, ...] = ()
    own_cells: tuple[int, ...] = ()

    @property
    def score(self) -> float | None:
        """Points; 0 when there was nothing to grade, None when the grader failed."""
        if self.status == "grader_error":
            return None
        return float(sum(exercise.score for exercise in self.exercises))

    @property
    def was_run(self) -> bool:
        """Whether the checks looked at it, so that its points are true."""
        return self.status in {"graded", "timeout", "crashed"}

    def in_brief(self) -> Result:
        """Return the result without cards and cells, which are most of it: a run keeps one for each student."""
        return replace(self, exercises=tuple(map(_without_card, self.exercises)), cells=())

    def as_dict(self) -> dict[str, Any]:
        """Return the result as data that JSON can say."""
        # What dataclasses.asdict gives, which copies every string and number on its way.
        exercises = [{**vars(each), "checks": [vars(check) for check in each.checks]} for each in self.exercises]
        return {**vars(self), "exercises": exercises, "cells": [vars(cell) for cell in self.cells]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        """Return the result that `as_dict` was made from; raises TypeError or KeyError for anything else."""
        exercises = tuple(
            ExerciseRecord(**{**_shared(item), "checks": tuple(CheckRecord(**_shared(one)) for one in item["checks"])})
            for item in data["exercises"]
        )
        cells = tuple(
            CellReport(**{**item, "error": tuple(item["error"]) if item["error"] else None}) for item in data["cells"]
        )
        own = tuple(data.get("own_cells", ()))
        return cls(**{**data, "exercises": exercises, "cells": cells, "notes": tuple(data["notes"]), "own_cells": own})


# Without their cards, the exercises of a large class are few different ones: each is kept once.
_BRIEF: WeakValueDictionary[tuple[object, ...], ExerciseRecord] = WeakValueDictionary()


def _without_card(exercise: ExerciseRecord) -> ExerciseRecord:
    checks = tuple((*(vars(check) | {"mistakes": None}).values(), *check.mistakes.items()) for check in exercise.checks)
    rest = vars(exercise) | {"checks": checks, "card": ""}
    return _BRIEF.setdefault(tuple(rest.values()), replace(exercise, card=""))


def _shared(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data with its short texts, the same for a whole class, kept once."""
    return {key: intern(value) if type(value) is str and len(value) < _SHORT else value for key, value in data.items()}


@dataclass(frozen=True)
class Change:
    """A score that is another than in the run before; None where there was none, or where the grader failed."""

    student: str
    exercise: str
    old: float | None
    new: float | None


@dataclass(frozen=True)
class SimilarPair:
    """Two submissions whose own code is much alike: a hint to look, and no more than that.

    ``words`` compares the code as it is written, ``shape`` without the names; both from 0 to 1.
    """

    first: str
    second: str
    words: float
    shape: float


@dataclass(frozen=True)
class Similarity:
    """What comparing the class found: the pairs worth a look, and what is usual in this class."""

    pairs: tuple[SimilarPair, ...] = ()
    compared: int = 0
    usual_words: float = 0.0
    usual_shape: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Report:
    """One run over a class.

    Attributes
    ----------
    assignment
        Which.
    exercises
        ``(id, points)`` in the order of the notebook.
    results
        One a student, sorted by name, in brief; `cnnlab.grading.store.ResultStore` has the rest.
    warnings
        Said in every form of the report: no isolation, a public seed.
    title
        What the assignment is called.
    notices
        What the teaching team should know of the files that came in.
    changes
        Scores that are others than in the run before.
    similar
        Submissions that are much alike.
    owners
        What an LMS calls a student: ``{"lms": …, "name": …, "lms_id": …}``, by student.
    """

    assignment: str
    exercises: tuple[tuple[str, float], ...]
    results: tuple[Result, ...]
    warnings: tuple[str, ...] = ()
    title: str = ""
    notices: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    similar: Similarity = Similarity()
    owners: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def max_score(self) -> float:
        """What the assignment is worth."""
        return sum(points for _, points in self.exercises)

    @property
    def has_grader_errors(self) -> bool:
        """Whether some submission could not be graded through a fault of ours."""
        return any(result.status == "grader_error" for result in self.results)
