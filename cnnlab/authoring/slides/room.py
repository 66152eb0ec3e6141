"""How much of a slide a cell fills: an estimate in pixels, good enough to break pages by; the browser does the rest."""

from __future__ import annotations

import re
from base64 import b64decode
from math import ceil

from nbformat import NotebookNode

# What a slide of 720 pixels has between its margins.
PAGE = 620
_LETTERS_A_LINE = 86
_LINE = 37
_GAP = 16
_HEADING = 75
_FORMULA = 75
_CODE_BUTTON = 45
_PRINTED_LINE = 34
_BOX = 42
_WIDTH = 1168
_FIGURE = 520
# A figure may be made that much smaller; a demo wants the slide.
_SMALLER = 0.62
_DEMO = 480
_SOUND = 66
_TABLE_ROW = 48
_OTHER = 200


def height(cell: NotebookNode) -> int:
    """Return the estimate for one cell; notes and what is left out fill nothing."""
    if cell.metadata.slideshow.slide_type in ("notes", "skip"):
        return 0
    if cell.cell_type != "code":
        return sum(map(_of_paragraph, re.split(r"\n\s*\n", cell.source.strip())))
    if not cell.outputs:
        return _CODE_BUTTON
    return _CODE_BUTTON + sum(map(_of_output, cell.outputs))


def _of_paragraph(text: str) -> int:
    if text.startswith("<!--"):
        return 0
    if text.startswith("#"):
        _, _, rest = text.partition("\n")
        return _HEADING + (_of_paragraph(rest) if rest.strip() else 0)
    if text.startswith("$$"):
        return _FORMULA
    if text.startswith("|"):
        return _TABLE_ROW * len(text.splitlines())
    if text.startswith(("* ", "- ", "1. ")):
        return sum(_lines(item) for item in re.split(r"\n(?=[*\d-])", text)) + _GAP
    return _lines(text) + _GAP


def _lines(text: str) -> int:
    return _LINE * ceil(max(len(text), 1) / _LETTERS_A_LINE)


def _of_output(output: NotebookNode) -> int:
    if output.output_type == "stream":
        return _printed(output.text)
    data = output.get("data", {})
    html = data.get("text/html", "")
    if "demo-frame" in html:
        return _DEMO
    if "cnnlab-figure" in html:
        return _of_figure(html)
    if "<audio" in html:
        return _SOUND
    if "<tr" in html:
        rows: int = html.count("<tr")
        return _TABLE_ROW * rows
    return _OTHER if html else _printed(data.get("text/plain", ""))


def _of_figure(html: str) -> int:
    """Read from the SVG itself how high the figure would like to be."""
    start = re.search(r"image/svg\+xml;base64,([A-Za-z0-9+/]{4,2000})", html)
    head = b64decode(start[1][: len(start[1]) // 4 * 4]) if start else b""
    size = re.search(rb'<svg[^>]*\bheight="([\d.]+)pt"[^>]*|<svg', head)
    width = re.search(rb'<svg[^>]*\bwidth="([\d.]+)pt"', head)
    high = _FIGURE
    if size and size[1] and width:
        high = min(_FIGURE, round(_WIDTH * float(size[1]) / float(width[1])))
    return round(max(_SMALLER * high, min(high, _FIGURE / 2)))


def _printed(text: str) -> int:
    return _BOX + _PRINTED_LINE * len(text.strip().splitlines())
