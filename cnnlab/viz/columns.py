"""Windows of a picture beside the columns of the matrix that im2col makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import Palette

_MOST_COLUMNS, _MOST_ROWS = 30, 16  # what can still be read at the width of a page


@picture
def window_columns(
    colors: Palette,
    size: tuple[int, int],
    kernel: tuple[int, int],
    *,
    stride: int = 1,
    pixel: tuple[int, int] = (0, 0),
    window: int = 0,
) -> tuple[Figure, str]:
    """Draw a picture of numbered pixels, and beside it the matrix with one window in each column.

    Parameters
    ----------
    size, kernel
        (height, width) of the picture and of the windows; no padding.
    stride
        Distance between windows, on both axes.
    pixel
        (row, column) of the pixel that is filled wherever it appears.
    window
        Number of the window that is outlined, in the picture and as a column.

    Raises
    ------
    ValueError
        No window fits, the pixel or the window does not exist, or there are over 30 columns or 16 rows.
    """
    from matplotlib.figure import Figure as MplFigure

    (high, wide), (K_H, K_W) = size, kernel
    if not (1 <= K_H <= high and 1 <= K_W <= wide) or stride < 1:
        raise ValueError(f"kernel {kernel} at stride {stride} does not fit a picture of {size}")
    if not (0 <= pixel[0] < high and 0 <= pixel[1] < wide):
        raise ValueError(f"pixel {pixel} does not exist in a picture of {size}")
    numbers = np.arange(high * wide).reshape(high, wide)
    seen = sliding_window_view(numbers, kernel)[::stride, ::stride]  # (down, across, K_H, K_W)
    down, across = seen.shape[:2]
    matrix = seen.reshape(down * across, -1).T  # (K_H·K_W, windows)
    if not 0 <= window < matrix.shape[1]:
        raise ValueError(f"window {window} does not exist: there are {matrix.shape[1]}")
    if matrix.shape[1] > _MOST_COLUMNS or len(matrix) > _MOST_ROWS:
        raise ValueError(f"a matrix of {matrix.shape} is too large to read: at most {_MOST_ROWS} by {_MOST_COLUMNS}")
    left = wide + 3  # where the matrix begins
    figure = MplFigure(figsize=(min(9.0, 0.42 * (left + matrix.shape[1]) + 0.4), 0.36 * max(high, len(matrix)) + 0.8))
    axes = figure.subplots()
    chosen = numbers[pixel]
    _cells(axes, colors, numbers, chosen, x=0)
    _cells(axes, colors, matrix, chosen, x=left)
    row, column = stride * (window // across), stride * (window % across)
    _outline(axes, colors, (column, row), K_W, K_H)
    _outline(axes, colors, (left + window, 0), 1, len(matrix))
    axes.text(-0.5, -0.75, f"picture, {high}×{wide}", fontweight="bold", color=colors.ink, va="bottom")
    title = f"its {matrix.shape[1]} windows of {K_H}×{K_W} as columns"
    axes.text(left - 0.5, -0.75, title, fontweight="bold", color=colors.ink, va="bottom")
    axes.set(xlim=(-0.8, left + matrix.shape[1] - 0.2), ylim=(max(high, len(matrix)) - 0.3, -1.7), aspect="equal")
    axes.axis("off")
    times = int((matrix == chosen).sum())
    return figure, (
        f"A picture of {high} by {wide} numbered pixels, and a matrix of {matrix.shape[0]} rows and {matrix.shape[1]} "
        f"columns, one for each window of {K_H} by {K_W} at stride {stride}. Window {window} is outlined in both. "
        f"Pixel {chosen} is filled: it stands {times} times in the matrix."
    )


def _cells(axes: Any, colors: Palette, numbers: np.ndarray[Any, Any], chosen: int, *, x: float) -> None:
    from matplotlib.patches import Rectangle

    for (row, column), number in np.ndenumerate(numbers):
        found = number == chosen
        face = colors.highlight if found else "none"
        edge = colors.muted
        axes.add_patch(Rectangle((x + column - 0.5, row - 0.5), 1, 1, facecolor=face, edgecolor=edge, linewidth=0.6))
        ink = colors.page if found else colors.ink
        weight = "bold" if found else "normal"
        axes.text(x + column, row, str(number), ha="center", va="center", color=ink, fontsize=9, fontweight=weight)


def _outline(axes: Any, colors: Palette, at: tuple[int, int], wide: int, high: int) -> None:
    from matplotlib.patches import Rectangle

    corner = at[0] - 0.5, at[1] - 0.5
    axes.add_patch(Rectangle(corner, wide, high, facecolor="none", edgecolor=colors.lines[0], linewidth=3, zorder=3))
