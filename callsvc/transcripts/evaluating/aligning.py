"""Which heard word stands for which spoken one: the fewest changes (Levenshtein), words compared in a plain form.

The plain form is without case and signs; numbers are digits, however they were written. å, ä and ö stay letters: a model
that writes *vald* for *våld* is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsvc.transcripts.crosstalk import plain
from callsvc.transcripts.values.number import digits

Row = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Places of a spoken and a heard word; None where there is no other. `same`: they are equal."""

    spoken: int | None
    heard: int | None
    same: bool


def normal(word: str) -> str:
    """A word in the form in which it is compared; empty for signs alone."""
    return digits(word) or plain(word)


def align(spoken: Sequence[str], heard: Sequence[str]) -> list[Pair]:
    """All words of both, in order. Takes a byte for each pair of words: right for an hour, too much for a day."""
    n, m = len(spoken), len(heard)
    # How each cell was reached: 0 both, 1 a spoken word was left out, 2 a heard word was put in.
    steps = np.zeros((n + 1, m + 1), np.uint8)
    steps[0, 1:] = 2
    for i, (row, both, without) in enumerate(_rows(spoken, heard), 1):
        steps[i] = np.where(row == both, 0, np.where(row == without, 1, 2))
        steps[i, 0] = 1
    found: list[Pair] = []
    i, j = n, m
    while i or j:
        step = steps[i, j]
        if step == 0:
            i, j = i - 1, j - 1
            found.append(Pair(i, j, spoken[i] == heard[j]))
        elif step == 1:
            i -= 1
            found.append(Pair(i, None, False))
        else:
            j -= 1
            found.append(Pair(None, j, False))
    return found[::-1]


def distance(spoken: Sequence[str], heard: Sequence[str]) -> int:
    """Words, or letters, to change, leave out or put in."""
    last = len(heard)
    for row, _, _ in _rows(spoken, heard):
        last = int(row[-1])
    return last


def _rows(spoken: Sequence[str], heard: Sequence[str]) -> Iterator[tuple[Row, Row, Row]]:
    """The table of distances row by row: the row, and what it would be by a pair and by leaving a word out."""
    names = {word: k for k, word in enumerate(dict.fromkeys([*spoken, *heard]))}
    b = np.array([names[word] for word in heard], np.int64)
    places = np.arange(len(heard) + 1)
    row = places.copy()
    for i, word in enumerate(spoken, 1):
        both = np.concatenate([[i], row[:-1] + (b != names[word])])
        without = row + 1
        best = np.minimum(both, without)
        best[0] = i
        row = places + np.minimum.accumulate(best - places)
        yield row, both, without
