"""Turn the calls of one check into what its student is told.

Two readers: for a visible check everything helps; for a hidden one nothing may be told that gives the input away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnlab.checks.calling import Answer
from cnnlab.checks.compare import Finding, entry_of, find_fault, find_shortfall, part_of
from cnnlab.checks.errors import FunctionMissing, StudentCrashed, StudentRaised, StudentTimeout
from cnnlab.checks.model import Case, Check, Function
from cnnlab.checks.results import CheckOutcome, Kind

# What a known mistake may explain; a crash or a changed argument speaks for itself.
EXPLAINED: tuple[Kind, ...] = ("wrong_value", "wrong_shape", "wrong_type")

_HIDDEN_MESSAGES: dict[Kind, str] = {
    "wrong_value": "Some numbers are wrong.",
    "wrong_shape": "The answer has the wrong shape.",
    "wrong_type": "The answer is not of the kind that the exercise asks for.",
}


@dataclass(frozen=True)
class Trial:
    """One call of one of the student's functions, and what is wrong with its answer."""

    function: Function
    case: Case
    answer: Answer
    expected: Any
    fault: Finding | None


def judge(function: Function, case: Case, expected: Any, answer: Answer) -> Finding | None:
    """Return what is wrong with an answer, or None; a call that failed or changed its input is wrong as well."""
    match answer.problem:
        case StudentTimeout(seconds=seconds):
            return Finding("timeout", f"No answer within {seconds:g} seconds. Is there a loop that never ends?")
        case StudentCrashed(reason=reason):
            return Finding("crashed", f"The program ended before it gave an answer: {reason.rstrip('.')}.")
        case FunctionMissing(name=name):
            return Finding("missing", f"There is no function {name} to check. Run the cell that defines it first.")
        case StudentRaised(type_name="NotImplementedError", message=message):
            return Finding("unwritten", f"Not written yet. {message}".strip())
        case StudentRaised(message=message) as problem:
            return Finding("raised", f"{_where(problem)}{': ' if message else '.'}{message}")
    if answer.changed is not None:
        return Finding(
            "mutated",
            f"The function changed its argument {answer.changed}, which must come back as it was. "
            f"Work on a copy: np.array({answer.changed}) makes one of an array, list({answer.changed}) of a list.",
        )
    if case.target is not None:
        return find_shortfall(case.target, answer.value)
    return find_fault(expected, answer.value, names=function.results, part=case.result)


def outcome_of(check: Check, trials: list[Trial]) -> CheckOutcome:
    """Return the outcome of one check; the smallest failing case stands for all.

    If some failing cases give an answer and others give none, the message tells the smallest of each: a wrong number
    does not explain an exception, nor the other way round.
    """
    failed = [(trial, trial.fault) for trial in trials if trial.fault is not None]
    if not failed:
        return CheckOutcome(check.title, check.hidden, True, check.points, check.points, "passed", "Passed.")
    failed.sort(key=lambda pair: _size(pair[0].case.arguments))
    trial, fault = failed[0]
    other = next((pair for pair in failed if (pair[1].kind in EXPLAINED) != (fault.kind in EXPLAINED)), None)
    function = trial.function.name
    raised = trial.answer.problem.type_name if isinstance(trial.answer.problem, StudentRaised) else ""
    if check.hidden:
        message = _hidden_message(fault, trial)
        if other is not None:
            message = _joined(message, f"For another input: {_hidden_message(other[1], other[0])}")
        return CheckOutcome(
            check.title,
            True,
            False,
            0.0,
            check.points,
            fault.kind,
            message,
            function=function,
            part=fault.part,
            raised=raised,
        )
    message = fault.message
    if other is not None:
        message = _joined(message, f"In another case ({other[0].case.name}): {other[1].message}")
    return CheckOutcome(
        check.title,
        False,
        False,
        0.0,
        check.points,
        fault.kind,
        message,
        case=trial.case,
        function=function,
        part=fault.part,
        first_wrong_index=fault.index,
        expected=entry_of(part_of(trial.expected, trial.function.results, fault.part), fault.entry),
        got=entry_of(part_of(trial.answer.value, trial.function.results, fault.part), fault.entry),
        raised=raised,
    )


def _hidden_message(fault: Finding, trial: Trial) -> str:
    problem = trial.answer.problem
    if isinstance(problem, StudentRaised):
        unwritten = problem.type_name == "NotImplementedError"
        return "Not written yet." if unwritten else f"{_where(problem)}."
    if trial.case.target is not None and fault.kind == "wrong_value":
        return fault.message  # how many are right gives no input away
    return _HIDDEN_MESSAGES.get(fault.kind, fault.message)


def _joined(one: str, other: str) -> str:
    return f"{one}{'' if one.endswith(('.', '!', '?')) else '.'} {other}"


def _where(problem: StudentRaised) -> str:
    return f"{problem.type_name} in your line “{problem.line}”" if problem.line else problem.type_name


def _size(arguments: Any) -> int:
    if isinstance(arguments, np.ndarray):
        return arguments.size
    return sum(map(_size, arguments)) if isinstance(arguments, list | tuple) else 1
