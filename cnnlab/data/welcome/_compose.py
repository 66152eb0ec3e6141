"""Lay words and noise over one another in the mel domain.

Sounds that are added add their powers, up to a cross term that is zero on average, so the log-mel of a
sum is close to the logarithm of the sum of mel powers ("log-add"). This way 2,000 recordings are composed
from stored clips in less than a second.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.data.audio import BANDS, FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE, band_centers, log_mel
from cnnlab.data.welcome._files import NEAR_MISSES, WORD, Clips

LOUDNESS = 0.1  # root mean square of every clip, fixed when the clips were made
_GAP = (0.05, 0.35)  # seconds of silence between words
_GAIN_DB = (-6.0, 6.0)  # loudness of a whole recording
_NOISE_FRAMES = 4000


@dataclass(frozen=True)
class Spoken:
    """One word of a recording: what it is and its frames ``start … stop - 1``."""

    word: str
    start: int
    stop: int


@dataclass(frozen=True)
class Plan:
    """What a recording is made of. ``key`` is the number of the word at the place among ``spoken``."""

    speaker: int
    spoken: tuple[Spoken, ...]
    key: int
    gain: float
    noise_power: float
    noise_start: int
    color: float


def plan(
    rng: np.random.Generator,
    clips: Clips,
    speakers: NDArray[np.intp],
    *,
    positive: bool,
    first: int,
    last: int,
    frames: int,
    snr: tuple[float, float],
    negatives: str,
) -> Plan:
    """Draw one recording: a speaker, the word at a frame of ``first … last``, others around it, a gain and noise.

    Both classes draw the same numbers in the same order; only which word stands at the place differs.
    """
    speaker = int(rng.choice(speakers))
    others = [k for k, word in enumerate(clips.words) if word != WORD]
    instead = others if negatives == "any" else [clips.words.index(word) for word in NEAR_MISSES]
    key = int(rng.choice(instead))
    if positive:
        key = clips.words.index(WORD)
    start = int(rng.integers(first, last + 1))
    length = _length(clips, speaker, key)
    spoken = [Spoken(clips.words[key], start, start + length)]
    while True:  # to the right until a word does not fit
        word = int(rng.choice(others))
        begin = spoken[-1].stop + _gap(rng)
        end = begin + _length(clips, speaker, word)
        if end > frames:
            break
        spoken.append(Spoken(clips.words[word], begin, end))
    number = 0
    while True:  # to the left likewise
        word = int(rng.choice(others))
        end = spoken[0].start - _gap(rng)
        begin = end - _length(clips, speaker, word)
        if begin < 0:
            break
        spoken.insert(0, Spoken(clips.words[word], begin, end))
        number += 1
    return Plan(
        speaker=speaker,
        spoken=tuple(spoken),
        key=number,
        gain=float(10 ** (rng.uniform(*_GAIN_DB) / 10)),
        noise_power=float(10 ** (-rng.uniform(*snr) / 10)),
        noise_start=int(rng.integers(_NOISE_FRAMES)),
        color=float(rng.uniform(0, 0.9)),
    )


def render(plans: list[Plan], clips: Clips, frames: int, noise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the log-mel spectrograms of planned recordings.

    Parameters
    ----------
    plans : list of N Plan
    clips : Clips
    frames : int
        Length T of every recording.
    noise : array of float32, shape (20, frames of noise)
        Mel power of white noise as loud as a clip, from `white_noise`.

    Returns
    -------
    array of float32, shape (N, 20, T)
        Natural logarithm of mel power plus the floor, not normalized.
    """
    column = {word: k for k, word in enumerate(clips.words)}
    x = np.empty((len(plans), BANDS, frames), np.float32)  # power first, its logarithm at the end
    hertz = 2 * np.pi * band_centers() / SAMPLE_RATE
    for number, recording in enumerate(plans):
        power = x[number]
        c = recording.color
        # The filter 1 + c·z⁻¹ colors white noise; dividing by 1 + c² keeps its total power.
        tint = recording.noise_power * (1 + c * c + 2 * c * np.cos(hertz)) / (1 + c * c)
        at = recording.noise_start % (noise.shape[1] - frames + 1)
        power[...] = tint[:, None] * noise[:, at : at + frames]
        for spoken in recording.spoken:
            clip = clips.table[recording.speaker, column[spoken.word]]
            power[:, spoken.start : spoken.stop] += clips.power[clips.first[clip] : clips.first[clip + 1]].T
        power *= recording.gain
    x += clips.floor
    return np.log(x, out=x)


def white_noise(rng: np.random.Generator, frames: int, floor: float) -> NDArray[np.float32]:
    """Return mel powers of white noise as loud as a clip, long enough for recordings of ``frames``, shape (20, ·)."""
    wave = LOUDNESS * rng.standard_normal((frames + _NOISE_FRAMES) * FRAME_SAMPLES, dtype=np.float32)
    return np.exp(log_mel(wave, normalize=False)) - np.float32(floor)


def _length(clips: Clips, speaker: int, word: int) -> int:
    clip = clips.table[speaker, word]
    return int(clips.first[clip + 1] - clips.first[clip])


def _gap(rng: np.random.Generator) -> int:
    return round(rng.uniform(*_GAP) / FRAME_SECONDS)
