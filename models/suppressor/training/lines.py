"""What stands between a mouth or a key and us: equalisers, headsets, desks, gain control, a hard ceiling."""

from __future__ import annotations

import numpy as np

from models.suppressor.training.bank import RATE, Samples, frame_db

HOP = 160
TAPS = 256


def power(db: float) -> float:
    return float(10 ** (db / 20))


def equaliser(rng: np.random.Generator, strength: float, band: bool = False) -> Samples:
    """A minimum-phase filter: tilt, two or three broad humps, perhaps the band of a headset or telephone."""
    hz = np.maximum(np.fft.rfftfreq(1024, 1 / RATE), 20)
    octave = np.log2(hz / 1000)
    db = rng.normal(0, strength / 3) * octave
    for _ in range(int(rng.integers(1, 4))):
        db += rng.normal(0, strength) * np.exp(
            -0.5 * ((octave - rng.uniform(-3.5, 3)) / rng.uniform(0.2, 1.2)) ** 2
        )
    if band:
        low, high = (300, 3400) if rng.random() < 0.35 else (rng.uniform(60, 350), rng.uniform(3300, 7800))
        db -= 10 * np.log10(1 + (low / hz) ** (2 * rng.integers(2, 5)))
        db -= 10 * np.log10(1 + (hz / high) ** (2 * rng.integers(3, 9)))
    cepstrum = np.fft.irfft(np.maximum(db, -70) * np.log(10) / 20)
    cepstrum[1:512] *= 2
    cepstrum[513:] = 0
    fir = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))[:TAPS]
    fir[-64:] *= np.linspace(1, 0, 64)
    return fir.astype(np.float32)


def desk_ringing(rng: np.random.Generator) -> Samples:
    """Modes of a desk at 60-300 Hz that a stroke sets ringing, as an impulse response."""
    t = np.arange(int(0.2 * RATE)) / RATE
    h = np.zeros(len(t))
    for _ in range(int(rng.integers(1, 4))):
        hz, q = rng.uniform(60, 300), np.exp(rng.uniform(np.log(2), np.log(20)))
        h += power(rng.uniform(-34, -4)) * np.exp(-np.pi * hz / q * t) * np.sin(2 * np.pi * hz * t)
    return h.astype(np.float32)


def gain_control(rng: np.random.Generator, mix: Samples) -> Samples:
    """A slow automatic gain, as drivers and headsets have: a curve over the samples."""
    level = frame_db(mix, 10)
    target, ratio = rng.uniform(-30, -18), rng.uniform(0.3, 0.9)
    rise, fall = rng.uniform(0.05, 0.6), rng.uniform(0.005, 0.05)
    env = -30.0
    curve = np.empty(len(level), np.float32)
    for k, db in enumerate(level):
        if db > -60:
            env += (db - env) * (rise if db > env else fall)
        curve[k] = np.clip((target - env) * ratio, -18, 18)
    return np.asarray(
        10 ** (np.interp(np.arange(len(mix)) / HOP, np.arange(len(curve)), curve) / 20), np.float32
    )


def ceiling(rng: np.random.Generator, mix: Samples) -> Samples:
    """A microphone that is now and then too loud for what is behind it."""
    if rng.random() > 0.04:
        return mix
    top = power(rng.uniform(-9, -1)) * np.abs(mix).max()
    return np.asarray(np.clip(mix, -top, top), np.float32)
