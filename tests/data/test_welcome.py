"""Composed recordings: what is in them, and that composing is what adding sounds would do."""

import itertools
import re

import numpy as np
import pytest

from cnnlab.data import load_welcome, load_welcome_recordings, log_mel, normalize_log_mel
from cnnlab.data.audio import FLOOR
from cnnlab.data.welcome._compose import Plan, Spoken, render, white_noise
from cnnlab.data.welcome._files import NEAR_MISSES, Clips, clips


@pytest.fixture(scope="module")
def anywhere():
    return load_welcome("train", 400, seed=5)


def test_shapes_types_and_length():
    s = load_welcome("test", 5, at=0.5, seconds=2.5)
    assert s.x.shape == (5, 20, 125)
    assert s.x.dtype == s.y.dtype == np.float32
    assert s.start.shape == s.stop.shape == s.y.shape == s.word.shape == s.voice.shape == (5,)
    assert len(s) == len(s.spoken) == 5
    assert s.frame_seconds == 0.02


def test_each_pair_holds_one_of_each_class(anywhere):
    np.testing.assert_array_equal(anywhere.y.reshape(-1, 2).sum(axis=1), 1)
    assert 60 < anywhere.y[::2].sum() < 140  # and the order within the 200 pairs is random


def test_welcome_stands_at_the_place_in_positives_and_nowhere_else(anywhere):
    for y, word, start, stop, spoken in zip(
        anywhere.y, anywhere.word, anywhere.start, anywhere.stop, anywhere.spoken, strict=True
    ):
        assert [w for w in spoken if w.word == "welcome"] == ([Spoken("welcome", start, stop)] if y else [])
        assert Spoken(str(word), start, stop) in spoken
        assert (word == "welcome") == bool(y)


def test_words_lie_inside_and_apart(anywhere):
    for spoken in anywhere.spoken:
        assert spoken[0].start >= 0
        assert spoken[-1].stop <= 200
        gaps = [b.start - a.stop for a, b in itertools.pairwise(spoken)]
        assert all(2 <= gap <= 18 for gap in gaps)


@pytest.mark.parametrize(("at", "first", "last"), [(0.3, 15, 15), ((1.0, 1.2), 50, 60), (None, 0, 200)])
def test_word_starts_where_asked(at, first, last):
    s = load_welcome("test", 300, at=at)
    assert s.start.min() >= first
    assert s.start.max() <= last
    if at is None:
        assert s.start.min() < 10
        assert s.start.max() > 130
    if isinstance(at, tuple):
        assert set(s.start) == set(range(50, 61))


@pytest.mark.parametrize("options", [{}, {"at": 0.3}, {"at": (0.2, 1.0), "negatives": "near", "seconds": 3.0}])
def test_more_recordings_leave_the_first_ones_as_they_are(options):
    few, many = load_welcome("train", 7, **options), load_welcome("train", 30, **options)
    np.testing.assert_array_equal(few.x, many.x[:7])
    np.testing.assert_array_equal(few.y, many.y[:7])
    assert few.spoken == many.spoken[:7]


def test_seed_and_split_decide_what_is_drawn():
    sets = [load_welcome(split, 4, at=0.3, seed=seed) for split in ("train", "test", "other") for seed in (0, 1)]
    for i, a in enumerate(sets):
        for b in sets[i + 1 :]:
            assert not np.isclose(a.x, b.x, atol=1e-3).all(axis=(1, 2)).any()


def test_hard_negatives_are_the_near_misses():
    s = load_welcome("train", 400, negatives="near")
    assert set(s.word[s.y == 0]) == set(NEAR_MISSES)
    assert set(load_welcome("train", 1000).word) == set(clips().words)


def test_voices_of_the_sets_are_apart():
    """Not only the speakers: no variant of espeak-ng is in both sets, whatever its accent, speed and pitch."""
    stored = clips()
    of = {
        s: {v for v, t in zip(stored.voices, stored.splits, strict=True) if t == s} for s in ("train", "test", "other")
    }
    assert len(of["train"]) + len(of["test"]) + len(of["other"]) == len(stored.voices)
    variants = {
        s: {re.fullmatch(r"[a-z0-9-]+\+(\w+) \d+ wpm pitch \d+", v)[1] for v in of[s]} for s in ("train", "test")
    }
    assert not variants["train"] & variants["test"]
    assert all(v.startswith("flite ") for v in of["other"])
    for split, voices in of.items():
        assert set(load_welcome(split, 600).voice) == voices


def test_every_voice_says_every_word_once():
    stored = clips()
    assert stored.table.shape == (len(stored.voices), len(stored.words))
    assert sorted(stored.table.ravel()) == list(range(stored.table.size))
    assert len(set(stored.words)) == len(stored.words) == 36
    assert stored.first[-1] == len(stored.power)
    assert stored.power.min() >= 0


def test_normalizing_is_the_documented_function():
    raw = load_welcome("train", 6, normalize=False)
    np.testing.assert_array_equal(load_welcome("train", 6).x, normalize_log_mel(raw.x))
    assert raw.x.min() >= np.log(FLOOR)


def clips_of(waves):
    """A stock of clips made from given sounds, each a 'word' of one speaker."""
    spectra = [np.exp(log_mel(wave, normalize=False)).T - FLOOR for wave in waves]
    first = np.cumsum([0, *map(len, spectra)]).astype(np.int32)
    words = tuple("abc"[: len(waves)])
    table = np.arange(len(waves))[None]
    return Clips(np.concatenate(spectra).astype(np.float32), first, table, words, ("me",), ("train",), FLOOR)


def planned(spoken, *, gain=1.0, noise_power=0.0, color=0.0):
    return Plan(0, tuple(spoken), 0, gain, noise_power, noise_start=3, color=color)


def test_log_add_is_close_to_the_log_mel_of_summed_sounds():
    """Two shipped recordings over each other; left out are the cross term and the logarithms' mean over 2 × 2."""
    recordings = load_welcome_recordings()
    noise = np.zeros((20, 200), np.float32)
    for a, b in itertools.pairwise(recordings):
        stock = clips_of([a.wave, b.wave])
        together = render([planned([Spoken("a", 0, 200), Spoken("b", 0, 200)])], stock, 200, noise)[0]
        error = together - log_mel(a.wave + b.wave, normalize=False)
        assert abs(error.mean()) < 0.06
        assert np.sqrt((error**2).mean()) < 0.35  # the spread of these spectrograms is about 2
        assert np.corrcoef(together.ravel(), log_mel(a.wave + b.wave, normalize=False).ravel())[0, 1] > 0.97


def test_word_lies_at_its_frames_as_loud_as_its_recording():
    wave = load_welcome_recordings()[0].wave[:8000]
    x = render([planned([Spoken("a", 60, 110)], gain=4.0)], clips_of([wave]), 200, np.zeros((20, 200), np.float32))[0]
    silence = np.zeros(8000 * 3, np.float32)
    by_sound = log_mel(np.concatenate([silence[:9600], 2 * wave, silence[: 32000 - 17600]]), normalize=False)
    inside = slice(61, 109)  # at its two ends a cut sound has a click that a clip has not
    np.testing.assert_allclose(x[:, inside], by_sound[:, inside], atol=0.35)
    assert np.abs(x[:, inside] - by_sound[:, inside]).mean() < 0.02
    np.testing.assert_allclose(x[:, :60], np.log(FLOOR), rtol=1e-5)


@pytest.mark.parametrize("color", [0.0, 0.8])
def test_noise_is_like_noise_that_is_heard(color):
    """Mean and spread of every band equal those of filtered noise of that level put through log_mel."""
    rng = np.random.default_rng(8)
    frames, decibels = 3000, 12
    noise = white_noise(rng, frames, FLOOR)
    level = 10 ** (-decibels / 10)
    x = render([planned([], noise_power=level, color=color)], clips_of([np.ones(160)]), frames, noise)[0]
    wave = rng.standard_normal(frames * 160 + 1)
    wave = wave[1:] + color * wave[:-1]
    heard = log_mel(wave * (0.1 * np.sqrt(level) / wave.std()), normalize=False)
    np.testing.assert_allclose(x.mean(axis=1), heard.mean(axis=1), atol=0.12)
    np.testing.assert_allclose(x.std(axis=1), heard.std(axis=1), rtol=0.12)


def test_noise_level_is_drawn_from_the_range():
    quiet, loud = (load_welcome("train", 200, at=1.0, snr=(db, db), normalize=False, seed=1).x for db in (25, 5))
    pauses = np.quantile(loud, 0.1, axis=(1, 2)) - np.quantile(quiet, 0.1, axis=(1, 2))
    assert 2 < np.median(pauses) <= np.log(100)  # 20 dB are log(100); the floor takes some of it in quiet recordings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "valid"}, "'valid'.*train.*test.*other"),
        ({"n": 0}, "n=0.*at least 1"),
        ({"at": 3.9}, r"at=3\.9.*0 to 3\.04 s.*seconds="),
        ({"at": -0.1}, "at=-0.1 lies outside"),
        ({"at": (1.0, 3.9)}, "3.9.*lies outside"),
        ({"at": (2.0, 1.0)}, r"backwards.*at=\(1.0, 2.0\)"),
        ({"seconds": 0.5}, r"seconds=0\.5: the longest word takes 0\.96 s"),
        ({"snr": (25.0, 5.0)}, r"snr=\(5.0, 25.0\)"),
        ({"negatives": "hard"}, "'hard'.*any.*near"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_impossible_requests_are_refused_with_the_value_and_the_way_out(options, message):
    with pytest.raises(ValueError, match=message):
        load_welcome(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 20.5}, "n=20.5: ask for a whole number of recordings"),
        ({"at": "middle"}, "at='middle' is neither a number nor a range: give seconds"),
        ({"at": (1.0, 2.0, 3.0)}, r"at=\(1.0, 2.0, 3.0\) is neither"),
    ],
)
def test_requests_of_another_kind_are_refused_likewise(options, message):
    with pytest.raises(TypeError, match=message):
        load_welcome(**options)
