"""The cases of a check and the right answers, made once: every student is asked the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnlab.checks.model import Case, Exercise, Function
from cnnlab.checks.seeds import case_generator

_MOST = 500
# The exercise is kept, so that its place in memory is nobody else's.
_made: dict[tuple[int, int, int], tuple[Exercise, tuple[Asked, ...]]] = {}


@dataclass(frozen=True)
class Asked:
    """One call, whom it is for, and what is right; nobody may change any of it."""

    case: Case
    function: Function
    expected: Any


def asked(exercise: Exercise, index: int, seed: int) -> tuple[Asked, ...]:
    """Return the cases of one check of an exercise.

    Parameters
    ----------
    exercise, index
        Whose check, and which.
    seed
        Of its generator.
    """
    key = (id(exercise), index, seed)
    if key not in _made:
        if len(_made) >= _MOST:
            _made.clear()
        cases = exercise.checks[index].cases(case_generator(exercise, index, seed))
        functions = [exercise.function(case.function) for case in cases]
        _made[key] = (
            exercise,
            tuple(
                Asked(case, function, _right(case, function)) for case, function in zip(cases, functions, strict=True)
            ),
        )
    return _made[key][1]


def _right(case: Case, function: Function) -> Any:
    if case.target is not None:
        return case.target.labels
    with np.errstate(all="ignore"):  # as in `calling.call`
        return function.reference(*case.arguments)
