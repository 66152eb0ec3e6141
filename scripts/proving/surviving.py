"""Whether the checks of an exercise notice what is wrong with a mutant of its solution."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from cnnlab.checks import exercise as exercise_of
from cnnlab.checks import run_exercise
from cnnlab.checks.calling import call
from cnnlab.checks.model import Case, Exercise
from cnnlab.checks.outcomes import judge
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
    by_name = dict(zip((function.name for function in exercise.functions), functions, strict=True))
    until = time.monotonic() + PATIENCE
    for case in further_cases(exercise, seed):
        asked = exercise.function(case.function)
        answer = call(asked, by_name[asked.name], case)
        fault = judge(asked, case, asked.reference(*case.arguments), answer)
        if fault is not None:
            return Verdict("survived", f"{case.name} {_sizes(case.arguments)}: {fault.message}")
        if time.monotonic() > until:
            break
    return Verdict("equivalent")


def further_cases(exercise: Exercise, seed: int) -> Iterator[Case]:
    """Yield inputs of the checks for other seeds, and inputs that the statement allows; all results count."""
    for other in range(seed + 1, seed + 1 + SEEDS):
        for index, check in enumerate(exercise.checks):
            if check.hidden:
                yield from (replace(case, result="") for case in check.cases(case_generator(exercise, index, other)))
    yield from allowed_cases(exercise.id, seed, ROUNDS)


def _sizes(arguments: Any) -> str:
    """Return the arguments with shapes for arrays."""
    if isinstance(arguments, tuple | list):
        return f"({', '.join(map(_sizes, arguments))})"
    return "×".join(map(str, arguments.shape)) if hasattr(arguments, "shape") else repr(arguments)
