"""The text in force: the machine's words, or the corrected ones with the times of the words that they replace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from callsvc.store.transcripts import Utterance
from callsvc.transcripts.crosstalk import plain


class Layer(StrEnum):
    """Where a text comes from."""

    MACHINE = "machine"
    CORRECTED = "corrected"
    REDACTED = "redacted"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word of a line. `probability` is the machine's, None for a word that a person wrote.

    `redacted` is the number of the stretch that it was taken out with: then there is no text.
    """

    start_ms: int
    end_ms: int
    text: str
    probability: float | None
    unsure: bool = False
    estimated: bool = False
    redacted: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance in one layer."""

    n: int
    leg: str
    start_ms: int
    end_ms: int
    kind: str
    language: str
    layer: Layer
    words: tuple[Spoken, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words if word.redacted is None)


def machine(utterance: Utterance) -> Line:
    """What the machine heard."""
    return _line(utterance, Layer.MACHINE, _spoken(utterance))


def in_force(utterance: Utterance) -> Line:
    """The corrected text if there is one, else the machine's."""
    if utterance.corrected is None:
        return machine(utterance)
    words = timed(utterance.corrected.split(), _spoken(utterance), utterance.start_ms, utterance.end_ms)
    return _line(utterance, Layer.CORRECTED, words)


def timed(words: Sequence[str], heard: Sequence[Spoken], start_ms: int, end_ms: int) -> tuple[Spoken, ...]:
    """Corrected words with times: those of the machine's words that they equal or stand for, else a share of what is between."""
    matcher = SequenceMatcher(None, [plain(one.text) for one in heard], [plain(one) for one in words], False)
    found: list[Spoken] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            found += [
                Spoken(one.start_ms, one.end_ms, word, one.probability, one.unsure, one.estimated)
                for one, word in zip(heard[a:b], words[c:d], strict=True)
            ]
        elif b - a == d - c:
            found += [
                Spoken(one.start_ms, one.end_ms, word, None, estimated=one.estimated)
                for one, word in zip(heard[a:b], words[c:d], strict=True)
            ]
        else:
            begin = heard[a].start_ms if a < b else (heard[a - 1].end_ms if a else start_ms)
            end = heard[b - 1].end_ms if a < b else (heard[b].start_ms if b < len(heard) else end_ms)
            end, count = max(begin, end), max(1, d - c)
            found += [
                Spoken(
                    begin + (end - begin) * k // count,
                    begin + (end - begin) * (k + 1) // count,
                    word,
                    None,
                    estimated=True,
                )
                for k, word in enumerate(words[c:d])
            ]
    return tuple(found)


def _spoken(utterance: Utterance) -> tuple[Spoken, ...]:
    return tuple(_word(word) for word in utterance.words)


def _word(word: Mapping[str, Any]) -> Spoken:
    return Spoken(
        word["start_ms"],
        word["end_ms"],
        word["text"],
        word.get("probability"),
        bool(word.get("unsure")),
        bool(word.get("estimated")),
    )


def _line(utterance: Utterance, layer: Layer, words: tuple[Spoken, ...]) -> Line:
    return Line(
        utterance.n,
        utterance.leg,
        utterance.start_ms,
        utterance.end_ms,
        utterance.kind,
        utterance.language,
        layer,
        words,
    )
