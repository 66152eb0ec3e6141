"""One page for each student: what was asked, what came back, and a hint; never a hidden input or an expected answer."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from html import escape

from cnnlab.grading.model import CellReport, Result

_STATUS = {
    "timeout": "Some of your code took too long and was stopped.",
    "crashed": "Some of your code ended the program that ran it.",
    "unreadable": "Your notebook could not be read, so nothing was graded.",
}

_STYLE = """
:root { color-scheme: light dark; --text: #111827; --page: #ffffff; --soft: #4b5563; --rule: #d1d5db; --warn: #9a3412; }
@media (prefers-color-scheme: dark) {
  :root { --text: #f3f4f6; --page: #111111; --soft: #b4bac6; --rule: #4b5563; --warn: #fdba74; }
}
body { margin: 0 auto; padding: 1rem; max-width: 48rem; background: var(--page); color: var(--text);
       font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: .5rem 0 0; font-size: 1.4rem; }
h2 { margin: 1.5rem 0 .25rem; font-size: 1.1rem; }
.score { margin: .25rem 0 0; font-size: 2rem; font-weight: 700; line-height: 1.2;
         font-variant-numeric: tabular-nums; }
.score small { font-size: 1rem; font-weight: 400; color: var(--soft); }
.soft { color: var(--soft); }
.status { border-left: 4px solid var(--warn); padding: .25rem .75rem; margin: 1rem 0; }
.cnnlab-card { margin: 1rem 0; }
footer { margin-top: 2rem; border-top: 1px solid var(--rule); color: var(--soft); font-size: .875rem; }
pre { overflow-x: auto; white-space: pre-wrap; font-size: .875rem; }
"""


def page(result: Result, *, title: str, max_score: float, own_cells: AbstractSet[int] = frozenset()) -> str:
    """Return a self-contained HTML page.

    Parameters
    ----------
    result
        What grading found.
    title
        What the assignment is called.
    max_score
        What the assignment is worth.
    own_cells
        Positions of the cells that the student wrote: what others raise (a demo that is not there while grading) is
        not their concern.
    """
    parts = [f"<h1>{escape(title)}</h1>", f"<div>{escape(result.student)}</div>"]
    if result.score is not None:
        parts.append(f'<div class="score">{result.score:g} <small>of {max_score:g} points</small></div>')
        parts.append('<div class="soft">Points given by hand, if any, are not in this number.</div>')
    if result.status in _STATUS:
        detail = f" {escape(result.reason)}." if result.reason else ""
        parts.append(f'<p class="status">{_STATUS[result.status]}{detail}</p>')
    parts += [exercise.card for exercise in result.exercises]
    stopped = [cell for cell in result.cells if cell.left_out or (cell.error is not None and cell.index in own_cells)]
    if stopped:
        parts.append("<h2>Cells that did not run to their end</h2>")
        parts.append("<p>While grading, there is no network, and only what the assignment needs can be imported.</p>")
        parts += map(_cell, stopped)
    if not result.isolated:
        parts.append("<footer>Graded without a sandbox (not isolated).</footer>")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Nothing on the page may load or run anything, whatever a student managed to put into it.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:">\n'
        f"<title>{escape(title)} – {escape(result.student)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _cell(report: CellReport) -> str:
    if report.left_out or report.error is None:
        return f"<p>Cell {report.index + 1} {escape(report.left_out)}.</p>"
    type_name, message, line = report.error
    return f"<p>Cell {report.index + 1}:</p><pre>{escape(line)}\n{escape(type_name)}: {escape(message)}</pre>"
