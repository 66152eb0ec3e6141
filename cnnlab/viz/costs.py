"""Where the parameters and the multiply-adds of nets lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import Palette

if TYPE_CHECKING:
    from cnnlab.inspection import LayerSummary, Summary

_MOST_NETS = 6
_SEEN = 0.002  # of the bar's length: what is less is no wider than a hair


@picture
def cost_shares(colors: Palette, nets: Mapping[str, Summary]) -> tuple[Figure, str]:
    """Draw for each net a bar of its parameters and one of its multiply-adds, layer by layer from the input on.

    Both bars have the same length, so that shares can be compared; convolutions, fully connected layers and all others
    have colors of their own.

    Parameters
    ----------
    nets
        What `cnnlab.summary` returns, by the name of the net; up to six.

    Raises
    ------
    ValueError
        There is no net, there are more than six, or one has no parameters or no multiply-adds.
    """
    from matplotlib.figure import Figure as MplFigure

    if not 1 <= len(nets) <= _MOST_NETS:
        raise ValueError(f"{len(nets)} nets: pass 1 to {_MOST_NETS}")
    for name, net in nets.items():
        if not net.parameters or not net.multiply_adds:
            raise ValueError(
                f"net {name!r} has {net.parameters} parameters and {net.multiply_adds} multiply-adds: "
                "there is nothing to share out"
            )
    figure = MplFigure(figsize=(9, 0.5 + 1.15 * len(nets)))
    axes = figure.subplots()
    said: list[str] = []
    drawn: set[str] = set()
    for i, (name, net) in enumerate(nets.items()):
        top = 2.9 * i
        axes.text(0, top - 0.62, name, fontsize=11, fontweight="bold", color=colors.ink, va="center")
        told = []
        for row, (what, total) in enumerate((("parameters", net.parameters), ("multiply-adds", net.multiply_adds))):
            shares = _draw_bar(axes, colors, net, what.replace("-", "_"), y=top + 0.9 * row)
            axes.text(-0.01, top + 0.9 * row, what, ha="right", va="center", fontsize=9, color=colors.muted)
            axes.text(1.01, top + 0.9 * row, _short(total), va="center", fontsize=9, color=colors.muted)
            told.append(f"{total:,} {what}: " + ", ".join(f"{share:.0%} in {kind}" for kind, share in shares.items()))
            drawn |= shares.keys()
        said.append(f"{name}: {'; '.join(told)}.")
    axes.set(xlim=(-0.13, 1.1), ylim=(2.9 * len(nets) - 1.3, -1.0))
    axes.axis("off")
    _legend(figure, colors, drawn)
    return figure, "Each net's costs as bars, layer by layer. " + " ".join(said)


def _kind(layer: LayerSummary) -> str:
    if layer.kind.startswith("Conv"):
        return "convolutions"
    return "fully connected layers" if layer.kind == "Linear" else "other layers"


def _colors(colors: Palette) -> dict[str, str]:
    return {
        "convolutions": colors.lines[0],
        "fully connected layers": colors.lines[1],
        "other layers": colors.lines[2],
    }


def _draw_bar(axes: Any, colors: Palette, net: Summary, what: str, *, y: float) -> dict[str, float]:
    """Draw one bar; return the share of each kind of layer that can be seen in it."""
    total, left = getattr(net, what), 0.0
    shares = dict.fromkeys(_colors(colors), 0.0)
    for layer in net.layers:
        share = (getattr(layer, what) or 0) / total
        if share:
            face = _colors(colors)[_kind(layer)]
            axes.barh(y, share, left=left, height=0.72, color=face, edgecolor=colors.page, linewidth=0.8)
            shares[_kind(layer)] += share
            left += share
    return {kind: share for kind, share in shares.items() if share >= _SEEN}


def _legend(figure: Any, colors: Palette, drawn: set[str]) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(facecolor=color, label=kind) for kind, color in _colors(colors).items() if kind in drawn]
    figure.legend(handles=patches, loc="outside lower center", ncols=3)


def _short(count: int) -> str:
    """Return a number for a reader: 760, 61.1 million, 15.5 billion."""
    for size, word in ((10**9, " billion"), (10**6, " million"), (10**3, " thousand")):
        if count >= size:
            return f"{count / size:.3g}{word}"
    return str(count)
