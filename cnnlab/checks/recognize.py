"""Recognize a known mistake by its answers, never by its code.

A mistake is named when the student's answers are what that mistake gives on every input that was tried, including
inputs that are there only for this. If two mistakes cannot be told apart, or none fits everywhere, nothing is named:
a wrong name would send the student the wrong way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from cnnlab.checks.calling import Answer, call
from cnnlab.checks.compare import same
from cnnlab.checks.errors import StudentRaised
from cnnlab.checks.model import Case, Exercise, Mistake
from cnnlab.checks.seeds import PROBE_SEEDS, case_generator


def recognize(
    exercise: Exercise, trials: Iterable[tuple[Case, Answer]], ask: Callable[[Case], Answer]
) -> Mistake | None:
    """Return the mistake that explains the answers, or None.

    Parameters
    ----------
    exercise
        Whose mistakes are tried.
    trials
        The calls that were made, right answers included.
    ask
        Calls the student's function on a further case.
    """
    candidates = list(exercise.mistakes)
    for case, answer in trials:
        candidates = _that_agree(exercise, candidates, case, answer)
    for case in _probes(exercise):
        if not candidates:
            return None
        answer = ask(case)
        if answer.problem is not None and not isinstance(answer.problem, StudentRaised):
            return None
        candidates = _that_agree(exercise, candidates, case, answer)
    return candidates[0] if len({mistake.name for mistake in candidates}) == 1 else None


def _that_agree(exercise: Exercise, mistakes: list[Mistake], case: Case, answer: Answer) -> list[Mistake]:
    # A call that raised has no value and says nothing: the student may have made a second mistake there.
    if not isinstance(answer.value, np.ndarray):
        return mistakes
    return [mistake for mistake in mistakes if same(_answer_of(exercise, mistake, case), answer.value)]


def _answer_of(exercise: Exercise, mistake: Mistake, case: Case) -> Any:
    answer = call(exercise, mistake.function, case)
    return None if answer.problem is not None else answer.value


def _probes(exercise: Exercise) -> Iterator[Case]:
    for seed in PROBE_SEEDS:
        for index, check in enumerate(exercise.checks):
            if check.hidden:
                yield from check.cases(case_generator(exercise, index, seed))
