"""Several curves over one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import Palette


@picture
def curves(
    colors: Palette,
    x: Sequence[float],
    values: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    mark: tuple[float, str] | None = None,
    level: tuple[float, str] | None = None,
    log: bool = False,
) -> tuple[Figure, str]:
    """Draw curves over the same places, each with its own color and marker.

    Parameters
    ----------
    x
        The places.
    values
        What each curve has at each place, by the curve's name; up to six curves.
    xlabel, ylabel, title
        Texts; units belong into the labels.
    mark, level
        A place (vertical line) and a value (horizontal line) to point out, each with a few words.
    log
        Whether the values stand on a logarithmic axis.

    Raises
    ------
    ValueError
        There is no curve, there are more than six, or one has more or fewer values than there are places.
    """
    from matplotlib.figure import Figure as MplFigure
    from matplotlib.ticker import MaxNLocator

    if not 1 <= len(values) <= len(colors.lines):
        raise ValueError(f"{len(values)} curves: pass 1 to {len(colors.lines)}, more cannot be told apart")
    for name, numbers in values.items():
        if len(numbers) != len(x):
            raise ValueError(f"curve {name!r} has {len(numbers)} values for {len(x)} places: pass one for each")
    figure = MplFigure(figsize=(9, 3.4))
    axes = figure.subplots()
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        positive = [v for numbers in values.values() for v in numbers if v > 0]
        narrow = bool(positive) and max(positive) < 50 * min(positive)  # then powers of ten are too few
        axes.yaxis.set_minor_formatter(lambda value, _: _in_between(value) if narrow else "")
    if all(float(place).is_integer() for place in x):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if level is not None:
        axes.axhline(level[0], color=colors.muted, linestyle="--", linewidth=1)
        across = axes.get_yaxis_transform()
        axes.text(1.01, level[0], level[1], color=colors.muted, va="center", fontsize=9, transform=across)
    for (name, numbers), color, marker in zip(values.items(), colors.lines, "os^DvP", strict=False):
        axes.plot(x, numbers, color=color, marker=marker, markersize=5, label=name)
    if mark is not None:
        axes.axvline(mark[0], color=colors.muted, linestyle=":", linewidth=1)
        up = axes.get_xaxis_transform()
        axes.text(mark[0], 1.02, mark[1], color=colors.muted, va="bottom", ha="center", fontsize=9, transform=up)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_title(title, pad=18 if mark is not None else None)
    axes.grid(axis="y")
    if len(values) > 1:
        figure.legend(loc="outside lower center", ncols=min(len(values), 3))
    ranges = "; ".join(f"{name}: {np.min(v):.3g} to {np.max(v):.3g}" for name, v in values.items())
    return figure, f"{title + '. ' if title else ''}{ylabel} against {xlabel}. {ranges}."


def _in_between(value: float) -> str:
    """Return how 2, 4 and 6 times a power of ten are written, and nothing for 3, 5, 7, 8 and 9 times."""
    return f"{value:g}" if f"{value:.0e}"[0] in "246" else ""
