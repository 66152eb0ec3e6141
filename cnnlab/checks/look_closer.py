"""Below a card in a notebook: the failing case laid open in the demo Autopsy, folded until the reader asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from cnnlab.checks.results import CheckOutcome, ExerciseResult

_OPTIONS = frozenset({"x", "w", "b", "stride", "padding", "dilation", "groups"})
_TITLE = "Look closer: the wrong answer laid open"


def look_closer(result: ExerciseResult) -> Any:
    """Return a widget that shows where the answer of the card's open case goes wrong, or None.

    It shows what the card shows, number by number; where the case is a convolution also the sum behind each number.

    Parameters
    ----------
    result
        What `run_exercise` returned; only visible cases are shown.

    Returns
    -------
    ipywidgets.Accordion or None
        None when the first failing check has no array to look into, or when widgets are not installed.
    """
    failed = next((outcome for outcome in result.outcomes if outcome.case is not None), None)
    if failed is None or not _has_numbers(failed.expected) or not isinstance(failed.got, np.ndarray):
        return None
    try:
        import ipywidgets

        from cnnlab.demos.autopsy import Autopsy
    except ImportError:
        return None
    known = "; ".join(mistake.name for mistake in failed.mistakes) or None
    hints = [hint for mistake in failed.mistakes for hint in mistake.hints]
    given: dict[str, Any] = {"title": f"{result.title}: {_case_of(failed)}", "mistake": known, "hints": hints}
    try:
        demo = Autopsy(failed.expected, failed.got, **_convolution(result, failed), **given)
    except ValueError:  # x and w of something else than the convolution that the demo knows
        demo = Autopsy(failed.expected, failed.got, **given)
    return ipywidgets.Accordion([demo], titles=(_TITLE,))


def _has_numbers(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.size > 0 and value.dtype.kind in "fiub"


def _case_of(failed: CheckOutcome) -> str:
    name = failed.case.name if failed.case is not None else ""
    return f"{name}, {failed.part}" if failed.part else name


def _convolution(result: ExerciseResult, failed: CheckOutcome) -> dict[str, Any]:
    """Return x, w, b and the options when the called function is a convolution with zeros around."""
    called = next(function for function in result.functions if function.name == failed.function)
    arguments = failed.case.arguments if failed.case is not None else ()
    given = dict(zip(called.parameters, arguments, strict=True))
    if not {"x", "w"} <= given.keys() or "dy" in given or given.pop("padding_mode", "zeros") != "zeros":
        return {}
    return given if given.keys() <= _OPTIONS else {}
