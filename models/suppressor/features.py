"""What the network sees of a block: one place for training and for the running call.

A frame is the newest 320 samples (20 ms) at 16 kHz, taken every 160 (10 ms). Its features are the level in
each of the 161 bins and the level in eight steps of 1.25 ms through the newest block, of the samples and of
their differences: the bins tell what sounds, the steps tell when.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
BLOCK = 160
WINDOW = 320
BINS = WINDOW // 2 + 1
STEPS = 8
FEATURES = BINS + 2 * STEPS
LATENCY = 320
"""Samples by which the output lags the input, whole block in to whole block out: a block of overlap and one of
look-ahead."""

Float = NDArray[np.float32]
Spectrum = NDArray[np.complex64]

FLOOR = 1e-10
"""Power under which nothing is told apart: -100 dB re full scale."""
CENTRE_DB = -60.0
SPAN_DB = 20.0
LOG_SCALE = np.float32(10.0 / np.log(10.0) / SPAN_DB)
LOG_SHIFT = np.float32(-CENTRE_DB / SPAN_DB)
POWER_SCALE = np.float32(2.0 / WINDOW)
"""One over the window's energy: white noise has the same level in every bin as in the samples."""


def window() -> Float:
    """The square root of a periodic Hann window: squared and overlapped by half it sums to one."""
    phase = np.pi * (np.arange(WINDOW) + 0.5) / WINDOW
    return np.sin(phase).astype(np.float32)


_WINDOW = window()


def spectrum(frames: Float) -> Spectrum:
    """Windowed spectra, (streams, 161), of the newest 320 samples of each stream, (streams, 320)."""
    return np.fft.rfft(frames * _WINDOW, axis=-1).astype(np.complex64, copy=False)


def synthesis(spectra: Spectrum) -> Float:
    """Windowed samples, (streams, 320), ready for overlap-add."""
    samples = np.fft.irfft(spectra, n=WINDOW, axis=-1).astype(np.float32, copy=False)
    return samples * _WINDOW


def features(frames: Float, spectra: Spectrum) -> Float:
    """What the network is given, (streams, 177), for the newest frame of each stream."""
    out = np.empty((*frames.shape[:-1], FEATURES), np.float32)
    np.multiply(spectra.real, spectra.real, out=out[..., :BINS])
    out[..., :BINS] += spectra.imag * spectra.imag
    out[..., :BINS] *= POWER_SCALE
    newest = frames[..., BLOCK:]
    steps = newest.reshape(*newest.shape[:-1], STEPS, BLOCK // STEPS)
    edges = (newest - frames[..., BLOCK - 1 : -1]).reshape(steps.shape)
    out[..., BINS : BINS + STEPS] = np.einsum("...sk,...sk->...s", steps, steps) * np.float32(STEPS / BLOCK)
    out[..., BINS + STEPS :] = np.einsum("...sk,...sk->...s", edges, edges) * np.float32(STEPS / BLOCK)
    out += np.float32(FLOOR)
    np.log(out, out=out)
    out *= LOG_SCALE
    out += LOG_SHIFT
    return out
