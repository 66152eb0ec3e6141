"""Pictures side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import GREY, Palette


@picture
def pictures(
    colors: Palette, images: Sequence[np.ndarray[Any, Any]], *, titles: Sequence[str] = (), columns: int = 8
) -> tuple[Figure, str]:
    """Draw pictures of shape (1 or 3, H, W), with values from 0 to 1, up to `columns` in a row.

    Raises
    ------
    ValueError
        There is no picture, one has another shape, there are more or fewer titles than pictures, or `columns` is
        below 1.
    """
    from matplotlib.figure import Figure as MplFigure

    if not images:
        raise ValueError("images is empty: pass at least one picture")
    if titles and len(titles) != len(images):
        raise ValueError(f"{len(titles)} titles for {len(images)} images: pass one for each, or none")
    for i, image in enumerate(images):
        if image.ndim != 3 or image.shape[0] not in (1, 3):
            raise ValueError(f"images[{i}] has shape {image.shape}, not (1, H, W) or (3, H, W): channels come first")
    if columns < 1:
        raise ValueError(f"columns (={columns}) must be at least 1")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    width = min(9.0, 2.6 * columns)
    figure = MplFigure(figsize=(width, rows * (width / columns + 0.25 * bool(titles))))
    places = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for axes in places[len(images) :]:
        axes.set_visible(False)
    for axes, image, title in zip(places, images, titles or [""] * len(images), strict=False):
        axes.imshow(image.transpose(1, 2, 0), cmap=GREY, vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[], title=title)
        axes.spines[:].set_visible(False)
    return figure, f"{len(images)} pictures: {', '.join(titles)}." if titles else f"{len(images)} pictures."
