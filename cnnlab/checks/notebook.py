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
from cnnlab.checks.look_closer import look_closer
from cnnlab.checks.registry import exercise
from cnnlab.checks.results import ExerciseResult
from cnnlab.checks.runner import run_exercise
from cnnlab.checks.time_limit import limited

_PRINTED_LIMIT = 2000
# Readers' machines are slower than ours; as many times what an exercise allows a call.
_PATIENCE = 3.0


def check(exercise_id: str, *functions: Callable[..., Any], hidden: bool = False, strict: bool = False) -> float | None:
    """Check an answer and show a card that says what is right and what is not yet.

    A wrong answer raises nothing and writes nothing to stderr. What the function prints meanwhile is kept off the page
    and stands folded in the card. Below the card of a wrong array stands the demo Autopsy, folded.

    Parameters
    ----------
    exercise_id
        For example ``"a1.scan_1d"``.
    functions
        Your function, or all functions of the exercise, in the order of its statement.
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
    TypeError
        If the exercise has another number of functions.
    """
    found = exercise(exercise_id)
    names = [function.name for function in found.functions]
    if len(functions) != len(names):
        call = f'check("{exercise_id}", {", ".join(names)})'
        raise TypeError(f"{exercise_id} takes {len(names)} functions and {len(functions)} were given: {call}")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = run_exercise(found, [limited(f, _PATIENCE * found.seconds) for f in functions], hidden=hidden)
    if not hidden:
        # With the hidden checks it could hold their inputs.
        result = replace(result, printed=printed.getvalue()[:_PRINTED_LIMIT])
    _show(result, closer=None if hidden else look_closer)
    if strict and not all(outcome.passed for outcome in result.outcomes):
        from cnnlab.viz import cards

        raise CheckFailed(cards.as_text(result))
    return float(result.score) if hidden else None


def _show(result: ExerciseResult, closer: Callable[[ExerciseResult], Any] | None) -> None:
    from cnnlab.viz import cards

    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        from IPython.display import display

        card = {"text/html": cards.as_html(result), "text/plain": cards.as_text(result)}
        display(card, raw=True)  # type: ignore[no-untyped-call]
        widget = closer(result) if closer is not None else None
        if widget is not None:
            display(widget)  # type: ignore[no-untyped-call]
    else:
        sys.stdout.write(cards.as_text(result) + "\n")
