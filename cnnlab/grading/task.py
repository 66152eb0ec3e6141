"""Grade one submission: bytes in, bytes out.

A task knows no path and no database, so that the same function runs in this process, in a pool, and on a machine that
shares no disk with this one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from cnnlab.checks import ExerciseRun, exercises
from cnnlab.checks.model import Exercise
from cnnlab.checks.results import CheckOutcome, ExerciseResult
from cnnlab.grading.executor import shared_executor
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Cell, CheckRecord, ExerciseRecord, Result
from cnnlab.grading.own_code import needed_until
from cnnlab.grading.process import ExecutorError
from cnnlab.grading.session import Session
from cnnlab.viz import cards


@dataclass(frozen=True)
class Task:
    """What is needed to grade one submission.

    Attributes
    ----------
    student, assignment, key
        As in `Result`.
    cells
        The code of the notebook.
    grade_positions
        As in `cnnlab.grading.repair.Repaired`.
    seed
        Seed of the hidden cases; it stays in the grader's process.
    limits
        Of the submission.
    executor
        Name of the executor.
    """

    student: str
    assignment: str
    key: str
    cells: tuple[Cell, ...]
    grade_positions: Mapping[str, int]
    seed: int
    limits: Limits
    executor: str

    def to_bytes(self) -> bytes:
        """Return the task as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Task:
        """Return the task that `to_bytes` was made from."""
        fields = json.loads(data)
        cells = tuple(Cell(**cell) for cell in fields["cells"])
        return cls(**{**fields, "cells": cells, "limits": Limits(**fields["limits"])})


def run_task(data: bytes) -> bytes:
    """Grade one submission.

    Parameters
    ----------
    data
        A `Task` as bytes.

    Returns
    -------
    bytes
        A `Result` as JSON. An error of ours becomes a result of status ``grader_error``; nothing is raised.
    """
    task = Task.from_bytes(data)
    try:
        try:
            result = grade_task(task)
        except ExecutorError:
            result = grade_task(task)  # a warm process that was lost, a machine that was full: once more
    except Exception as error:
        result = Result(
            student=task.student,
            assignment=task.assignment,
            status="grader_error",
            reason=f"{type(error).__name__}: {error}",
            key=task.key,
            isolation=task.executor,
        )
    return json.dumps(result.as_dict()).encode()


def grade_task(task: Task) -> Result:
    """Run the cells and the checks of one submission; raises whatever goes wrong on our side."""
    started = time.monotonic()
    executor = shared_executor(task.executor)
    listed = exercises(task.assignment)
    until = {exercise.id: _until(exercise, task) for exercise in listed}
    with Session(executor, task.cells, task.limits, allows=allowed(task.assignment)) as session:
        session.plan(until)
        runs = [
            ExerciseRun(exercise, session.functions(exercise, until=until[exercise.id]), hidden=True, seed=task.seed)
            for exercise in listed
        ]
        records = _grade(runs, session)
        cells = tuple(session.reports)
    status, reason = _status(records)
    return Result(
        student=task.student,
        assignment=task.assignment,
        status=status,
        reason=reason,
        key=task.key,
        isolation=executor.name,
        isolated=executor.isolated,
        seconds=round(time.monotonic() - started, 3),
        exercises=records,
        cells=cells,
    )


def allowed(assignment: str) -> frozenset[str]:
    """Return what the exercises of an assignment allow, the same for all of them: the notebook imports once."""
    return frozenset(name for exercise in exercises(assignment) for name in exercise.allows)


def _until(exercise: Exercise, task: Task) -> int | None:
    names = [function.name for function in exercise.functions]
    return needed_until(task.cells, task.grade_positions.get(exercise.grade_id), names)


def _grade(runs: Sequence[ExerciseRun], session: Session) -> tuple[ExerciseRecord, ...]:
    """Ask everything visible, of all exercises, before the first hidden input goes to any of them; see `session`."""
    seconds: dict[str, float] = {}
    for run in runs:
        started = time.monotonic()
        run.ask_visible()
        _raise_fault(session)
        seconds[run.exercise.id] = time.monotonic() - started
    found: dict[str, ExerciseRecord] = {}
    # The slow ones last, so that they use up their own time and nobody else's.
    for run in sorted(runs, key=lambda run: seconds[run.exercise.id] > run.exercise.seconds):
        found[run.exercise.id] = _exercise_record(run.exercise, run.finish())
        _raise_fault(session)
    return tuple(found[run.exercise.id] for run in runs)


def _raise_fault(session: Session) -> None:
    if session.fault is not None:
        raise session.fault


def _exercise_record(exercise: Exercise, result: ExerciseResult) -> ExerciseRecord:
    return ExerciseRecord(
        exercise_id=exercise.id,
        grade_id=exercise.grade_id,
        title=exercise.title,
        score=float(result.score),
        max_score=float(exercise.points),
        checks=tuple(map(_record, result.outcomes)),
        card=cards.as_html(without_hidden_details(result), pictures=True),
    )


def without_hidden_details(result: ExerciseResult) -> ExerciseResult:
    """Return the result with nothing in its hidden outcomes that the checker should not have put there.

    The checker leaves it out already; the page that goes to students does not rely on that.
    """
    return replace(
        result,
        outcomes=tuple(
            replace(outcome, case=None, first_wrong_index=None, expected=None, got=None) if outcome.hidden else outcome
            for outcome in result.outcomes
        ),
    )


def _record(outcome: CheckOutcome) -> CheckRecord:
    return CheckRecord(
        title=outcome.title,
        hidden=outcome.hidden,
        passed=bool(outcome.passed),
        points=float(outcome.points),
        max_points=float(outcome.max_points),
        kind=outcome.kind,
        mistakes={mistake.id: mistake.name for mistake in outcome.mistakes},
    )


def _status(records: Iterable[ExerciseRecord]) -> tuple[Literal["graded", "timeout", "crashed"], str]:
    kinds = {record.exercise_id: {check.kind for check in record.checks} for record in records}
    for status, kind, what in (("timeout", "timeout", "took too long"), ("crashed", "crashed", "ended the process")):
        concerned = [exercise_id for exercise_id, found in kinds.items() if kind in found]
        if concerned:
            return status, f"{', '.join(concerned)} {what}"  # type: ignore[return-value]
    return "graded", ""
