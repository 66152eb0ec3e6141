"""From a lecture that was run to what its slides show: what is on which page, and what waits for a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from html import escape
from typing import Any

import nbformat
from nbconvert.preprocessors.coalescestreams import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

from cnnlab.authoring.slides.room import PAGE, height
from cnnlab.demos.page import page

_WIDGET = "application/vnd.jupyter.widget-view+json"
_PREDICTION = re.compile(r"\*\*[^*]*\b[Pp]redict[^*]*\*\*")
_NOTES = re.compile(r"\A<details><summary>[^<]*</summary>\s*(.*?)\s*</details>\Z", re.DOTALL)
_MINUTES = re.compile(r"\*\*(\d+) min\.\*\*")
_HEADING = re.compile(r"^#{1,2} (.+)$", re.MULTILINE)
_TEXT_OF_ITS_OWN = 160  # pixels: a heading alone is not worth a slide
_FRAME_STYLE = (
    "<style>html body { margin: 0; } .cnnlab-demo.cnnlab-demo { margin: 0 auto; border: 0; padding: 4px 6px; }</style>"
)

_JOIN_STREAMS: Any = CoalesceStreamsPreprocessor().preprocess_cell  # type: ignore[no-untyped-call]


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
            cell.outputs = [shown for output in cell.outputs if (shown := _for_slides(output)) is not None]
            _JOIN_STREAMS(cell, {}, 0)
        elif _role(cell) == "notes":
            cell.source = _NOTES.sub(r"\1", cell.source)
    notebook.cells = _merge_silent_code(notebook.cells)
    _break_pages(notebook.cells)
    _join_remarks(notebook.cells)
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


def _for_slides(output: NotebookNode) -> NotebookNode | None:
    """Put a demo into a frame, as a page of its own; leave out a widget without such a form, as a progress bar.

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
    elif html:
        data.pop(_WIDGET, None)
        # To reveal.js every <section> is a slide.
        data["text/html"] = re.sub(r"(</?)section\b", r"\1div", html)
    return output


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


def _merge_silent_code(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Code that shows nothing joins the code cell after it: one button for both."""
    merged: list[NotebookNode] = []
    for cell in cells:
        place = next((i for i, before in reversed(list(enumerate(merged))) if _role(before) != "notes"), None)
        silent = place is not None and _is_plain_code(merged[place]) and not merged[place].outputs
        if place is not None and silent and _is_plain_code(cell):
            cell.source = f"{merged.pop(place).source}\n\n\n{cell.source}"
        merged.append(cell)
    return merged


def _is_plain_code(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and _role(cell) == "-"


def _break_pages(cells: list[NotebookNode]) -> None:
    """Code whose output would not fit below what stands above it opens a page."""
    for slide in list(_slides(cells)):
        filled = 0
        for cell in slide:
            high = height(cell)
            if filled and filled + high > PAGE and _is_plain_code(cell) and cell.outputs:
                cell.metadata.slideshow.slide_type = "subslide"
                filled = 0
            filled += high


def _join_remarks(cells: list[NotebookNode]) -> None:
    """Text with nothing to show of its own comes, with the next key, below what it speaks of, where there is room.

    Where there is none, what it speaks of leaves the text above it and shares a slide with the remark.
    """
    before: list[NotebookNode] = []
    for slide in list(_slides(cells)):
        shown = next((i for i, cell in reversed(list(enumerate(before))) if _shows(cell)), None)
        if shown is not None and _is_remark(slide):
            below = [*before[shown:], *slide]
            fits = sum(map(height, [*before, *slide])) <= PAGE
            first_remark = all(_role(cell) == "notes" for cell in before[shown + 1 :])
            leaves_text = first_remark and sum(map(height, before[:shown])) >= _TEXT_OF_ITS_OWN
            if not fits and leaves_text and _is_plain_code(before[shown]) and sum(map(height, below)) <= PAGE:
                before[shown].metadata.slideshow.slide_type = "subslide"
                before, fits = before[shown:], True
            if fits:
                slide[0].metadata.slideshow.slide_type = "fragment"
                before = [*before, *slide]
                continue
        before = slide


def _shows(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(cell.outputs) and _role(cell) != "skip"


def _is_remark(slide: list[NotebookNode]) -> bool:
    seen = [cell for cell in slide if _role(cell) not in ("skip", "notes")]
    return _role(slide[0]) == "subslide" and all(cell.cell_type == "markdown" for cell in seen)


def _hold_answers_back(cells: list[NotebookNode]) -> None:
    """Show what a reader was asked to predict with the next key, not at once."""
    asked = False
    for cell in cells:
        if cell.cell_type == "markdown" and _role(cell) != "notes":
            asked = bool(_PREDICTION.search(cell.source))
        elif asked and _shows(cell):
            if _role(cell) == "-":
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
