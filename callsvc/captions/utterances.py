"""Where an utterance begins and ends, as the sound comes in: from the probability of speech in windows of 32 ms.

It opens at 0.3, with 0.3 s of what was before; it ends after half a second below 0.15, and is cut at twelve seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.recogniser.voice import WINDOW
from models.recogniser.words import RATE

OPENS, CLOSES = 0.3, 0.15
BEFORE = int(0.3 * RATE)
QUIET = int(0.5 * RATE)
LONGEST = 12 * RATE
LEAST_VOICED = 3 * WINDOW
"""With less speech in it, it was a click."""

Sound = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spoken:
    """Sound of an utterance from `start` (samples at 16 kHz from the start of the call); `final` when it is over."""

    n: int
    start: int
    sound: Sound
    final: bool

    @property
    def end(self) -> int:
        return self.start + len(self.sound)


class Utterances:
    """One leg's utterances. `speech` gives the probabilities of the windows that a piece of sound completes."""

    def __init__(self, speech: Callable[[Sound], list[float]]) -> None:
        self._speech = speech
        self._sound: Sound = np.zeros(0, np.float32)
        self._at = 0
        self._seen = 0
        self._opened: int | None = None
        self._quiet = 0
        self._voiced = 0
        self.n = 0

    @property
    def now(self) -> Spoken | None:
        """The utterance that is being spoken, as far as it has come."""
        if self._opened is None:
            return None
        return Spoken(self.n, self._opened, self._sound[self._opened - self._at :].copy(), False)

    def jump(self, to: int) -> Iterator[Spoken]:
        """Sound is missing up to sample `to`: what was being said ends here."""
        yield from self.end()
        self._sound, self._at, self._seen = self._sound[:0], to, to

    def push(self, sound: Sound) -> Iterator[Spoken]:
        """More sound, right after what came before; the utterances that end in it."""
        self._sound = np.concatenate([self._sound, sound])
        for probability in self._speech(sound):
            self._seen += WINDOW
            if self._opened is None:
                if probability >= OPENS:
                    self._opened = max(self._at, self._seen - WINDOW - BEFORE)
                    self._quiet, self._voiced = 0, WINDOW
                continue
            self._quiet = self._quiet + WINDOW if probability < CLOSES else 0
            self._voiced += WINDOW if probability >= OPENS else 0
            if self._quiet >= QUIET or self._seen - self._opened >= LONGEST:
                yield from self._close(self._seen)
        if self._opened is None:
            self._forget(self._seen - BEFORE - WINDOW)

    def end(self) -> Iterator[Spoken]:
        """Whatever is being said is over."""
        if self._opened is not None:
            yield from self._close(self._at + len(self._sound))

    def _close(self, end: int) -> Iterator[Spoken]:
        assert self._opened is not None
        start = self._opened
        sound = self._sound[start - self._at : end - self._at].copy()
        self._opened = None
        self._forget(end)
        if self._voiced >= LEAST_VOICED:
            yield Spoken(self.n, start, sound, True)
            self.n += 1

    def _forget(self, before: int) -> None:
        if before > self._at:
            self._sound = self._sound[before - self._at :]
            self._at = before
