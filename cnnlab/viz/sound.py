"""Figures about recordings: their sound, their spectrogram, and what a net makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from cnnlab.viz.figure import Figure, picture
from cnnlab.viz.style import Palette

Axes = Any


class Recording(Protocol):
    """What is drawn of a recording; `cnnlab.data.load_welcome_recordings` returns such."""

    wave: np.ndarray[Any, Any]
    sample_rate: int
    x: np.ndarray[Any, Any]
    start: float | None
    stop: float | None
    label: str


class RecordingSet(Protocol):
    """What is drawn of a set of recordings; `cnnlab.data.load_welcome` returns such."""

    x: np.ndarray[Any, Any]
    y: np.ndarray[Any, Any]
    start: np.ndarray[Any, Any]
    stop: np.ndarray[Any, Any]
    frame_seconds: float


def _spectrogram(axes: Axes, x: np.ndarray[Any, Any], frame_seconds: float) -> None:
    bands, frames = x.shape
    axes.imshow(x, origin="lower", aspect="auto", extent=(0, frames * frame_seconds, 0, bands), rasterized=True)
    axes.set(yticks=[0, bands], ylabel="mel band")
    axes.spines[:].set_visible(False)


def _mark_span(axes: Axes, colors: Palette, start: float, stop: float) -> None:
    # Two frames, so that the mark stands out on any color below it.
    for color, width in (("white", 4.0), (colors.highlight, 2.0)):
        axes.axvspan(start, stop, fill=False, edgecolor=color, linewidth=width)


def _seconds(recording: Recording) -> float:
    return len(recording.wave) / recording.sample_rate


@picture
def sound_and_spectrogram(colors: Palette, recording: Recording) -> tuple[Figure, str]:
    """Draw the wave of a recording above its spectrogram; a frame marks the word, if it is there."""
    from matplotlib.figure import Figure as MplFigure

    figure = MplFigure(figsize=(9, 3.4))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.8))
    seconds = _seconds(recording)
    time = np.arange(len(recording.wave)) / recording.sample_rate
    upper.plot(time, recording.wave, linewidth=0.5, color=colors.lines[0], rasterized=True)
    upper.set(yticks=[], ylabel="sound", title=recording.label)
    upper.spines[:].set_visible(False)
    frames = recording.x.shape[1]
    _spectrogram(lower, recording.x, seconds / frames)
    lower.set(xlabel="time (s)")
    alt = f"Sound wave and spectrogram of {seconds:.1f} seconds of speech: {recording.label}."
    if recording.start is not None and recording.stop is not None:
        _mark_span(lower, colors, recording.start, recording.stop)
        alt += f' A frame marks "welcome" from {recording.start:.2f} to {recording.stop:.2f} seconds.'
    return figure, alt


@picture
def spectrograms(colors: Palette, recordings: RecordingSet, which: Sequence[int]) -> tuple[Figure, str]:
    """Draw some recordings of a set, two in a row; a frame marks the word at the place, "welcome" or another."""
    from matplotlib.figure import Figure as MplFigure

    rows = (len(which) + 1) // 2
    figure = MplFigure(figsize=(9, 1.9 * rows))
    grid = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[len(which) :]:
        axes.set_visible(False)
    step = recordings.frame_seconds
    for axes, i in zip(grid.flat, which, strict=False):
        _spectrogram(axes, recordings.x[i], step)
        _mark_span(axes, colors, recordings.start[i] * step, recordings.stop[i] * step)
        axes.set_title('with "welcome"' if recordings.y[i] else "without: another word at the place")
        axes.label_outer()
    for axes in grid[-1]:
        axes.set_xlabel("time (s)")
    positive = sum(bool(recordings.y[i]) for i in which)
    alt = (
        f'{len(which)} spectrograms, {positive} with the word "welcome" and {len(which) - positive} without; '
        "a frame marks the word at the chosen place, all around there are other words."
    )
    return figure, alt


@picture
def score_curve(
    colors: Palette, recording: Recording, scores: np.ndarray[Any, Any], *, width: int, threshold: float = 0.0
) -> tuple[Figure, str]:
    """Draw a recording above the score of each window, plotted at the window's middle.

    Parameters
    ----------
    recording
        The recording, with a spectrogram ``x`` of shape (C, T).
    scores
        One score a window, (T - width + 1,).
    width
        Frames in a window.
    threshold
        The score above which a window counts as a yes.
    """
    from matplotlib.figure import Figure as MplFigure

    frames = recording.x.shape[1]
    if scores.shape != (frames - width + 1,):
        raise ValueError(
            f"scores has shape {scores.shape}, but {frames} frames and windows of {width} "
            f"give {(frames - width + 1,)}: one score a window"
        )
    step = _seconds(recording) / frames
    figure = MplFigure(figsize=(9, 3.6))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1))
    _spectrogram(upper, recording.x, step)
    upper.set_title(recording.label)
    middles = (np.arange(len(scores)) + width / 2) * step
    lower.axhline(threshold, color=colors.muted, linestyle="--", linewidth=1)
    lower.plot(middles, scores, color=colors.lines[0])
    lower.fill_between(middles, threshold, scores, where=scores > threshold, color=colors.lines[0], alpha=0.3)
    lower.set(xlabel="middle of the window (s)", ylabel="score of the window")
    lower.grid(axis="y")
    best = int(np.argmax(scores))
    above = int(np.count_nonzero(scores > threshold))
    alt = (
        f"Spectrogram and, below it, the score of each of {len(scores)} windows: {above} lie above {threshold:g}; "
        f"the highest, {scores[best]:.1f}, is at {middles[best]:.2f} seconds."
    )
    if recording.start is not None and recording.stop is not None:
        _mark_span(upper, colors, recording.start, recording.stop)
        alt += f" The word is there from {recording.start:.2f} to {recording.stop:.2f} seconds."
    return figure, alt


@picture
def weight_over_time(colors: Palette, weights: np.ndarray[Any, Any], recordings: RecordingSet) -> tuple[Figure, str]:
    """Draw how strongly a first layer looks at each frame, above the place of the word in training.

    Parameters
    ----------
    weights
        First-layer weights, (units, C, T).
    recordings
        What the net was trained on.
    """
    from matplotlib.figure import Figure as MplFigure

    strength = np.sqrt((weights**2).mean(axis=(0, 1)))  # (T,)
    step = recordings.frame_seconds
    time = (np.arange(len(strength)) + 0.5) * step
    positive = recordings.y == 1
    start, stop = recordings.start[positive].min() * step, recordings.stop[positive].max() * step
    figure = MplFigure(figsize=(9, 2.6))
    axes = figure.subplots()
    axes.axvspan(start, stop, color=colors.highlight, alpha=0.15, linewidth=0)
    axes.plot(time, strength)
    axes.set(xlim=(0, time[-1]), ylim=(0, None), xlabel="time (s)", ylabel="weight (RMS)")
    axes.set_title("What the first layer looks at")
    axes.text(stop + 0.05, axes.get_ylim()[1] * 0.95, "← the word, in training", color=colors.highlight, va="top")
    axes.grid(axis="y")
    inside = (time >= start) & (time <= stop)
    alt = (
        f"Root mean square of the first-layer weights at each frame. Its mean is {strength[inside].mean():.4f} where "
        f"the word was in training, {start:.1f} to {stop:.1f} seconds, and {strength[~inside].mean():.4f} elsewhere."
    )
    return figure, alt
