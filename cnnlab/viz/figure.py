"""Figures for both themes: drawn twice, shown as the page asks, with a sentence for those who do not see them."""

from __future__ import annotations

import base64
import functools
import html
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol

from cnnlab.viz import style

P = ParamSpec("P")


class Figure(Protocol):
    """What of ``matplotlib.figure.Figure`` is used here; matplotlib itself is imported only when something is drawn."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write the figure to a file."""


# The theme is JupyterLab's (its body says which), VS Code's, or else the reader's own.
_CSS = """
.cnnlab-figure img { max-width: 100%; height: auto; }
.cnnlab-figure img.cnnlab-dark { display: none; }
:is([data-jp-theme-light="false"], .vscode-dark) .cnnlab-figure img.cnnlab-dark { display: inline; }
:is([data-jp-theme-light="false"], .vscode-dark) .cnnlab-figure img.cnnlab-light { display: none; }
@media (prefers-color-scheme: dark) {
  body:not([data-jp-theme-light]):not([data-vscode-theme-kind]) .cnnlab-figure img.cnnlab-dark { display: inline; }
  body:not([data-jp-theme-light]):not([data-vscode-theme-kind]) .cnnlab-figure img.cnnlab-light { display: none; }
}
"""


@dataclass(frozen=True)
class Picture:
    """A drawn figure, as the last value of a notebook cell.

    Attributes
    ----------
    light, dark
        The figure as SVG, for pages of either kind.
    alt
        What it shows, in a sentence or two.
    """

    light: bytes
    dark: bytes
    alt: str

    def _repr_html_(self) -> str:
        images = "".join(
            f'<img class="cnnlab-{theme}" alt="{html.escape(self.alt, quote=True)}" '
            f'src="data:image/svg+xml;base64,{base64.b64encode(svg).decode()}">'
            for theme, svg in (("light", self.light), ("dark", self.dark))
        )
        return f'<style>{_CSS}</style><div class="cnnlab-figure">{images}</div>'

    def __repr__(self) -> str:
        return f"Picture({self.alt!r})"

    def save(self, path: str | Path, *, theme: style.Theme = "light") -> Path:
        """Write the figure of one theme to an SVG file and return its path."""
        path = Path(path)
        if path.suffix != ".svg":
            raise ValueError(f"path {str(path)!r} does not end in .svg, and an SVG file is what is written: rename it")
        path.write_bytes(self.dark if theme == "dark" else self.light)
        return path


def picture(draw: Callable[Concatenate[style.Palette, P], tuple[Figure, str]]) -> Callable[P, Picture]:
    """Turn a function that draws a figure and describes it into one that returns a `Picture`.

    The function is called once for each theme, with that theme's colors first, inside ``style.use(theme)``. It must
    draw on a ``matplotlib.figure.Figure``, never through pyplot, which keeps its figures and belongs to one thread.
    """

    @functools.wraps(draw)
    def draw_both(*args: P.args, **kwargs: P.kwargs) -> Picture:
        rendered = {}
        for theme in style.PALETTES:
            with style.use(theme) as colors:
                figure, alt = draw(colors, *args, **kwargs)
                stream = io.BytesIO()
                # Without a date and with fixed ids the same data gives the same bytes.
                figure.savefig(stream, format="svg", metadata={"Date": None})
                rendered[theme] = stream.getvalue()
        return Picture(rendered["light"], rendered["dark"], alt)

    return draw_both
