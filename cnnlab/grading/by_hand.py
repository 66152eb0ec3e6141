"""What nbgrader's gradebook says of a class: points by the machine and by hand, comments, and penalties for lateness.

It is only read here. The total is the one that ``nbgrader export`` gives: points given by hand count before those of
the machine, extra credit is added, a penalty taken off, and nothing goes below zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from nbgrader.api import Assignment, Comment, Grade, Gradebook, SubmittedAssignment, SubmittedNotebook
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import selectinload

from cnnlab.grading.address import GradebookError, find_address
from cnnlab.grading.course import Course
from cnnlab.grading.database import find_gradebook
from cnnlab.grading.gradebook import people_in
from cnnlab.grading.people import Person
from cnnlab.grading.waiting import Patience, when_free

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """The points of one grade cell.

    Attributes
    ----------
    grade_id
        Of the cell.
    machine, by_hand, extra
        None where nothing was given. `by_hand` counts before `machine`; `extra` is added.
    max_score
        What the cell is worth.
    waits
        Whether somebody still has to look at it.
    """

    grade_id: str
    machine: float | None
    by_hand: float | None
    extra: float | None
    max_score: float
    waits: bool

    @property
    def is_changed_by_hand(self) -> bool:
        """Whether a person gave points here."""
        return self.by_hand is not None or bool(self.extra)

    @property
    def score(self) -> float:
        """What counts."""
        given = self.machine if self.by_hand is None else self.by_hand
        return (given or 0.0) + (self.extra or 0.0)


@dataclass(frozen=True)
class Marks:
    """What the gradebook says of one submission.

    Attributes
    ----------
    score
        The total as nbgrader exports it, penalty taken off.
    max_score, penalty
        What the assignment is worth, and what lateness costs.
    parts
        One for each grade cell.
    comments
        What was written by hand: the name of the cell, and the text.
    """

    score: float
    max_score: float
    penalty: float
    parts: tuple[Part, ...]
    comments: tuple[tuple[str, str], ...]

    @property
    def by_machine(self) -> float:
        """Points of the checks."""
        return sum(part.machine or 0.0 for part in self.parts)

    @property
    def by_hand(self) -> float:
        """What a person's points added to those of the checks, or took away."""
        return sum(part.score - (part.machine or 0.0) for part in self.parts)

    @property
    def waits(self) -> bool:
        """Whether somebody still has to give points."""
        return any(part.waits for part in self.parts)


def read_marks(course: Course, patience: Patience | None = None) -> Mapping[str, Marks]:
    """Return what the gradebook says of the assignment, by student; empty without a gradebook.

    Parameters
    ----------
    course
        Whose gradebook.
    patience
        How long to wait for one that somebody else keeps locked.

    Raises
    ------
    GradebookError
        If it cannot be read.
    """

    def read(gradebook: Gradebook) -> Mapping[str, Marks]:
        # Everything of a class in a few queries; one by one it would be some thousands.
        parts = selectinload(SubmittedAssignment.notebooks)
        submissions = (
            gradebook.db.query(SubmittedAssignment)
            .join(Assignment)
            .filter(Assignment.name == course.assignment)
            .order_by(SubmittedAssignment.student_id)
            .options(parts.selectinload(SubmittedNotebook.grades).joinedload(Grade.cell))
            .options(parts.selectinload(SubmittedNotebook.comments).joinedload(Comment.cell))
        )
        return {each.student_id: _marks(each) for each in submissions}

    return _read(course, patience or Patience(), read) or {}


def read_students(course: Course, patience: Patience | None = None) -> list[Person]:
    """Return the students in the gradebook; parameters and errors are those of `read_marks`."""
    return _read(course, patience or Patience(), people_in) or []


def _read(course: Course, patience: Patience, read: Callable[[Gradebook], T]) -> T | None:
    """Read when nobody holds a lock; None where there is no gradebook."""
    gradebook = find_gradebook(course, patience)
    if gradebook is None:
        return None

    def once() -> T:
        try:
            return read(gradebook)
        finally:
            gradebook.db.rollback()

    try:
        return when_free(once, find_address(course), patience)
    except SQLAlchemyError as error:
        raise GradebookError(f"the gradebook cannot be read ({getattr(error, 'orig', None) or error})") from error
    finally:
        gradebook.close()


def _marks(submission: object) -> Marks:
    notebooks = submission.notebooks  # type: ignore[attr-defined]
    parts = tuple(
        Part(
            grade.cell.name,
            grade.auto_score,
            grade.manual_score,
            grade.extra_credit,
            float(grade.max_score),
            bool(grade.needs_manual_grade),
        )
        for notebook in notebooks
        for grade in sorted(notebook.grades, key=lambda grade: str(grade.cell.name))
    )
    comments = tuple(
        (str(comment.cell.name), str(comment.manual_comment))
        for notebook in notebooks
        for comment in sorted(notebook.comments, key=lambda comment: str(comment.cell.name))
        if (comment.manual_comment or "").strip()
    )
    penalty = float(submission.late_submission_penalty or 0.0)  # type: ignore[attr-defined]
    score = max(0.0, float(submission.score) - penalty)  # type: ignore[attr-defined]
    return Marks(score, float(submission.max_score), penalty, parts, comments)  # type: ignore[attr-defined]
