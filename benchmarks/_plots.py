"""The pictures of the speed benchmarks, in the one style of all figures: a PNG and an SVG each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _report import OURS, SAID, Measured
from _run import Run

ROW = 0.19  # inches
STEPS = {
    "forward": "Forward",
    "backward": "Backward",
    "step": "Whole step",
    "grad_weight": "Gradient to the weights",
    "grad_input": "Gradient to the input",
}
RIVALS = {"pytorch": "o", "channels_last": "D"}


def ratios_plot(run: Run, measured: Sequence[Measured], steps: Sequence[str], title: str, part: str = "") -> list[Path]:
    """Draw for each case how many times our time PyTorch takes, a panel for each pass; return the files."""
    rivals = [who for who in RIVALS if any((who, step) in seen.seconds for seen in measured for step in steps)]
    if not run.plots or not rivals:
        return []
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    from cnnlab.viz import style

    with style.use("light") as colors:
        rows = _rows(measured)
        height = ROW * (max(rows.values()) + 2) + 1.9
        figure, axes = plt.subplots(
            1, len(steps), figsize=(10 if len(steps) > 1 else 8, height), sharey=True, sharex=True, squeeze=False
        )
        for ax, step in zip(axes[0], steps, strict=True):
            ax.axvline(1, color=colors.ink, linewidth=1.2, zorder=1)
            for place in rows.values():
                ax.axhline(place, color=colors.grid, linewidth=0.6, zorder=0)
            for ours, color in zip(OURS, colors.lines, strict=False):
                for rival in rivals:
                    points = [(seen.ratio(ours, rival, step), rows[seen.name]) for seen in measured]
                    points = [(ratio, place) for ratio, place in points if ratio is not None]
                    if points:
                        ax.scatter(
                            *zip(*points, strict=True),
                            s=26 if rival == "pytorch" else 13,
                            marker=RIVALS[rival],
                            facecolor=color if rival == "pytorch" else colors.page,
                            edgecolor=color,
                            linewidth=1,
                            zorder=3 if rival == "pytorch" else 2,
                            label=f"{SAID[ours]}, beside {SAID[rival]}",
                        )
            ax.set_title(STEPS[step])
            ax.set_xscale("log")
            ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            ax.xaxis.set_minor_formatter(NullFormatter())
            ax.grid(axis="x", linewidth=0.6)
            for side, words in ((-1, "← PyTorch is faster"), (1, "ours is faster →")):
                ax.annotate(
                    words, (1, 0), xycoords=("data", "axes fraction"), xytext=(8 * side, -30),
                    textcoords="offset points", ha="left" if side > 0 else "right", fontsize=9,
                )  # fmt: skip
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
        axes[0][0].set_yticks(list(rows.values()), list(rows), fontsize=8)
        axes[0][0].set_ylim(max(rows.values()) + 1, -1.4)
        for group, place in _group_heads(measured, rows).items():
            axes[0][0].annotate(
                group, (0, place), xycoords=("axes fraction", "data"), xytext=(-6, 0), textcoords="offset points",
                ha="right", va="center", fontsize=8.5, fontweight="bold",
            )  # fmt: skip
        ends = [ratio for ax in axes[0] for points in ax.collections for ratio, _ in points.get_offsets()]
        axes[0][0].set_xlim(min(0.4, 0.85 * min(ends)), max(2.5, 1.2 * max(ends)))
        what = f"{title}: PyTorch's time divided by ours (more than 1: ours is faster)"
        return _finish(run, figure, axes[0][0], what, part)


def growth_plot(run: Run, sweeps: dict[str, dict[int, Measured]], costs: Any, labels: dict[str, str]) -> list[Path]:
    """Draw the cost of a multiply-add as each size grows, a row for each pass; return the files."""
    if not run.plots:
        return []
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    from cnnlab.viz import style

    first = next(iter(next(iter(sweeps.values())).values()))
    whos = list(dict.fromkeys(who for who, _ in first.seconds if who != "better"))
    steps = list(dict.fromkeys(step for _, step in first.seconds))
    with style.use("light") as colors:
        tints = dict(zip((*OURS, "pytorch"), (*colors.lines[:2], colors.muted), strict=True))
        figure, axes = plt.subplots(
            len(steps), len(sweeps), figsize=(max(9, 3 * len(sweeps) + 0.6), 2.2 * len(steps) + 1.4),
            sharey="col", sharex="col", squeeze=False,
        )  # fmt: skip
        for column, (axis, sweep) in zip(axes.T, sweeps.items(), strict=True):
            for ax, step in zip(column, steps, strict=True):
                for who in whos:
                    values = [costs(axis, value, seen, who, step) for value, seen in sweep.items()]
                    style_ = {"linewidth": 1.2, "linestyle": "--"} if who == "pytorch" else {"linewidth": 1.8}
                    ax.plot(list(sweep), values, color=tints[who], marker="o", markersize=3, label=SAID[who], **style_)
                ax.set_xscale("log", base=2)
                ax.set_yscale("log")
                ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                ax.yaxis.set_minor_formatter(NullFormatter())
                ax.grid(linewidth=0.6)
                ticks = _apart(list(sweep))
                ax.set_xticks(ticks, [str(tick) for tick in ticks])
                ax.xaxis.set_minor_locator(NullLocator())
            low, high = column[0].get_ylim()
            for ax in column:
                subs = (1, 2, 5) if high / low > 50 else (1, 1.5, 2, 3, 5, 7)
                ax.yaxis.set_major_locator(LogLocator(subs=subs, numticks=9))
            column[0].set_title(labels[axis], fontsize=9.5)
        for ax, step in zip(axes[:, 0], steps, strict=True):
            ax.set_ylabel(STEPS[step])
        title = "Growth: nanoseconds for a thousand multiply-adds as one size grows (a jump up would be a cliff)"
        return _finish(run, figure, axes[0][0], title, "")


def _rows(measured: Sequence[Measured]) -> dict[str, int]:
    """Return the row of each case; a group starts with a row for its name."""
    rows, place, group = {}, -1, ""
    for seen in measured:
        place += 1 + (seen.group != group)
        rows[seen.name], group = place, seen.group
    return rows


def _group_heads(measured: Sequence[Measured], rows: dict[str, int]) -> dict[str, int]:
    heads: dict[str, int] = {}
    for seen in measured:
        heads.setdefault(seen.group, rows[seen.name] - 1)
    heads.pop("", None)
    return heads


def _apart(values: list[int]) -> list[int]:
    """Return those values whose labels do not touch on a logarithmic axis."""
    ticks = [values[0]]
    least = (np.log2(values[-1]) - np.log2(values[0])) / 6
    for value in values[1:]:
        if np.log2(value) - np.log2(ticks[-1]) >= least * 0.99:
            ticks.append(value)
    return ticks


def _finish(run: Run, figure: Any, labeled: Any, title: str, part: str) -> list[Path]:
    import matplotlib.pyplot as plt

    handles, labels = labeled.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper left", ncols=2 if len(labels) > 3 else 3, fontsize=9, alignment="left",
        title=title, title_fontproperties={"size": 11.5, "weight": "bold"},
    )  # fmt: skip
    f = run.facts
    footer = (
        f"{run.machine()}; {run.how()}; {f['date'][:10]}\n"
        f"cnnlab {f['cnnlab']}, NumPy {f['numpy']} with {f['blas']}, PyTorch {f['torch']}, numba {f['numba']}"
    )
    figure.supxlabel(footer, x=0.01, ha="left", fontsize=7.5, color=figure.axes[0].xaxis.label.get_color())
    written = []
    for ending in (".png", ".svg"):
        written.append(run.path(ending, part))
        figure.savefig(written[-1], facecolor="white", dpi=120)
    plt.close(figure)
    return written
