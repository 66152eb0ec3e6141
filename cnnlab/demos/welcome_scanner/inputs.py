"""Checks on what a reader hands to the welcome scanner; each error says what to change."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cnnlab.demos.inputs import numbers
from cnnlab.demos.mlps import Floats, Layers, checked_layers


def nets_by_width(layers: Any, *, width: int, channels: int, frames: int) -> dict[int, list[tuple[Floats, Floats]]]:
    """Return {width: [(W, b), …]} with every shape checked.

    Parameters
    ----------
    layers : list of (W, b) or a net, or dict from width to such
    width : int
        The width of the one net, or the one to begin with; frames.
    channels, frames : int
        The shape of the spectrogram.

    Raises
    ------
    TypeError
        If the layers of a net are neither a list nor a net.
    ValueError
        If a shape does not fit its neighbor, its window or the recording.
    """
    nets: Mapping[int, Layers] = layers if isinstance(layers, Mapping) else {width: layers}
    if width not in nets:
        raise ValueError(f"width={width} has no net: layers holds widths {sorted(nets)}")
    return {int(w): _net(nets[w], int(w), channels, frames) for w in sorted(nets)}


def _net(layers: Any, width: int, channels: int, frames: int) -> list[tuple[Floats, Floats]]:
    if not 1 <= width <= frames:
        raise ValueError(f"width={width} does not fit a recording of {frames} frames: choose 1 to {frames}")
    inputs = channels * width
    source = f"a window holds {channels} × {width} = {inputs}: width must be the one the net was trained with"
    return checked_layers(layers, inputs=inputs, source=source)


def span_of_word(truth: tuple[float, float] | None, seconds: float) -> list[float] | None:
    """Return `truth` as [start, stop] in seconds after checking that it lies within the recording."""
    if truth is None:
        return None
    start, stop = (float(value) for value in truth)
    if not 0 <= start < stop <= seconds:
        raise ValueError(
            f"truth=({start:g}, {stop:g}) is no stretch of a recording of {seconds:g} s: "
            "give start and stop in seconds (frames × frame_seconds)"
        )
    return [start, stop]


def sound_like(wave: ArrayLike, sample_rate: int, seconds: float) -> Floats:
    """Return `wave` as float32 after checking that it lasts as long as the spectrogram."""
    if sample_rate <= 0:
        raise ValueError(f"sample_rate={sample_rate}: expected samples per second, above 0")
    samples = np.asarray(wave)
    if samples.dtype.kind != "f":
        raise ValueError(
            f"wave has dtype {samples.dtype}: scale it to floats in -1 … 1 (divide 16-bit samples by 32768)"
        )
    samples = numbers(samples, "wave", ndim=1)
    lasts = len(samples) / sample_rate
    if abs(lasts - seconds) > 0.1:
        raise ValueError(
            f"wave lasts {lasts:.2f} s but x lasts {seconds:.2f} s: check sample_rate={sample_rate} and frame_seconds"
        )
    return samples
