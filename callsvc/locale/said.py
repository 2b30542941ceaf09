"""What a program says of itself, such as an error: a sentence and the values that fill it, for whoever reads it.

The sentence stands in English where it is said, so that the code can be read and a log searched. In other languages it
stands in `errors/<part>.<lang>.toml` beside this file, under the English one. Nothing is filled in before it is known
who reads: a message may be kept, or cross a wire, and be read in another language than the process was started in.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final, Protocol, runtime_checkable

ENGLISH: Final = "en"
_BARE: Final = re.compile(r"(?:\{[a-z_]+\}|[ :;,.()])+")
"""A sentence without a word of its own, the same in every language: `{where}: {what}`."""


@runtime_checkable
class Sayable(Protocol):
    """A value that is words, too."""

    def sentence(self, lang: str = ENGLISH) -> str: ...


@cache
def sentences(lang: str) -> dict[str, str]:
    """The English sentences and what they are in a language; none for English."""
    found: dict[str, str] = {}
    for entry in sorted((resources.files(__package__) / "errors").iterdir(), key=lambda e: e.name):
        if entry.name.endswith(f".{lang}.toml"):
            found |= tomllib.loads(entry.read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence in English, with `str.format` fields, and their values. Without values it has no fields."""

    words: str
    values: Mapping[str, object] = field(default_factory=dict)

    def sentence(self, lang: str = ENGLISH) -> str:
        words = sentences(lang).get(self.words, self.words)
        if not self.values:
            return words
        return words.format(**{name: worded(value, lang) for name, value in self.values.items()})

    def dump(self) -> str:
        """To be kept, or sent to another process."""
        return json.dumps(_plain(self), ensure_ascii=False)

    @classmethod
    def load(cls, kept: str) -> Said:
        """What `dump` wrote. Other words, and those of another version of the service, are said as they stand."""
        try:
            content = json.loads(kept)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict) or not isinstance(content.get("en"), str):
            return cls(kept)
        try:
            said = _said(content)
            for lang in (ENGLISH, "sv"):
                said.sentence(lang)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return cls(content["en"])
        return said


@dataclass(frozen=True, slots=True)
class Several:
    """Sentences after one another."""

    said: Sequence[Sayable]
    between: str = "; "

    def sentence(self, lang: str = ENGLISH) -> str:
        return self.between.join(one.sentence(lang) for one in self.said)


def worded(value: object, lang: str) -> object:
    """A value as it is said in a language: words are, the operating system's, too; what is no words stays itself."""
    if isinstance(value, Sayable):
        return value.sentence(lang)
    if isinstance(value, OSError):
        words = value.strerror or str(getattr(value, "reason", value)) or type(value).__name__
        return sentences(lang).get(words, words)
    if isinstance(value, BaseException):
        return of(value).sentence(lang)
    return value


def of(error: BaseException) -> Said:
    """What an error says: one of ours has `words` and `values`; another one's own words are all there is."""
    words = getattr(error, "words", None)
    if isinstance(words, str):
        return Said(words, getattr(error, "values", {}))
    return Said(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def _plain(value: object) -> Any:
    if isinstance(value, Said):
        told = {name: _plain(one) for name, one in value.values.items()}
        return {"en": value.sentence(), "words": value.words, "values": told}
    if isinstance(value, Several):
        return {"en": value.sentence(), "between": value.between, "said": [_plain(one) for one in value.said]}
    if isinstance(value, OSError):
        return _plain(Said(str(worded(value, ENGLISH))))
    if isinstance(value, BaseException):
        return _plain(of(value))
    if isinstance(value, Sayable):
        return value.sentence()
    return value if isinstance(value, str | int | float) else str(value)


def _said(content: dict[str, Any]) -> Said:
    """Raises `LookupError` for a sentence that nobody here says: what comes from elsewhere is filled into none."""
    words, values = content["words"], content["values"]
    if values and words not in sentences("sv") and not _BARE.fullmatch(words):
        raise LookupError(words)
    return Said(words, {name: _value(one) for name, one in values.items()})


def _value(content: Any) -> object:
    if not isinstance(content, dict):
        return content
    if "said" in content:
        return Several([_said(one) for one in content["said"]], content["between"])
    return _said(content)
