"""Before a class is graded: the solution must get all points, and the untouched release none.

A sandbox that could not read the interpreter's files, or a check that passes for everything, shows here and not in the
grades of a class.
"""

from __future__ import annotations

from cnnlab.grading.errors import GradingError
from cnnlab.grading.model import Result
from cnnlab.grading.task import Task, grade_task


class CanaryError(GradingError):
    """The solution or the untouched release did not get the points that it must get; nothing was graded."""


def sing(solution: Task, release: Task) -> None:
    """Grade the solution and the release, and raise `CanaryError` if either is not what it must be.

    Parameters
    ----------
    solution, release
        The source notebook and the release notebook, to be graded like the submissions of the run.
    """
    judge(grade_task(solution), grade_task(release))


def judge(right: Result, untouched: Result) -> None:
    """Do what `sing` does, with the results of the solution and of the release."""
    if right.score != _max_score(right) or right.status != "graded":
        raise CanaryError(f"The solution must get {_max_score(right):g} points. {_what_happened(right)}")
    if untouched.score != 0 or untouched.status != "graded":
        raise CanaryError(f"The untouched release must get 0 points. {_what_happened(untouched)}")


def _max_score(result: Result) -> float:
    return sum(exercise.max_score for exercise in result.exercises)


def _what_happened(result: Result) -> str:
    why = f": {result.reason}" if result.reason else ""
    lines = [f"It got {result.score or 0:g} ({result.status}{why}), so nothing was graded."]
    lines += [
        f"  {exercise.exercise_id}, {check.title}: {check.kind}, {check.points:g} of {check.max_points:g}"
        for exercise in result.exercises
        for check in exercise.checks
    ]
    lines += [f"  cell {cell.index}: {': '.join(cell.error)}" for cell in result.cells if cell.error is not None]
    return "\n".join(lines)
