"""One leg of one call: its sound at 16 kHz, and the utterances in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

from audio.taps import Samples
from callsvc.captions.utterances import QUIET, Spoken, Utterances
from models.recogniser.voice import Listening
from models.recogniser.words import RATE

INTERIM_EVERY = RATE
"""A second of an utterance between two looks at what has been said so far."""
HOLE = RATE // 10
"""A hole as long as this ends an utterance; a shorter one is bridged."""


class Ear:
    """`hear` takes the track's sound as it comes and gives what is to be decoded: final and interim."""

    def __init__(
        self, rate_hz: int, speech: Callable[[NDArray[np.float32]], list[float]] | None = None
    ) -> None:
        self._rate = rate_hz
        self._utterances = Utterances(speech or Listening())
        self._resampler = None if rate_hz == RATE else soxr.ResampleStream(rate_hz, RATE, 1, dtype="float32")
        self._next: int | None = None
        self._told = 0

    def hear(self, start: int, samples: Samples) -> Iterator[Spoken]:
        """Sound that begins at sample `start` of the track."""
        if self._next is None or start - self._next >= HOLE * self._rate // RATE:
            yield from self._utterances.jump(start * RATE // self._rate)
        self._next = start + len(samples)
        yield from self._push(samples)

    def gap(self, start: int, length: int) -> Iterator[Spoken]:
        """Samples from `start` that there are not: silence, or the end of what was said when it is long."""
        if length * RATE // self._rate >= QUIET:
            self._next = start + length
            yield from self._utterances.jump(self._next * RATE // self._rate)
        else:
            yield from self.hear(start, np.zeros(length, np.int16))

    def _push(self, samples: Samples) -> Iterator[Spoken]:
        sound = samples.astype(np.float32) / 32768.0
        if self._resampler is not None:
            sound = self._resampler.resample_chunk(sound).astype(np.float32)
        yield from self._utterances.push(sound)
        now = self._utterances.now
        if now is None:
            self._told = 0
        elif len(now.sound) - self._told >= INTERIM_EVERY:
            self._told = len(now.sound)
            yield now

    def end(self) -> Iterator[Spoken]:
        """The call is over."""
        yield from self._utterances.end()
