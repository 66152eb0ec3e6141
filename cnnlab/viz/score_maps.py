"""Maps of scores beside the pictures that were scanned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import GREY, SEQUENTIAL, Palette

Array = np.ndarray[Any, Any]


@picture
def score_maps(
    colors: Palette,
    images: Sequence[Array],
    scores: Sequence[Array],
    *,
    size: int | Sequence[int],
    stride: int | Sequence[int] = 1,
    threshold: float = 0.0,
    titles: Sequence[str] = (),
) -> tuple[Figure, str]:
    """Draw each picture with its best window framed and, beside it, the map of scores, two such pairs in a row.

    A map is drawn where its windows lie, each score at the center of its window; a line runs around what is above the
    threshold, and a cross marks the best place. All maps have one color scale.

    Parameters
    ----------
    images
        The pictures, each (1 or 3, H, W) with values from 0 to 1.
    scores
        A map for each, (P_H, P_W): one score for each full window.
    size, stride
        Height and width of a window, and the steps between windows down and right, in pixels.
    threshold
        The score above which a window counts as a yes.
    titles
        One for each picture, or none.

    Raises
    ------
    ValueError
        There is no picture, there are more or fewer maps or titles than pictures, or a shape does not fit.
    """
    from matplotlib.figure import Figure as MplFigure

    from cnnlab.geometry.options import per_axis  # see `cnnlab.viz.ruler`

    window, step = per_axis("size", size, 2, at_least=1), per_axis("stride", stride, 2, at_least=1)
    _check(images, scores, titles, window, step)
    pairs = min(2, len(images))
    rows = -(-len(images) // pairs)
    aspect = max(image.shape[1] / image.shape[2] for image in images)
    each = 2.1 if pairs == 2 else 2.9
    figure = MplFigure(figsize=(2 * pairs * each + 0.8, max(1.6, rows * (each * aspect + 0.35))))
    grid = figure.subplots(rows, 2 * pairs, squeeze=False)
    places = grid.reshape(-1, 2)
    for unused in places[len(images) :].flat:
        unused.set_visible(False)
    low, high = min(float(m.min()) for m in scores), max(float(m.max()) for m in scores)
    shown: Any = None
    told = []
    names = titles or [""] * len(images)
    for (left, right), image, values, name in zip(places, images, scores, names, strict=False):
        at = [int(i) * s for i, s in zip(np.unravel_index(values.argmax(), values.shape), step, strict=True)]
        _picture_with_window(left, image, at, window, colors)
        left.set_title(name)
        shown = _map_in_place(right, values, sides=image.shape[1:], window=window, step=step, limits=(low, high))
        middle = [corner + (n - 1) / 2 for corner, n in zip(at, window, strict=True)]
        _mark(right, values, middle=middle, window=window, step=step, threshold=threshold, colors=colors)
        above = int(np.count_nonzero(values > threshold))
        told.append(
            f"{name + ': ' if name else ''}best of {values.size} windows is {values.max():.2f}, at row {at[0]}, "
            f"column {at[1]}; {above} lie above {threshold:g}"
        )
    bar = figure.colorbar(shown, ax=grid.ravel().tolist(), shrink=0.85, aspect=14 * rows, label="score")
    bar.outline.set_visible(False)
    return figure, f"Pictures, each beside its map of scores. {'. '.join(told)}."


def _check(
    images: Sequence[Array], scores: Sequence[Array], titles: Sequence[str], window: Sequence[int], step: Sequence[int]
) -> None:
    if len(images) == 0:
        raise ValueError("images is empty: pass at least one picture")
    for what, given in (("maps", scores), ("titles", titles)):
        if len(given) != len(images) and not (what == "titles" and len(given) == 0):
            raise ValueError(f"{len(given)} {what} for {len(images)} images: pass one for each")
    for i, (image, values) in enumerate(zip(images, scores, strict=True)):
        if image.ndim != 3 or image.shape[0] not in (1, 3):
            raise ValueError(f"images[{i}] has shape {image.shape}, not (1, H, W) or (3, H, W): channels come first")
        full = tuple((side - n) // s + 1 for side, n, s in zip(image.shape[1:], window, step, strict=True))
        if values.shape != full:
            raise ValueError(
                f"scores[{i}] has shape {values.shape}, but windows of {window[0]} × {window[1]} in a picture of "
                f"{image.shape[1]} × {image.shape[2]}, {step[0]} and {step[1]} apart, give {full}: one score a window"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"scores[{i}] holds a value that is not finite: replace it first")


def _picture_with_window(axes: Any, image: Array, at: Sequence[int], window: Sequence[int], colors: Palette) -> None:
    from matplotlib.patches import Rectangle

    axes.imshow(image.transpose(1, 2, 0), cmap=GREY, vmin=0, vmax=1)
    # Two frames, so that the mark stands out on any color below it.
    for color, width in (("white", 4.0), (colors.highlight, 2.0)):
        corner = (at[1] - 0.5, at[0] - 0.5)
        axes.add_patch(Rectangle(corner, window[1], window[0], fill=False, edgecolor=color, linewidth=width))
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _map_in_place(
    axes: Any,
    values: Array,
    *,
    sides: Sequence[int],
    window: Sequence[int],
    step: Sequence[int],
    limits: Sequence[float],
) -> Any:
    """Draw the map in the coordinates of the picture, with a thin frame where the picture ends."""
    top, left = ((n - 1) / 2 - s / 2 for n, s in zip(window, step, strict=True))
    extent = (left, left + step[1] * values.shape[1], top + step[0] * values.shape[0], top)
    high = limits[1] if limits[1] > limits[0] else limits[0] + 1
    shown = axes.imshow(values, cmap=SEQUENTIAL, vmin=limits[0], vmax=high, extent=extent)
    axes.set(xlim=(-0.5, sides[1] - 0.5), ylim=(sides[0] - 0.5, -0.5), xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_linewidth(0.5)
    return shown


def _mark(
    axes: Any,
    values: Array,
    *,
    middle: Sequence[float],
    window: Sequence[int],
    step: Sequence[int],
    threshold: float,
    colors: Palette,
) -> None:
    if min(values.shape) > 1 and values.min() <= threshold < values.max():
        down, right = ((n - 1) / 2 + s * np.arange(m) for n, s, m in zip(window, step, values.shape, strict=True))
        axes.contour(right, down, values, levels=[threshold], colors=["white"], linewidths=1.2)
    for color, width in (("white", 3.5), (colors.highlight, 1.8)):
        axes.plot(middle[1], middle[0], marker="x", markersize=7, markeredgewidth=width, color=color)
