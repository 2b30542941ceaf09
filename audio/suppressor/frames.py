"""How sound is cut into frames, what a network is given of a frame, and how frames become sound again.

     block n-1   block n          160 samples each, 10 ms at 16 kHz
    |-----------|-----------|
     \\_______ frame ______/      320 samples, weighted by the root of a Hann window before and after

A frame's features are the level in each of its 161 bins, and the level in eight steps of 1.25 ms through its newest
block, of the samples and of their differences: the bins tell what sounds, the steps tell when. The same code serves
training and calls. Functions take `out` arrays so that a running call allocates nothing.
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
_FLOOR = np.float32(FLOOR)
_SHARE = np.float32(STEPS / BLOCK)


def window() -> Float:
    """The square root of a periodic Hann window: squared and overlapped by half it sums to one."""
    phase = np.pi * (np.arange(WINDOW) + 0.5) / WINDOW
    return np.sin(phase).astype(np.float32)


_WINDOW = window()
# NumPy's transforms stay in single precision only when they scale by a factor of that precision: the windows undo it.
_AHEAD = _WINDOW * np.float32(np.sqrt(WINDOW))


def spectrum(frames: Float, out: Spectrum | None = None, work: Float | None = None) -> Spectrum:
    """Windowed spectra, (streams, 161), of the newest 320 samples of each stream, (streams, 320)."""
    weighted = np.multiply(frames, _AHEAD, out=work)
    bins = np.fft.rfft(weighted, norm="ortho", out=out)  # type: ignore[arg-type]  # its stub knows double only
    return bins.astype(np.complex64, copy=False)


def synthesis(spectra: Spectrum, out: Float | None = None) -> Float:
    """Windowed samples, (streams, 320), ready for overlap-add."""
    wave = np.fft.irfft(spectra, n=WINDOW, out=out)  # type: ignore[arg-type]  # as above
    samples = wave.astype(np.float32, copy=False)
    samples *= _WINDOW
    return samples


def power(spectra: Spectrum, out: Float, work: Float) -> Float:
    """Level of each bin, (streams, 161), on the scale of the samples' power; `work` is scratch, (streams, 322)."""
    sides = spectra.view(np.float32)
    np.multiply(sides, sides, out=work)
    np.add(work[..., 0::2], work[..., 1::2], out=out)
    out *= POWER_SCALE
    return out


def features(frames: Float, spectra: Spectrum, out: Float | None = None, work: Float | None = None) -> Float:
    """What the network is given, (streams, 177), for the newest frame of each stream; `work` is (streams, 322)."""
    lead = frames.shape[:-1]
    if out is None:
        out = np.empty((*lead, FEATURES), np.float32)
    if work is None:
        work = np.empty((*lead, 2 * BINS), np.float32)
    power(spectra, out[..., :BINS], work)
    newest = frames[..., BLOCK:]
    edges = np.subtract(newest, frames[..., BLOCK - 1 : -1], out=work[..., :BLOCK])
    steps = (*lead, STEPS, BLOCK // STEPS)
    for part, samples in ((out[..., BINS : BINS + STEPS], newest), (out[..., BINS + STEPS :], edges)):
        cut = samples.reshape(steps)
        np.einsum("...sk,...sk->...s", cut, cut, out=part)
    out[..., BINS:] *= _SHARE
    out += _FLOOR
    np.log(out, out=out)
    out *= LOG_SCALE
    out += LOG_SHIFT
    return out
