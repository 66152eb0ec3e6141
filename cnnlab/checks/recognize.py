"""Recognize known mistakes by the answers, never by the code.

A mistake is named when the student's answers are what that mistake gives on every input that was tried, including
inputs that are there only for this. If no single mistake fits, two at once are tried. If mistakes cannot be told
apart, or none fits everywhere, nothing is named: a wrong name would send the student the wrong way.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cnnlab.checks.asked import asked
from cnnlab.checks.calling import Answer, call
from cnnlab.checks.compare import alike, part_of
from cnnlab.checks.errors import StudentRaised
from cnnlab.checks.model import Case, Exercise, Function, Mistake
from cnnlab.checks.outcomes import EXPLAINED, Trial
from cnnlab.checks.seeds import PROBE_SEEDS

# The function that is wrong, and which of its named results.
Place = tuple[str, str]
# What known mistakes answered; the cases and mistakes are kept, so that their places in memory are nobody else's.
_answers: dict[tuple[int, ...], tuple[Case, tuple[Mistake, ...], Answer]] = {}
_MOST_ANSWERS = 20_000


@dataclass(frozen=True)
class _Candidate:
    """One mistake, or two at once."""

    mistakes: tuple[Mistake, ...]
    function: Callable[..., Any]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(mistake.name for mistake in self.mistakes)


def recognize(
    exercise: Exercise, trials: Sequence[Trial], ask: Callable[[Case], Answer]
) -> dict[Place, tuple[Mistake, ...]]:
    """Return the mistakes that explain the answers, for each function and each of its results that is wrong.

    Parameters
    ----------
    exercise
        Whose mistakes are tried.
    trials
        The calls that were made, right answers included.
    ask
        Calls the student's function on a further case.

    Returns
    -------
    dict
        Places where nothing is recognized are left out.
    """
    found: dict[Place, tuple[Mistake, ...]] = {}
    for place in places(trials):
        function = exercise.function(place[0])
        matcher = _Matcher(exercise, function, place[1], [t for t in trials if t.function is function], ask)
        mistakes = matcher.match()
        if mistakes:
            found[place] = mistakes
    return found


def places(trials: Sequence[Trial]) -> list[Place]:
    """Return each function and result of it that has wrong values, in the order of the trials."""
    wrong = [(t.function.name, t.fault.part) for t in trials if t.fault is not None and t.fault.kind in EXPLAINED]
    return list(dict.fromkeys(wrong))


class _Matcher:
    """Finds the mistakes behind one result of one function."""

    def __init__(
        self,
        exercise: Exercise,
        function: Function,
        part: str,
        trials: Sequence[Trial],
        ask: Callable[[Case], Answer],
    ) -> None:
        self.exercise = exercise
        self.function = function
        self.part = part
        self.ask = ask
        # Where it failed first: most candidates fall there. Cases with a target do not ask for exact answers.
        exact = [trial for trial in trials if trial.case.target is None]
        self.tried = sorted(exact, key=lambda trial: trial.fault is None or trial.fault.part != part)
        about = [m for m in exercise.mistakes if exercise.function(m.of) is function and not m.raises]
        self.mistakes = [m for m in about if not part or m.result in ("", part)]

    def match(self) -> tuple[Mistake, ...]:
        for candidates in (self._single(), self._pairs()):
            left = self._agreeing(list(candidates))
            if left:
                return left[0].mistakes if len({candidate.names for candidate in left}) == 1 else ()
        return ()

    def _single(self) -> Iterator[_Candidate]:
        for mistake in self.mistakes:
            yield _Candidate((mistake,), mistake.function)

    def _pairs(self) -> Iterator[_Candidate]:
        assemble = self.function.assemble
        if assemble is None:
            return
        for one, other in itertools.combinations(self.mistakes, 2):
            if one.parts and other.parts and one.name != other.name and not one.parts.keys() & other.parts.keys():
                yield _Candidate((one, other), assemble(**one.parts, **other.parts))

    def _agreeing(self, candidates: list[_Candidate]) -> list[_Candidate]:
        for trial in self.tried:
            candidates = self._that_agree(candidates, trial.case, trial.answer)
        for case in self._probes():
            if not candidates:
                return []
            answer = self.ask(case)
            if answer.problem is not None and not isinstance(answer.problem, StudentRaised):
                return []
            candidates = self._that_agree(candidates, case, answer)
        return candidates

    def _that_agree(self, candidates: list[_Candidate], case: Case, answer: Answer) -> list[_Candidate]:
        value = part_of(answer.value, self.function.results, self.part)
        # A call that raised has no value and says nothing: the student may have made a second mistake there.
        if value is None or answer.problem is not None:
            return candidates
        return [c for c in candidates if alike(self._answer_of(c, case), value)]

    def _answer_of(self, candidate: _Candidate, case: Case) -> Any:
        # A mistake gives everybody the same, and whoever grades a class asks for it again and again.
        key = (id(case), *map(id, candidate.mistakes))
        if key not in _answers:
            if len(_answers) >= _MOST_ANSWERS:
                _answers.clear()
            _answers[key] = (case, candidate.mistakes, call(self.function, candidate.function, case))
        answer = _answers[key][2]
        if answer.problem is not None:
            return None
        return part_of(answer.value, self.function.results, self.part)

    def _probes(self) -> Iterator[Case]:
        for seed in PROBE_SEEDS:
            for index, check in enumerate(self.exercise.checks):
                if check.hidden:
                    cases = asked(self.exercise, index, seed)
                    yield from (each.case for each in cases if self._is_exact(each.case))

    def _is_exact(self, case: Case) -> bool:
        return case.target is None and self.exercise.function(case.function) is self.function
