"""Filters with what each of them makes of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import SEQUENTIAL, SIGNED, Palette

_MOST_NUMBERED = 25  # cells of a filter whose numbers can be read at its small size


@picture
def filters_and_maps(
    colors: Palette,
    filters: Sequence[np.ndarray[Any, Any]],
    results: Sequence[np.ndarray[Any, Any]],
    *,
    titles: Sequence[str] = (),
    columns: int = 2,
) -> tuple[Figure, str]:
    """Draw each filter small, with its numbers where there are few, and beside it the map that it gives.

    All filters share a color scale that is centered on zero. All maps share another, shown at the right: centered on
    zero too if one of them has a value below zero.

    Parameters
    ----------
    filters
        Each (K_H, K_W).
    results
        One map (H, W) for each filter.
    titles
        One for each filter, or none.
    columns
        How many pairs stand in a row.

    Raises
    ------
    ValueError
        There is no filter, more or fewer maps or titles than filters, an array of another shape or with a value that is
        not finite, or `columns` is below 1.
    """
    from matplotlib.figure import Figure as MplFigure

    _check(filters, results, titles, columns)
    columns = min(columns, len(filters))
    rows = -(-len(filters) // columns)
    tall = max(a.shape[0] / a.shape[1] for a in results)
    each = min(3.6, 8.8 / columns - 1.1)  # width of a map, in inches
    figure = MplFigure(
        figsize=((each + 1.1) * columns + 0.6, rows * (each * min(tall, 1.6) + 0.3 * bool(titles)) + 0.1)
    )
    places = figure.subplots(rows, 2 * columns, squeeze=False, width_ratios=[1.0, each] * columns)
    pairs = places.reshape(-1, 2)
    for axes in pairs[len(filters) :].ravel():
        axes.set_visible(False)
    weight = max(float(np.abs(w).max()) for w in filters) or 1.0
    low, high = min(float(a.min()) for a in results), max(float(a.max()) for a in results)
    edge = max(-low, high)
    limits = (-edge, edge) if low < 0 else (low, high if high > low else low + 1)
    shown: Any = None
    for (small, large), w, y, title in zip(pairs, filters, results, titles or [""] * len(filters), strict=False):
        image = small.imshow(w, cmap=SIGNED, vmin=-weight, vmax=weight)
        if w.size <= _MOST_NUMBERED:
            _write_numbers(small, w, image)
        shown = large.imshow(y, cmap=SIGNED if low < 0 else SEQUENTIAL, vmin=limits[0], vmax=limits[1])
        large.set_title(title)
        for axes in (small, large):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
    bar = figure.colorbar(shown, ax=places.ravel().tolist(), shrink=0.9, aspect=12 * rows)
    bar.outline.set_visible(False)
    names = f": {', '.join(titles)}" if titles else ""
    ranges = "; ".join(f"{y.min():.3g} to {y.max():.3g}" for y in results)
    scale = f"on a color scale from {limits[0]:.3g} to {limits[1]:.3g}"
    return figure, f"{len(filters)} filters, each beside its map{names}. Values of the maps: {ranges}, {scale}."


def _check(
    filters: Sequence[np.ndarray[Any, Any]],
    results: Sequence[np.ndarray[Any, Any]],
    titles: Sequence[str],
    columns: int,
) -> None:
    if len(filters) == 0:
        raise ValueError("filters is empty: pass at least one (K_H, K_W) array")
    for name, given in (("maps", results), ("titles", titles or filters)):
        if len(given) != len(filters):
            raise ValueError(f"{len(given)} {name} for {len(filters)} filters: pass one for each")
    if columns < 1:
        raise ValueError(f"columns (={columns}) must be at least 1")
    for name, arrays in (("filters", filters), ("results", results)):
        for i, array in enumerate(arrays):
            if array.ndim != 2 or array.size == 0:
                raise ValueError(f"{name}[{i}] has shape {array.shape}, not two axes with at least one cell")
            if not np.isfinite(array).all():
                raise ValueError(f"{name}[{i}] holds a value that is not finite: replace it first")


def _write_numbers(axes: Any, w: np.ndarray[Any, Any], image: Any) -> None:
    for (row, column), value in np.ndenumerate(w):
        red, green, blue, _ = image.to_rgba(value)
        ink = "#111827" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 else "#ffffff"
        text = f"{value + 0:.2g}".replace("-", "−")  # + 0 makes -0 a 0
        axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=8)
