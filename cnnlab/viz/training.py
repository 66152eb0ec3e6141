"""Figures about training and its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import Palette


class History(Protocol):
    """What is drawn of a training; `cnnlab.train.fit` returns such."""

    loss: list[float]


@picture
def training_curve(colors: Palette, history: History) -> tuple[Figure, str]:
    """Draw the mean training loss of each epoch."""
    from matplotlib.figure import Figure as MplFigure
    from matplotlib.ticker import MaxNLocator

    if not history.loss:
        raise ValueError("the history holds no finished epoch: train for at least one")
    figure = MplFigure(figsize=(5, 2.6))
    axes = figure.subplots()
    epochs = range(1, len(history.loss) + 1)
    axes.plot(epochs, history.loss, marker="o", markersize=4)
    axes.set(xlabel="epoch", ylabel="loss", title="Training loss", ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    alt = f"Training loss over {len(history.loss)} epochs, from {history.loss[0]:.3f} to {history.loss[-1]:.3f}."
    return figure, alt


@picture
def accuracy_against_shift(
    colors: Palette, starts: Sequence[float], curves: Mapping[str, Sequence[float]], *, trained_at: float
) -> tuple[Figure, str]:
    """Draw accuracy against the place of the word, one curve a net.

    Parameters
    ----------
    starts
        Where the word begins (s).
    curves
        Accuracy of each net at each place, by the net's name.
    trained_at
        Where the word began in training (s).
    """
    from matplotlib.figure import Figure as MplFigure

    figure = MplFigure(figsize=(9, 3.6))
    axes = figure.subplots()
    axes.axhline(0.5, color=colors.muted, linestyle="--", linewidth=1)
    axes.text(1.01, 0.5, "guessing", color=colors.muted, va="center", fontsize=9, transform=axes.get_yaxis_transform())
    axes.axvline(trained_at, color=colors.muted, linestyle=":", linewidth=1)
    axes.text(trained_at + 0.03, 1.04, "place in training", color=colors.muted, va="center", fontsize=9)
    for (name, accuracies), color, marker in zip(curves.items(), colors.lines, "os^DvP", strict=False):
        axes.plot(starts, accuracies, color=color, marker=marker, markersize=5, label=name)
    axes.set(xlabel='start of "welcome" (s)', ylabel="accuracy, unseen voices", ylim=(0.35, 1.07))
    axes.set_yticks([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    axes.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=len(curves))
    ranges = "; ".join(f"{name}: {min(values):.2f} to {max(values):.2f}" for name, values in curves.items())
    return figure, f"Accuracy against the place of the word, which was at {trained_at} seconds in training. {ranges}."
