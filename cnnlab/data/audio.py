"""Sound as a picture: log-mel spectrograms, mu-law bytes and resampling, in NumPy alone."""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

SAMPLE_RATE = 8000
BANDS = 20
FRAME_SECONDS = 0.02
FRAME_SAMPLES = 160

FLOOR = 1e-3  # added to every mel power, so that silence has a finite logarithm
_WINDOW, _HOP, _FFT = 200, 80, 256
_FINE_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 40, 60.0, 3900.0
_MU = 255.0

Floats = NDArray[np.float32]


def log_mel(wave: ArrayLike, sample_rate: int = SAMPLE_RATE, *, normalize: bool = True) -> Floats:
    """Turn a sound into a log-mel spectrogram of 20 bands and 20 ms frames.

    Windows of 25 ms every 10 ms, power spectrum, 40 triangular mel bands from 60 to 3900 Hz,
    logarithm, then the mean over 2 bands × 2 frames. Frame ``t`` is centered on samples
    ``160·t … 160·t + 159`` (at 8 kHz), so places in the sound and in the spectrogram agree.

    Parameters
    ----------
    wave : array of float, shape (samples,)
        One channel, amplitudes in -1 … 1.
    sample_rate : int
        Samples per second; anything but 8000 is resampled first.
    normalize : bool
        Also apply `normalize_log_mel`, which every net in the course expects.

    Returns
    -------
    array of float32, shape (20, T)
        Band × frame, lowest band first; T = samples // 160 at 8 kHz.

    Raises
    ------
    ValueError
        If the wave is not one channel, holds integers or is shorter than a frame.

    Examples
    --------
    >>> tone = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    >>> log_mel(tone).shape
    (20, 50)
    """
    samples = np.asarray(wave)
    if samples.ndim != 1:
        raise ValueError(f"wave has shape {samples.shape}: pass one channel, shape (samples,)")
    if not np.issubdtype(samples.dtype, np.floating):
        raise ValueError(
            f"wave has dtype {samples.dtype}: scale it to floats in -1 … 1 (divide 16-bit samples by 32768)"
        )
    samples = resample(samples, sample_rate, SAMPLE_RATE)
    if len(samples) < FRAME_SAMPLES:
        raise ValueError(f"wave has {len(samples)} samples at 8 kHz: one frame needs {FRAME_SAMPLES}")
    T = len(samples) // FRAME_SAMPLES
    margin = (_WINDOW - _HOP) // 2  # centers each window on its own hop
    padded = np.pad(samples[: T * FRAME_SAMPLES], margin)
    windows = sliding_window_view(padded, _WINDOW)[::_HOP] * np.hanning(_WINDOW)  # (2T, 200)
    power = np.abs(np.fft.rfft(windows, _FFT)) ** 2  # (2T, 129)
    fine = np.log(power @ mel_filters().T + FLOOR)  # (2T, 40)
    coarse = fine.reshape(T, 2, BANDS, 2).mean(axis=(1, 3)).T.astype(np.float32)  # (20, T)
    return normalize_log_mel(coarse) if normalize else coarse


def normalize_log_mel(x: Floats) -> Floats:
    """Subtract each band's mean over time and halve the rest.

    The mean of a band holds the loudness of the recording and the color of the microphone, neither
    of which tells one word from another; halving brings the spread close to 1.

    Parameters
    ----------
    x : array of float, shape (..., 20, T)
        Log-mel spectrograms in natural units (log power).

    Returns
    -------
    array of float32, same shape
    """
    normalized: Floats = ((x - x.mean(axis=-1, keepdims=True)) / 2).astype(np.float32)
    return normalized


@cache
def mel_filters() -> Floats:
    """Return the 40 triangular filters over 129 FFT bins, evenly spaced in mel (2595·log10(1 + f/700)).

    Returns
    -------
    array of float32, shape (40, 129), read-only
    """
    edges_mel = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), _FINE_BANDS + 2)
    edges = 700 * (10 ** (edges_mel / 2595) - 1)
    bins = np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT
    low, peak, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    filters = np.maximum(0, np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak))).astype(np.float32)
    filters.setflags(write=False)
    return filters


def band_centers() -> NDArray[np.float64]:
    """Return the center frequency of each of the 20 bands in Hz, shape (20,)."""
    fine = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), _FINE_BANDS + 2)[1:-1]
    centers: NDArray[np.float64] = 700 * (10 ** (fine.reshape(BANDS, 2).mean(axis=1) / 2595) - 1)
    return centers


def resample(wave: NDArray[np.floating], sample_rate: int, new_rate: int) -> NDArray[np.floating]:
    """Change the sample rate of a sound by cutting or extending its spectrum.

    Parameters
    ----------
    wave : array of float, shape (samples,)
    sample_rate, new_rate : int
        Samples per second before and after.

    Returns
    -------
    array of float, shape (round(samples · new_rate / sample_rate),)

    Raises
    ------
    ValueError
        If a rate is not positive.
    """
    if sample_rate <= 0 or new_rate <= 0:
        raise ValueError(f"sample rates {sample_rate} and {new_rate}: both must be positive")
    if sample_rate == new_rate or len(wave) == 0:
        return wave
    length = round(len(wave) * new_rate / sample_rate)
    # A spectrum belongs to a sound that repeats for ever: silence at the end keeps the two ends apart.
    padded = np.pad(wave, (0, sample_rate // 10 + (-len(wave) - sample_rate // 10) % sample_rate))
    spectrum = np.fft.rfft(padded)
    new_length = len(padded) // sample_rate * new_rate
    kept = np.zeros(new_length // 2 + 1, spectrum.dtype)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    return (np.fft.irfft(kept, new_length) * (new_length / len(padded)))[:length].astype(wave.dtype)


def mu_law_encode(wave: ArrayLike) -> NDArray[np.uint8]:
    """Store amplitudes in -1 … 1 as one byte each, finer near zero (ITU-T G.711's μ-law curve, μ = 255)."""
    samples = np.clip(np.asarray(wave, dtype=np.float64), -1, 1)
    curved = np.sign(samples) * np.log1p(_MU * np.abs(samples)) / np.log1p(_MU)
    code: NDArray[np.uint8] = np.round((curved + 1) * 127.5).astype(np.uint8)
    return code


def mu_law_decode(code: NDArray[np.uint8]) -> Floats:
    """Return the amplitudes, float32 in -1 … 1, that `mu_law_encode` stored."""
    curved = code.astype(np.float64) / 127.5 - 1
    wave: Floats = (np.sign(curved) * np.expm1(np.abs(curved) * np.log1p(_MU)) / _MU).astype(np.float32)
    return wave


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))
