"""Every string that a person reads, by key, Swedish first.

The catalogues beside this file are TOML tables of strings; a key is the path through the tables, joined by dots.
Values are filled in with `str.format` fields. What errors say has its place in `said` and `errors/`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Final

from callsvc.locale.said import worded

LANGUAGES: Final = ("sv", "en")


@cache
def catalogue(lang: str) -> dict[str, str]:
    """All strings of a language, flat: `{"serve.ready": "..."}`.

    The catalogue of a language is the sum of its files `<lang>.toml` and `<part>.<lang>.toml`.
    """
    flat: dict[str, str] = {}

    def walk(prefix: str, table: dict[str, object]) -> None:
        for key, value in table.items():
            if isinstance(value, dict):
                walk(f"{prefix}{key}.", value)
            elif isinstance(value, str):
                flat[prefix + key] = value

    for entry in sorted(resources.files(__package__).iterdir(), key=lambda e: e.name):
        if entry.name == f"{lang}.toml" or entry.name.endswith(f".{lang}.toml"):
            walk("", tomllib.loads(entry.read_text(encoding="utf-8")))
    return flat


def text(key: str, lang: str = "sv", **values: object) -> str:
    """The string for `key`, filled in. A missing key raises `KeyError`: the tests hold that none is."""
    return catalogue(lang)[key].format(**{name: worded(value, lang) for name, value in values.items()})
