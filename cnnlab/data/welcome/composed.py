"""Recordings composed at run time, as many as wanted, all as long as one another."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cnnlab.data._arguments import how_many, number_or_range
from cnnlab.data._seeds import balanced_labels, stream
from cnnlab.data.audio import FRAME_SECONDS, normalize_log_mel
from cnnlab.data.welcome._compose import Spoken, plan, render, white_noise
from cnnlab.data.welcome._files import clips

SPLITS = ("train", "test", "other")


@dataclass(frozen=True)
class WelcomeSet:
    """N recordings as log-mel spectrograms, half of them with the word "welcome".

    Attributes
    ----------
    x : array of float32, shape (N, 20, T)
        Mel band × frame of 20 ms, lowest band first; normalized unless asked otherwise.
    y : array of float32, shape (N,)
        1 where the recording contains "welcome", else 0.
    start, stop : array of int, shape (N,)
        Frames ``start … stop - 1`` hold the word at the chosen place: "welcome", or the word that stands there instead.
    word : array of str, shape (N,)
        The word at the chosen place.
    voice : array of str, shape (N,)
        Who speaks, for example ``en-us+m3 150 wpm pitch 44``.
    spoken : tuple of N tuples of Spoken
        All words of each recording in order, with their frames.
    frame_seconds : float
        Length of a frame, 0.02 s.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    start: NDArray[np.intp]
    stop: NDArray[np.intp]
    word: NDArray[np.str_]
    voice: NDArray[np.str_]
    spoken: tuple[tuple[Spoken, ...], ...]
    frame_seconds: float = FRAME_SECONDS

    def __len__(self) -> int:
        return len(self.y)


def load_welcome(
    split: str = "train",
    n: int = 2000,
    *,
    at: float | tuple[float, float] | None = None,
    seconds: float = 4.0,
    snr: tuple[float, float] = (5.0, 25.0),
    negatives: str = "any",
    normalize: bool = True,
    seed: int = 0,
) -> WelcomeSet:
    """Compose recordings of spoken words: half contain "welcome", half another word at the same place.

    One speaker says one word at the chosen place and others around it, over colored noise. Which recording is
    number ``i`` depends on the other arguments but not on ``n``, so a larger ``n`` only adds recordings.
    Nothing is fetched and no synthesizer is needed.

    Parameters
    ----------
    split : {"train", "test", "other"}
        Whose voices: those to train with, voices unknown in training, or those of another synthesizer.
    n : int
        How many recordings. Of each two in a row, one is positive.
    at : float, (float, float) or None
        Where the word starts, in seconds: at that time, drawn from that range, or anywhere (None).
    seconds : float
        Length of each recording.
    snr : (float, float)
        Range of the noise's level, in dB below the words.
    negatives : {"any", "near"}
        Which words stand at the place in negatives: any other, or only those that resemble "welcome"
        (become, outcome, income, welfare, wellness, well, come, awesome).
    normalize : bool
        Apply `cnnlab.data.normalize_log_mel` (subtract each band's mean over time, halve).
    seed : int
        Another seed gives other recordings.

    Returns
    -------
    WelcomeSet

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or out of range; the text says which values are possible.

    Examples
    --------
    >>> few = load_welcome("test", 4, at=1.0)
    >>> few.x.shape, few.start.tolist(), int(few.y.sum())
    ((4, 20, 200), [50, 50, 50, 50], 2)
    """
    stored = clips()
    n = how_many(n, "recording")
    _check(split, snr, negatives)
    frames = round(seconds / FRAME_SECONDS)
    first, last = _place(at, seconds, frames, stored.longest)
    speakers = np.flatnonzero(np.array(stored.splits) == split)
    source = SPLITS.index(split)
    y = balanced_labels(n, seed, source)
    plans = [
        plan(
            stream(seed, source, i),
            stored,
            speakers,
            positive=bool(y[i]),
            first=first,
            last=last,
            frames=frames,
            snr=snr,
            negatives=negatives,
        )
        for i in range(n)
    ]
    x = render(plans, stored, frames, _noise(source, frames))
    keys = [p.spoken[p.key] for p in plans]
    return WelcomeSet(
        x=normalize_log_mel(x) if normalize else x,
        y=y,
        start=np.array([key.start for key in keys]),
        stop=np.array([key.stop for key in keys]),
        word=np.array([key.word for key in keys]),
        voice=np.array([stored.voices[p.speaker] for p in plans]),
        spoken=tuple(p.spoken for p in plans),
    )


@cache
def _noise(source: int, frames: int) -> NDArray[np.float32]:
    return white_noise(stream(0, source), frames, clips().floor)


def _check(split: str, snr: tuple[float, float], negatives: str) -> None:
    if split not in SPLITS:
        raise ValueError(f'split {split!r} is unknown: use "train", "test" or "other"')
    if snr[0] > snr[1]:
        raise ValueError(
            f"snr={snr} runs backwards: give the smaller level first, for example snr=({snr[1]}, {snr[0]})"
        )
    if negatives not in {"any", "near"}:
        raise ValueError(f'negatives={negatives!r} is unknown: use "any" or "near"')


def _place(at: float | tuple[float, float] | None, seconds: float, frames: int, longest: int) -> tuple[int, int]:
    """Return the first and last frame at which the word may start; every word fits at each of them."""
    latest = frames - longest
    if latest < 0:
        least = longest * FRAME_SECONDS
        raise ValueError(f"seconds={seconds}: the longest word takes {least:.2f} s, use at least that")
    low, high = 0.0, latest * FRAME_SECONDS
    if at is not None:
        low, high = number_or_range("at", at, example="seconds, at=0.3 or at=(0.3, 0.5)")
    if low > high:
        raise ValueError(f"at={at} runs backwards: give the earlier second first, for example at=({high}, {low})")
    first, last = round(low / FRAME_SECONDS), round(high / FRAME_SECONDS)
    if first < 0 or last > latest:
        raise ValueError(
            f"at={at} lies outside a recording of {seconds} s: a word may start from 0 to "
            f"{latest * FRAME_SECONDS:.2f} s; choose a place in between or a longer recording (seconds=…)"
        )
    return first, last
