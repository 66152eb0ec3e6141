"""How one value reaches a loss over several edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import Palette

Ends: TypeAlias = tuple[tuple[float, float], tuple[float, float]]

_MOST_EDGES = 6  # more do not fit beside each other with their numbers


@picture
def influence(
    colors: Palette, slopes: Mapping[str, float], *, shared: str = "w", loss: str = "Div"
) -> tuple[Figure, str]:
    """Draw the influence diagram of a shared weight: the weight, the edges that hold it, the loss (deck row D14).

    Parameters
    ----------
    slopes
        Partial derivative of the loss with respect to each edge's own weight, by the edge's name; one to six.
    shared, loss
        What stands at the two ends.

    Raises
    ------
    ValueError
        There is no edge, there are more than six, or a slope is not finite.
    """
    from matplotlib.figure import Figure as MplFigure

    if not 1 <= len(slopes) <= _MOST_EDGES:
        raise ValueError(f"{len(slopes)} edges: pass 1 to {_MOST_EDGES}, more cannot be read")
    for name, slope in slopes.items():
        if not np.isfinite(slope):
            raise ValueError(f"the slope of edge {name!r} is {slope}: pass a finite number")
    rows = len(slopes)
    figure = MplFigure(figsize=(7.6, 0.8 + 0.6 * rows))
    axes = figure.subplots()
    axes.set(xlim=(0, 10), ylim=(-0.5, rows - 0.5))
    axes.axis("off")
    middle = (rows - 1) / 2
    for row, ((name, slope), color) in enumerate(zip(slopes.items(), colors.lines, strict=False)):
        y = rows - 1 - row
        coming, going = ((1.4, middle), (3.8, y)), ((5.2, y), (8.5, middle))
        _arrow(axes, coming, "1", color, colors, at=0.72)  # written where the arrows are far apart
        _node(axes, 4.5, y, name, ink=colors.ink, edge=color)
        _arrow(axes, going, _number(slope), color, colors, at=0.24)
    _node(axes, 0.8, middle, shared, ink=colors.ink, edge=colors.ink)
    _node(axes, 9.1, middle, loss, ink=colors.ink, edge=colors.ink)
    total = sum(slopes.values())
    terms = " + ".join(_number(s) if s >= 0 else f"({_number(s)})" for s in slopes.values())
    axes.set_title(f"d{loss}/d{shared} = {terms} = {_number(total)}" if rows > 1 else f"d{loss}/d{shared} = {terms}")
    said = ", ".join(f"{name} with slope {_number(slope)}" for name, slope in slopes.items())
    return figure, f"{shared} reaches {loss} over {rows} edges: {said}. Together {_number(total)}."


def _arrow(axes: Any, ends: Ends, text: str, color: str, colors: Palette, *, at: float) -> None:
    """Draw an arrow with its slope written on it, at the given part of its way."""
    start, end = ends
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 2, "shrinkA": 0})
    place = tuple(a + at * (b - a) for a, b in zip(start, end, strict=True))
    box = {"boxstyle": "round,pad=0.2", "facecolor": colors.page, "edgecolor": "none"}
    axes.annotate(text, place, ha="center", va="center", color=colors.ink, bbox=box)


def _node(axes: Any, x: float, y: float, text: str, *, ink: str, edge: str) -> None:
    box = {"boxstyle": "round,pad=0.45", "facecolor": "none", "edgecolor": edge, "linewidth": 1.5}
    axes.text(x, y, text, ha="center", va="center", color=ink, fontsize=11, bbox=box)


def _number(value: float) -> str:
    return f"{value + 0:.3g}".replace("-", "−")  # + 0 makes -0 a 0
