"""The same quiet for a file: pieces in, as much out, in step with the input."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audio.suppressor.bank import Bank
from audio.suppressor.frames import BINS, BLOCK, LATENCY, Float
from audio.suppressor.network import Network
from audio.suppressor.proof import Proof
from audio.suppressor.stream import samples

TOP = slice(BINS * 3 // 4, BINS)
"""The bins of 6 to 8 kHz: what is done to them is right for what lies above, too."""


class Stroke(NamedTuple):
    """A keystroke that was found."""

    at_samples: int
    level_db: float
    """Its loudest 8 ms in the input, dBFS."""


class Suppressor:
    """A signal at 16 kHz made quiet, without a thread and without delay: sample k out belongs to sample k in.

    Raises what the network raises.
    """

    def __init__(self, network: Network, comfort: bool = False, *, voices: bool = False) -> None:
        self._network = network
        self._keeps_voices = voices
        self._bank = Bank(network, 1, comfort)
        self._slot = np.zeros(1, np.intp)
        self._begin()

    def _begin(self) -> None:
        self._bank.reset(0)
        self._rest: Float = np.zeros(0, np.float32)
        self._fed = self._given = 0
        self._early = LATENCY
        self.strokes: list[Stroke] = []
        self._top: list[float] = []
        self._voice: list[float] = []

    def process(self, signal: NDArray[np.floating] | NDArray[np.int16]) -> Float:
        """A whole signal, from the beginning."""
        self._begin()
        return np.concatenate((self.feed(signal), self.flush()))

    def feed(self, signal: NDArray[np.floating] | NDArray[np.int16]) -> Float:
        """The next samples; gives those that are ready, from where the last call ended."""
        whole = samples(signal)
        if whole is None:
            whole = np.zeros(0, np.float32)
        self._fed += len(whole)
        return self._through(np.concatenate((self._rest, whole)))

    def flush(self) -> Float:
        """The rest, so that as many samples have come out as went in."""
        missing = self._fed - self._given
        out = self._through(np.concatenate((self._rest, np.zeros(2 * LATENCY, np.float32))))
        self._given -= max(0, len(out) - missing)
        return out[:missing]

    def top_gains(self) -> Float:
        """What was done to 6-8 kHz in each block that came out since this was last asked."""
        gains = np.array(self._top, np.float32)
        self._top.clear()
        return gains

    def voices(self) -> Float:
        """Probability that somebody speaks in each block that came out since this was last asked; with `voices` only."""
        voices = np.array(self._voice, np.float32)
        self._voice.clear()
        return voices

    def proof(self) -> Proof:
        """What became of the typing so far."""
        return self._bank.meter.proof(0, self._network.name, self._network.sha256, self._bank.faults > 0)

    def _through(self, whole: Float) -> Float:
        count = len(whole) // BLOCK
        self._rest = whole[count * BLOCK :]
        out = np.empty(count * BLOCK, np.float32)
        for n in range(count):
            here = slice(n * BLOCK, (n + 1) * BLOCK)
            self._bank.gather(self._slot, whole[None, here])
            self._bank.compute(self._slot)
            found = self._bank.commit(self._slot)
            out[here] = found.out[0]
            self.strokes += [Stroke(at, level) for _, at, level in found.strokes]
            self._top.append(float(self._bank.gains(0)[TOP].mean()))
            if self._keeps_voices:
                self._voice.append(float(found.voice[0]))
        early = min(self._early, len(out))
        self._early -= early
        if early:
            del self._top[: early // BLOCK], self._voice[: early // BLOCK]
        self._given += len(out) - early
        return out[early:]
