"""Which part each cell of a lecture plays on slides, written into the cell's ``slideshow`` metadata."""

from __future__ import annotations

from nbformat import NotebookNode

_ROLES = ("slide", "subslide", "fragment", "skip", "notes")
_NOTES = "<details><summary>For the lecturer</summary>\n\n{}\n\n</details>"


def mark_slides(notebook: NotebookNode, shown_as: str) -> None:
    """Give every cell a ``slide_type``, in place.

    A cell whose tags hold one of "slide", "subslide", "fragment", "skip" and "notes" plays that part. Of the others,
    text that begins with a heading opens a slide, other text one below it, and code stays on the slide of the text
    before it. Notes are folded, so that they are at hand and not in a reader's way.

    Parameters
    ----------
    notebook
        A lecture.
    shown_as
        How errors name its source.

    Raises
    ------
    ValueError
        If a cell has two of the tags, or code is to be notes.
    """
    for position, cell in enumerate(notebook.cells):
        tags = cell.metadata.pop("tags", [])
        roles = [tag for tag in tags if tag in _ROLES]
        if len(roles) > 1:
            raise ValueError(f"{shown_as}: a cell has the tags {roles}: leave one of them")
        other = [tag for tag in tags if tag not in _ROLES]
        if other:
            cell.metadata["tags"] = other
        role = roles[0] if roles else _role_by_rule(cell, position)
        if role == "notes":
            if cell.cell_type != "markdown":
                raise ValueError(f"{shown_as}: notes are text, and this cell is code: {cell.source[:60]!r}")
            cell.source = _NOTES.format(cell.source)
        cell.metadata["slideshow"] = {"slide_type": role}


def _role_by_rule(cell: NotebookNode, position: int) -> str:
    if cell.cell_type != "markdown":
        return "-"
    # The first cell's heading stands below the comment that names the source.
    return "slide" if position == 0 or cell.source.startswith("#") else "subslide"
