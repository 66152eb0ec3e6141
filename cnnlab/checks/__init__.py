"""Exercises as data, and the checks that run them and name mistakes.

Students call `check`; a grader calls `exercises` and `ExerciseRun` and keeps the results.

To add an exercise, write a module beside `cnnlab.checks.a1.scan_1d` that makes an `Exercise` (`cnnlab.checks.model`):
one or more functions with their reference solutions, visible and hidden checks whose points add up, and the mistakes
to name, each a small wrong implementation with three hints (`cnnlab.checks.assembled` makes them from one
implementation with exchangeable parts, so that two at once are recognized). List it in the assignment's
``__init__.py``, a new assignment in `cnnlab.checks.registry`. Then write its section in ``course/exercises``, with a
grade cell named `Exercise.grade_id`, and run ``make build``. ``tests/checks/test_exercises.py`` runs over all
exercises; it wants right and wrong answers in ``tests/checks/answers``. ``make proof`` mutates the solution and shows
what slips through the checks.
"""

from cnnlab.checks.errors import (
    ArgumentChanged,
    CheckFailed,
    FunctionMissing,
    StudentCrashed,
    StudentRaised,
    StudentTimeout,
)
from cnnlab.checks.model import ByHand, Case, Check, Exercise, Function, Mistake, Target
from cnnlab.checks.notebook import check
from cnnlab.checks.registry import assignments, by_hand, exercise, exercises
from cnnlab.checks.results import CheckOutcome, ExerciseResult
from cnnlab.checks.runner import ExerciseRun, run_exercise
from cnnlab.checks.seeds import hidden_seed

__all__ = [
    "ArgumentChanged",
    "ByHand",
    "Case",
    "Check",
    "CheckFailed",
    "CheckOutcome",
    "Exercise",
    "ExerciseResult",
    "ExerciseRun",
    "Function",
    "FunctionMissing",
    "Mistake",
    "StudentCrashed",
    "StudentRaised",
    "StudentTimeout",
    "Target",
    "assignments",
    "by_hand",
    "check",
    "exercise",
    "exercises",
    "hidden_seed",
    "run_exercise",
]
