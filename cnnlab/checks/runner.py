"""Run the checks of an exercise on a student's functions; the result is data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cnnlab.checks.asked import Asked, asked
from cnnlab.checks.calling import Answer, call
from cnnlab.checks.clues import clues
from cnnlab.checks.errors import FunctionMissing, StudentCrashed, StudentTimeout
from cnnlab.checks.model import Case, Exercise, Mistake
from cnnlab.checks.outcomes import EXPLAINED, Trial, judge, outcome_of
from cnnlab.checks.recognize import Place, places, recognize
from cnnlab.checks.results import CheckOutcome, ExerciseResult
from cnnlab.checks.seeds import VISIBLE_SEED, hidden_seed


def run_exercise(
    exercise: Exercise,
    functions: Callable[..., Any] | list[Callable[..., Any]] | tuple[Callable[..., Any], ...],
    *,
    hidden: bool,
    seed: int | None = None,
) -> ExerciseResult:
    """Run the visible checks, or all of them, and name the mistake if it is a known one.

    Parameters
    ----------
    exercise
        What to check.
    functions
        The student's function, or a list or tuple of all in the order of ``exercise.functions``; or callables that
        forward to them and raise the exceptions of `cnnlab.checks.errors`. One that is None or missing counts as not
        written.
    hidden
        False: visible checks only, the hidden ones are counted as pending. True: all checks.
    seed
        Seed of the hidden cases; None takes it from `hidden_seed`.

    Returns
    -------
    ExerciseResult
        Whatever the functions do, this returns; only KeyboardInterrupt passes through.
    """
    return ExerciseRun(exercise, functions, hidden=hidden, seed=seed).finish()


class ExerciseRun:
    """The checks of one exercise in two steps, so that nobody is asked anything hidden before all that is visible.

    Parameters
    ----------
    exercise, functions, hidden, seed
        As in `run_exercise`.
    """

    def __init__(
        self,
        exercise: Exercise,
        functions: Callable[..., Any] | list[Callable[..., Any]] | tuple[Callable[..., Any], ...],
        *,
        hidden: bool,
        seed: int | None = None,
    ) -> None:
        if hidden and seed is None:
            seed, _ = hidden_seed()
        self.exercise = exercise
        self._seed = seed
        self._caller = _Caller(exercise, list(functions) if isinstance(functions, list | tuple) else [functions])
        self._chosen = [(index, check) for index, check in enumerate(exercise.checks) if hidden or not check.hidden]
        self._trials: dict[int, list[Trial]] = {}

    def ask_visible(self) -> None:
        """Run the visible checks."""
        self._ask(hidden=False)

    def finish(self) -> ExerciseResult:
        """Run what has not been run yet, and return what was found."""
        # Visible checks first: a function that remembers its inputs could return hidden ones where its answer is shown.
        self._ask(hidden=False)
        self._ask(hidden=True)
        exercise, caller = self.exercise, self._caller
        trials = [trial for tried in self._trials.values() for trial in tried]
        shown = [trial for index, check in self._chosen if not check.hidden for trial in self._trials[index]]
        known = recognize(exercise, trials, caller.ask)
        found = [outcome_of(check, self._trials[index]) for index, check in self._chosen]
        wrong_in = [places(self._trials[index]) for index, _ in self._chosen]
        outcomes = [
            _with_mistakes(outcome, wrong, known, exercise) for outcome, wrong in zip(found, wrong_in, strict=True)
        ]
        return ExerciseResult(
            exercise_id=exercise.id,
            title=exercise.title,
            outcomes=tuple(outcomes),
            score=math.fsum(outcome.points for outcome in outcomes),
            max_score=float(exercise.points),
            pending_hidden=len(exercise.checks) - len(self._chosen),
            functions=exercise.functions,
            clues=_clues(caller, shown, known),
        )

    def _ask(self, *, hidden: bool) -> None:
        for index, check in self._chosen:
            if check.hidden is hidden and index not in self._trials:
                seed = self._seed if hidden and self._seed is not None else VISIBLE_SEED
                self._trials[index] = [self._caller.attempt(each) for each in asked(self.exercise, index, seed)]


class _Caller:
    """Calls the student's functions; one that is lost (it hung, ended its process, is not there) is not asked again."""

    def __init__(self, exercise: Exercise, functions: Sequence[Callable[..., Any]]) -> None:
        self.exercise = exercise
        self.functions = {f.name: given for f, given in zip(exercise.functions, functions, strict=False)}
        self.lost: dict[str, Answer] = {}
        for function in exercise.functions:
            if not callable(self.functions.get(function.name)):
                self.lost[function.name] = Answer(problem=FunctionMissing(function.name))

    def ask(self, case: Case) -> Answer:
        function = self.exercise.function(case.function)
        if function.name in self.lost:
            return self.lost[function.name]
        with self.exercise.surroundings():
            answer = call(function, self.functions[function.name], case)
        if isinstance(answer.problem, StudentTimeout | StudentCrashed | FunctionMissing):
            self.lost[function.name] = answer
        return answer

    def attempt(self, asked: Asked) -> Trial:
        case, function, expected = asked.case, asked.function, asked.expected
        answer = self.ask(case)
        return Trial(function, case, answer, expected, judge(function, case, expected, answer))


def _with_mistakes(
    outcome: CheckOutcome, wrong: Sequence[Place], known: dict[Place, tuple[Mistake, ...]], exercise: Exercise
) -> CheckOutcome:
    """Add what explains the case that is shown; if that one gave no answer, what explains the others of the check."""
    shown = [(outcome.function, outcome.part)] if outcome.kind in EXPLAINED else wrong
    by_exception = [m for m in exercise.mistakes if outcome.raised and m.raises == outcome.raised]
    by_place = [mistake for place in shown for mistake in known.get(place, ())]
    return replace(outcome, mistakes=tuple({m.id: m for m in (*by_exception, *by_place)}.values()))


def _clues(caller: _Caller, shown: Sequence[Trial], known: dict[Place, tuple[Mistake, ...]]) -> tuple[str, ...]:
    """Return what can be said where no mistake is known; about visible cases only."""
    said: list[str] = []
    for name, part in places(shown):
        if (name, part) in known:
            continue
        trials = [trial for trial in shown if trial.function.name == name and trial.case.target is None]
        who = f"{name}, {part}: " if part else f"{name}: " if len(caller.exercise.functions) > 1 else ""
        said += [f"{who}{clue}" for clue in clues(trials, part=part)]
        if _depends_on_calls(caller, trials):
            said.append(f"{who}The same input gives another answer when it is asked for again.")
    return tuple(dict.fromkeys(said))


def _depends_on_calls(caller: _Caller, trials: Iterable[Trial]) -> bool:
    first = next((trial for trial in trials if trial.answer.problem is None), None)
    if first is None:
        return False
    again = caller.ask(first.case)
    return again.problem is None and not _alike(first.answer.value, again.value)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(_alike(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return type(one) is type(other) and (one == other or one != one)  # noqa: PLR0124  NaN is not itself
