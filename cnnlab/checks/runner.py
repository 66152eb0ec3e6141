"""Run the checks of an exercise on one function; the result is data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from cnnlab.checks.calling import Answer, call
from cnnlab.checks.errors import FunctionMissing, StudentCrashed, StudentTimeout
from cnnlab.checks.model import Case, CheckOutcome, Exercise, ExerciseResult
from cnnlab.checks.outcomes import Trial, judge, outcome_of
from cnnlab.checks.recognize import recognize
from cnnlab.checks.seeds import VISIBLE_SEED, case_generator, hidden_seed


def run_exercise(
    exercise: Exercise, function: Callable[..., Any], *, hidden: bool, seed: int | None = None
) -> ExerciseResult:
    """Run the visible checks, or all of them, and name the mistake if it is a known one.

    Parameters
    ----------
    exercise
        What to check.
    function
        The student's function, or a callable that forwards to it and raises the exceptions of `cnnlab.checks.errors`.
    hidden
        False: visible checks only, the hidden ones are counted as pending. True: all checks.
    seed
        Seed of the hidden cases; None takes it from `hidden_seed`.

    Returns
    -------
    ExerciseResult
        Whatever the function does, this returns; only KeyboardInterrupt passes through.
    """
    if hidden and seed is None:
        seed, _ = hidden_seed()
    caller = _Caller(exercise, function)
    chosen = [(index, check) for index, check in enumerate(exercise.checks) if hidden or not check.hidden]
    trials: list[Trial] = []
    found: dict[int, CheckOutcome] = {}
    # Visible checks first: a function that remembers its inputs could return hidden ones where its answer is shown.
    for index, check in sorted(chosen, key=lambda pair: pair[1].hidden):
        check_seed = seed if check.hidden and seed is not None else VISIBLE_SEED
        tried = [caller.attempt(case) for case in check.cases(case_generator(exercise, index, check_seed))]
        trials += tried
        found[index] = outcome_of(check, tried)
    outcomes = [found[index] for index, _ in chosen]
    return ExerciseResult(
        exercise_id=exercise.id,
        title=exercise.title,
        outcomes=tuple(_with_mistake(exercise, caller, outcomes, trials)),
        score=math.fsum(outcome.points for outcome in outcomes),
        max_score=float(exercise.points),
        pending_hidden=len(exercise.checks) - len(chosen),
        function=exercise.function,
        parameters=exercise.parameters,
    )


class _Caller:
    """Calls the student's function until it is lost: it hung, its process ended, or it is not there."""

    def __init__(self, exercise: Exercise, function: Callable[..., Any]) -> None:
        self.exercise = exercise
        self.function = function
        self.lost: Answer | None = None if callable(function) else Answer(problem=FunctionMissing(exercise.function))

    def ask(self, case: Case) -> Answer:
        if self.lost is not None:
            return self.lost
        answer = call(self.exercise, self.function, case)
        if isinstance(answer.problem, StudentTimeout | StudentCrashed | FunctionMissing):
            self.lost = answer
        return answer

    def attempt(self, case: Case) -> Trial:
        answer = self.ask(case)
        expected = np.asarray(self.exercise.reference(*case.arguments))
        return Trial(case, answer, expected, judge(expected, answer))


def _with_mistake(
    exercise: Exercise, caller: _Caller, outcomes: list[CheckOutcome], trials: Iterable[Trial]
) -> list[CheckOutcome]:
    explained = ("wrong_value", "wrong_shape")
    if not any(outcome.kind in explained for outcome in outcomes):
        return outcomes
    mistake = recognize(exercise, [(trial.case, trial.answer) for trial in trials], caller.ask)
    if mistake is None:
        return outcomes
    first, *more = mistake.hints
    return [
        replace(outcome, mistake_id=mistake.id, mistake_name=mistake.name, hint=first, more_hints=tuple(more))
        if outcome.kind in explained
        else outcome
        for outcome in outcomes
    ]
