"""Minutes in which nobody speaks: silence, noise, hum, music, breathing, sobbing and typing, made from numbers alone.

Each kind is a function of a seed and gives a minute at 16 kHz, unlike its other minutes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

RATE = 16_000
MINUTE = 60 * RATE

Sound = NDArray[np.float64]
Noise = np.random.Generator


def silence(rng: Noise) -> Sound:
    """A dead line, or one with the least of a noise."""
    return rng.normal(0, 2e-5, MINUTE) if rng.random() < 0.7 else np.zeros(MINUTE)


def noise(rng: Noise) -> Sound:
    """Wind, traffic, a bad line: coloured noise that swells."""
    low = float(rng.uniform(60, 300))
    high = float(rng.uniform(1500, 7000))
    return _band(rng.normal(0, 1, MINUTE), low, high) * _swell(rng, 0.3) * float(rng.uniform(0.003, 0.1))


def hum(rng: Noise) -> Sound:
    """Mains and its harmonics, with clicks on the line."""
    t = np.arange(MINUTE) / RATE
    out = np.zeros(MINUTE)
    for k in range(1, 12):
        out += np.sin(2 * np.pi * 50 * k * t + rng.uniform(0, 6)) * rng.uniform(0, 1) / k
    clicks = rng.random(MINUTE) < 3 / RATE
    return out * float(rng.uniform(0.01, 0.1)) + clicks * rng.normal(0, 0.3, MINUTE)


def music(rng: Noise) -> Sound:
    """A queue's melody: chords of plucked and of sustained notes."""
    out = np.zeros(MINUTE)
    beat = int(rng.uniform(0.3, 0.6) * RATE)
    scale = 220 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16]) / 12)
    for start in range(0, MINUTE - 4 * beat, beat):
        length = int(rng.integers(1, 4)) * beat
        t = np.arange(length) / RATE
        pitch = float(rng.choice(scale))
        for k in range(1, 5):
            out[start : start + length] += np.sin(2 * np.pi * pitch * k * t) * np.exp(-t * 3) / k**1.5
    loudest = float(np.max(np.abs(out)))
    return out * (float(rng.uniform(0.05, 0.4)) / loudest)


def breathing(rng: Noise) -> Sound:
    """Breath against the microphone, in and out."""
    t = np.arange(MINUTE) / RATE
    pace = np.cumsum(0.3 + 0.08 * _swell(rng, 0.1)) / RATE
    breath = np.clip(np.sin(2 * np.pi * pace), 0, None) ** 0.5
    return _band(rng.normal(0, 1, MINUTE), 250, 3000) * breath * float(rng.uniform(0.01, 0.08)) + 0 * t


def sobbing(rng: Noise) -> Sound:
    """Catches of breath and whimpers: short gliding tones with breath in them, no formants that move as in words."""
    out = rng.normal(0, 1e-4, MINUTE)
    at = 0
    while at < MINUTE - 2 * RATE:
        at += int(rng.uniform(0.4, 2.5) * RATE)
        length = int(rng.uniform(0.1, 0.35) * RATE)
        if at + length >= MINUTE:
            break
        t = np.linspace(0, 1, length)
        breath = _band(rng.normal(0, 1, length), 600, 4000)
        pitch = rng.uniform(500, 900) * (1 - 0.3 * t)
        tone = np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
        out[at : at + length] += np.hanning(length) * (0.05 * breath + float(rng.uniform(0, 0.06)) * tone)
    return out


def typing(rng: Noise) -> Sound:
    """Keys: a knock of the case under a click, six a second, in bursts."""
    out = rng.normal(0, 2e-4, MINUTE)
    at = 0
    while at < MINUTE - RATE:
        at += int(rng.exponential(0.16) * RATE) + int(rng.random() < 0.08) * 2 * RATE
        length = int(0.06 * RATE)
        if at + length >= MINUTE:
            break
        t = np.arange(length) / RATE
        click = _band(rng.normal(0, 1, length), 1500, 6000) * np.exp(-t * 180)
        knock = np.sin(2 * np.pi * rng.uniform(150, 400) * t) * np.exp(-t * 90)
        out[at : at + length] += (0.4 * click + 0.2 * knock) * float(rng.uniform(0.05, 0.5))
    return out


KINDS: dict[str, Callable[[Noise], Sound]] = {
    "silence": silence,
    "noise": noise,
    "hum": hum,
    "music": music,
    "breathing": breathing,
    "sobbing": sobbing,
    "typing": typing,
}


def minute(kind: str, seed: int) -> NDArray[np.int16]:
    """A minute of this kind."""
    made = KINDS[kind](np.random.default_rng([seed, *kind.encode()]))
    heard: NDArray[np.int16] = np.clip(made * 32767, -32768, 32767).astype(np.int16)
    return heard


def _band(sound: Sound, low: float, high: float) -> Sound:
    filtered: Sound = sosfilt(butter(2, [low, high], "band", fs=RATE, output="sos"), sound)
    return filtered


def _swell(rng: Noise, hz: float) -> Sound:
    """Between 0 and 1, slowly."""
    points = rng.random(int(60 * hz) + 2)
    return np.interp(np.arange(MINUTE) / RATE, np.linspace(0, 60, len(points)), points)
