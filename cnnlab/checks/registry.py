"""Which exercises there are; an assignment's module is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module

from cnnlab.checks.model import ByHand, Exercise

_ASSIGNMENTS = {f"a{number}": f"cnnlab.checks.a{number}" for number in range(1, 6)}


def assignments() -> tuple[str, ...]:
    """Return the names of all assignments, in their order."""
    return tuple(_ASSIGNMENTS)


def exercises(assignment: str = "a1") -> tuple[Exercise, ...]:
    """Return the exercises of one assignment, in the order of its notebook.

    Parameters
    ----------
    assignment
        For example ``"a1"``.

    Raises
    ------
    KeyError
        If there is no such assignment.
    """
    if assignment not in _ASSIGNMENTS:
        raise KeyError(f"there is no assignment {assignment!r}: use one of {', '.join(_ASSIGNMENTS)}")
    found: tuple[Exercise, ...] = import_module(_ASSIGNMENTS[assignment]).EXERCISES
    return found


def by_hand(assignment: str) -> tuple[ByHand, ...]:
    """Return the exercises of one assignment that a person grades; raises like `exercises`."""
    exercises(assignment)
    found: tuple[ByHand, ...] = getattr(import_module(_ASSIGNMENTS[assignment]), "BY_HAND", ())
    return found


def exercise(exercise_id: str) -> Exercise:
    """Return one exercise.

    Parameters
    ----------
    exercise_id
        For example ``"a1.scan_1d"``.

    Raises
    ------
    KeyError
        If there is no such exercise.

    Examples
    --------
    >>> exercise("a1.scan_1d").function().parameters
    ('x', 'layers', 'width', 'hop')
    """
    known = [item for name in _ASSIGNMENTS for item in exercises(name)]
    for item in known:
        if item.id == exercise_id:
            return item
    raise KeyError(f"there is no exercise {exercise_id!r}: use one of {', '.join(item.id for item in known)}")
