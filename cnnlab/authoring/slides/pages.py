"""From a lecture that was run to what its slides show: what is on which page, and what waits for a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from html import escape

import nbformat
from nbformat import NotebookNode

from cnnlab.demos.page import page

_WIDGET = "application/vnd.jupyter.widget-view+json"
_FIGURE = re.compile(r'class="cnnlab-figure"|<audio')
_PREDICTION = re.compile(r"\*\*[^*]*\b[Pp]redict[^*]*\*\*")
_NOTES = re.compile(r"\A<details><summary>[^<]*</summary>\s*(.*?)\s*</details>\Z", re.DOTALL)
_MINUTES = re.compile(r"\*\*(\d+) min\.\*\*")
_HEADING = re.compile(r"^#{1,2} (.+)$", re.MULTILINE)
# Beside so much text a demo would be too small to be read from the last row.
_ROOM_FOR_TEXT = 330
_FRAME_STYLE = (
    "<style>html body { margin: 0; } .cnnlab-demo.cnnlab-demo { margin: 0 auto; border: 0; padding: 4px 6px; }</style>"
)


def prepare(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook that the exporter is to write: outputs without widgets, pages broken, notes where needed.

    Parameters
    ----------
    notebook
        A lecture with its outputs; each cell's ``slideshow`` metadata says which part it plays.
    """
    notebook = deepcopy(notebook)
    for cell in notebook.cells:
        if "slide_type" not in cell.metadata.get("slideshow", {}):
            cell.metadata["slideshow"] = {"slide_type": "-"}
        if cell.cell_type == "code":
            cell.outputs = [shown for output in cell.outputs if (shown := _without_widget(output)) is not None]
        elif _role(cell) == "notes":
            cell.source = _NOTES.sub(r"\1", cell.source)
    _break_pages(notebook.cells)
    _hold_answers_back(notebook.cells)
    notebook.cells = _with_notes_on_each_slide(notebook.cells)
    _name_sections(notebook.cells)
    return notebook


def title_of(notebook: NotebookNode) -> str:
    """Return the first heading, as plain text."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (found := _HEADING.search(cell.source)):
            return _plain(found[1])
    return "Slides"


def slide_count(notebook: NotebookNode) -> int:
    """Return how many slides a prepared notebook has."""
    return sum(1 for _ in _slides(notebook.cells))


def _role(cell: NotebookNode) -> str:
    role: str = cell.metadata.slideshow.slide_type
    return role


def _plain(markdown: str) -> str:
    return re.sub(r"[*`$]", "", markdown).strip()


def _without_widget(output: NotebookNode) -> NotebookNode | None:
    """A demo becomes a page of its own in a frame; a widget without such a form, as a progress bar, is left out.

    In its frame a demo keeps its own keys, styles and pixels: slides are scaled to the screen, and a demo that is asked
    where the pointer is must not notice.
    """
    data = output.get("data", {})
    html = data.get("text/html", "")
    if 'data-cnnlab="' in html:
        title = match[1] if (match := re.search(r"<p>([^<:]*): a demo that draws", html)) else "Demo"
        document = page(_FRAME_STYLE + html, title=title, theme="light")
        frame = f'<iframe title="{escape(title)}" srcdoc="{escape(document)}" scrolling="no"></iframe>'
        output.data = {"text/html": f'<div class="demo-frame">{frame}</div>'}
    elif _WIDGET in data and not html:
        return None
    elif _WIDGET in data:
        del data[_WIDGET]
    return output


def _is_demo(cell: NotebookNode) -> bool:
    return any('class="demo-frame"' in output.get("data", {}).get("text/html", "") for output in cell.outputs)


def _is_figure(cell: NotebookNode) -> bool:
    return any(_FIGURE.search(output.get("data", {}).get("text/html", "")) for output in cell.outputs)


def _slides(cells: list[NotebookNode]) -> Iterator[list[NotebookNode]]:
    """Yield the cells of each slide."""
    current: list[NotebookNode] = []
    for cell in cells:
        if _role(cell) in ("slide", "subslide") and current:
            yield current
            current = []
        current.append(cell)
    if current:
        yield current


def _break_pages(cells: list[NotebookNode]) -> None:
    """Open a page for a second figure, and for a demo unless only a few words stand above it."""
    for slide in list(_slides(cells)):
        letters, pictures = 0, 0
        for cell in slide:
            if _role(cell) in ("notes", "skip"):
                continue
            if cell.cell_type != "code":
                letters += len(cell.source)
                continue
            demo, figure = _is_demo(cell), _is_figure(cell)
            full = pictures > 0 or (demo and letters > _ROOM_FOR_TEXT)
            if (demo or figure) and full and _role(cell) == "-":
                cell.metadata.slideshow.slide_type = "subslide"
                letters, pictures = 0, 0
            pictures += demo or figure


def _hold_answers_back(cells: list[NotebookNode]) -> None:
    """What a reader was asked to predict comes with the next key, not at once."""
    asked = False
    for cell in cells:
        if cell.cell_type == "markdown" and _role(cell) != "notes":
            asked = bool(_PREDICTION.search(cell.source))
        elif asked and cell.cell_type == "code" and _role(cell) == "-" and cell.outputs:
            cell.metadata.slideshow.slide_type = "fragment"
            asked = False


def _with_notes_on_each_slide(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Repeat notes on the slides that follow, up to the next notes or section; share out their minutes.

    The speaker view shows the notes of one slide, and its clock compares the time with the slides' minutes.
    """
    result: list[NotebookNode] = []
    groups: list[tuple[NotebookNode | None, list[NotebookNode]]] = []
    notes: NotebookNode | None = None
    for slide in _slides(cells):
        own = next((cell for cell in slide if _role(cell) == "notes"), None)
        if _role(slide[0]) == "slide" or not groups:
            notes = None
        if own is not None:
            notes = own
        if own is None and notes is not None:
            repeated = nbformat.v4.new_markdown_cell(notes.source)  # type: ignore[no-untyped-call]
            repeated.metadata["slideshow"] = {"slide_type": "notes"}
            slide.insert(1, repeated)
        groups.append((notes, slide))
        result += slide
    for note, slide in groups:
        minutes = _MINUTES.match(note.source) if note is not None else None
        sharing = sum(other is note for other, _ in groups)
        seconds = round(60 * int(minutes[1]) / sharing) if minutes else 0
        slide[0].metadata.slideshow.setdefault("data", {})["timing"] = seconds
    return result


def _name_sections(cells: list[NotebookNode]) -> None:
    """Let a slide without a heading of its own say in which section it is."""
    section = ""
    for slide in _slides(cells):
        first = slide[0]
        found = _HEADING.search(first.source) if first.cell_type == "markdown" else None
        if found:
            section = _plain(found[1])
        elif section:
            first.metadata.slideshow.setdefault("data", {})["section"] = section
