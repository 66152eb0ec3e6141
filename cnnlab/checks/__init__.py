"""Exercises as data, and the checks that run them and name mistakes.

Students call `check`; a grader calls `exercises` and `run_exercise` and keeps the results.
"""

from cnnlab.checks.errors import (
    ArgumentChanged,
    CheckFailed,
    FunctionMissing,
    StudentCrashed,
    StudentRaised,
    StudentTimeout,
)
from cnnlab.checks.model import Case, Check, CheckOutcome, Exercise, ExerciseResult, Mistake
from cnnlab.checks.notebook import check
from cnnlab.checks.registry import exercise, exercises
from cnnlab.checks.runner import run_exercise
from cnnlab.checks.seeds import hidden_seed

__all__ = [
    "ArgumentChanged",
    "Case",
    "Check",
    "CheckFailed",
    "CheckOutcome",
    "Exercise",
    "ExerciseResult",
    "FunctionMissing",
    "Mistake",
    "StudentCrashed",
    "StudentRaised",
    "StudentTimeout",
    "check",
    "exercise",
    "exercises",
    "hidden_seed",
    "run_exercise",
]
