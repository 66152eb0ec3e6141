"""Speak the words of the welcome data set and store them in ``cnnlab/data/welcome``.

Nobody who uses cnnlab needs this: the two files it writes are part of the package. It is here so that the
data can be traced to their origin, checked and changed. To run it (about ten seconds on two cores)::

    apt install espeak-ng flite          # Debian 12: espeak-ng 1.51+dfsg-10+deb12u2, flite 2.2-5
    python scripts/build_welcome.py      # writes clips.npz and recordings.npz, prints their sizes and SHA-256

Both programs are deterministic and the choice of voices is seeded, so a second run on the same machine writes the
same bytes. Another version of a synthesizer, or another FFT, may change the last bit of some values.

What is made:

* ``clips.npz``: every word of `WORDS` by every speaker, as log-mel of 20 bands × 20 ms (`cnnlab.data.audio.log_mel`,
  not normalized) in whole steps of `STEP` above ``log(FLOOR)``, one byte each.
* ``recordings.npz``: the recordings of `RECORDINGS` as sound, 8 kHz, one mu-law byte a sample.

A speaker of the train and test sets is an espeak-ng accent with one of espeak-ng's own voice variants, a speed and a
pitch. No MBROLA voice is used: their licenses do not allow every use. Variants of the test set never occur in the
train set. The set "other" is spoken by flite.
"""

import argparse
import hashlib
import io
import subprocess
import tempfile
import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnnlab.data.audio import FLOOR, FRAME_SAMPLES, SAMPLE_RATE, log_mel, mu_law_encode, resample

WORDS = (
    *("welcome", "become", "outcome", "income", "welfare", "wellness", "come", "well", "volcano", "awesome", "helium"),
    *("calcium", "wisdom", "window", "water", "hello", "morning", "tomorrow", "elephant", "computer", "network"),
    *("teacher", "recording", "picture", "flower", "lecture", "nothing", "already", "between", "number", "system"),
    *("seven", "camera", "telescope", "wilderness", "album"),
)

ACCENTS = ("en", "en-us", "en-gb-scotland", "en-029", "en-gb-x-rp", "en-gb-x-gbclan", "en-us-nyc")
TRAIN_VARIANTS = (
    *("m1", "m2", "m3", "m5", "m7", "f1", "f2", "f3", "f5"),
    *("adam", "belinda", "david", "linda", "steph", "zac", "max"),
)
TEST_VARIANTS = ("m4", "m8", "f4", "edward", "anika", "michel")
FLITE_VOICES = ["kal16", "awb", "rms", "slt"]
FLITE_STRETCHES = [1.1]
TRAIN_SPEAKERS, TEST_SPEAKERS = 40, 12

STEP = 0.4  # natural log units per stored level; the error of at most 0.2 is well under the spread of one voice
LOUDNESS = 0.1  # root mean square of every clip
SEED = 20


@dataclass(frozen=True)
class Speaker:
    """One way of speaking: a synthesizer's voice with a tempo (words a minute, or a stretch) and a pitch."""

    split: str
    program: str
    voice: str
    tempo: float
    pitch: int

    @property
    def name(self) -> str:
        """What is told to users, for example ``en-us+m3 150 wpm pitch 44``."""
        if self.program == "flite":
            return f"flite {self.voice} stretch {self.tempo:g}"
        return f"{self.voice} {self.tempo:g} wpm pitch {self.pitch}"


@dataclass(frozen=True)
class Script:
    """One listening recording: which word begins when (seconds), over noise this many dB below the words."""

    label: str
    speaker: Speaker
    lines: dict[str, float]
    snr: float = 20


def speakers() -> list[Speaker]:
    """Draw the speakers of the three sets."""
    rng = np.random.default_rng(SEED)
    drawn = []
    for split, variants, count in (("train", TRAIN_VARIANTS, TRAIN_SPEAKERS), ("test", TEST_VARIANTS, TEST_SPEAKERS)):
        for k in range(count):
            accent = ACCENTS[rng.integers(len(ACCENTS))]
            tempo, pitch = int(rng.integers(120, 190)), int(rng.integers(30, 75))
            drawn.append(Speaker(split, "espeak-ng", f"{accent}+{variants[k % len(variants)]}", tempo, pitch))
    drawn += [Speaker("other", "flite", voice, stretch, 0) for voice in FLITE_VOICES for stretch in FLITE_STRETCHES]
    return drawn


_MAN = Speaker("test", "espeak-ng", "en-us+m4", 150, 45)
_WOMAN = Speaker("test", "espeak-ng", "en+f4", 145, 55)
_EDWARD = Speaker("test", "espeak-ng", "en-gb-x-rp+edward", 160, 40)
_KNOWN = Speaker("train", "espeak-ng", "en-us+f2", 150, 50)
_FLITE = Speaker("other", "flite", "rms", 1.1, 0)

RECORDINGS = (
    Script("welcome near the start", _MAN, {"welcome": 0.31, "lecture": 1.25, "computer": 2.05, "window": 3.05}),
    Script("welcome in the middle", _WOMAN, {"hello": 0.2, "teacher": 0.95, "welcome": 1.73, "picture": 2.7}),
    Script("welcome near the end", _EDWARD, {"morning": 0.25, "water": 1.1, "network": 1.9, "welcome": 3.07}),
    Script("welcome in loud noise", _KNOWN, {"number": 0.3, "already": 1.2, "welcome": 2.26, "seven": 3.2}, snr=6),
    Script("no welcome", _WOMAN, {"flower": 0.3, "between": 1.15, "camera": 2.1, "nothing": 3.1}),
    Script(
        "become, outcome, income: no welcome", _MAN, {"become": 0.3, "outcome": 1.15, "welfare": 2.1, "income": 3.0}
    ),
    Script("welcome among near misses", _EDWARD, {"outcome": 0.3, "well": 1.2, "welcome": 1.88, "become": 2.9}),
    Script("welcome by another synthesizer", _FLITE, {"computer": 0.3, "welcome": 1.44, "window": 2.6}),
)
RECORDING_SECONDS = 4.0


def speak(speaker: Speaker, word: str) -> np.ndarray:
    """Let a synthesizer say a word: 8 kHz, silence cut off, root mean square `LOUDNESS`."""
    if speaker.program == "espeak-ng":
        options = ["-v", speaker.voice, "-s", f"{speaker.tempo:g}", "-p", str(speaker.pitch)]
        sound = subprocess.run(["espeak-ng", *options, "--stdout", word], capture_output=True, check=True).stdout
    else:
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            options = ["-voice", speaker.voice, "--setf", f"duration_stretch={speaker.tempo:g}"]
            subprocess.run(["flite", *options, "-t", word, "-o", file.name], capture_output=True, check=True)
            sound = Path(file.name).read_bytes()
    with wave.open(io.BytesIO(sound)) as reader:
        rate, width, channels = reader.getframerate(), reader.getsampwidth(), reader.getnchannels()
    if (width, channels) != (2, 1):
        raise ValueError(f"{speaker.name}: expected 16-bit mono, got {8 * width} bits, {channels} channels")
    # A program that writes to a pipe cannot fill in the length in the header, so the samples are read up to the end.
    samples = np.frombuffer(sound[sound.find(b"data") + 8 :], dtype="<i2").astype(np.float64) / 32768
    samples = trim(resample(samples, rate, SAMPLE_RATE))
    return samples * (LOUDNESS / np.sqrt(np.mean(samples**2)))


def trim(samples: np.ndarray) -> np.ndarray:
    """Keep the part louder than 3 % of the peak, with 15 ms before it and 30 ms after it."""
    loud = np.flatnonzero(np.abs(samples) > 0.03 * np.abs(samples).max())
    return samples[max(0, loud[0] - 120) : loud[-1] + 240]


def clip_levels(samples: np.ndarray) -> np.ndarray:
    """Return a clip's log-mel as whole steps above the floor, shape (frames, 20), uint8."""
    whole = np.pad(samples, (0, -len(samples) % FRAME_SAMPLES))
    levels = np.round((log_mel(whole, normalize=False).T - np.log(FLOOR)) / STEP)
    if levels.min() < 0 or levels.max() > 255:
        raise ValueError(f"levels {levels.min()} … {levels.max()} do not fit a byte: change STEP")
    return levels.astype(np.uint8)


def build_clips(pool: ThreadPoolExecutor) -> dict[str, np.ndarray]:
    """Speak all clips; return the arrays of ``clips.npz``."""
    people = speakers()
    jobs = [(s, w) for s in range(len(people)) for w in range(len(WORDS))]
    clips = list(pool.map(lambda job: clip_levels(speak(people[job[0]], WORDS[job[1]])), jobs))
    return {
        "levels": np.concatenate(clips),  # (frames, 20)
        "first": np.cumsum([0, *(len(clip) for clip in clips)]).astype(np.int32),
        "speaker": np.array([s for s, _ in jobs], np.uint8),
        "word": np.array([w for _, w in jobs], np.uint8),
        "words": np.array(WORDS),
        "voices": np.array([person.name for person in people]),
        "splits": np.array([person.split for person in people]),
        "floor": np.float64(FLOOR),
        "step": np.float64(STEP),
    }


def build_recordings() -> dict[str, np.ndarray]:
    """Speak and mix the listening recordings; return the arrays of ``recordings.npz``."""
    samples = round(RECORDING_SECONDS * SAMPLE_RATE)
    waves, spans, transcripts = [], [], []
    for number, script in enumerate(RECORDINGS):
        noise = np.random.default_rng((SEED, number)).standard_normal(samples + 1)
        noise = noise[1:] + 0.5 * noise[:-1]
        mixed = noise * (LOUDNESS * 10 ** (-script.snr / 20) / noise.std())
        span = (np.nan, np.nan)
        for word, seconds in script.lines.items():
            clip, at = speak(script.speaker, word), round(seconds * SAMPLE_RATE)
            if at + len(clip) > samples:
                raise ValueError(f"{script.label}: {word!r} ends after {RECORDING_SECONDS} s")
            mixed[at : at + len(clip)] += clip
            if word == "welcome":
                span = (seconds, seconds + len(clip) / SAMPLE_RATE)
        waves.append(mu_law_encode(mixed))
        spans.append(span)
        transcripts.append(" ".join(script.lines))
    return {
        "wave": np.stack(waves),
        "span": np.array(spans),  # seconds; NaN where there is no welcome
        "label": np.array([script.label for script in RECORDINGS]),
        "transcript": np.array(transcripts),
        "voice": np.array([script.speaker.name for script in RECORDINGS]),
        "split": np.array([script.speaker.split for script in RECORDINGS]),
    }


def main() -> None:
    """Build both files."""
    parser = argparse.ArgumentParser(description="Speak the welcome data set (needs espeak-ng and flite).")
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "cnnlab" / "data" / "welcome")
    parser.add_argument("--jobs", type=int, default=2, help="how many words to speak at the same time")
    options = parser.parse_args()
    with ThreadPoolExecutor(options.jobs) as pool:
        made = {"clips.npz": build_clips(pool), "recordings.npz": build_recordings()}
    for name, arrays in made.items():
        path = options.output / name
        np.savez_compressed(path, allow_pickle=False, **arrays)
        content = path.read_bytes()
        print(f"{name}: {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
