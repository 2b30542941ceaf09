"""Sound driven through an engine, and sounds to drive through it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from audio.suppressor import BLOCK, RATE, Engine, StrokeInfo
from audio.suppressor.frames import Float


class Ear:
    """Hears a stream's blocks, and can be waited for."""

    def __init__(self) -> None:
        self.blocks: list[Float] = []
        self.infos: list[StrokeInfo] = []
        self._more = threading.Condition()

    def __call__(self, out: Float, info: StrokeInfo) -> None:
        with self._more:
            self.blocks.append(out)
            self.infos.append(info)
            self._more.notify_all()

    def wait(self, count: int) -> None:
        """Until this many blocks have come."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.blocks) >= count, 30), (
                f"{len(self.blocks)} of {count} blocks"
            )

    @property
    def heard(self) -> Float:
        """All of it."""
        return np.concatenate(self.blocks) if self.blocks else np.zeros(0, np.float32)


def through(engine: Engine, signal: Float, **options: bool) -> Float:
    """A signal through a stream of its own, as it comes out: 320 samples behind."""
    ear = Ear()
    stream = engine.open(ear, **options)
    for n in range(len(signal) // BLOCK):
        stream.push(signal[n * BLOCK : (n + 1) * BLOCK])
        ear.wait(n + 1)
    stream.close()
    return ear.heard


def noise(seconds: float, level: float, seed: int = 1) -> Float:
    """White noise."""
    count = int(seconds * RATE)
    return (np.random.default_rng(seed).standard_normal(count) * level).astype(np.float32)


def clicks(
    seconds: float, at: Sequence[float], level: float = 0.3, length_ms: float = 15.0, seed: int = 2
) -> Float:
    """Decaying bursts of noise at these seconds."""
    out = np.zeros(int(seconds * RATE), np.float32)
    n = int(length_ms * RATE / 1000)
    rng = np.random.default_rng(seed)
    for time in at:
        start = int(time * RATE)
        burst = rng.standard_normal(n) * np.exp(-np.arange(n) / (n / 4)) * level
        out[start : start + n] += burst[: len(out) - start].astype(np.float32)
    return out


def decibels(samples: Float) -> float:
    """Level, dBFS."""
    return float(10 * np.log10(max(float(np.mean(samples.astype(np.float64) ** 2)), 1e-14)))
