"""Several quantities of the same things, as bars side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import Palette

_MOST_ROWS = 12


@picture
def bars(
    colors: Palette, names: Sequence[str], panels: Mapping[str, Sequence[float]], *, formats: Sequence[str] = ()
) -> tuple[Figure, str]:
    """Draw a panel for each quantity, with one bar for each name and its number at the bar's end.

    Parameters
    ----------
    names
        Of the bars, from the top; up to twelve.
    panels
        The values by the title of their panel, each from 0 up; units belong into the title. Up to four.
    formats
        How the numbers of each panel are written, such as ".1f"; ".3g" unless given.

    Raises
    ------
    ValueError
        There are no or too many names or panels, a panel has another number of values than there are names, or a value
        is below zero.
    """
    from matplotlib.figure import Figure as MplFigure

    if not 1 <= len(names) <= _MOST_ROWS or not 1 <= len(panels) <= 4:
        raise ValueError(f"{len(names)} names and {len(panels)} panels: at most {_MOST_ROWS} and 4, and at least one")
    for title, values in panels.items():
        if len(values) != len(names):
            raise ValueError(f"panel {title!r} has {len(values)} values for {len(names)} names: pass one for each")
        if min(values) < 0:
            raise ValueError(f"panel {title!r} has a value below zero: bars begin at 0")
    figure = MplFigure(figsize=(9, 0.9 + 0.33 * len(names)))
    places = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    formats = formats or [".3g"] * len(panels)
    for axes, (title, values), color, written in zip(places, panels.items(), colors.lines, formats, strict=False):
        axes.barh(range(len(names)), values, color=color, height=0.7)
        most = max(values) or 1.0
        for row, value in enumerate(values):
            axes.text(value + 0.02 * most, row, f"{value:{written}}", va="center", fontsize=9, color=colors.ink)
        axes.set(xlim=(0, 1.28 * most), ylim=(len(names) - 0.4, -0.6), xticks=[], yticks=range(len(names)))
        axes.set_yticklabels(names)
        axes.tick_params(length=0)
        axes.set_title(title, fontsize=10)
        axes.spines["bottom"].set_visible(False)
    said = "; ".join(
        f"{title}: " + ", ".join(f"{name} {value:.3g}" for name, value in zip(names, values, strict=True))
        for title, values in panels.items()
    )
    return figure, f"Bars. {said}."
