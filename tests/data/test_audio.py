"""Log-mel spectrograms, resampling and mu-law against slow, separate calculations."""

import numpy as np
import pytest

from cnnlab.data import log_mel, mu_law_decode, normalize_log_mel
from cnnlab.data.audio import band_centers, mel_filters, mu_law_encode, resample


def tone(hertz, seconds=1.0, rate=8000, amplitude=0.1):
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def one_frame_by_hand(wave, t):
    """One frame of 20 bands with explicit sums: window, DFT, triangles, logarithm, mean of 2 × 2."""
    to_mel = lambda f: 2595 * np.log10(1 + f / 700)  # noqa: E731
    corners = [700 * (10 ** (m / 2595) - 1) for m in np.linspace(to_mel(60), to_mel(3900), 42)]
    rows = []
    for half in (0, 1):
        start = 160 * t + 80 * half - 60
        power = []
        for k in range(129):
            total = 0j
            for i in range(200):
                if 0 <= start + i < len(wave):
                    window = 0.5 - 0.5 * np.cos(2 * np.pi * i / 199)
                    total += wave[start + i] * window * np.exp(-2j * np.pi * k * i / 256)
            power.append(abs(total) ** 2)
        row = []
        for low, peak, high in zip(corners, corners[1:], corners[2:], strict=False):
            weights = [
                max(0, min((f - low) / (peak - low), (high - f) / (high - peak))) for f in np.arange(129) * 31.25
            ]
            row.append(np.log(np.dot(weights, power) + 1e-3))
        rows.append(row)
    return [sum(rows[h][2 * b + j] for h in (0, 1) for j in (0, 1)) / 4 for b in range(20)]


@pytest.mark.parametrize("t", [0, 3, 6])  # the first and the last frame reach over the ends
def test_log_mel_follows_its_definition(t):
    wave = np.random.default_rng(1).normal(0, 0.1, 7 * 160 + 45)
    x = log_mel(wave, normalize=False)
    assert x.shape == (20, 7)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x[:, t], one_frame_by_hand(wave[: 7 * 160], t), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("band", [2, 9, 18])
def test_tone_is_loudest_in_its_band(band):
    x = log_mel(tone(band_centers()[band]), normalize=False)
    assert (x.argmax(axis=0)[1:-1] == band).all()


@pytest.mark.parametrize("t", [0, 17, 49])
def test_click_shows_in_the_frame_of_its_time(t):
    wave = np.zeros(8000)
    wave[160 * t + 80] = 0.9
    assert log_mel(wave, normalize=False).sum(axis=0).argmax() == t


def test_four_times_the_power_adds_log_four_to_what_is_above_the_floor():
    wave = np.random.default_rng(2).normal(0, 0.3, 8000)
    shift = log_mel(2 * wave, normalize=False) - log_mel(wave, normalize=False)
    np.testing.assert_allclose(shift, np.log(4), atol=0.05)


def test_silence_is_the_logarithm_of_the_floor():
    np.testing.assert_allclose(log_mel(np.zeros(800), normalize=False), np.log(1e-3), rtol=1e-6)


def test_normalizing_removes_loudness_and_channel():
    x = np.random.default_rng(3).normal(size=(2, 20, 31)).astype(np.float32)
    louder_channel = x + np.linspace(-3, 5, 20, dtype=np.float32)[:, None]
    np.testing.assert_allclose(normalize_log_mel(louder_channel), normalize_log_mel(x), atol=1e-5)
    np.testing.assert_allclose(normalize_log_mel(x).mean(axis=-1), 0, atol=1e-6)
    np.testing.assert_allclose(normalize_log_mel(x).std(), (x - x.mean(-1, keepdims=True)).std() / 2, rtol=1e-5)


def test_log_mel_normalizes_unless_told_otherwise():
    wave = np.random.default_rng(4).normal(0, 0.1, 4000)
    np.testing.assert_array_equal(log_mel(wave), normalize_log_mel(log_mel(wave, normalize=False)))


def test_every_filter_has_weight_and_only_between_60_and_3900_hz():
    filters = mel_filters()
    hertz = np.arange(129) * 31.25
    assert (filters.sum(axis=1) > 0.3).all()
    assert not filters[:, (hertz <= 60) | (hertz >= 3900)].any()


@pytest.mark.parametrize("rate", [6000, 11025, 16000, 22050, 44100])
def test_resampling_keeps_a_tone(rate):
    wave = tone(440, 0.73, rate)
    there = resample(wave, rate, 8000)
    assert len(there) == round(len(wave) * 8000 / rate)
    middle = slice(500, len(there) - 500)
    np.testing.assert_allclose(there[middle], tone(440, 0.73)[: len(there)][middle], atol=1e-3)


def test_resampling_cuts_what_the_new_rate_cannot_hold():
    assert np.abs(resample(tone(6000, rate=16000), 16000, 8000)[500:-500]).max() < 1e-3


def test_log_mel_of_another_rate_is_that_of_8_khz():
    np.testing.assert_allclose(
        log_mel(tone(700, rate=16000), 16000, normalize=False)[:, 2:-2],
        log_mel(tone(700), normalize=False)[:, 2:-2],
        atol=0.05,
    )


def test_mu_law_keeps_every_code_and_is_finer_near_zero():
    codes = np.arange(256, dtype=np.uint8)
    waves = mu_law_decode(codes)
    np.testing.assert_array_equal(mu_law_encode(waves), codes)
    assert (np.diff(waves) > 0).all()
    assert (waves[0], waves[-1]) == (-1, 1)
    x = np.random.default_rng(5).uniform(-1, 1, 1000)
    error = np.abs(mu_law_decode(mu_law_encode(x)) - x)
    assert (error <= 0.0225 * np.abs(x) + 1e-4).all()  # half a step of ln(256)/127.5, relative


@pytest.mark.parametrize(
    ("wave", "rate", "message"),
    [
        (np.zeros((2, 800)), 8000, r"shape \(2, 800\).*one channel"),
        (np.zeros(800, np.int16), 8000, "int16.*32768"),
        (np.zeros(159), 8000, "159 samples.*160"),
        (np.zeros(800), 0, "0 and 8000.*positive"),
    ],
)
def test_unusable_sound_is_refused_with_the_value_and_the_way_out(wave, rate, message):
    with pytest.raises(ValueError, match=message):
        log_mel(wave, rate)
