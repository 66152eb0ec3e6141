"""What a teacher reads: the answers, without the marks around them and without the hidden tests."""

from __future__ import annotations

import copy

from nbformat import NotebookNode

_SOLUTION = ("BEGIN SOLUTION", "END SOLUTION")
_HIDDEN = ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS")


def solution_of(source: NotebookNode) -> NotebookNode:
    """Return the solution version of a source notebook.

    nbgrader's cell metadata stay, so that the solution can be graded like a submission.

    Parameters
    ----------
    source
        Left as it is.

    Raises
    ------
    ValueError
        If a mark is opened twice, or not closed.
    """
    notebook = copy.deepcopy(source)
    for cell in notebook.cells:
        cell.source = _without_hidden_tests(cell.source)
    return notebook


def _without_hidden_tests(text: str) -> str:
    kept = []
    inside: str | None = None
    for line in text.split("\n"):
        opened = next((end for begin, end in (_SOLUTION, _HIDDEN) if begin in line), None)
        if opened is not None:
            if inside is not None:
                raise ValueError(f"{line.strip()!r} stands before {inside!r}: close the first mark before the next")
            inside = opened
        elif inside is not None and inside in line:
            inside = None
        elif inside != _HIDDEN[1]:
            kept.append(line)
    if inside is not None:
        raise ValueError(f"there is no line with {inside!r}: add it below the lines that it closes")
    return "\n".join(kept).rstrip("\n")
