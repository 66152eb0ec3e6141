"""An array in memory, in several orders of its axes: which numbers of a window lie side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import Palette

_MOST_CELLS = 120


@picture
def memory_layouts(
    colors: Palette,
    sizes: dict[str, int],
    orders: Sequence[str],
    *,
    kernel: tuple[int, int],
    place: tuple[int, int] = (0, 0),
) -> tuple[Figure, str]:
    """Draw memory as a strip of cells for each order of axes; the cells of one window are full, the others pale.

    Parameters
    ----------
    sizes
        Of the axes, such as ``{"N": 2, "C": 3, "H": 3, "W": 4}``; channels have colors.
    orders
        For each strip its axes from the slowest to the fastest, such as "NCHW".
    kernel, place
        (height, width) of the window and its first (row, column). The window is taken in all channels and pictures.

    Raises
    ------
    ValueError
        An order does not have the axes N, C, H and W, the window does not fit, or there is too much to draw.
    """
    from matplotlib.figure import Figure as MplFigure
    from matplotlib.patches import Patch, Rectangle

    if set(sizes) != set("NCHW") or any(sorted(order) != sorted("NCHW") for order in orders):
        raise ValueError(f"sizes {sizes} and orders {list(orders)} must have the axes N, C, H and W")
    total = int(np.prod(list(sizes.values())))
    if total > _MOST_CELLS or sizes["C"] > len(colors.lines):
        raise ValueError(f"{total} numbers in {sizes['C']} channels: at most {_MOST_CELLS} in {len(colors.lines)}")
    if place[0] + kernel[0] > sizes["H"] or place[1] + kernel[1] > sizes["W"]:
        raise ValueError(f"a window of {kernel} at {place} does not fit {sizes['H']} by {sizes['W']}")
    figure = MplFigure(figsize=(9, 0.35 + 0.82 * len(orders)))
    axes = figure.subplots()
    said = []
    for i, order in enumerate(orders):
        inside, channel = _in_memory(sizes, order, kernel, place)
        for j in range(total):
            face = colors.lines[channel[j]]
            spot = (j, 2 * i + (0 if inside[j] else 0.12))
            axes.add_patch(
                Rectangle(
                    spot, 1, 1 if inside[j] else 0.76, facecolor=face, alpha=1 if inside[j] else 0.25, edgecolor="none"
                )
            )
        lengths = _runs(inside)
        for start, length in lengths:  # one bar under each run
            axes.plot([start + 0.1, start + length - 0.1], [2 * i + 1.17] * 2, color=colors.ink, linewidth=1.6)
        runs = f"{len(lengths)} runs of {_lengths(lengths)}"
        axes.text(0, 2 * i - 0.22, f"{order}: {runs}", fontweight="bold", color=colors.ink, va="bottom")
        said.append(f"{order}: {runs}.")
    axes.set(xlim=(-0.5, total + 0.5), ylim=(2 * len(orders) - 0.6, -1.0))
    axes.axis("off")
    names = [Patch(facecolor=colors.lines[c], label=f"channel {c}") for c in range(sizes["C"])]
    figure.legend(handles=names, loc="outside lower center", ncols=sizes["C"])
    return figure, (
        f"Memory as strips of {total} cells, colored by channel; full cells belong to a window of "
        f"{kernel[0]} by {kernel[1]} in all channels and pictures. {' '.join(said)}"
    )


def _in_memory(
    sizes: dict[str, int], order: str, kernel: tuple[int, int], place: tuple[int, int]
) -> tuple[list[bool], list[int]]:
    """Return for each number in memory whether it belongs to the window, and its channel."""
    inside, channels = [], []
    for at in product(*(range(sizes[axis]) for axis in order)):
        index = dict(zip(order, at, strict=True))
        row, column = index["H"] - place[0], index["W"] - place[1]
        inside.append(0 <= row < kernel[0] and 0 <= column < kernel[1])
        channels.append(index["C"])
    return inside, channels


def _runs(inside: Sequence[bool]) -> list[tuple[int, int]]:
    """Return (start, length) of each unbroken run."""
    steps = np.diff(np.array([0, *inside, 0], dtype=int))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return [(int(a), int(b - a)) for a, b in zip(starts, ends, strict=True)]


def _lengths(runs: Sequence[tuple[int, int]]) -> str:
    found: Any = sorted({length for _, length in runs})
    return str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"
