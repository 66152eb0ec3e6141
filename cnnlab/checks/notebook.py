"""The one function that students call."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cnnlab.checks.errors import CheckFailed
from cnnlab.checks.model import ExerciseResult
from cnnlab.checks.registry import exercise
from cnnlab.checks.runner import run_exercise

_PRINTED_LIMIT = 2000


def check(
    exercise_id: str, function: Callable[..., Any], *, hidden: bool = False, strict: bool = False
) -> float | None:
    """Check an answer and show a card that says what is right and what is not yet.

    A wrong answer raises nothing and writes nothing to stderr. What the function prints meanwhile is kept off the page
    and stands folded in the card.

    Parameters
    ----------
    exercise_id
        For example ``"a1.scan_1d"``.
    function
        Your function.
    hidden
        Run the hidden checks too; this is how the notebook is graded.
    strict
        Raise if a check does not pass.

    Returns
    -------
    float or None
        With `hidden`, the points, from 0 to all; else None.

    Raises
    ------
    CheckFailed
        With `strict`, if a check that was run did not pass. Its text is the card.
    KeyError
        If there is no such exercise.
    """
    found = exercise(exercise_id)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = run_exercise(found, function, hidden=hidden)
    if not hidden:
        # With the hidden checks it could hold their inputs.
        result = replace(result, printed=printed.getvalue()[:_PRINTED_LIMIT])
    _show(result)
    if strict and not all(outcome.passed for outcome in result.outcomes):
        from cnnlab.viz import cards

        raise CheckFailed(cards.as_text(result))
    return float(result.score) if hidden else None


def _show(result: ExerciseResult) -> None:
    from cnnlab.viz import cards

    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        from IPython.display import display

        card = {"text/html": cards.as_html(result), "text/plain": cards.as_text(result)}
        display(card, raw=True)  # type: ignore[no-untyped-call]
    else:
        sys.stdout.write(cards.as_text(result) + "\n")
