"""How much time the checks take with right answers."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace

from cnnlab.checks import exercise as exercise_of
from cnnlab.checks import run_exercise
from cnnlab.checks.model import Exercise
from proving.answers import Functions, right_answers
from proving.solutions import solution_of


@dataclass(frozen=True)
class Times:
    """Seconds of one core for one right answer: its slowest check, and all of them."""

    way: str
    check: str
    longest: float
    whole: float


def measure(exercise_id: str) -> list[Times]:
    """Return the times of every right answer to an exercise of the registry, the slowest first."""
    exercise = exercise_of(exercise_id)
    ways: dict[str, Functions] = {"the reference": tuple(function.reference for function in exercise.functions)}
    with contextlib.suppress(LookupError):  # there is no statement yet
        ways["the course's"] = tuple(solution_of(exercise_id).functions(exercise))
    ways |= {answer[0].__name__: answer for answer in right_answers(exercise)}
    return sorted((times_of(exercise, functions, way) for way, functions in ways.items()), key=lambda t: -t.whole)


def times_of(exercise: Exercise, functions: Functions, way: str) -> Times:
    """Time each check by itself."""
    seconds = {}
    for check in exercise.checks:
        begin = time.process_time()
        run_exercise(replace(exercise, checks=(check,)), functions, hidden=True, seed=1)
        seconds[check.title] = time.process_time() - begin
    slowest = max(seconds, key=seconds.__getitem__)
    return Times(way, slowest, seconds[slowest], sum(seconds.values()))
