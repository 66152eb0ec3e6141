"""`cnnlab.checks` as a student's process sees it while grading; mounted as ``cnnlab/checks/__init__.py``."""

from __future__ import annotations

from typing import Any


def check(exercise_id: str, *functions: Any, hidden: bool = False, strict: bool = False) -> float | None:
    """Say that this check runs elsewhere; there is nothing here that could be read or replaced.

    Parameters
    ----------
    exercise_id, functions, hidden, strict
        As in the real `cnnlab.checks.check`.
    """
    del functions, strict
    print(f"{exercise_id}: graded elsewhere")  # noqa: T201  a notebook's output
    return 0.0 if hidden else None
