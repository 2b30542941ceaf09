"""The models that are known by name: where they lie, their licence, size and published errors, and what for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entry:
    """A model as its publisher describes it.

    `revision` is the commit that is fetched, `weights` the SHA-256 that its model.bin must have. `wer`: word errors in
    percent (FLEURS, Common Voice, NST, Swedish read speech), `wer_confirmed` is False where no second source has them.
    `real_time`: the share of real time on one core. `use`: for captions, for transcripts, or for both.
    """

    name: str
    repository: str
    revision: str
    weights: str
    licence: str
    size_mb: int
    memory_mb: int
    wer: tuple[float, float, float]
    real_time: float
    languages: Literal["sv", "many"]
    use: Literal["live", "final", "both"]
    wer_confirmed: bool = True


@cache
def catalogue() -> Mapping[str, Entry]:
    """All entries by name, in the order of the file."""
    text = resources.files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            name: Entry(name=name, **{**table, "wer": tuple(table["wer"])})
            for name, table in tomllib.loads(text).items()
        }
    )
