"""Pictures side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import GREY, Palette


@picture
def pictures(
    colors: Palette,
    images: Sequence[np.ndarray[Any, Any]],
    *,
    titles: Sequence[str] = (),
    columns: int = 8,
    alt: str = "",
) -> tuple[Figure, str]:
    """Draw pictures of shape (1 or 3, H, W), with values from 0 to 1, up to `columns` in a row.

    Parameters
    ----------
    images
        What to draw.
    titles
        One for each picture, or none.
    columns
        How many stand in a row.
    alt
        What they show, in a sentence, for those who do not see them; without it, the titles tell.

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
    # As much room for each as the highest of them takes at this width, and a line for its title.
    each = {1: 4.2, 2: 3.4}.get(columns, min(2.6, 9.0 / columns))
    tall = max(image.shape[1] / image.shape[2] for image in images)
    height = rows * (each * min(tall, 2.0) + 0.3 * bool(titles)) + 0.1
    figure = MplFigure(figsize=(each * columns, max(height, 0.8)))
    places = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for axes in places[len(images) :]:
        axes.set_visible(False)
    for axes, image, title in zip(places, images, titles or [""] * len(images), strict=False):
        axes.imshow(image.transpose(1, 2, 0), cmap=GREY, vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[], title=title)
        axes.spines[:].set_visible(False)
    listed = f": {', '.join(titles)}" if titles else ""
    return figure, alt or f"{len(images)} pictures{listed}."
