"""What can be played to a caller: a file for each language, whole in memory before the first call begins."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audio import files
from audio.errors import SoundFileError
from audio.resample import Floats, to_float
from callsvc.errors import ConfigurationError
from callsvc.telephony.protocol import WORD

RATE_HZ = 16_000
FADE = RATE_HZ // 5
"""Samples over which an announcement goes silent that is cut short without anybody's asking for it."""
MOST_S = 120
PACKAGED = Path(__file__).parent


@dataclass(frozen=True, slots=True, eq=False)
class Announcement:
    """One text in one language, spoken."""

    id: str
    version: str
    language: str
    sha256: str
    """Of the file."""
    sound: Floats
    """At 16 kHz."""

    @property
    def length_ms(self) -> int:
        return len(self.sound) * 1000 // RATE_HZ


@dataclass(frozen=True, slots=True)
class Text:
    """What an announcement says, by language; for whoever reads it aloud, or wants to know what is played."""

    id: str
    version: str
    words: Mapping[str, str]
    unchecked: frozenset[str] = frozenset()
    """Languages whose words nobody who speaks them has looked through."""


Catalogue = Mapping[str, Mapping[str, Announcement]]
"""By id, then by language."""


def load(directory: Path = PACKAGED) -> dict[str, dict[str, Announcement]]:
    """Everything that a directory's `catalogue.toml` names; raises `ConfigurationError` for what cannot be used.

    A language that is `unread`, or whose text is empty, is left out until its file is there.
    """
    entries = _entries(directory)
    unread = entries.get("unread", ())
    found: dict[str, dict[str, Announcement]] = {}
    for name, entry in entries.items():
        if not isinstance(entry, dict):
            continue
        version = entry.get("version")
        if not WORD.fullmatch(name) or not isinstance(version, str) or not version:
            raise ConfigurationError(
                "The announcement {name} in {directory} has no usable name or version.",
                name=name,
                directory=directory,
            )
        found[name] = {
            language: _one(directory, name, version, language)
            for language, text in entry.items()
            if language != "version"
            and ((text and language not in unread) or _file(directory, name, language).exists())
        }
    return found


def texts(directory: Path = PACKAGED) -> list[Text]:
    """What the announcements say, whether spoken or not, in the order of the catalogue."""
    entries = _entries(directory)
    unchecked = frozenset(entries.get("unchecked", ()))
    found = {
        name: {language: text for language, text in entry.items() if language != "version" and text}
        for name, entry in entries.items()
        if isinstance(entry, dict)
    }
    return [
        Text(name, str(entries[name].get("version", "")), words, unchecked & words.keys())
        for name, words in found.items()
    ]


def unspoken(directory: Path = PACKAGED) -> list[str]:
    """Files that somebody has yet to read aloud: languages that are `unread`, or named with an empty text."""
    entries = _entries(directory)
    unread = entries.get("unread", ())
    files = [
        _file(directory, name, language)
        for name, entry in entries.items()
        if isinstance(entry, dict)
        for language, text in entry.items()
        if not text or language in unread
    ]
    return [file.name for file in files if not file.exists()]


def _entries(directory: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((directory / "catalogue.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "No announcements in {directory} ({kind}).", directory=directory, kind=type(error).__name__
        ) from None


def _file(directory: Path, name: str, language: str) -> Path:
    return directory / f"{name}.{language}.ogg"


def _one(directory: Path, name: str, version: str, language: str) -> Announcement:
    file = _file(directory, name, language)
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        sound = to_float(files.read(file, RATE_HZ))
    except (OSError, SoundFileError):
        raise ConfigurationError("The announcement {file} cannot be read.", file=file) from None
    if not 0 < len(sound) <= MOST_S * RATE_HZ or not WORD.fullmatch(language):
        raise ConfigurationError(
            "The announcement {file} is empty, or longer than {most_s} s.", file=file, most_s=MOST_S
        )
    return Announcement(name, version, language, digest, sound)


class Playing:
    """An announcement on its way to the caller."""

    def __init__(self, announcement: Announcement, at_ms: int, by: str = "operator") -> None:
        self.announcement = announcement
        self.at_ms = at_ms
        self.by = by
        """`operator`; `line` for what a line plays by itself; `service` for what is played while the operator is gone."""
        self._at = 0
        self._end = len(announcement.sound)

    def fade(self) -> None:
        """Play on for a fifth of a second, ever softer, and no further."""
        if not self.cut_short:
            self._end = min(self._at + FADE, self._end)

    @property
    def cut_short(self) -> bool:
        return self._end < len(self.announcement.sound)

    @property
    def over(self) -> bool:
        return self._at >= self._end

    @property
    def played_ms(self) -> int:
        return min(self._at, self._end) * 1000 // RATE_HZ

    def take(self, count: int) -> Floats:
        """The next samples; silence after the end."""
        part = self.announcement.sound[self._at : min(self._at + count, self._end)]
        if self.cut_short:
            left = self._end - self._at - np.arange(len(part), dtype=np.float32)
            part = part * np.minimum(left / np.float32(FADE), np.float32(1.0))
        self._at += count
        if len(part) < count:
            part = np.concatenate([part, np.zeros(count - len(part), np.float32)])
        return part
