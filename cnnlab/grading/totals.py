"""What students have in the gradebook: the machine's points, and what people gave or took by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping

from rich.console import Console

from cnnlab.grading.by_hand import Marks
from cnnlab.grading.changes import as_points
from cnnlab.grading.model import Report
from cnnlab.grading.report import printable, safe_name

_MOST_NAMES = 10


def as_csv(marks: Mapping[str, Marks]) -> str:
    """Return ``student,score,max_score,by_machine,by_hand,late_penalty,needs_manual_grade``.

    ``score`` is that of ``nbgrader export``: what the machine and people gave, less a late penalty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["student", "score", "max_score", "by_machine", "by_hand", "late_penalty", "needs_manual_grade"])
    for student, each in sorted(marks.items()):
        points = (each.score, each.max_score, each.by_machine, each.by_hand, each.penalty)
        writer.writerow([safe_name(student), *map(as_points, points), "yes" if each.waits else "no"])
    return text.getvalue()


def show(report: Report, marks: Mapping[str, Marks], console: Console, *, only: Collection[str] | None = None) -> None:
    """Say whose points a person changed, and whose wait for one; nothing where there are none.

    Parameters
    ----------
    report, marks
        Of a run, and what the gradebook says after it.
    console
        Where to say it.
    only
        Names of students, those in the table; None: everybody.
    """
    asked = {name: each for name, each in sorted(marks.items()) if only is None or name in only}
    # What they have in the gradebook is of another notebook than that of this run.
    gone = {result.student for result in report.results if result.status in {"missing", "unreadable"}}
    by_hand = {name: round(each.by_hand, 6) for name, each in asked.items()}
    for what, names in (
        ("Points by hand, not in this table", [f"{name} {points:+g}" for name, points in by_hand.items() if points]),
        ("To be graded by hand", [name for name, each in asked.items() if each.waits]),
        (
            "Still in the gradebook, of an earlier notebook",
            [f"{name} {as_points(each.score)}" for name, each in asked.items() if name in gone],
        ),
    ):
        if names:
            more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            line = f"{what}: {', '.join(names[:_MOST_NAMES])}{more}"
            console.print(printable(line), markup=False, highlight=False, soft_wrap=True)
