"""Grade a class: the steps in their order, with data going one way.

settings → canary → intake and repair → tasks → stored results → gradebook → feedback pages → report
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from cnnlab.grading import canary, feedback, report
from cnnlab.grading.course import Course
from cnnlab.grading.executor import close_executors
from cnnlab.grading.gradebook import GradebookWriter
from cnnlab.grading.model import Report, Result
from cnnlab.grading.plan import Entry, Settings, canary_tasks, make_settings, take_in
from cnnlab.grading.pool import peaks, run_tasks
from cnnlab.grading.progress import RunProgress
from cnnlab.grading.store import ResultStore, save_report, write_whole
from cnnlab.grading.worker import Peak


def grade_class(
    course: Course, submissions: Path, *, jobs: int, allow_unsandboxed: bool, timeout: float | None, console: Console
) -> Report:
    """Run all steps; the parameters are those of `cnnlab.grading.commands.grade`."""
    try:
        settings = make_settings(course, allow_unsandboxed=allow_unsandboxed, timeout=timeout)
        return _grade_class(course, submissions, jobs=jobs, settings=settings, console=console)
    finally:
        close_executors()


def _grade_class(course: Course, submissions: Path, *, jobs: int, settings: Settings, console: Console) -> Report:
    for warning in settings.warnings:
        console.print(warning, style="bold red")
    if settings.task.executor == "bubblewrap":
        console.print("Every exercise starts a new sandbox here, which is slower: cnnlab doctor says why.")
    console.print("Canary: the solution and the untouched release …")
    canary.sing(*canary_tasks(course, settings.task))
    with GradebookWriter(course) as writer:
        roster = writer.students() | course.listed_students(submissions)
        entries = list(take_in(course, submissions, roster, settings))
        results = [
            _record(course, writer, entry, result, settings)
            for entry, result in _results(course, entries, jobs=jobs, console=console)
        ]
    found = Report(
        assignment=course.assignment,
        exercises=settings.exercises,
        results=tuple(sorted(results, key=lambda result: result.student)),
        warnings=settings.warnings,
    )
    save_report(course, found)
    write_whole(course.out / "grades.csv", report.as_csv(found))
    report.show(found, console)
    console.print(
        f"Grades: {course.out / 'grades.csv'}   Feedback: {course.root / 'feedback'}", markup=False, soft_wrap=True
    )
    return found


def _results(course: Course, entries: list[Entry], *, jobs: int, console: Console) -> Iterator[tuple[Entry, Result]]:
    """Yield what is known already, then run the rest; each new result is stored before it is yielded."""
    store = ResultStore(course)
    known = {entry.received.student: entry.known_result(store, course.assignment) for entry in entries}
    tasks = [entry.task for entry in entries if entry.task is not None and known[entry.received.student] is None]
    console.print(
        f"{len(entries)} students: {len(tasks)} to run, {len(entries) - len(tasks)} known or without a notebook"
    )
    for entry in entries:
        result = known[entry.received.student]
        if result is not None:
            yield entry, result
    by_student = {entry.received.student: entry for entry in entries}
    unreadable = sum(result is not None and result.status == "unreadable" for result in known.values())
    with RunProgress(console, len(tasks), unreadable=unreadable) as progress:
        for result in run_tasks(tasks, jobs=jobs):
            # A fault of ours is not kept: the next run tries again.
            if result.was_run:
                store.save(result)
            progress.say(result)
            yield by_student[result.student], result
    if used := peaks():
        console.print(_memory(used), highlight=False, soft_wrap=True)


def _memory(used: Sequence[Peak]) -> str:
    worker = max(each.worker for each in used) / 1024
    submission = max(each.submission for each in used) / 1024
    largest = f", largest process of a submission {submission:.0f} MiB" if submission else ""
    return f"Memory: {len(used)} worker{'s' * (len(used) != 1)}, at most {worker:.0f} MiB each{largest}"


def _record(course: Course, writer: GradebookWriter, entry: Entry, result: Result, settings: Settings) -> Result:
    """Put one result into the gradebook and onto the student's page; an error here is ours and becomes the status."""
    result = replace(result, notes=(*entry.notes, *_stopped_cells(entry, result)))
    notebook = course.release_notebook().stem
    try:
        if result.was_run and entry.repaired is not None:
            writer.write(result, entry.repaired.notebook)
        if result.status not in {"missing", "grader_error"}:
            own = entry.repaired.own_cells if entry.repaired else frozenset()
            page = feedback.page(result, title=settings.title, max_score=settings.max_score, own_cells=own)
            write_whole(course.feedback(result.student) / f"{notebook}.html", page)
    except Exception as error:
        text = (str(error).splitlines() or [""])[0]  # SQLAlchemy's next lines are the statement
        return replace(result, status="grader_error", reason=f"could not be recorded: {type(error).__name__}: {text}")
    return result


def _stopped_cells(entry: Entry, result: Result) -> Iterator[str]:
    """Yield a note for each cell of the student's own that did not run to its end: it may explain lost points."""
    own = entry.repaired.own_cells if entry.repaired else frozenset()
    for cell in result.cells:
        if cell.left_out:
            yield f"cell {cell.index + 1} {cell.left_out}"
        elif cell.error is not None and cell.index in own:
            type_name, message, _ = cell.error
            yield f"cell {cell.index + 1}: {type_name}: {message[:80]}"
