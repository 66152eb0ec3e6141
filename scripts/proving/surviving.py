"""Whether the checks of an exercise notice what is wrong with a mutant of its solution."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from cnnlab.checks import exercise as exercise_of
from cnnlab.checks import run_exercise
from cnnlab.checks.model import Case, Check, Exercise
from cnnlab.checks.results import CheckOutcome
from cnnlab.checks.seeds import case_generator
from cnnlab.checks.time_limit import limited
from proving.allowed import cases as allowed_cases
from proving.mutants import Mutant
from proving.solutions import solution_of

State = Literal["visible", "hidden", "survived", "equivalent"]
# Further inputs for those that pass: so many seeds of the exercise's own cases, rounds of allowed inputs, and seconds.
SEEDS, ROUNDS, PATIENCE = 20, 300, 20.0


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes
    ----------
    state
        ``"visible"`` and ``"hidden"``: failed, by visible checks or by hidden ones only. ``"survived"``: all checks
        pass, and yet it is wrong. ``"equivalent"``: nothing was found that is wrong.
    witness
        For a survivor, an input and what is wrong with the answer.
    """

    state: State
    witness: str = ""


def try_mutant(mutant: Mutant, *, seed: int) -> Verdict:
    """Run a mutant of an exercise of the registry."""
    found = exercise_of(mutant.exercise_id)
    try:
        functions = solution_of(mutant.exercise_id).functions(found, {mutant.cell: mutant.after})
    except Exception:
        return Verdict("visible")  # its cell does not run
    return try_functions(found, functions, seed=seed)


def try_functions(exercise: Exercise, functions: Iterable[Callable[..., Any]], *, seed: int) -> Verdict:
    """Run the checks on wrong functions, or right ones; what passes is held against further inputs."""
    unnamed = replace(exercise, mistakes=())  # to recognize it would take longer
    functions = [limited(function, exercise.seconds) for function in functions]
    for hidden in (False, True):
        result = run_exercise(unnamed, functions, hidden=hidden, seed=seed)
        if not all(outcome.passed for outcome in result.outcomes):
            return Verdict("hidden" if hidden else "visible")
    until = time.monotonic() + PATIENCE
    for cases in further_cases(exercise, seed):
        outcome = _outcome_of(unnamed, functions, cases)
        if not outcome.passed:
            shown = f"{outcome.case.name}, {_sizes(outcome.case.arguments)}: " if outcome.case else ""
            return Verdict("survived", f"{shown}{outcome.message}")
        if time.monotonic() > until:
            break
    return Verdict("equivalent")


def _outcome_of(exercise: Exercise, functions: Sequence[Callable[..., Any]], cases: list[Case]) -> CheckOutcome:
    check = Check("further inputs", 1, hidden=False, cases=lambda rng: cases)
    return run_exercise(replace(exercise, checks=(check,)), list(functions), hidden=False).outcomes[0]


def further_cases(exercise: Exercise, seed: int) -> Iterator[list[Case]]:
    """Yield inputs of the checks for other seeds, and inputs that the statement allows; all results count."""
    for other in range(seed + 1, seed + 1 + SEEDS):
        for index, check in enumerate(exercise.checks):
            if check.hidden:
                yield [replace(case, result="") for case in check.cases(case_generator(exercise, index, other))]
    for case in allowed_cases(exercise.id, seed, ROUNDS):
        yield [case]


def _sizes(arguments: Any) -> str:
    """Return the arguments with shapes for arrays."""
    if isinstance(arguments, tuple | list):
        return f"({', '.join(map(_sizes, arguments))})"
    return "×".join(map(str, arguments.shape)) if hasattr(arguments, "shape") else repr(arguments)
