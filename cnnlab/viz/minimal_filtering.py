"""Winograd's F(2, 3): two outputs of a filter of three by four products, drawn as a flow of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import Palette

# Which inputs are added (1) and subtracted (-1) for each product, and which products for each output.
_IN = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))
_OUT = ((1, 1, 1, 0), (0, 1, -1, -1))
_OF_FILTER = ("g₀", "(g₀+g₁+g₂)/2", "(g₀−g₁+g₂)/2", "g₂")


@picture
def minimal_filtering(colors: Palette, d: Sequence[float], g: Sequence[float]) -> tuple[Figure, str]:
    """Draw how F(2, 3) computes ``g[0]·d[i] + g[1]·d[i+1] + g[2]·d[i+2]`` for i = 0 and 1, with all numbers.

    Parameters
    ----------
    d
        The four inputs.
    g
        The three weights.

    Raises
    ------
    ValueError
        There are not four inputs and three weights.
    """
    from matplotlib.figure import Figure as MplFigure

    if len(d) != 4 or len(g) != 3:
        raise ValueError(f"{len(d)} inputs and {len(g)} weights: F(2, 3) takes 4 and 3")
    sums = [sum(s * one for s, one in zip(row, d, strict=True)) for row in _IN]
    factors = [g[0], (g[0] + g[1] + g[2]) / 2, (g[0] - g[1] + g[2]) / 2, g[2]]
    products = [s * f for s, f in zip(sums, factors, strict=True)]
    outputs = [sum(s * one for s, one in zip(row, products, strict=True)) for row in _OUT]

    figure = MplFigure(figsize=(9, 3.5))
    axes = figure.subplots()
    axes.set(xlim=(-0.6, 9.2), ylim=(3.75, -0.95))
    axes.axis("off")
    heads = {0: "inputs", 2.3: "sums of inputs", 4.4: "of the filter, once", 6.3: "4 products", 8.5: "outputs"}
    for x, head in heads.items():
        axes.text(x, -0.8, head, ha="center", va="center", fontweight="bold", color=colors.ink)
    for i, row in enumerate(_IN):
        _lines(axes, colors, row, (0, 2.3), i)
    for i, row in enumerate(_OUT):
        _lines(axes, colors, row, (6.3, 8.5), 0.75 + 1.5 * i)
    for i in range(4):
        _node(axes, colors, (0, i), f"d{'₀₁₂₃'[i]} = {_short(d[i])}", colors.muted)
        _node(axes, colors, (2.3, i), _short(sums[i]), colors.muted)
        _node(axes, colors, (4.4, i), f"{_OF_FILTER[i]} = {_short(factors[i])}", colors.muted)
        axes.text(3.0, i, "×", ha="center", va="center", fontsize=13, color=colors.ink)
        axes.text(5.72, i, "=", ha="center", va="center", fontsize=13, color=colors.ink)
        _node(axes, colors, (6.3, i), _short(products[i]), colors.highlight)
    for i in range(2):
        _node(axes, colors, (8.5, 0.75 + 1.5 * i), f"y{'₀₁'[i]} = {_short(outputs[i])}", colors.lines[0])
    axes.plot([2.9, 3.45], [3.68] * 2, color=colors.lines[0], linewidth=1.6)
    axes.text(3.55, 3.68, "added", va="center", fontsize=9, color=colors.ink)
    axes.plot([4.9, 5.45], [3.68] * 2, color=colors.lines[1], linewidth=1.6, linestyle="--")
    axes.text(5.55, 3.68, "subtracted", va="center", fontsize=9, color=colors.ink)
    return figure, (
        f"Flow of F(2, 3). Inputs {', '.join(map(_short, d))}; their sums {', '.join(map(_short, sums))}; each times "
        f"one number of the filter, {', '.join(map(_short, factors))}; the four products "
        f"{', '.join(map(_short, products))} are added and subtracted to give {' and '.join(map(_short, outputs))}."
    )


def _node(axes: Any, colors: Palette, at: tuple[float, float], text: str, edge: str) -> None:
    box = {"boxstyle": "round,pad=0.35", "facecolor": colors.page, "edgecolor": edge, "linewidth": 1.5}
    axes.text(*at, text, ha="center", va="center", fontsize=10, color=colors.ink, bbox=box, zorder=3)


def _lines(axes: Any, colors: Palette, signs: Sequence[int], x: tuple[float, float], end: float) -> None:
    """Draw a line from row 0, 1, 2 … at x[0] to ``end`` at x[1] for each sign that is not zero."""
    for start, sign in enumerate(signs):
        if sign:
            color, dashes = (colors.lines[0], "-") if sign > 0 else (colors.lines[1], "--")
            axes.plot(x, (start, end), color=color, linestyle=dashes, linewidth=1.6, zorder=1)


def _short(value: float) -> str:
    return f"{value + 0:g}".replace("-", "−")
