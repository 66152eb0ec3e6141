"""What the teaching team sees: a table in the terminal, and grades.csv."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnnlab.checks import by_hand
from cnnlab.grading.model import Change, Report, Result

NOT_ISOLATED = (
    "NOT ISOLATED: these submissions ran without a sandbox. They could read and change whatever the user who graded "
    "can, and their points can be trusted only as far as their authors."
)
PUBLIC_SEED = (
    "The hidden cases use a seed that everybody can read. Put hidden_seed into secret.toml in the course folder, "
    "or set CNNLAB_HIDDEN_SEED."
)
_FORMULA = ("=", "+", "-", "@")
_STYLES = {"graded": "green", "grader_error": "bold white on red"}


def as_csv(report: Report) -> str:
    """Return ``student,status,score,max_score`` and a column an exercise.

    Points are 0 where there was nothing to grade, and empty where the grader failed. A name that a spreadsheet would
    take for a formula gets a ' in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["student", "status", "score", "max_score", *(name for name, _ in report.exercises)])
    for result in report.results:
        writer.writerow([safe_name(result.student), result.status, *_points(report, result)])
    return text.getvalue()


def safe_name(text: str) -> str:
    """Return a text that a spreadsheet takes for a text, and not for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def exercise_points(report: Report, result: Result) -> list[str]:
    """Return the points of each exercise and their sum, as they are written; empty where the grader failed."""
    score, _, *parts = _points(report, result)
    return [*parts, score]


def show(report: Report, console: Console, *, only: Collection[str] | None = None) -> None:
    """Print the table, what was noticed, changed scores, and the warnings.

    Parameters
    ----------
    report, console
        What, and where.
    only
        Names of students; None: everybody is in the table.
    """
    table = Table(title=f"{report.assignment}: {len(report.results)} students", title_justify="left")
    table.add_column("student", overflow="fold")
    table.add_column("status", overflow="fold")
    for name, points in report.exercises:
        short = name.removeprefix(f"{report.assignment}.")  # which assignment it is stands in the title
        table.add_column(f"{short}\nof {points:g}", justify="right", overflow="fold")
    table.add_column(f"score\nof {report.max_score:g}", justify="right")
    noticed = Table.grid(padding=(0, 2))  # below the table: five exercises leave no place for it beside them
    noticed.add_column()
    noticed.add_column(overflow="fold")
    for result in report.results:
        if only is not None and result.student not in only:
            continue
        score, _, *parts = _points(report, result)
        status = Text(result.status, style=_STYLES.get(result.status, "yellow"))
        table.add_row(_plain(result.student), status, *parts, score)
        if names := "; ".join(_noticed(result)):
            noticed.add_row(_plain(result.student), _plain(names))
    console.print(table)
    if noticed.row_count:
        console.print("Noticed:", noticed, "", sep="\n")
    console.print(_plain(_summary(report)))
    for exercise in by_hand(report.assignment):
        given = f"{exercise.id}: up to {exercise.points} points are given by hand, in formgrader"
        console.print(_plain(f"{given}; they are not in this table."))
    if report.changes:
        console.print(_changes(report.changes))
    for notice in report.notices:
        console.print(_plain(notice, style="yellow"))
    for warning in report.warnings:
        console.print(_plain(warning, style="bold red"))


def _changes(changes: Iterable[Change]) -> Table:
    table = Table(title="Changed scores since the run before", title_justify="left")
    for name in ("student", "exercise"):
        table.add_column(name)
    for name in ("before", "now"):
        table.add_column(name, justify="right")
    for change in changes:
        before, now = ("–" if score is None else _number(score) for score in (change.old, change.new))
        table.add_row(_plain(change.student), _plain(change.exercise), before, now)
    return table


def make_console() -> Console:
    """Return a console; a log file gets lines long enough for the table, and any encoding will do."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    return Console() if sys.stdout.isatty() else Console(width=120)


def _points(report: Report, result: Result) -> list[str]:
    most = f"{report.max_score:g}"
    if result.score is None:
        return ["", most, *("" for _ in report.exercises)]
    found = {exercise.exercise_id: exercise.score for exercise in result.exercises}
    return [_number(result.score), most, *(_number(found.get(name, 0.0)) for name, _ in report.exercises)]


def _number(points: float) -> str:
    return f"{round(points, 6):g}"


def _noticed(result: Result) -> Iterator[str]:
    if result.reason:
        yield result.reason
    for exercise in result.exercises:
        names = dict.fromkeys(name for check in exercise.checks for name in check.mistakes.values())
        yield from (f"{exercise.exercise_id}: {name}" for name in names)
    yield from result.notes


def _summary(report: Report) -> str:
    statuses = Counter(result.status for result in report.results)
    lines = [", ".join(f"{count} {status}" for status, count in statuses.most_common())]
    mistakes = Counter(
        name
        for result in report.results
        for exercise in result.exercises
        for name in {name for check in exercise.checks for name in check.mistakes.values()}
    )
    lines += [f"{count} × {name}" for name, count in mistakes.most_common()]
    return "\n".join(lines)


def printable(text: str) -> str:
    """Return the text without anything that moves a terminal's cursor or changes its colors."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def _plain(text: str, style: str = "") -> Text:
    return Text(printable(text), style=style)  # Text, not str: rich reads [brackets] in a str as markup
