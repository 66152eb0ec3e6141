"""Write what people read after a run: a page for each student, the team's report, and CSV files.

All of it is made from the run's report and the gradebook, and can be made again at any time: after points or comments
were given by hand, ``cnnlab report`` does so.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from cnnlab.grading import changes, feedback, histogram, totals
from cnnlab.grading.by_hand import Marks
from cnnlab.grading.changes import as_points
from cnnlab.grading.course import Course
from cnnlab.grading.model import Report, Result
from cnnlab.grading.pages import render
from cnnlab.grading.report import as_csv, exercise_points, safe_name
from cnnlab.grading.store import ResultStore, save_report, write_whole
from cnnlab.grading.summary import Summary, summarize

_PROBLEMS = (
    ("Took too long", "timeout", "Some function was stopped; the other exercises count."),
    ("Ended the process", "crashed", "Some function ended the process that ran it; the other exercises count."),
    ("Could not be read", "unreadable", "They have 0 points here, and no entry of this in the gradebook."),
    ("Handed nothing in", "missing", "They have 0 points here, and no entry of this in the gradebook."),
    ("Our fault", "grader_error", "They have no points yet; the next run tries again."),
)


def publish(course: Course, report: Report, marks: Mapping[str, Marks]) -> Report:
    """Write everything, and return the report as it was written.

    Parameters
    ----------
    course
        Whose ``feedback/`` and ``out/`` are written.
    report
        Of a run. A page that cannot be made is a fault of ours, and becomes the status of that student.
    marks
        What the gradebook says after it.
    """
    notebook = course.release_notebook().stem
    written = tuple(_with_page(course, notebook, report, result, marks) for result in report.results)
    report = replace(report, results=written)
    summary = summarize(report)
    save_report(course, report)
    tables = {
        "grades.csv": as_csv(report),
        "gradebook.csv": totals.as_csv(marks),
        "checks.csv": _as_csv(_checks(summary)),
        "mistakes.csv": _as_csv(_mistakes(summary)),
        "problems.csv": _as_csv(_problems(report)),
        "similar.csv": _as_csv(_similar(report)),
    }
    for name, text in tables.items():
        write_whole(course.out / name, text)
    write_whole(course.out / "report.html", page(report, summary, marks, notebook=notebook))
    return report


def log_changes(course: Course, report: Report) -> None:
    """Add the changed scores of a run to ``changes.csv``, which keeps those of all runs."""
    if not report.changes:
        return
    path = course.out / "changes.csv"
    known = path.read_text(encoding="utf-8") if path.is_file() else ",".join(changes.HEADER) + "\n"
    named = [replace(change, student=safe_name(change.student)) for change in report.changes]
    write_whole(path, known + changes.as_rows(named, datetime.now(UTC).isoformat(timespec="seconds")))


def page(report: Report, summary: Summary, marks: Mapping[str, Marks], *, notebook: str) -> str:
    """Return the team's report as one self-contained page.

    Parameters
    ----------
    report, summary
        Of a run, and what it adds up to.
    marks
        What the gradebook says.
    notebook
        Name of the assignment's notebook, without its ending.
    """

    def link(student: str) -> str:
        return quote(f"../../feedback/{student}/{report.assignment}/{notebook}.html")

    return render(
        "report.html",
        report=report,
        summary=summary,
        marks=marks,
        drawing=histogram.draw(summary.bars),
        problems=_PROBLEMS,
        by_status={
            status: [result for result in report.results if result.status == status] for _, status, _ in _PROBLEMS
        },
        noticed=[result for result in report.results if result.notes],
        scores=lambda result: exercise_points(report, result),
        link=link,
    )


def _with_page(course: Course, notebook: str, report: Report, result: Result, marks: Mapping[str, Marks]) -> Result:
    if result.status in {"missing", "grader_error"}:
        return result
    try:
        text = feedback.page(
            ResultStore(course).in_full(result),
            title=report.title or report.assignment,
            max_score=report.max_score,
            marks=marks.get(result.student),
        )
        _write_if_new(course.feedback(result.student) / f"{notebook}.html", text)
    except OSError:
        raise  # a full disk is everybody's
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        return replace(result, status="grader_error", reason=f"no page could be made: {type(error).__name__}: {first}")
    return result


def _write_if_new(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_whole(path, text)


def _as_csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _checks(summary: Summary) -> Iterator[Sequence[object]]:
    yield "exercise", "check", "hidden", "passed", "of"
    for line in summary.exercises:
        for check in line.checks:
            yield line.exercise_id, check.title, "yes" if check.hidden else "no", check.passed, check.total


def _mistakes(summary: Summary) -> Iterator[Sequence[object]]:
    yield "exercise", "mistake", "students", "examples"
    for line in summary.mistakes:
        yield line.exercise_id, line.name, line.count, safe_name("; ".join(line.examples))


def _problems(report: Report) -> Iterator[Sequence[object]]:
    yield "student", "status", "reason", "noticed"
    for result in report.results:
        if result.status != "graded" or result.notes:
            notes = safe_name("; ".join(result.notes))
            yield safe_name(result.student), result.status, safe_name(result.reason), notes


def _similar(report: Report) -> Iterator[Sequence[object]]:
    yield "student", "other", "word_by_word", "without_names"
    for pair in report.similar.pairs:
        yield safe_name(pair.first), safe_name(pair.second), as_points(pair.words), as_points(pair.shape)
