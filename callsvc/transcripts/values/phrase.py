"""A line's words as they are compared, and the number words of its language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

SIGNS: Final = ".,;:!?…()[]\"'»«”%"
GRAMMARS: Final = ("sv", "en")


@dataclass(frozen=True, slots=True)
class Phrase:
    """`bare`: the words in lower case without signs. `breaks`: the sign after each word that parts it from the next, or
    nothing. `grammar`: the number words of the language; of another than Swedish and English, digits alone."""

    bare: tuple[str, ...]
    breaks: tuple[str, ...]
    grammar: dict[str, Any]

    def at(self, n: int) -> str:
        """The word at a place; empty beyond the line."""
        return self.bare[n] if 0 <= n < len(self.bare) else ""

    def joined(self, first: int, end: int, *, over: str = "") -> bool:
        """Whether nothing but the signs `over` parts the words from `first` up to `end` (exclusive)."""
        return end <= len(self.bare) and all(sign in over for sign in self.breaks[first : end - 1])

    def says(self, n: int, words: str) -> int:
        """The place behind `words` if they stand at `n`, else 0."""
        wanted = words.split()
        return n + len(wanted) if list(self.bare[n : n + len(wanted)]) == wanted else 0


def phrase(words: Sequence[str], language: str = "sv") -> Phrase:
    """A line in a language; no language is taken for Swedish."""
    known = grammar(language or "sv")
    asks = known["clock"]["asks"] if known else ()
    bare = tuple(_bare(word) for word in words)
    breaks = tuple(
        word[-1] if word and word[-1] in ".,;:!?…" and plain not in asks else ""
        for word, plain in zip(words, bare, strict=True)
    )
    return Phrase(bare, breaks, known)


@cache
def grammar(language: str) -> dict[str, Any]:
    """The number words of a language; of one that has none here, those of no language."""
    if language in GRAMMARS:
        text = resources.files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
        return tomllib.loads(text)
    return _emptied(grammar("sv"))


def _emptied(of: dict[str, Any]) -> dict[str, Any]:
    """A grammar of the same shape without any words; a pattern in it fits nothing."""
    found: dict[str, Any] = {}
    for name, value in of.items():
        if name in ("clock", "dates", "written"):
            found[name] = _emptied(value)
        else:
            found[name] = {} if isinstance(value, dict) else [] if isinstance(value, list) else "(?!)"
    return found


@lru_cache(8192)
def _bare(word: str) -> str:
    bare = word.strip(SIGNS).lower()
    # "p.m." and "kl." are words; "19.30" is not.
    return bare.replace(".", "") if re.fullmatch(r"[^\W\d_](?:\.[^\W\d_])+", bare) else bare
