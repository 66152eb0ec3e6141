"""What an exercise is and what a check found: plain, frozen data without behavior of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Kind = Literal[
    "passed", "wrong_value", "wrong_shape", "wrong_type", "mutated", "raised", "timeout", "crashed", "missing"
]


@dataclass(frozen=True)
class Case:
    """One call of the student's function.

    Attributes
    ----------
    name
        What is special about this input, for a reader.
    arguments
        Positional arguments: arrays, numbers, strings, and lists or tuples of those, so that they can be sent to
        another process.
    """

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Check:
    """Some cases that are worth points together: all of them pass, or none counts.

    Attributes
    ----------
    title
        One line that a student reads; for a hidden check it is all they are told about it.
    points
        What it is worth.
    hidden
        Run at grading only.
    cases
        Makes the cases from a random generator; a visible check always gets the same generator.
    """

    title: str
    points: float
    hidden: bool
    cases: Callable[[np.random.Generator], list[Case]]


@dataclass(frozen=True)
class Mistake:
    """A mistake that students are known to make, as a small function that makes it.

    Attributes
    ----------
    id, name
        A short identifier for reports and a short sentence for the student. Variants of one mistake share a name.
    hints
        What is wrong, where to look, and a one-line recipe, in this order.
    function
        The wrong implementation: same arguments as the exercise.
    """

    id: str
    name: str
    hints: tuple[str, str, str]
    function: Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """Everything the checker knows about one exercise.

    Attributes
    ----------
    id
        ``"<assignment>.<function>"``, for example ``"a1.scan_1d"``.
    title
        Shown at the head of the card.
    function, parameters
        The name and the positional parameters of the function that the student writes.
    points
        The sum of the points of the checks.
    reference
        A right implementation, slow and readable.
    checks, mistakes
        What is run, and what may be recognized.
    seconds
        How long a grader waits for one call of the student's function.
    """

    id: str
    title: str
    function: str
    parameters: tuple[str, ...]
    points: int
    reference: Callable[..., Any]
    checks: tuple[Check, ...]
    mistakes: tuple[Mistake, ...]
    seconds: float = 2.0

    @property
    def grade_id(self) -> str:
        """The ``grade_id`` of this exercise's grade cell (no dot: it is also the notebook's cell id)."""
        return self.id.replace(".", "-")


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
        One or two sentences for the student.
    mistake_id, mistake_name, hint
        The named mistake, when the answers are exactly what it gives, and its first hint.
    more_hints
        The second and the third hint, for a reader who asks for them.
    case
        The smallest failing case.
    first_wrong_index
        Where expected and got differ first, in row-major order.
    expected, got
        Both whole answers.
    """

    title: str
    hidden: bool
    passed: bool
    points: float
    max_points: float
    kind: Kind
    message: str
    mistake_id: str | None = None
    mistake_name: str | None = None
    hint: str | None = None
    case: Case | None = None
    first_wrong_index: tuple[int, ...] | None = None
    expected: Any = None
    got: Any = None
    more_hints: tuple[str, ...] = ()


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
    function, parameters
        As in `Exercise`, so that a case can be shown as a call.
    """

    exercise_id: str
    title: str
    outcomes: tuple[CheckOutcome, ...]
    score: float
    max_score: float
    pending_hidden: int
    printed: str = ""
    function: str = ""
    parameters: tuple[str, ...] = ()
