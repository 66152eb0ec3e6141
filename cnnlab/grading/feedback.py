"""One page for each student: what was asked, what came back, and a hint; never a hidden input or an expected answer."""

from __future__ import annotations

from collections.abc import Iterator

from cnnlab.grading.by_hand import Marks, Part
from cnnlab.grading.changes import as_points
from cnnlab.grading.model import Result
from cnnlab.grading.pages import render

_STATUS = {
    "timeout": "Some of your code took too long and was stopped.",
    "crashed": "Some of your code ended the program that ran it.",
    "unreadable": "Your notebook could not be read, so nothing was graded.",
}


def page(result: Result, *, title: str, max_score: float, marks: Marks | None = None) -> str:
    """Return a self-contained HTML page.

    Parameters
    ----------
    result
        What grading found.
    title
        What the assignment is called.
    max_score
        What its exercises for a machine are worth.
    marks
        What the gradebook says, with points and comments given by hand.
    """
    marks = marks if result.was_run else None
    status = _STATUS.get(result.status, "")
    if status and result.reason:
        status += f" {result.reason}."
    names = {exercise.grade_id: exercise.title for exercise in result.exercises}
    return render(
        "feedback.html",
        title=title,
        result=result,
        total=result.score if marks is None else marks.score,
        most=max_score if marks is None else marks.max_score,
        sum_up=[] if marks is None else list(_sum_up(marks)),
        status=status,
        by_hand=[] if marks is None else [_by_hand(part, names) for part in marks.parts if _is_of_people(part)],
        comments=() if marks is None else tuple((_place(name, names), text) for name, text in marks.comments),
        stopped=[
            cell
            for cell in result.cells
            if cell.left_out or (cell.error is not None and cell.index in result.own_cells)
        ],
    )


def _is_of_people(part: Part) -> bool:
    return part.is_changed_by_hand or part.waits


def _sum_up(marks: Marks) -> Iterator[str]:
    """Yield how the total came about, if it is not the checks' alone."""
    by_hand = sum(part.score - (part.machine or 0.0) for part in marks.parts)
    if any(part.is_changed_by_hand for part in marks.parts):
        yield f"{as_points(sum(part.machine or 0.0 for part in marks.parts))} by the checks, {_signed(by_hand)} by hand"
    if marks.penalty:
        yield f"{as_points(marks.penalty)} taken off for handing in late"
    if marks.waits:
        yield "Points are still to be given by hand; this number may change."


def _signed(points: float) -> str:
    return f"{'−' if points < 0 else '+'}{as_points(abs(points))}"


def _by_hand(part: Part, names: dict[str, str]) -> str:
    name = names.get(part.grade_id, part.grade_id)
    most = as_points(part.max_score)
    if part.waits and not part.is_changed_by_hand:
        return f"{name}: not looked at yet ({most} points)"
    text = f"{name}: {as_points(part.score)} of {most} points"
    if part.by_hand is not None:
        text += f": {as_points(part.by_hand)} given by hand"
        text += "" if part.machine is None else f" in place of the checks' {as_points(part.machine)}"
    if part.extra:
        text += f", {as_points(part.extra)} extra"
    return f"{text}; to be looked at again" if part.waits else text


def _place(name: str, names: dict[str, str]) -> str:
    """Return the title of the exercise that a cell is named after, else the cell's own name."""
    known = [grade_id for grade_id in names if name.startswith(grade_id)]
    return names[max(known, key=len)] if known else name
