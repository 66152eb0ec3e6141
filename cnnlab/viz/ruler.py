"""The positions that a window visits on one axis, drawn to be counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import Palette

if TYPE_CHECKING:
    from cnnlab.geometry import WindowGeometry
    from cnnlab.geometry.options import Padding

# What can still be counted, and read, at the width of a page.
_MOST_POSITIONS, _MOST_WINDOWS = 40, 24


@picture
def window_ruler(
    colors: Palette, size: int, kernel: int, *, stride: int = 1, padding: Padding = 0, dilation: int = 1
) -> tuple[Figure, str]:
    """Draw an axis of the input as a row of cells, and below it each window that fits, one a row.

    Cells of the padding are dashed and hold a 0. Cells at which no window looks are hatched.

    Parameters
    ----------
    size
        Positions of the input, numbered from 0.
    kernel, stride, padding, dilation
        Of the layer, on this axis, as in `cnnlab.geometry.ConvGeometry`; padding is a number, a sequence with one pair
        (before, after), "same" or "valid".

    Raises
    ------
    TypeError, ValueError
        No window fits, an option is out of range, or there is more to draw than can be counted: over 40 positions with
        the padding, or over 24 windows.
    """
    from matplotlib.figure import Figure as MplFigure

    # Not above: while a notebook is graded there is a viz, and no geometry, which answers exercise 9.
    from cnnlab.geometry import WindowGeometry
    from cnnlab.geometry.options import whole_number

    size = whole_number("size", size, at_least=1)
    layer = WindowGeometry(kernel, stride, padding, dilation)
    (windows,), ((before, after),) = layer.output_size([size]), layer.padding
    positions = before + size + after
    if positions > _MOST_POSITIONS or windows > _MOST_WINDOWS:
        raise ValueError(
            f"{positions} positions and {windows} windows are too many to count: "
            f"at most {_MOST_POSITIONS} and {_MOST_WINDOWS}, so take a smaller size"
        )
    looks_at = [_window(layer, o) for o in range(windows)]
    used = {i for window in looks_at for i in window}
    figure = MplFigure(figsize=(min(9.0, 0.42 * positions + 1.3), 0.3 * (windows + 1) + 0.5))
    axes = figure.subplots()
    axes.set(xlim=(-before - 0.6, size + after + 1.3), ylim=(windows + 0.95, -0.75), aspect="equal")
    axes.axis("off")
    for i in range(-before, size + after):
        inside = 0 <= i < size
        _cell(axes, colors, i, 0, padded=not inside, unused=i not in used, text=str(i) if inside else "0")
    for o, window in enumerate(looks_at):
        color = colors.lines[0] if o % 2 == 0 else colors.lines[5]
        for i in window:
            axes.add_patch(_rectangle(i, o + 1.15, face=color, edge=colors.page))
        axes.text(window[-1] + 0.75, o + 1.15, f"y[{o}]", va="center", color=colors.ink, fontsize=9)
    return figure, _description(layer, size, looks_at, used)


def _window(layer: WindowGeometry, output: int) -> list[int]:
    """Return the positions at which an output looks; those of the padding are negative or behind the input."""
    (first,) = layer.receptive_field().inputs([output])
    return list(first[:: layer.dilation[0]])


def _rectangle(x: float, y: float, *, face: str, edge: str, **options: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.5, y - 0.42), 1, 0.84, facecolor=face, edgecolor=edge, **options)


def _cell(axes: Any, colors: Palette, x: int, y: float, *, padded: bool, unused: bool, text: str) -> None:
    cell = _rectangle(x, y, face="none", edge=colors.muted, linestyle=":" if padded else "-", linewidth=1)
    axes.add_patch(cell)
    if unused:
        axes.add_patch(_rectangle(x, y, face="none", edge=colors.highlight, hatch="////", linewidth=1.4))
    ink = colors.muted if padded else colors.ink
    box = {"facecolor": colors.page, "edgecolor": "none", "pad": 0.8} if unused else None
    axes.text(x, y + 0.02, text, ha="center", va="center", color=ink, fontsize=9, bbox=box)


def _description(layer: WindowGeometry, size: int, windows: list[list[int]], used: set[int]) -> str:
    ((before, after),) = layer.padding
    added = f", padded by {before} before and {after} after it" if before or after else ""
    unused = [str(i) for i in range(-before, size + after) if i not in used]
    left = f"No window looks at {', '.join(unused)}." if unused else "Every position belongs to a window."
    starts = ", ".join(str(window[0]) for window in windows)
    return (
        f"A row of {size} positions{added}, and the {len(windows)} windows of {layer.kernel[0]} that fit at stride "
        f"{layer.stride[0]}; they begin at {starts}. {left}"
    )
