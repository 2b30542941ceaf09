"""Frames: cut, weighted, put together again."""

from __future__ import annotations

import numpy as np
import pytest

from audio.suppressor.frames import (
    BINS,
    BLOCK,
    FEATURES,
    WINDOW,
    features,
    power,
    spectrum,
    synthesis,
    window,
)
from tests.support.streams import decibels, noise

pytestmark = pytest.mark.quiet


def test_windows_squared_and_overlapped_sum_to_one() -> None:
    squared = window() ** 2
    assert np.allclose(squared[:BLOCK] + squared[BLOCK:], 1.0, atol=1e-6)


def test_frames_that_nobody_touched_add_up_to_the_signal() -> None:
    signal = noise(0.5, 0.1)
    out = np.zeros_like(signal)
    for start in range(0, len(signal) - WINDOW + 1, BLOCK):
        frame = signal[None, start : start + WINDOW]
        out[start : start + WINDOW] += synthesis(spectrum(frame))[0]
    middle = slice(BLOCK, len(signal) - BLOCK)
    assert np.abs(out[middle] - signal[middle]).max() < 1e-6


def test_silence_has_features_like_any_sound() -> None:
    silent = np.zeros((1, WINDOW), np.float32)
    given = features(silent, spectrum(silent))
    assert given.shape == (1, FEATURES)
    assert np.allclose(given, -2.0), "-100 dB is two steps of 20 dB under the centre of -60 dB"


def test_the_power_of_a_bin_is_on_the_scale_of_the_samples() -> None:
    frames = noise(20, 0.1).reshape(-1, WINDOW)
    spectra = spectrum(frames)
    levels = power(
        spectra, np.empty(spectra.shape, np.float32), np.empty((len(frames), 2 * BINS), np.float32)
    )
    assert decibels(frames) == pytest.approx(10 * np.log10(levels[:, 1 : BINS - 1].mean()), abs=0.1)


@pytest.mark.parametrize("rows", [1, 5, 64])
def test_work_arrays_change_nothing(rows: int) -> None:
    frames = noise(rows * WINDOW / 16000, 0.1).reshape(rows, WINDOW)
    plain = spectrum(frames)
    lent = spectrum(frames, np.empty((rows, BINS), np.complex64), np.empty((rows, WINDOW), np.float32))
    assert np.array_equal(plain, lent)
    kept = features(
        frames, lent, np.empty((rows, FEATURES), np.float32), np.empty((rows, 2 * BINS), np.float32)
    )
    assert np.array_equal(features(frames, plain), kept)
    assert np.array_equal(synthesis(plain), synthesis(plain, np.empty((rows, WINDOW), np.float32)))
