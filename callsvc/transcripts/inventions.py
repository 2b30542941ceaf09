"""Text that looks invented: a line of subtitles over a whole stretch, or words that go round in circles."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from callsvc.transcripts.crosstalk import plain
from models.recogniser.whisper import circles

_FILE = "inventions.toml"


def invented(words: Sequence[str]) -> bool:
    """Whether the words of a stretch are to be doubted as a whole."""
    return "".join(plain(word) for word in words) in _known() or circles([plain(word) for word in words])


@cache
def _known() -> frozenset[str]:
    whole = tomllib.loads(resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))
    return frozenset("".join(plain(word) for word in line.split()) for line in whole["sentences"])
