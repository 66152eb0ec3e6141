"""What a class's results add up to: data for the report, in every form of it."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cnnlab.grading.model import CheckRecord, Report, Result

_EXAMPLES = 4
_MOST_BARS = 20


@dataclass(frozen=True)
class ExerciseLine:
    """How one exercise went.

    Attributes
    ----------
    exercise_id, title, max_score
        Which.
    full, some, none
        How many got all of its points, a part of them, none.
    mean
        Of the points.
    checks
        One line each.
    """

    exercise_id: str
    title: str
    max_score: float
    full: int
    some: int
    none: int
    mean: float
    checks: tuple[CheckLine, ...]


@dataclass(frozen=True)
class CheckLine:
    """How one check went: ``passed`` of ``total``, and how the others failed, most frequent first."""

    title: str
    hidden: bool
    passed: int
    total: int
    kinds: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class MistakeLine:
    """A known mistake: who made it, and some of them to look at."""

    exercise_id: str
    name: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Bar:
    """A bar of the histogram: scores from `low` up to, and only in the last bar with, `high`."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Summary:
    """A class in numbers.

    Attributes
    ----------
    counts
        Students by status, most frequent first.
    graded
        How many were run.
    mean, median
        Of their scores; None when nobody was run.
    bars
        Histogram of their scores.
    exercises, mistakes
        One line each.
    """

    counts: tuple[tuple[str, int], ...]
    graded: int
    mean: float | None
    median: float | None
    bars: tuple[Bar, ...]
    exercises: tuple[ExerciseLine, ...]
    mistakes: tuple[MistakeLine, ...]


def summarize(report: Report) -> Summary:
    """Return the numbers of a class."""
    run = [result for result in report.results if result.was_run]
    scores = [result.score or 0.0 for result in run]
    return Summary(
        counts=tuple(Counter(result.status for result in report.results).most_common()),
        graded=len(run),
        mean=statistics.fmean(scores) if scores else None,
        median=statistics.median(scores) if scores else None,
        bars=histogram(scores, report.max_score),
        exercises=tuple(_exercise(name, points, run) for name, points in report.exercises),
        mistakes=mistakes(report.results),
    )


def histogram(scores: Iterable[float], most: float) -> tuple[Bar, ...]:
    """Return bars of one width, a whole number of points, from 0 to at least `most`; every score is in one of them."""
    scores = list(scores)
    top = max([most, *scores, 1.0])
    width = max(1, -(-int(-(-top // 1)) // _MOST_BARS))
    number = max(1, int(-(-top // width)))
    counts = Counter(min(int(max(score, 0.0) // width), number - 1) for score in scores)
    return tuple(Bar(float(k * width), float((k + 1) * width), counts[k]) for k in range(number))


def mistakes(results: Iterable[Result]) -> tuple[MistakeLine, ...]:
    """Return the known mistakes, most frequent first; a student counts once for each mistake of an exercise."""
    found: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for exercise in result.exercises:
            for name in dict.fromkeys(name for check in exercise.checks for name in check.mistakes.values()):
                found.setdefault((exercise.exercise_id, name), []).append(result.student)
    lines = [MistakeLine(exercise, name, len(who), tuple(who[:_EXAMPLES])) for (exercise, name), who in found.items()]
    return tuple(sorted(lines, key=lambda line: (-line.count, line.exercise_id, line.name)))


def _exercise(exercise_id: str, points: float, run: list[Result]) -> ExerciseLine:
    records = [record for result in run for record in result.exercises if record.exercise_id == exercise_id]
    scores = [record.score for record in records]
    full = sum(score >= points - 1e-9 for score in scores)
    none = sum(score <= 0 for score in scores)
    return ExerciseLine(
        exercise_id=exercise_id,
        title=records[0].title if records else "",
        max_score=points,
        full=full,
        some=len(scores) - full - none,
        none=none,
        mean=statistics.fmean(scores) if scores else 0.0,
        checks=tuple(_checks(check for record in records for check in record.checks)),
    )


def _checks(records: Iterable[CheckRecord]) -> Iterator[CheckLine]:
    by_title: dict[tuple[str, bool], list[CheckRecord]] = {}
    for record in records:
        by_title.setdefault((record.title, record.hidden), []).append(record)
    for (title, hidden), found in by_title.items():
        kinds = Counter(record.kind for record in found if not record.passed)
        yield CheckLine(title, hidden, sum(record.passed for record in found), len(found), tuple(kinds.most_common()))
