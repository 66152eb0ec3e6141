"""What a run will do: its settings, and for each student what came in and what is to be run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from cnnlab.checks import exercises, hidden_seed
from cnnlab.grading.course import Course, CourseError
from cnnlab.grading.executor import Executor
from cnnlab.grading.intake import Received, fault_of, read_notebook, take_stock
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Result
from cnnlab.grading.people import Person, merged, read_people
from cnnlab.grading.repair import Repaired, repair
from cnnlab.grading.report import NOT_ISOLATED, PUBLIC_SEED
from cnnlab.grading.store import ResultStore, checks_digest, result_key
from cnnlab.grading.task import Task


@dataclass(frozen=True)
class Settings:
    """What is the same for all submissions of a run.

    Attributes
    ----------
    task
        A task without a submission.
    checks
        Hash of the checks.
    title
        First heading of the notebook.
    exercises
        ``(id, points)`` in the order of the notebook.
    warnings
        For every form of the report.
    """

    task: Task
    checks: str
    title: str
    exercises: tuple[tuple[str, float], ...]
    warnings: tuple[str, ...]

    @property
    def max_score(self) -> float:
        """What the assignment is worth."""
        return sum(points for _, points in self.exercises)


@dataclass(frozen=True)
class Entry:
    """One student of a run.

    Attributes
    ----------
    received
        What came in, without its notebook.
    repaired
        The notebook in the form of the assignment; None when there was nothing to read.
    task
        What to run; None likewise.
    """

    received: Received
    repaired: Repaired | None = None
    task: Task | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was unusual about the submission."""
        return self.received.notes + (self.repaired.notes if self.repaired else ())

    def known_result(self, store: ResultStore, assignment: str) -> Result | None:
        """Return the result that needs no run: there is nothing to run, or the same was run before."""
        if self.task is not None:
            return store.load(self.received.student, self.task.key)
        if self.received.state == "missing":
            return Result(self.received.student, assignment, "missing", self.received.reason)
        if self.received.state == "fault":
            return Result(self.received.student, assignment, "grader_error", self.received.reason)
        return Result(self.received.student, assignment, "unreadable", self.received.reason)


def make_settings(course: Course, executor: Executor, *, timeout: float | None) -> Settings:
    """Choose seed and limits of a run whose submissions this executor runs."""
    try:
        seed, is_public = hidden_seed(course.root)
    except (OSError, ValueError) as error:
        raise CourseError(f"the hidden seed cannot be read: {error}") from error
    limits = Limits() if timeout is None else Limits(submission_seconds=timeout)
    warnings = [NOT_ISOLATED] * (not executor.isolated) + [PUBLIC_SEED] * is_public
    return Settings(
        task=Task("", course.assignment, "", (), {}, seed, limits, executor.name),
        checks=checks_digest(course),
        title=_title(course.release_notebook()),
        exercises=tuple((exercise.id, float(exercise.points)) for exercise in exercises(course.assignment)),
        warnings=tuple(warnings),
    )


def take_in(
    course: Course, submissions: Path, people: Iterable[Person], settings: Settings
) -> tuple[list[Entry], tuple[str, ...]]:
    """Return an entry for each student, sorted by name, and what the teaching team should know.

    Parameters
    ----------
    course, submissions, settings
        Of the run.
    people
        Those in the gradebook; those in ``students.csv``, beside the submissions or in the course, are added.
    """
    path = course.release_notebook()
    given = read_notebook(path.read_bytes())
    base = settings.task
    stock = take_stock(submissions, course.assignment, path.name, list_people(course, submissions, people))
    entries = []
    for received in stock.received:
        if received.notebook is None:
            entries.append(Entry(received))
            continue
        try:
            repaired = repair(received.notebook, given)
        except Exception as error:  # nobody else waits for this, and it is no 0
            entries.append(Entry(replace(received, state="fault", reason=fault_of(error), notebook=None)))
            continue
        key = result_key(
            course, received.digest, settings.checks, seed=base.seed, limits=base.limits, executor=base.executor
        )
        task = replace(with_code(base, repaired), student=received.student, key=key)
        entries.append(Entry(replace(received, notebook=None), repaired, task))
    return entries, stock.notices


def list_people(course: Course, submissions: Path | None, people: Iterable[Person]) -> list[Person]:
    """Return the class: the given people and those in ``students.csv``, beside the submissions or in the course."""
    beside = submissions if submissions is None or submissions.is_dir() else submissions.parent
    folders = dict.fromkeys(folder for folder in (beside, course.root) if folder is not None)
    return merged(*(read_people(folder / "students.csv") for folder in folders), people)


def _title(path: Path) -> str:
    cells = read_notebook(path.read_bytes())["cells"]
    lines = [line for cell in cells if cell["cell_type"] == "markdown" for line in cell["source"].splitlines()]
    return next((line.removeprefix("# ").strip() for line in lines if line.startswith("# ")), path.stem)


def with_code(task: Task, repaired: Repaired) -> Task:
    """Return the task with the code of a submission."""
    return replace(task, cells=repaired.cells, grade_positions=repaired.grade_positions)


def canary_tasks(course: Course, base: Task) -> tuple[Task, Task]:
    """Return the tasks of the solution and of the untouched release, as if they had been handed in."""
    given = read_notebook(course.release_notebook().read_bytes())
    solved = read_notebook(course.source_notebook().read_bytes())
    solution = replace(with_code(base, repair(solved, given)), student="the solution")
    return solution, replace(with_code(base, repair(given, given)), student="the untouched release")
