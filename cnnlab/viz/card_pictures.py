"""A wrong answer as a picture: expected, got and their difference as small maps in SVG, without any script.

One color scale serves expected and got, another the difference; both are centered on zero, orange above and blue below,
which color-blind readers can tell apart. The first wrong number is framed in all three.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from cnnlab.checks.results import CheckOutcome

_MOST_ROWS = 24
_MOST_COLUMNS = 40
_CELL = 14
_WIDE = 260
_BELOW, _ZERO, _ABOVE = (0x2A, 0x6F, 0xB0), (0xF1, 0xF1, 0xEE), (0xD0, 0x5A, 0x0E)
_NOT_A_NUMBER = "#111827"

_Plane = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def answers_picture(outcome: CheckOutcome) -> str:
    """Return expected, got and difference as pictures, or nothing when there are no arrays of numbers to show.

    Parameters
    ----------
    outcome
        Of a visible check.
    """
    if outcome.kind not in {"wrong_value", "wrong_shape"} or not _is_shown(outcome.got):
        return ""
    if not _is_shown(outcome.expected):
        return ""
    wrong = outcome.first_wrong_index
    panels = [("expected", outcome.expected), ("got", outcome.got)]
    planes = [(name, *_plane(array, wrong)) for name, array in panels]
    scale = max(_largest(plane) for _, plane, _ in planes)
    figures = [_figure(name, plane, place, scale) for name, plane, place in planes]
    if outcome.expected.shape == outcome.got.shape:
        (_, expected, place), (_, got, _) = planes
        with np.errstate(all="ignore"):
            difference = got - expected
        figures.append(_figure("got − expected", difference, place, _largest(difference)))
    return f'<div class="pictures">{"".join(figures)}</div>'


def _is_shown(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.size > 0 and array.dtype.kind in "fiub"


def _plane(array: np.ndarray[Any, Any], wrong: tuple[int, ...] | None) -> tuple[_Plane, tuple[int, int] | None]:
    """Return the plane around the first wrong number, and where in it that number is."""
    fits = wrong is not None and len(wrong) == array.ndim
    lead = wrong[:-2] if fits and wrong is not None else (0,) * max(0, array.ndim - 2)
    plane = np.atleast_2d(array[lead])
    place = (0, 0, *wrong)[-2:] if fits and wrong is not None else None
    row, column = place or (0, 0)
    top, left = _start(row, plane.shape[0], _MOST_ROWS), _start(column, plane.shape[1], _MOST_COLUMNS)
    cut = plane[top : top + _MOST_ROWS, left : left + _MOST_COLUMNS].astype(np.float64)
    return cut, None if place is None else (row - top, column - left)


def _start(center: int, length: int, most: int) -> int:
    return max(0, min(center - most // 2, length - most))


def _largest(plane: _Plane) -> float:
    finite = np.abs(plane[np.isfinite(plane)])
    return float(finite.max()) if finite.size else 0.0


def _figure(name: str, plane: _Plane, place: tuple[int, int] | None, scale: float) -> str:
    rows, columns = plane.shape
    cells = "".join(
        f'<rect x="{column * _CELL}" y="{row * _CELL}" width="{_CELL}" height="{_CELL}" '
        f'fill="{_color(float(plane[row, column]), scale)}"/>'
        for row in range(rows)
        for column in range(columns)
    )
    if place is not None:
        row, column = place
        cells += f'<rect class="frame" x="{column * _CELL}" y="{row * _CELL}" width="{_CELL}" height="{_CELL}"/>'
    width, height = columns * _CELL, rows * _CELL
    shown = min(_WIDE, 2 * width)
    label = escape(f"{name}: {rows} × {columns} numbers, colored from {-scale:.4g} to {scale:.4g}", quote=True)
    return (
        f'<figure><svg viewBox="-1 -1 {width + 2} {height + 2}" width="{shown}" role="img" aria-label="{label}">{cells}'
        f"</svg><figcaption>{escape(name)} <span>±{scale:.3g}</span></figcaption></figure>"
    )


def _color(value: float, scale: float) -> str:
    if not math.isfinite(value):
        return _NOT_A_NUMBER
    share = 0.0 if scale == 0 else min(1.0, abs(value) / scale)
    end = _ABOVE if value > 0 else _BELOW
    mixed = (round(zero + (far - zero) * share) for zero, far in zip(_ZERO, end, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)
