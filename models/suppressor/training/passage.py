"""The whole mix's own way to us by telephone: A-law at 8 kHz, or Opus as browsers send it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from models.suppressor.training.bank import RATE, Samples
from models.suppressor.training.codecs import coded

OPUS_BITS = (12_000, 20_000, 32_000, 64_000)


def alaw_levels() -> NDArray[np.float32]:
    """Every value that A-law can say, in order."""
    segment, step = np.divmod(np.arange(128), 16)
    size = np.where(segment == 0, 2 * step + 1, (2 * step + 33) << np.maximum(segment - 1, 0)) / 4096
    return np.concatenate([-size[::-1], size]).astype(np.float32)


LEVELS = alaw_levels()
BETWEEN = (LEVELS[1:] + LEVELS[:-1]) / 2


def narrowed(x: Samples, edge_hz: float) -> Samples:
    """At 8 kHz, with nothing much above the edge."""
    kept = rfft(x)[: len(x) // 4 + 1]
    hz = np.arange(len(kept)) * RATE / len(x)
    kept *= np.clip((4000 - hz) / max(4000 - edge_hz, 1.0), 0, 1)
    return np.asarray(irfft(kept, len(x) // 2) / 2, np.float32)


def widened(x: Samples) -> Samples:
    """Back at 16 kHz."""
    spectrum = rfft(x)
    spectrum[-1] = 0
    return np.asarray(irfft(np.pad(spectrum, (0, len(x) // 2)), 2 * len(x)) * 2, np.float32)


def alaw(x: Samples) -> Samples:
    return LEVELS[np.searchsorted(BETWEEN, x)]


def by_phone(rng: np.random.Generator, mix: Samples, *parts: Samples) -> tuple[Samples, ...]:
    """The mix after A-law, its parts with the same band: what is lost to coarse steps is nobody's target."""
    edge = float(rng.uniform(3300, 3950))
    heard = widened(alaw(narrowed(mix, edge)))
    return (heard, *(widened(narrowed(part, edge)) for part in parts))


def by_browser(rng: np.random.Generator, mix: Samples, voice: Samples) -> tuple[Samples, Samples]:
    """The mix after Opus, and the voice after Opus alone: what the coder changes is not for us to mend."""
    line = ("opus", "libopus", int(rng.choice(OPUS_BITS)))
    heard = coded(mix, line).astype(np.float32)
    return heard, coded(voice, line).astype(np.float32) if voice.any() else voice
