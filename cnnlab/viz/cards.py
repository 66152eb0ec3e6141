"""Cards that tell a student what a check found, as text and as HTML.

A card is data turned into words: which checks passed, what it is worth so far, the mistake if it is a known one, and
the smallest failing case with the first wrong number. It needs no kernel, no network and no script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from cnnlab.viz.card_arrays import answers_html, call_as_code
from cnnlab.viz.card_pictures import answers_picture
from cnnlab.viz.card_style import CSS

if TYPE_CHECKING:
    from cnnlab.checks.model import Mistake
    from cnnlab.checks.results import CheckOutcome, ExerciseResult


def as_text(result: ExerciseResult) -> str:
    """Return the card as plain text.

    Parameters
    ----------
    result
        What `cnnlab.checks.run_exercise` returned.
    """
    lines = [f"{result.title} ({result.exercise_id}): {_points_text(result)}", _summary(result)]
    for mistake in _known(result):
        lines += [f"This looks like a known mistake: {mistake.name}.", f"  {mistake.hints[0]}"]
    lines += [f"Noticed: {clue}" for clue in result.clues]
    for outcome in map(_without_a_word_too_many(result), result.outcomes):
        sign = "✓ passed " if outcome.passed else "✗ not yet"
        title = f"{outcome.title} (hidden)" if outcome.hidden else outcome.title
        lines.append(f"  {sign}  {title} — {_of(outcome.points, outcome.max_points)}")
        if outcome.case is not None:
            lines.append(f"             Case: {outcome.case.name}.")
        if not outcome.passed and outcome.message:
            lines.append(f"             {outcome.message}")
    return "\n".join(lines)


def as_html(result: ExerciseResult, *, pictures: bool = False) -> str:
    """Return the card as self-contained HTML for a notebook or a page.

    Parameters
    ----------
    result
        What `cnnlab.checks.run_exercise` returned. Everything in it is escaped.
    pictures
        Draw the first case: for pages, where no demo stands below the card.
    """
    label = escape(f"Check of {result.exercise_id}: {_points_text(result)}", quote=True)
    rows = []
    case_is_open = True
    for outcome in map(_without_a_word_too_many(result), result.outcomes):
        drawn = answers_picture(outcome) if pictures and case_is_open and outcome.case is not None else ""
        rows.append(_outcome_html(result, outcome, drawn, case_is_open=case_is_open))
        case_is_open = case_is_open and (outcome.passed or outcome.case is None)
    return (
        f'<section class="cnnlab-card" aria-label="{label}"><style>{CSS}</style>'
        f'<header><span class="title">{escape(result.title)}</span> <code>{escape(result.exercise_id)}</code>'
        f'<span class="points">{_points_html(result)}</span></header>'
        f'<p class="summary">{escape(_summary(result))}</p>'
        f"{_mistake_html(result)}"
        f'<ul class="checks">{"".join(rows)}</ul>'
        f"{_printed_html(result)}</section>"
    )


def _summary(result: ExerciseResult) -> str:
    passed = sum(outcome.passed for outcome in result.outcomes)
    total = len(result.outcomes)
    pending = result.pending_hidden
    later = f"{pending} hidden check{'s are' if pending != 1 else ' is'} run at grading." if pending else ""
    if passed == total:
        return f"Visible checks passed; {later}" if pending else "All checks passed."
    if _all_unwritten(result.outcomes):
        where = "their cells" if len(result.functions) > 1 else "its cell"
        return f"Not written yet: fill in {_names(result)}, run {where}, then check again."
    if pending:
        return f"{passed} of {total} checks passed so far. {later[:1].upper()}{later[1:]}"
    return f"{passed} of {total} checks passed."


def _all_unwritten(outcomes: Iterable[CheckOutcome]) -> bool:
    return all(outcome.kind == "unwritten" for outcome in outcomes)


def _without_a_word_too_many(result: ExerciseResult) -> Callable[[CheckOutcome], CheckOutcome]:
    """Return what takes the case away from checks of functions that are not begun, and if none is, the message."""
    message = "" if _all_unwritten(result.outcomes) else "Not written yet."
    names = {outcome.function for outcome in result.outcomes}
    unbegun = {name for name in names if _all_unwritten(each for each in result.outcomes if each.function == name)}

    def shorten(outcome: CheckOutcome) -> CheckOutcome:
        if outcome.function not in unbegun:
            return outcome
        return replace(outcome, case=None, message=message)

    return shorten


def _pending_points(result: ExerciseResult) -> float:
    return result.max_score - sum(outcome.max_points for outcome in result.outcomes) if result.pending_hidden else 0.0


def _of(points: float, most: float) -> str:
    return f"{points:g} of {most:g} point{'' if most == 1 else 's'}"


def _points_text(result: ExerciseResult) -> str:
    pending = _pending_points(result)
    later = f", {pending:g} more at grading" if pending else ""
    return f"{_of(result.score, result.max_score - pending)}{later}"


def _points_html(result: ExerciseResult) -> str:
    pending = _pending_points(result)
    later = f"<small>{pending:g} more at grading</small>" if pending else ""
    return f"<b>{result.score:g}</b> of {_of(result.score, result.max_score - pending).partition(' of ')[2]}{later}"


def _names(result: ExerciseResult) -> str:
    return ", ".join(function.name for function in result.functions) or "the function"


def _known(result: ExerciseResult) -> list[Mistake]:
    """Return every mistake that was recognized, once, in the order of the checks."""
    return list({m.name: m for outcome in result.outcomes for m in outcome.mistakes}.values())


def _mistake_html(result: ExerciseResult) -> str:
    known = _known(result)
    label = "This looks like a known mistake" if len(known) == 1 else "These look like known mistakes"
    blocks = []
    for mistake in known:
        first, *more = mistake.hints
        hints = ""
        for summary, hint in zip(("Where to look", "A recipe, if you want one"), more, strict=True):
            hints += f"<details><summary>{summary}</summary><p>{escape(hint)}</p></details>"
        blocks.append(f'<p class="name">{escape(mistake.name)}</p><p>{escape(first)}</p>{hints}')
    html = f'<div class="mistake"><p class="label">{label}</p>{"".join(blocks)}</div>' if blocks else ""
    if result.clues:
        items = "".join(f"<p>{escape(clue)}</p>" for clue in result.clues)
        html += f'<div class="mistake"><p class="label">What was noticed</p>{items}</div>'
    return html


def _outcome_html(result: ExerciseResult, outcome: CheckOutcome, drawn: str, *, case_is_open: bool) -> str:
    badge = '<span class="badge yes">✓ passed</span>' if outcome.passed else '<span class="badge no">✗ not yet</span>'
    hidden = ' <span class="hidden-mark">hidden</span>' if outcome.hidden else ""
    row = (
        f'<div class="row">{badge}<span class="what">{escape(outcome.title)}{hidden}</span>'
        f'<span class="worth">{outcome.points:g} of {outcome.max_points:g}</span></div>'
    )
    if not outcome.passed:
        row += f'<p class="message">{escape(outcome.message)}</p>' if outcome.message else ""
        row += _case_html(result, outcome, drawn, is_open=case_is_open)
    return f"<li>{row}</li>"


def _case_html(result: ExerciseResult, outcome: CheckOutcome, drawn: str, *, is_open: bool) -> str:
    if outcome.case is None:
        return ""
    called = next((f for f in result.functions if f.name == outcome.function), None)
    if called is None:
        return ""
    code = escape(call_as_code(called.name, called.parameters, outcome.case.arguments))
    return (
        f'<details class="case"{" open" if is_open else ""}><summary>The case: {escape(outcome.case.name)}</summary>'
        f"{drawn}{answers_html(outcome)}"
        f"<details><summary>Try it yourself: the call as code</summary><pre>{code}</pre></details></details>"
    )


def _printed_html(result: ExerciseResult) -> str:
    if not result.printed.strip():
        return ""
    return (
        "<details><summary>What your function printed during the check</summary>"
        f"<pre>{escape(result.printed)}</pre></details>"
    )
