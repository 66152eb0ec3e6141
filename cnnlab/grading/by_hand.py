"""What nbgrader's gradebook says of a class: points by the machine and by hand, comments, and penalties for lateness.

It is only read here. The total is the one that ``nbgrader export`` gives: points given by hand count before those of
the machine, extra credit is added, a penalty taken off, and nothing goes below zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from nbgrader.api import Assignment, Comment, Grade, Gradebook, SubmittedAssignment, SubmittedNotebook
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import selectinload

from cnnlab.grading.course import Course
from cnnlab.grading.gradebook import GradebookError, people_in
from cnnlab.grading.people import Person
from cnnlab.grading.release import nbgrader_config, nbgrader_surroundings


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
    def waits(self) -> bool:
        """Whether somebody still has to give points."""
        return any(part.waits for part in self.parts)


def read_marks(course: Course) -> Mapping[str, Marks]:
    """Return what the gradebook says of the assignment, by student; empty without a gradebook.

    Raises
    ------
    GradebookError
        If it cannot be read.
    """
    with _opened(course) as gradebook:
        if gradebook is None:
            return {}
        # Everything of a class in a few queries; one by one it would be some thousands.
        parts = selectinload(SubmittedAssignment.notebooks)
        submissions = (
            gradebook.db.query(SubmittedAssignment)
            .join(Assignment)
            .filter(Assignment.name == course.assignment)
            .options(parts.selectinload(SubmittedNotebook.grades).joinedload(Grade.cell))
            .options(parts.selectinload(SubmittedNotebook.comments).joinedload(Comment.cell))
        )
        return {each.student_id: _marks(each) for each in submissions}


def read_students(course: Course) -> list[Person]:
    """Return the students in the gradebook; raises like `read_marks`."""
    with _opened(course) as gradebook:
        return [] if gradebook is None else people_in(gradebook)


@contextmanager
def _opened(course: Course) -> Iterator[Gradebook | None]:
    if not course.gradebook.exists():
        yield None
        return
    try:
        with nbgrader_surroundings():
            course_id = nbgrader_config(course).CourseDirectory.get("course_id", "")
            gradebook = Gradebook(course.database_url, course_id)
        try:
            yield gradebook
        finally:
            gradebook.close()
    except SQLAlchemyError as error:
        raise GradebookError(f"the gradebook cannot be read ({getattr(error, 'orig', None) or error})") from error


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
