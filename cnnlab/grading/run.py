"""Grade a class: the steps in their order, with data going one way.

settings → canary → intake and repair → tasks → stored results → gradebook → similarity and changes → pages and report
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console

from cnnlab.grading import report, similar, totals
from cnnlab.grading.by_hand import read_marks, read_students
from cnnlab.grading.changes import changed_scores
from cnnlab.grading.cluster_address import Scheduler
from cnnlab.grading.course import Course, CourseError
from cnnlab.grading.executor import close_executors
from cnnlab.grading.gradebook import GradebookError, GradebookWriter
from cnnlab.grading.intake import read_notebook
from cnnlab.grading.model import Report, Result, Similarity
from cnnlab.grading.permissions import cannot_write
from cnnlab.grading.plan import Entry, Settings, canary_tasks, make_settings, take_in
from cnnlab.grading.progress import RunProgress
from cnnlab.grading.publish import log_changes, publish
from cnnlab.grading.report import NOT_ISOLATED
from cnnlab.grading.slips import Slips
from cnnlab.grading.store import ResultStore, load_report
from cnnlab.grading.task import Task
from cnnlab.grading.waiting import Patience
from cnnlab.grading.worker import Peak
from cnnlab.grading.workplace import Workplace, open_workplace


@dataclass(frozen=True)
class Selection:
    """Which students a run is about.

    Attributes
    ----------
    students
        Only these; the others stay in gradebook and reports as the last run left them. Empty: everybody.
    regrade
        Run also what would give the same result as before.
    changed_only
        Print only those who were run, or whose score changed. The files that are written are whole all the same.
    """

    students: tuple[str, ...] = ()
    regrade: bool = False
    changed_only: bool = False


def grade_class(
    course: Course,
    submissions: Path,
    *,
    jobs: int | None,
    scheduler: Scheduler | None,
    allow_unsandboxed: bool,
    timeout: float | None,
    lock_wait: float,
    console: Console,
    selection: Selection,
) -> Report:
    """Run all steps; the parameters are those of `cnnlab.grading.commands.grade`."""
    tell = report.teller(console)
    try:
        with open_workplace(jobs, scheduler, tell) as place:
            executor = place.choose_executor(allow_unsandboxed=allow_unsandboxed)
            settings = make_settings(course, executor, timeout=timeout)
            patience = Patience(lock_wait, tell)
            return _grade_class(
                course, submissions, place, settings=settings, patience=patience, console=console, selection=selection
            )
    finally:
        close_executors()


def _grade_class(
    course: Course,
    submissions: Path,
    place: Workplace,
    *,
    settings: Settings,
    patience: Patience,
    console: Console,
    selection: Selection,
) -> Report:
    for warning in settings.warnings:
        console.print(warning, style="bold red")
    if settings.task.executor == "bubblewrap":
        console.print("Every exercise starts a new sandbox here, which is slower: cnnlab doctor says why.")
    if not ResultStore(course).knows_anybody():
        place.get_ready(settings.task)  # nothing is known yet, so there will be tasks
    console.print("Canary: the solution and the untouched release …")
    place.sing(*canary_tasks(course, settings.task))
    before = load_report(course)
    run: set[str] = set()
    with GradebookWriter(course, patience) as writer:
        everybody, notices = take_in(course, submissions, writer.people(), settings)
        entries = _selected(everybody, selection.students)
        results = []
        for entry, result in _results(course, entries, place, console=console, regrade=selection.regrade):
            if entry.task is not None and result.is_new:
                run.add(result.result.student)
            results.append(_record(course, writer, entry, result.result).in_brief())
    found = Report(
        assignment=course.assignment,
        exercises=settings.exercises,
        results=_with_others(results, before, selection),
        warnings=settings.warnings,
        title=settings.title,
        notices=notices,
        changes=changed_scores(before.results if before else (), results),
        similar=_compare(course, everybody),
        owners={
            entry.received.student: {key: value for key, value in asdict(entry.received.owner).items() if key != "late"}
            for entry in everybody
            if entry.received.owner is not None
        },
    )
    marks = read_marks(course, patience)
    log_changes(course, found)
    found = publish(course, found, marks)
    only = run | {change.student for change in found.changes} if selection.changed_only else None
    only = only if only is not None else set(selection.students) or None
    report.show(found, console, only=only)
    totals.show(found, marks, console, only=only)
    console.print(
        f"Report: {course.out / 'report.html'}   Grades: {course.out / 'grades.csv'}   "
        f"Feedback: {course.root / 'feedback'}",
        markup=False,
        soft_wrap=True,
    )
    return found


def rehearse(
    course: Course,
    submissions: Path,
    *,
    scheduler: Scheduler | None,
    allow_unsandboxed: bool,
    timeout: float | None,
    lock_wait: float,
    console: Console,
    selection: Selection,
) -> Mapping[str, str]:
    """Say what `grade_class` would do, write nothing, run nothing, and return it by student.

    The values are ``"run"``, ``"known"``, ``"unreadable"``, ``"missing"`` and ``"fault"``.
    """
    tell = report.teller(console)
    try:
        with open_workplace(None, scheduler, tell) as place:
            executor = place.choose_executor(allow_unsandboxed=True)
    finally:
        close_executors()
    settings = make_settings(course, executor, timeout=timeout)
    people = read_students(course, Patience(lock_wait, tell))
    everybody, notices = take_in(course, submissions, people, settings)
    store = ResultStore(course)
    found: dict[str, str] = {}
    for entry in _selected(everybody, selection.students):
        if entry.task is None:
            what: str = entry.received.state
        else:
            known = not selection.regrade and entry.known_result(store, course.assignment) is not None
            what = "known" if known else "run"
        found[entry.received.student] = what
        if what != "known":
            text = "; ".join(filter(None, (entry.received.reason, *entry.notes)))
            line = f"{what:<10}  {report.printable(entry.received.student)}{': ' if text else ''}{text}"
            console.print(report.printable(line), markup=False, highlight=False, soft_wrap=True)
    counted = {what: list(found.values()).count(what) for what in _WHAT}
    counts = ", ".join(f"{counted[what]} {word}" for what, word in _WHAT.items() if counted[what] or what != "fault")
    console.print(f"Nothing was run or written. {len(found)} students: {counts}.", markup=False)
    would_refuse = NOT_ISOLATED in settings.warnings and not allow_unsandboxed
    refusals = [_WOULD_REFUSE] * would_refuse
    if places := cannot_write(course):
        refusals.append(f"The run itself would refuse, since it may not write in {'; '.join(places)}.")
    for line in (*notices, *settings.warnings, *refusals):
        console.print(report.printable(line), markup=False, style="yellow")
    return found


_WOULD_REFUSE = "The run itself would refuse, since no sandbox works here: cnnlab doctor says why."
_WHAT = {
    "run": "to run",
    "known": "known from before",
    "unreadable": "unreadable",
    "missing": "missing",
    "fault": "through a fault of ours not taken in",
}


def _selected(entries: list[Entry], students: Sequence[str]) -> list[Entry]:
    known = [entry.received.student for entry in entries]
    for name in students:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(close)}?" if close else "names are those in the table and in grades.csv"
            raise CourseError(f"there is no student {name!r} in the gradebook, students.csv or the submissions: {hint}")
    return [entry for entry in entries if entry.received.student in students] if students else entries


def _with_others(results: list[Result], before: Report | None, selection: Selection) -> tuple[Result, ...]:
    """Add what the run before found of those who were not asked for."""
    now = {result.student: result for result in results}
    if selection.students and before is not None:
        now = {result.student: result for result in before.results} | now
    return tuple(now[name] for name in sorted(now))


def _compare(course: Course, entries: list[Entry]) -> Similarity:
    given = [
        cell["source"]
        for cell in read_notebook(course.release_notebook().read_bytes())["cells"]
        if cell["cell_type"] == "code"
    ]
    return similar.compare(
        {
            entry.received.student: similar.own_lines(entry.repaired.cells, entry.repaired.own_cells, given)
            for entry in entries
            if entry.repaired is not None
        }
    )


@dataclass(frozen=True)
class _Found:
    """A result, and whether this run found it."""

    result: Result
    is_new: bool


def _results(
    course: Course, entries: list[Entry], place: Workplace, *, console: Console, regrade: bool
) -> Iterator[tuple[Entry, _Found]]:
    """Yield what is known already, then run the rest; each new result is stored before it is yielded."""
    store = ResultStore(course)
    tasks: list[Task] = []
    unreadable = 0
    for entry in entries:
        is_again = regrade and entry.task is not None
        result = None if is_again else entry.known_result(store, course.assignment)
        if result is not None:
            unreadable += result.status == "unreadable"
            yield entry, _Found(result, is_new=False)
        elif entry.task is not None:
            tasks.append(entry.task)
    console.print(
        f"{len(entries)} students: {len(tasks)} to run, {len(entries) - len(tasks)} known or without a notebook"
    )
    by_student = {entry.received.student: entry for entry in entries}
    with RunProgress(console, len(tasks), unreadable=unreadable) as progress:
        for result in place.run(tasks):
            # A fault of ours is not kept: the next run tries again.
            if result.was_run:
                store.save(result)
            progress.say(result)
            yield by_student[result.student], _Found(result, is_new=True)
    if used := place.peaks():
        console.print(_memory(used), highlight=False, soft_wrap=True)


def _memory(used: Sequence[Peak]) -> str:
    worker = max(each.worker for each in used) / 1024
    submission = max(each.submission for each in used) / 1024
    largest = f", largest process of a submission {submission:.0f} MiB" if submission else ""
    return f"Memory: {len(used)} worker{'s' * (len(used) != 1)}, at most {worker:.0f} MiB each{largest}"


def _record(course: Course, writer: GradebookWriter, entry: Entry, result: Result) -> Result:
    """Put one result into the gradebook; an error here is ours and becomes the status."""
    own = tuple(sorted(entry.repaired.own_cells)) if entry.repaired else ()
    result = replace(result, notes=(*entry.notes, *_stopped_cells(entry, result)), own_cells=own)
    slips = Slips(entry.received.companions)
    try:
        if result.was_run and entry.repaired is not None:
            writer.write(result, entry.repaired.notebook, slips.submitted_at)
            slips.copy_to(course.autograded(result.student))
        if result.status not in {"missing", "grader_error"}:
            slips.copy_to(course.feedback(result.student))  # without them nbgrader does not release a page
    except GradebookError:  # it stays locked: each further student would wait as long in vain
        raise
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
