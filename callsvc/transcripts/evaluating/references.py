"""Sounds and what is said in them, from a directory.

call.flac + call.json   one or two channels (caller, operator) and a transcript as `callsvc transcript export` writes it
word.wav  + word.txt    one channel and its words; an empty file says that nobody speaks
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soundfile
from numpy.typing import NDArray

from callsvc.errors import UsageError
from callsvc.types import Leg

SOUNDS = (".flac", ".wav")


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word that was said; times in milliseconds, None where they are not known."""

    text: str
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Info:
    rate_hz: int
    samples: int


@dataclass(frozen=True)
class Reference:
    """One channel of a recording with its words. Reads like a recording of one track."""

    name: str
    sound: NDArray[np.int16]
    rate_hz: int
    words: tuple[SpokenWord, ...]

    @property
    def tracks(self) -> Mapping[str, Info]:
        return MappingProxyType({self.name: Info(self.rate_hz, len(self.sound))})

    def read(self, track: str, start: int, n: int) -> NDArray[np.int16]:
        return self.sound[start : start + n]

    @property
    def seconds(self) -> float:
        return len(self.sound) / self.rate_hz


def references(directory: Path) -> list[Reference]:
    """All pairs in the directory, by name. Raises `UsageError` when there are none, or one cannot be read."""
    found: list[Reference] = []
    for path in sorted(directory.glob("*")) if directory.is_dir() else []:
        if path.suffix not in SOUNDS:
            continue
        try:
            found += _read(path)
        except (ValueError, KeyError, TypeError, soundfile.LibsndfileError) as error:
            raise UsageError(
                "{name} and its words cannot be read: {kind}.", name=path.name, kind=type(error).__name__
            ) from None
    if not found:
        raise UsageError(
            "{directory} holds no sound with its words.",
            hint="Lay call.flac beside call.json, or word.wav beside word.txt.",
            directory=directory,
        )
    return found


def _read(path: Path) -> list[Reference]:
    sound, rate = soundfile.read(path, dtype="int16", always_2d=True)
    text, told = path.with_suffix(".txt"), path.with_suffix(".json")
    if text.is_file():
        words = tuple(SpokenWord(word) for word in text.read_text(encoding="utf-8").split())
        return [Reference(path.name, np.ascontiguousarray(sound[:, 0]), rate, words)]
    if not told.is_file():
        return []
    whole = json.loads(told.read_text(encoding="utf-8"))
    legs = [Leg.CALLER, Leg.OPERATOR][: sound.shape[1]]
    return [
        Reference(
            f"{path.name}:{leg}" if len(legs) > 1 else path.name,
            np.ascontiguousarray(sound[:, k]),
            rate,
            tuple(
                SpokenWord(word["text"], word["start_ms"], word["end_ms"])
                for line in whole["utterances"]
                if len(legs) == 1 or line["leg"] == leg
                for word in line["words"]
                if word["text"]
            ),
        )
        for k, leg in enumerate(legs)
    ]
