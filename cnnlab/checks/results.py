"""What a check found: plain, frozen data that cards, reports and a gradebook are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from cnnlab.checks.model import Case, Function, Mistake

Kind = Literal[
    "passed",
    "unwritten",
    "wrong_value",
    "wrong_shape",
    "wrong_type",
    "mutated",
    "raised",
    "timeout",
    "crashed",
    "missing",
]


@dataclass(frozen=True)
class CheckOutcome:
    """What one check found.

    For a hidden check everything that would give its input away is None, and `message` holds at most the type of an
    exception and the student's own line.

    Attributes
    ----------
    title, hidden, max_points
        As in `Check`.
    passed, points
        Whether every case passed, and what that is worth.
    kind
        ``"passed"`` or what went wrong first.
    message
        What the smallest failing case shows, in one or two sentences for the student. If it raised and others gave
        wrong answers, or the other way round, one of the others follows.
    mistakes
        The known mistake, when the answers are exactly what it gives; two, when it takes both. Cases that raised say
        nothing about it.
    function, part
        Which function is wrong, and which of its named results; empty when it passed.
    case
        The smallest failing case.
    first_wrong_index
        Where expected and got differ first, in row-major order.
    expected, got
        Both whole answers; of several named results, the one that is wrong.
    raised
        The type of the exception when the kind is ``"raised"``, else empty.
    """

    title: str
    hidden: bool
    passed: bool
    points: float
    max_points: float
    kind: Kind
    message: str
    mistakes: tuple[Mistake, ...] = ()
    function: str = ""
    part: str = ""
    case: Case | None = None
    first_wrong_index: tuple[int, ...] | None = None
    expected: Any = None
    got: Any = None
    raised: str = ""

    @property
    def mistake_id(self) -> str | None:
        """The identifiers of the mistakes, joined by ``+``, or None."""
        return "+".join(mistake.id for mistake in self.mistakes) or None

    @property
    def mistake_name(self) -> str | None:
        """The names of the mistakes, joined by "; ", or None."""
        return "; ".join(mistake.name for mistake in self.mistakes) or None


@dataclass(frozen=True)
class ExerciseResult:
    """What all checks of one exercise found.

    Attributes
    ----------
    exercise_id, title
        As in `Exercise`.
    outcomes
        One for each check that was run.
    score, max_score
        Points earned by the checks that were run, and what the whole exercise is worth.
    pending_hidden
        How many hidden checks were not run.
    printed
        What the student's function printed while visible checks called it, shortened.
    functions
        As in `Exercise`, so that a case can be shown as a call.
    clues
        Sentences about the visible cases, where no known mistake explains them.
    """

    exercise_id: str
    title: str
    outcomes: tuple[CheckOutcome, ...]
    score: float
    max_score: float
    pending_hidden: int
    printed: str = ""
    functions: tuple[Function, ...] = ()
    clues: tuple[str, ...] = ()
