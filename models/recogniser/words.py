"""What a recogniser gives: words with times, and the language that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

RATE = 16_000


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it was heard, in seconds from the start of the sound; `probability` is the model's own.

    `timed` is False where the model gave the word but no time for it: the time is then a share of the sound.
    """

    start_s: float
    end_s: float
    text: str
    probability: float
    timed: bool = True


@dataclass(frozen=True, slots=True)
class Hearing:
    """What was heard in a piece of sound.

    `language` is None when the piece is in none of the languages that were allowed: then nothing was written.
    `likely` is what the model took it for, with its own probability.
    """

    words: tuple[Word, ...]
    language: str | None
    likely: str = ""
    likely_probability: float = 0.0


class Recogniser(Protocol):
    """Hears words in a short piece of sound."""

    @property
    def longest_s(self) -> float:
        """Seconds of sound that it takes at once."""

    def hear(self, sound: NDArray[np.float32], languages: Sequence[str]) -> Hearing:
        """The words in `sound` (16 kHz mono, at most `longest_s`), which is expected to be in the first language."""
