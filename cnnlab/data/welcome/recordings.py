"""The shipped listening recordings: real sound, four seconds each."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cnnlab.data.audio import SAMPLE_RATE, log_mel, mu_law_decode
from cnnlab.data.welcome._files import read


@dataclass(frozen=True)
class WelcomeRecording:
    """One recording to listen to and to scan.

    Attributes
    ----------
    label : str
        What it shows, for example "welcome near the end".
    wave : array of float32, shape (samples,)
        The sound, amplitudes in -1 … 1.
    x : array of float32, shape (20, T)
        `cnnlab.data.log_mel` of the sound, normalized: the same input as `load_welcome` gives.
    start, stop : float or None
        Seconds where the word "welcome" begins and ends; None if it is not there.
    transcript : str
        All words in order.
    voice, split : str
        Who speaks, and whether such a voice is in the "train", "test" or "other" set.
    sample_rate : int
        Samples per second, 8000.
    """

    label: str
    wave: NDArray[np.float32] = field(repr=False)
    x: NDArray[np.float32] = field(repr=False)
    start: float | None
    stop: float | None
    transcript: str
    voice: str
    split: str
    sample_rate: int = SAMPLE_RATE


def load_welcome_recordings() -> list[WelcomeRecording]:
    """Return the shipped recordings: welcome at several places, none at all, near misses, another synthesizer.

    Returns
    -------
    list of WelcomeRecording

    Examples
    --------
    >>> first = load_welcome_recordings()[0]
    >>> first.label, first.x.shape
    ('welcome near the start', (20, 200))
    """
    stored = read("recordings.npz")
    recordings = []
    for number, code in enumerate(stored["wave"]):
        wave = mu_law_decode(code)
        start, stop = stored["span"][number].tolist()
        there = not np.isnan(start)
        recordings.append(
            WelcomeRecording(
                label=str(stored["label"][number]),
                wave=wave,
                x=log_mel(wave),
                start=start if there else None,
                stop=stop if there else None,
                transcript=str(stored["transcript"][number]),
                voice=str(stored["voice"][number]),
                split=str(stored["split"][number]),
            )
        )
    return recordings
