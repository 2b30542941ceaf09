"""The least that turns blocks into quiet blocks: the reference that benchmarks and tests hold the engine to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.suppressor.strokes import strokes as peaks
from models.suppressor.features import BINS, BLOCK, RATE, WINDOW, Float, features, spectrum, synthesis
from models.suppressor.network import Network


@dataclass(frozen=True)
class Heard:
    """A whole signal made quiet, with what the network said about each block."""

    samples: Float
    """As long as the input, and LATENCY samples behind it."""
    keys: Float
    """(blocks,), probability of a struck key in the frame before the block's newest."""
    voice: Float
    """(blocks,), probability of speech in the same frame."""


class Stream:
    """Any number of streams in step: blocks (streams, 160) in, blocks out, 320 samples later."""

    def __init__(self, network: Network, streams: int = 1) -> None:
        self._network = network
        self._frames = np.zeros((streams, WINDOW), np.float32)
        self._before = np.zeros((streams, BINS), np.complex64)
        self._tail = np.zeros((streams, BLOCK), np.float32)
        self._state = network.initial(streams)
        self.keys = np.zeros(streams, np.float32)
        self.voice = np.zeros(streams, np.float32)

    def step(self, blocks: Float) -> Float:
        """One block of every stream."""
        self._frames[:, :BLOCK] = self._frames[:, BLOCK:]
        self._frames[:, BLOCK:] = blocks
        now = spectrum(self._frames)
        step = self._network.step(features(self._frames, now), self._state)
        frames = synthesis(self._before * step.gains)
        out: Float = frames[:, :BLOCK] + self._tail
        self._tail = frames[:, BLOCK:]
        self._before, self._state, self.keys, self.voice = now, step.state, step.keys, step.voice
        return out


def hear(network: Network, samples: NDArray[np.floating]) -> Heard:
    """A mono signal at 16 kHz of any length, block by block; the last block is filled up with silence."""
    stream = Stream(network)
    count = -(-len(samples) // BLOCK)
    padded = np.zeros(count * BLOCK, np.float32)
    padded[: len(samples)] = samples
    out = np.empty_like(padded)
    keys, voice = np.empty(count, np.float32), np.empty(count, np.float32)
    for n in range(count):
        here = slice(n * BLOCK, (n + 1) * BLOCK)
        out[here] = stream.step(padded[here][None])[0]
        keys[n], voice[n] = stream.keys[0], stream.voice[0]
    return Heard(out[: len(samples)], keys, voice)


def strokes(keys: Float) -> list[float]:
    """Seconds into the input at which keys were struck, from the network's output for each block."""
    return [max(0.0, (n - 0.5) * BLOCK / RATE) for n in peaks(keys.tolist())]
