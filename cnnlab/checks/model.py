"""What an exercise is: plain, frozen data without behavior of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Target:
    """How many of a function's answers must be right, where the exact ones are not asked for: labels, and a share.

    Attributes
    ----------
    labels
        The right class of each answer, shape (N,); those below 0 do not count.
    at_least
        The share of the others that must be met, from 0 to 1.
    """

    labels: np.ndarray[Any, Any]
    at_least: float


@dataclass(frozen=True)
class Case:
    """One call of a function that the student wrote.

    Attributes
    ----------
    name
        What is special about this input, for a reader.
    arguments
        Positional arguments: arrays, numbers, strings, and lists or tuples of those, so that they can be sent to
        another process.
    function
        Which of the exercise's functions is called; empty: its first.
    result
        Which of the function's named results counts here; empty: all of them.
    target
        Judges the answer in the place of the reference; None: the answer must be the reference's.
    """

    name: str
    arguments: tuple[Any, ...]
    function: str = ""
    result: str = ""
    target: Target | None = None


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
class Function:
    """One function that the student writes.

    Attributes
    ----------
    name, parameters
        How it is called.
    reference
        A right implementation, slow and readable.
    results
        The names of what it returns, if it returns a tuple: ``("dx", "dw", "db")``. Each is judged by itself.
    assemble
        Makes wrong implementations: called with keyword arguments, the parts that are exchanged, it returns a
        function. Two mistakes that exchange different parts can then be made, and recognized, together.
    """

    name: str
    parameters: tuple[str, ...]
    reference: Callable[..., Any]
    results: tuple[str, ...] = ()
    assemble: Callable[..., Callable[..., Any]] | None = None


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
        The wrong implementation: same arguments as the right one.
    of
        Which of the exercise's functions is wrong; empty: its first.
    parts
        What `Function.assemble` was given to make it; None: it stands by itself, and is not looked for in company.
    result
        The one named result that it spoils, so that it is not looked for in the others; empty: any.
    raises
        The type of the exception by which it is recognized; empty: it is recognized by its answers.
    """

    id: str
    name: str
    hints: tuple[str, str, str]
    function: Callable[..., Any]
    of: str = ""
    parts: Mapping[str, Any] | None = None
    result: str = ""
    raises: str = ""


@dataclass(frozen=True)
class Exercise:
    """Everything the checker knows about one exercise.

    Attributes
    ----------
    id
        ``"<assignment>.<name>"``, for example ``"a1.scan_1d"``.
    title
        Shown at the head of the card.
    functions
        What the student writes, in the order in which `check` takes them.
    points
        The sum of the points of the checks.
    checks, mistakes
        What is run, and what may be recognized.
    seconds
        How long a grader waits for one call.
    allows
        Parts of cnnlab that a student's code may import while it is graded, besides data, figures and arrays; for
        example ``"nn"``, whose convolution and pooling then compute with the student's own functions only.
    surroundings
        Makes the context in which the student's functions are called on their own machine.
    """

    id: str
    title: str
    functions: tuple[Function, ...]
    points: int
    checks: tuple[Check, ...]
    mistakes: tuple[Mistake, ...]
    seconds: float = 2.0
    allows: tuple[str, ...] = ()
    surroundings: Callable[[], AbstractContextManager[Any]] = nullcontext

    @property
    def grade_id(self) -> str:
        """The ``grade_id`` of this exercise's grade cell (no dot: it is also the notebook's cell id)."""
        return self.id.replace(".", "-")

    def function(self, name: str = "") -> Function:
        """Return one of the functions; without a name, the first.

        Raises
        ------
        KeyError
            If the exercise has no such function.
        """
        for function in self.functions:
            if name in ("", function.name):
                return function
        raise KeyError(f"{self.id} has no function {name!r}: it has {', '.join(f.name for f in self.functions)}")


@dataclass(frozen=True)
class ByHand:
    """An exercise that a person grades: an answer in words, in a cell of the notebook.

    Attributes
    ----------
    id, title, points
        As in `Exercise`.
    """

    id: str
    title: str
    points: int

    @property
    def grade_id(self) -> str:
        """The ``grade_id`` of its answer cell; names of cells that go with it, such as a figure, begin with it."""
        return self.id.replace(".", "-")
