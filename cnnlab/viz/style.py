"""The one style of all figures: palettes that color-blind readers can tell apart, for light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

Theme = Literal["light", "dark"]

# One-sided values, signed values (centered on zero), and pictures.
SEQUENTIAL = "cividis"
SIGNED = "PuOr"
GREY = "gray"


@dataclass(frozen=True)
class Palette:
    """Colours of one theme.

    Attributes
    ----------
    page, ink, muted, grid
        Background, text, secondary text and grid lines.
    lines
        For curves, in order: Okabe and Ito's colors (jfly.uni-koeln.de/color), lightened for dark pages where needed.
    highlight
        For the thing that a figure is about: the window, the cell, the word.
    """

    page: str
    ink: str
    muted: str
    grid: str
    lines: tuple[str, ...]
    highlight: str


PALETTES: dict[Theme, Palette] = {
    "light": Palette(
        page="#ffffff",
        ink="#111827",
        muted="#4b5563",
        grid="#e5e7eb",
        lines=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"),
        highlight="#d55e00",
    ),
    "dark": Palette(
        page="#111111",
        ink="#f3f4f6",
        muted="#a3aab8",
        grid="#374151",
        lines=("#56b4e9", "#ff8a3d", "#2fc79a", "#e29bc3", "#f0b83d", "#9ad2f5"),
        highlight="#ff8a3d",
    ),
}


def palette(theme: Theme) -> Palette:
    """Return the colors of a theme.

    Raises
    ------
    ValueError
        The theme is neither "light" nor "dark".
    """
    if theme not in PALETTES:
        raise ValueError(f'theme {theme!r} is not known: use "light" or "dark"')
    return PALETTES[theme]


@contextmanager
def use(theme: Theme = "light") -> Iterator[Palette]:
    """Draw with matplotlib in the course's style inside this context, and hand out the colors of the theme."""
    import matplotlib as mpl
    from cycler import cycler

    colors = palette(theme)
    settings: dict[Any, Any] = {
        "axes.axisbelow": True,
        "axes.edgecolor": colors.muted,
        "axes.facecolor": "none",
        "axes.grid": False,
        "axes.labelcolor": colors.ink,
        "axes.labelsize": 10,
        "axes.prop_cycle": cycler(color=colors.lines),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "figure.constrained_layout.use": True,
        "figure.dpi": 100,
        "figure.facecolor": "none",
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "grid.color": colors.grid,
        "image.cmap": SEQUENTIAL,
        "image.interpolation": "nearest",
        "legend.frameon": False,
        "lines.linewidth": 2,
        "savefig.facecolor": "none",
        "svg.fonttype": "path",
        "svg.hashsalt": "cnnlab",
        "text.color": colors.ink,
        "xtick.color": colors.muted,
        "ytick.color": colors.muted,
        "xtick.labelcolor": colors.ink,
        "ytick.labelcolor": colors.ink,
    }
    with mpl.rc_context(settings):
        yield colors
