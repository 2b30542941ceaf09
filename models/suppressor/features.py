"""What the network sees of a block: the engine's own code, so that training and calls cannot drift apart."""

from __future__ import annotations

from audio.suppressor.frames import (
    BINS,
    BLOCK,
    FEATURES,
    FLOOR,
    LATENCY,
    LOG_SCALE,
    LOG_SHIFT,
    POWER_SCALE,
    RATE,
    STEPS,
    WINDOW,
    Float,
    Spectrum,
    features,
    spectrum,
    synthesis,
    window,
)

__all__ = [
    "BINS",
    "BLOCK",
    "FEATURES",
    "FLOOR",
    "LATENCY",
    "LOG_SCALE",
    "LOG_SHIFT",
    "POWER_SCALE",
    "RATE",
    "STEPS",
    "WINDOW",
    "Float",
    "Spectrum",
    "features",
    "spectrum",
    "synthesis",
    "window",
]
