"""What students have in the gradebook: the machine's points, and what people gave or took by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
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


def total_of(submission: Any) -> Total:
    """Return the total of one of nbgrader's submissions."""
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    return Total(
        student=submission.student.id,
        by_machine=float(sum(grade.auto_score or 0 for grade in grades)),
        total=float(sum(grade.score for grade in grades)),
        late_penalty=float(submission.late_submission_penalty or 0),
        needs_look=any(grade.needs_manual_grade for grade in grades),
    )


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


def show(totals: Sequence[Total], console: Console) -> None:
    """Say whose points a person changed, and whose wait for one; nothing where there are none."""
    changed = [f"{printable(each.student)} {each.by_hand:+g}" for each in totals if each.by_hand]
    waiting = [printable(each.student) for each in totals if each.needs_look]
    for what, names in (("Points by hand, not in this table", changed), ("To be graded by hand", waiting)):
        if names:
            line = f"{what}: {', '.join(names[:10])}{f' and {len(names) - 10} more' if len(names) > 10 else ''}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
