"""What a recogniser gives: words with times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

RATE = 16_000


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it was heard, in seconds from the start of the sound; `probability` is the model's own."""

    start_s: float
    end_s: float
    text: str
    probability: float


class Recogniser(Protocol):
    """Hears words in a short piece of sound."""

    @property
    def longest_s(self) -> float:
        """Seconds of sound that it takes at once."""

    def hear(self, sound: NDArray[np.float32], language: str) -> list[Word]:
        """The words in `sound` (16 kHz mono, at most `longest_s`)."""
