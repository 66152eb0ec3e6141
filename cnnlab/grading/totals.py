"""What students have in the gradebook: the machine's points, and what people gave or took by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from cnnlab.grading.report import in_spreadsheet, number, printable


@dataclass(frozen=True)
class Total:
    """What a student has in the gradebook, as ``nbgrader export`` counts it.

    Attributes
    ----------
    student
        Whose.
    by_machine
        Points of the checks.
    total
        With what was given by hand in their place or besides, before a late penalty.
    late_penalty
        What nbgrader subtracts.
    needs_look
        Whether nbgrader asks for points by hand.
    """

    student: str
    by_machine: float
    total: float
    late_penalty: float
    needs_look: bool

    @property
    def by_hand(self) -> float:
        """What a person's points added to the machine's, or took away."""
        return self.total - self.by_machine

    @property
    def score(self) -> float:
        """What counts in the end."""
        return max(0.0, self.total - self.late_penalty)


def read_totals(gradebook: Any, assignment: str) -> list[Total]:
    """Return what each student with a submission has in nbgrader's gradebook, sorted by name."""
    from nbgrader.api import Assignment, Grade, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy import case, func

    def by_student(*columns: Any) -> Any:
        rows = gradebook.db.query(SubmittedAssignment.student_id, *columns)
        rows = rows.join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        rows = rows.join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        return rows.filter(Assignment.name == assignment).group_by(SubmittedAssignment.student_id)

    looks = func.sum(case((Grade.needs_manual_grade, 1), else_=0))
    points = by_student(func.sum(Grade.auto_score), func.sum(Grade.score), looks)
    points = points.join(Grade, Grade.notebook_id == SubmittedNotebook.id)
    penalties = dict(map(tuple, by_student(func.sum(SubmittedNotebook.late_submission_penalty))))
    found = [
        Total(student, float(by_machine or 0), float(total), float(penalties[student] or 0), bool(waiting))
        for student, by_machine, total, waiting in points
    ]
    return sorted(found, key=lambda each: each.student)


def as_csv(totals: Sequence[Total], max_score: float) -> str:
    """Return ``student,score,max_score,by_machine,by_hand,late_penalty,needs_manual_grade``.

    ``score`` is that of ``nbgrader export``: what the machine and people gave, less a late penalty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["student", "score", "max_score", "by_machine", "by_hand", "late_penalty", "needs_manual_grade"])
    for each in totals:
        points = (each.score, max_score, each.by_machine, each.by_hand, each.late_penalty)
        writer.writerow([in_spreadsheet(each.student), *map(number, points), "yes" if each.needs_look else "no"])
    return text.getvalue()


def show(totals: Sequence[Total], console: Console, *, without_notebook: AbstractSet[str] = frozenset()) -> None:
    """Say whose points a person changed, and whose wait for one; nothing where there are none.

    Parameters
    ----------
    totals
        Of the class.
    console
        Where to say it.
    without_notebook
        Students who have nothing readable now: what they have in the gradebook is of an earlier notebook.
    """
    changed = [f"{printable(each.student)} {each.by_hand:+g}" for each in totals if each.by_hand]
    waiting = [printable(each.student) for each in totals if each.needs_look]
    earlier = [f"{printable(each.student)} {each.score:g}" for each in totals if each.student in without_notebook]
    for what, names in (
        ("Points by hand, not in this table", changed),
        ("To be graded by hand", waiting),
        ("Still in the gradebook, of an earlier notebook", earlier),
    ):
        if names:
            line = f"{what}: {', '.join(names[:10])}{f' and {len(names) - 10} more' if len(names) > 10 else ''}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
