"""Sounds made rather than recorded: keyboards and mice of damped modes, whispered voices, rooms, backgrounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
Samples = NDArray[np.float32]
Made = tuple[int, Samples, Samples | None]


def _modes(
    rng: np.random.Generator, seconds: float, hz: NDArray[Any], tau: NDArray[Any], amp: NDArray[Any]
) -> NDArray[np.float64]:
    t = np.arange(int(seconds * RATE)) / RATE
    phase = rng.uniform(0, 2 * np.pi, len(hz))
    waves = np.sin(2 * np.pi * hz[:, None] * t + phase[:, None]) * np.exp(-t / tau[:, None])
    made: NDArray[np.float64] = (amp[:, None] * waves).sum(0)
    return made


def _hit(rng: np.random.Generator, kind: dict[str, Any], level: float) -> NDArray[np.float64]:
    """One contact: modes of the keyboard, a burst of noise, perhaps the desk."""
    hz = kind["hz"] * np.exp(0.04 * rng.standard_normal(len(kind["hz"])))
    amp = kind["amp"] * np.exp(0.5 * rng.standard_normal(len(hz)))
    y = _modes(rng, 0.25, hz, kind["tau"], amp)
    n = int(0.05 * RATE)
    burst = rng.standard_normal(n) * np.exp(-np.arange(n) / RATE / kind["burst_tau"])
    y[:n] += kind["burst"] * np.convolve(burst, kind["colour"], "same")
    y += _modes(
        rng,
        0.25,
        kind["desk_hz"],
        kind["desk_tau"],
        kind["desk"] * np.exp(0.3 * rng.standard_normal(len(kind["desk_hz"]))),
    )
    rise = int(kind["rise"] * RATE) + 1
    y[:rise] *= np.linspace(0, 1, rise)
    return np.asarray(level * y / (np.abs(y).max() + 1e-9))


def _kind(rng: np.random.Generator, mouse: bool) -> dict[str, Any]:
    count = int(rng.integers(3, 14))
    low, high = (900, 7000) if mouse else (rng.uniform(150, 1500), rng.uniform(2500, 7600))
    hz = np.exp(rng.uniform(np.log(low), np.log(high), count))
    tau = (
        (0.002 if mouse else rng.uniform(0.002, 0.02))
        * (2000 / hz) ** 0.5
        * np.exp(0.4 * rng.standard_normal(count))
    )
    tilt = rng.uniform(-1.2, 0.4)
    desks = int(rng.integers(1, 4))
    thump = 0.0 if mouse else float(rng.choice([0.0, 10 ** (rng.uniform(-15, 10) / 20)], p=[0.35, 0.65]))
    return {
        "hz": hz,
        "tau": tau,
        "amp": (hz / 1000) ** tilt,
        "burst": 10 ** (rng.uniform(-15, 8) / 20),
        "burst_tau": rng.uniform(0.0004, 0.006),
        "colour": rng.standard_normal(int(rng.integers(1, 12))) / 2,
        "desk_hz": rng.uniform(60, 320, desks),
        "desk_tau": rng.uniform(0.008, 0.06, desks),
        "desk": thump * 10 ** (rng.uniform(-6, 6, desks) / 20) * count**0.5,
        "rise": rng.uniform(0, 0.0015),
        "touch": rng.random() < 0.4,
        "release_db": rng.uniform(-16, 0),
    }


def _stroke(rng: np.random.Generator, kind: dict[str, Any]) -> Made:
    press = int(0.016 * RATE)
    y = np.zeros(press + int(0.25 * RATE))
    if kind["touch"]:
        at = press - int(rng.uniform(0.002, 0.014) * RATE)
        touch = _hit(rng, kind, 10 ** (rng.uniform(-22, -4) / 20))
        y[at : at + len(touch)] += touch
    y[press:] += _hit(rng, kind, 1.0)
    y[-400:] *= np.linspace(1, 0, 400)
    release = _hit(rng, kind, 10 ** (kind["release_db"] / 20) * np.exp(0.2 * rng.standard_normal()))
    release[-400:] *= np.linspace(1, 0, 400)
    return press, y.astype(np.float32), release.astype(np.float32)


def keyboards(
    rng: np.random.Generator, boards: int = 160, mice: int = 24
) -> Iterator[tuple[str, list[Made]]]:
    """Keyboards and mice that nobody built."""
    for n in range(boards + mice):
        kind = _kind(rng, mouse := n >= boards)
        yield (
            f"{'mouse' if mouse else 'made'}{n:03d}",
            [_stroke(rng, kind) for _ in range(6 if mouse else 12)],
        )


def whisper(x: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float64]:
    """The same words without a voice: the spectral envelope of each 20 ms, filled with noise."""
    size, hop, lift = 512, 128, 18
    w = np.hanning(size)
    starts = np.arange(0, len(x) - size, hop)
    spectra = np.fft.rfft(x[starts[:, None] + np.arange(size)] * w, axis=1)
    cepstra = np.fft.irfft(np.log(np.abs(spectra) + 1e-5), axis=1)
    cepstra[:, lift : size - lift] = 0
    envelope = np.exp(np.fft.rfft(cepstra, axis=1).real)
    hz = np.fft.rfftfreq(size, 1 / RATE)
    envelope *= np.clip(hz / 900, 0.05, 1.6) ** 0.8
    noise = np.fft.rfft(rng.standard_normal(len(x))[starts[:, None] + np.arange(size)] * w, axis=1)
    frames = np.fft.irfft(envelope * noise, size, axis=1) * w
    y = np.zeros(len(x))
    for k, frame in zip(starts, frames, strict=True):
        y[k : k + size] += frame
    return np.asarray(y / (np.abs(y).max() + 1e-9))


def room(rng: np.random.Generator) -> Samples:
    """The tail of a room, energy one, without the direct sound."""
    rt = rng.uniform(0.1, 0.55)
    n = int(min(rt * 1.1, 0.45) * RATE)
    t = np.arange(n) / RATE
    h = rng.standard_normal(n) * 10 ** (-3 * t / rt)
    h = np.convolve(h, [0.25, 0.5, 0.25] if rng.random() < 0.5 else [1.0], "same")
    h[: int(rng.uniform(0.0015, 0.006) * RATE)] = 0
    return np.asarray(h / np.sqrt(np.sum(h**2)), np.float32)


def noise(rng: np.random.Generator, seconds: int = 20) -> Samples:
    """A background of power one: white to brown, hum, or an office that swells and ebbs."""
    n = seconds * RATE
    hz = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 30)
    y = np.fft.irfft(
        np.fft.rfft(rng.standard_normal(n)) * (hz / 1000) ** -rng.choice([0.0, 0.5, 0.5, 0.75, 1.0]), n
    )
    y /= y.std()
    t = np.arange(n) / RATE
    if rng.random() < 0.3:
        swell = np.interp(t, np.arange(seconds + 1), rng.uniform(-6, 6, seconds + 1))
        y *= 10 ** (swell / 20)
    if rng.random() < 0.25:
        for k in range(1, 8):
            y += rng.uniform(0, 1.2) / k * np.sin(2 * np.pi * 50 * k * t + rng.uniform(0, 6.28))
    return np.asarray(y / y.std(), np.float32)
