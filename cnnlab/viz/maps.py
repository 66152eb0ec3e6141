"""Arrays as pictures with a scale: kernels, weights, maps of scores, gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import SEQUENTIAL, SIGNED, Palette

# Larger arrays are shown without numbers: these would not be read at the size of a cell.
_MOST_NUMBERED = 100


@picture
def maps(
    colors: Palette,
    arrays: Sequence[np.ndarray[Any, Any]],
    *,
    titles: Sequence[str] = (),
    columns: int = 6,
    signed: bool | None = None,
    numbers: bool = False,
) -> tuple[Figure, str]:
    """Draw arrays of shape (H, W) side by side, all on one color scale, with the scale beside them.

    Parameters
    ----------
    arrays
        What to draw: each (H, W).
    titles
        One for each array, or none.
    columns
        How many stand in a row.
    signed
        Whether the scale is centered on zero, which is white then. None: when there is a value below zero.
    numbers
        Whether each cell shows its value, for arrays of up to 100 cells.

    Raises
    ------
    ValueError
        There is no array, one is not (H, W) or holds a value that is not finite, there are more or fewer titles than
        arrays, `columns` is below 1, or numbers are asked for in a larger array.
    """
    from matplotlib.figure import Figure as MplFigure

    _check(arrays, titles, columns, numbers)
    low, high = min(float(a.min()) for a in arrays), max(float(a.max()) for a in arrays)
    if signed is None:
        signed = low < 0
    edge = max(abs(low), abs(high)) or 1.0
    limits = (-edge, edge) if signed else (low, high if high > low else low + 1)
    columns = min(columns, len(arrays))
    rows = -(-len(arrays) // columns)
    tall = max(a.shape[0] / a.shape[1] for a in arrays)
    each = min(2.6, 8.4 / columns) if len(arrays) > 1 else 4.0
    figure = MplFigure(figsize=(each * columns + 0.7, max(1.2, rows * (each * min(tall, 1.6) + 0.35 * bool(titles)))))
    places = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for axes in places[len(arrays) :]:
        axes.set_visible(False)
    shown: Any = None
    for axes, array, title in zip(places, arrays, titles or [""] * len(arrays), strict=False):
        shown = axes.imshow(array, cmap=SIGNED if signed else SEQUENTIAL, vmin=limits[0], vmax=limits[1])
        axes.set(xticks=[], yticks=[])
        axes.set_title(title, fontsize=9 if columns > 4 else 11)
        axes.spines[:].set_visible(False)
        if numbers:
            _write_numbers(axes, array, shown)
    bar = figure.colorbar(shown, ax=places[: len(arrays)].tolist(), shrink=0.9, aspect=12 * rows)
    bar.outline.set_visible(False)
    names = f": {', '.join(titles)}" if titles else ""
    alt = f"{len(arrays)} arrays drawn as colored cells{names}. Values from {low:.3g} to {high:.3g}."
    return figure, alt


def _check(arrays: Sequence[np.ndarray[Any, Any]], titles: Sequence[str], columns: int, numbers: bool) -> None:
    if len(arrays) == 0:
        raise ValueError("arrays is empty: pass at least one (H, W) array")
    if titles and len(titles) != len(arrays):
        raise ValueError(f"{len(titles)} titles for {len(arrays)} arrays: pass one for each, or none")
    if columns < 1:
        raise ValueError(f"columns (={columns}) must be at least 1")
    for i, array in enumerate(arrays):
        if array.ndim != 2 or array.size == 0:
            raise ValueError(f"arrays[{i}] has shape {array.shape}, not (H, W) with at least one cell")
        if not np.isfinite(array).all():
            raise ValueError(f"arrays[{i}] holds a value that is not finite: replace it first")
        if numbers and array.size > _MOST_NUMBERED:
            raise ValueError(f"arrays[{i}] has {array.size} cells; numbers are shown in up to {_MOST_NUMBERED}")


def _write_numbers(axes: Any, array: np.ndarray[Any, Any], shown: Any) -> None:
    whole = np.array_equal(array, np.round(array))
    for (row, column), value in np.ndenumerate(array):
        red, green, blue, _ = shown.to_rgba(value)
        bright = 0.299 * red + 0.587 * green + 0.114 * blue
        text = f"{value + 0:.0f}" if whole else f"{value + 0:.2g}"  # + 0 makes -0 a 0
        ink = "#111827" if bright > 0.55 else "#ffffff"
        axes.text(column, row, text.replace("-", "−"), ha="center", va="center", color=ink, fontsize=9)
