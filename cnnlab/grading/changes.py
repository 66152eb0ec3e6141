"""Which scores are others than in the run before: listed after each run, and kept in ``changes.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from cnnlab.grading.model import Change, Result

HEADER = ("when", "student", "exercise", "old", "new")


def changed_scores(before: Iterable[Result], now: Iterable[Result]) -> tuple[Change, ...]:
    """Return the scores that differ, for students who are in both runs.

    Parameters
    ----------
    before, now
        Results of two runs.
    """
    old = {result.student: result for result in before}
    return tuple(change for result in now if result.student in old for change in _of_one(old[result.student], result))


def _of_one(before: Result, now: Result) -> Iterator[Change]:
    old, new = _scores(before), _scores(now)
    for exercise in dict.fromkeys((*old, *new)):
        if old.get(exercise) != new.get(exercise):
            yield Change(now.student, exercise, old.get(exercise), new.get(exercise))


def _scores(result: Result) -> Mapping[str, float]:
    return {exercise.exercise_id: exercise.score for exercise in result.exercises}


def as_rows(changes: Iterable[Change], when: str) -> str:
    """Return lines of CSV, without the header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for change in changes:
        writer.writerow([when, change.student, change.exercise, as_points(change.old), as_points(change.new)])
    return text.getvalue()


def as_points(score: float | None) -> str:
    """Return points as they are written everywhere; nothing for None."""
    return "" if score is None else f"{round(score, 6):g}"
