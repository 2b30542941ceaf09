"""Networks whose every answer is known: for tests of the engine, not of the weights."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from audio.suppressor.frames import BINS, Float


class Said(NamedTuple):
    """What a step gives."""

    gains: Float
    keys: Float
    voice: Float
    state: Float


class Constant:
    """The same gains for every frame, no keys, no voice. The state counts steps."""

    name = "constant"
    sha256 = "0" * 64
    state_size = 4

    def __init__(self, gain: float = 1.0, voice: float = 0.0) -> None:
        self.gain = gain
        self.voice = voice
        self.steps = 0

    def step(self, features: Float, state: Float) -> Said:
        self.steps += 1
        n = len(features)
        return Said(
            np.full((n, BINS), self.gain, np.float32),
            np.zeros(n, np.float32),
            np.full(n, self.voice, np.float32),
            state + np.float32(1),
        )


class Clicks(Constant):
    """Hears a key in each block that is 10 dB louder than those before it, and shuts the line for 120 ms.

    Like any network it speaks of the frame before the newest: a key is told two blocks after it was struck.
    """

    name = "clicks"
    state_size = 4

    def __init__(self, gain: float = 0.0, voice: float = 0.0) -> None:
        super().__init__(gain, voice)

    def step(self, features: Float, state: Float) -> Said:
        level = features[:, BINS:].max(axis=1)
        slow, held, last, before = state.T
        struck = (level > slow + 0.5) & (held == 0) & (slow != 0)
        said = super().step(features, state)
        said.gains[held == 0] = 1.0
        said.keys[before > 0] = 0.9
        slow = np.where(slow == 0, level, slow + 0.2 * np.clip(level - slow, -0.5, 0.02))
        held = np.where(struck, 12, np.maximum(held - 1, 0))
        return said._replace(state=np.stack((slow, held, struck, last), axis=1).astype(np.float32))


class Failing(Constant):
    """Raises as long as it is told to."""

    name = "failing"

    def __init__(self) -> None:
        super().__init__()
        self.broken = True

    def step(self, features: Float, state: Float) -> Said:
        if self.broken:
            raise RuntimeError("no inference today")
        return super().step(features, state)


class Spoilt(Constant):
    """Says what `spoil` makes of a step."""

    name = "spoilt"

    def __init__(self, spoil: Callable[[Said], Said]) -> None:
        super().__init__()
        self.spoil = spoil

    def step(self, features: Float, state: Float) -> Said:
        return self.spoil(super().step(features, state))


class Held(Constant):
    """Stays in its step until it is let go: an engine that is held up."""

    name = "held"

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__(gain)
        self.go = threading.Event()
        self.go.set()
        self.entered = threading.Semaphore(0)

    def step(self, features: Float, state: Float) -> Said:
        self.entered.release()
        assert self.go.wait(30)
        return super().step(features, state)
