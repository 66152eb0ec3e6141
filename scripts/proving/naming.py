"""Whether known mistakes fail and get their names: one alone, two at once, and as students write them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cnnlab.checks import exercise as exercise_of
from cnnlab.checks import run_exercise
from cnnlab.checks.calling import call
from cnnlab.checks.compare import alike
from cnnlab.checks.model import Exercise, Mistake
from cnnlab.checks.seeds import case_generator
from proving.answers import wrong_answers

Kind = Literal["mistake", "pair", "answer"]
# From best to worst. "as one": two at once do what one alone does, and nobody can tell; "passed": no check noticed
# anything; "partly": of two names one was given.
State = Literal["named", "as one", "partly", "unnamed", "passed", "misnamed"]
STATES: tuple[State, ...] = ("named", "as one", "partly", "unnamed", "passed", "misnamed")


@dataclass(frozen=True)
class Question:
    """Wrong functions that should be named: which of the exercise's mistakes, or which answer."""

    exercise_id: str
    kind: Kind
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Told:
    """What the checks made of wrong functions.

    Attributes
    ----------
    label, wanted
        What was asked, and the names that it should get.
    visible, hidden
        What became of it with the visible checks alone, and, the worst of several seeds, with all.
    others
        Names that were given and should not have been.
    seconds
        Of the longest run.
    """

    label: str
    wanted: frozenset[str]
    visible: State
    hidden: State
    others: frozenset[str]
    seconds: float


def questions(exercise: Exercise, *, pairs: int, seed: int) -> list[Question]:
    """Return all that can be asked about an exercise; so many pairs of mistakes, drawn at random."""
    singles = [Question(exercise.id, "mistake", (i,)) for i in range(len(exercise.mistakes))]
    answers = [Question(exercise.id, "answer", (i,)) for i in range(len(wrong_answers(exercise)))]
    possible = [pair for pair in itertools.combinations(range(len(exercise.mistakes)), 2) if _apart(exercise, pair)]
    chosen = np.random.default_rng(seed).permutation(len(possible))[:pairs]
    return [*singles, *(Question(exercise.id, "pair", possible[i]) for i in sorted(chosen)), *answers]


def ask(question: Question, *, seeds: Sequence[int]) -> Told:
    """Answer a question about an exercise of the registry."""
    exercise = exercise_of(question.exercise_id)
    if question.kind == "answer":
        answer, wanted = wrong_answers(exercise)[question.numbers[0]]
        return tell(exercise, answer, wanted, seeds=seeds, label="; ".join(f.__name__ for f in answer))
    mistakes = [exercise.mistakes[i] for i in question.numbers]
    label = " + ".join(mistake.id for mistake in mistakes)
    wanted = frozenset(mistake.name for mistake in mistakes)
    functions = with_mistakes(exercise, mistakes)
    if question.kind == "pair" and does_as_one(exercise, functions, mistakes[0].of, seed=seeds[0]):
        return Told(label, wanted, "as one", "as one", frozenset(), 0.0)
    return tell(exercise, functions, wanted, seeds=seeds, label=label)


def tell(
    exercise: Exercise,
    functions: Iterable[Callable[..., Any]],
    wanted: frozenset[str],
    *,
    seeds: Sequence[int],
    label: str = "",
) -> Told:
    """Run the visible checks, and all of them for each seed."""
    functions = tuple(functions)
    states: list[State] = []
    others: set[str] = set()
    seconds = 0.0
    for seed in (None, *seeds):
        begin = time.process_time()
        result = run_exercise(exercise, functions, hidden=seed is not None, seed=seed)
        seconds = max(seconds, time.process_time() - begin)
        names = {mistake.name for outcome in result.outcomes for mistake in outcome.mistakes}
        others |= names - wanted
        states.append(_state(names, wanted, passed=all(outcome.passed for outcome in result.outcomes)))
    return Told(label, wanted, states[0], max(states[1:], key=STATES.index), frozenset(others), seconds)


def with_mistakes(exercise: Exercise, mistakes: Sequence[Mistake]) -> list[Callable[..., Any]]:
    """Return the functions of an exercise: right ones, and in their places those that make the mistakes."""
    functions = {function.name: function.reference for function in exercise.functions}
    asked = exercise.function(mistakes[0].of)
    if len(mistakes) == 1:
        functions[asked.name] = mistakes[0].function
    elif asked.assemble is not None:
        functions[asked.name] = asked.assemble(**{k: v for m in mistakes for k, v in (m.parts or {}).items()})
    return list(functions.values())


def does_as_one(exercise: Exercise, functions: Sequence[Callable[..., Any]], of: str, *, seed: int) -> bool:
    """Return whether a wrong function gives the answers of a single known mistake in all cases of one seed."""
    asked = exercise.function(of)
    wrong = functions[exercise.functions.index(asked)]
    cases = [
        case
        for index, check in enumerate(exercise.checks)
        for case in check.cases(case_generator(exercise, index, seed))
        if exercise.function(case.function) is asked
    ]
    answers = [call(asked, wrong, case) for case in cases]

    def as_made_by(mistake: Mistake) -> bool:
        pairs = zip(answers, (call(asked, mistake.function, case) for case in cases), strict=True)
        return all((one.problem and other.problem) or alike(one.value, other.value) for one, other in pairs)

    return any(as_made_by(mistake) for mistake in exercise.mistakes if exercise.function(mistake.of) is asked)


def _apart(exercise: Exercise, pair: tuple[int, int]) -> bool:
    """Return whether two mistakes can be made at once: in one function, by different parts of it."""
    one, other = (exercise.mistakes[i] for i in pair)
    same = exercise.function(one.of) is exercise.function(other.of)
    return bool(
        same and one.name != other.name and one.parts and other.parts and not one.parts.keys() & other.parts.keys()
    )


def _state(names: set[str], wanted: frozenset[str], *, passed: bool) -> State:
    if passed:
        return "passed"
    if names - wanted:
        return "misnamed"
    return "named" if names == wanted else "partly" if names else "unnamed"
