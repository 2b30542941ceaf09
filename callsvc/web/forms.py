"""The form of a catalogue, made from the schema that its text is checked by: what can be filled in, and within which bounds.

Words are the screens' own: a field has a name here, and the pages know what it is called.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from callsvc.disclosures.bases import Bases
from callsvc.locale import LANGUAGES
from callsvc.retention.rules import Rules as Retention
from callsvc.review.rules import Rules as Sampling
from callsvc.review.scorecard import Scorecard
from callsvc.shift.guides import Guides, guides
from callsvc.telephony import announcements
from callsvc.telephony.line_profiles import LineProfiles
from callsvc.telephony.lines import TelephoneLines
from callsvc.web.shapes_catalogues import FormField, FormOption

MODELS: Final[Mapping[str, type[BaseModel]]] = {
    "line-profiles": LineProfiles,
    "lines": TelephoneLines,
    "guides": Guides,
    "bases": Bases,
    "scorecard": Scorecard,
    "sampling": Sampling,
    "retention": Retention,
}
ORDERED: Final = frozenset({"codecs"})
"""Choices of which the first goes before the second."""
AMONG: Final = {"scale": "scale"}
"""Text fields that name an entry of a list beside them."""

# What a schema calls a kind of value, and what it is on a page.
_KINDS: Final = {"string": "text", "integer": "number", "number": "number", "boolean": "flag"}


def form(kind: str, spoken: Path | None = None) -> list[FormField]:
    """The fields of a catalogue. `spoken`: the directory with announcements of one's own."""
    offered = _offered(spoken or announcements.PACKAGED)
    return [_with_options(one, offered) for one in _fields(kind)]


@cache
def _fields(kind: str) -> tuple[FormField, ...]:
    schema = MODELS[kind].model_json_schema()
    return tuple(_group(schema, schema.get("$defs", {})))


def _group(schema: Mapping[str, Any], known: Mapping[str, Any]) -> list[FormField]:
    """Fields in the order in which they are filled in: texts, what is chosen, the name for programs, what stands below."""
    required = set(schema.get("required", []))
    found = [
        _field(name, one, name in required, known)
        for name, one in schema["properties"].items()
        if "const" not in one
    ]
    return sorted(found, key=_rank)


def _rank(one: FormField) -> int:
    if one.kind in ("list", "group"):
        return 3
    if one.name == "id":
        return 2
    return 0 if one.lang else 1


def _field(name: str, schema: Mapping[str, Any], required: bool, known: Mapping[str, Any]) -> FormField:
    told = _resolved(schema, known)
    made = FormField(
        name=name,
        kind="text",
        required=required,
        default=told.get("default"),
        lang=name if name in LANGUAGES else None,
        whole=told.get("type") == "integer",
        least=told.get("minimum", told.get("minItems")),
        most=told.get("maximum", told.get("maxItems")),
        longest=told.get("maxLength"),
        among=AMONG.get(name) if told.get("type") == "string" else None,
        ordered=name in ORDERED,
        options=[],
        fields=[],
    )
    if "enum" in told:
        return made.model_copy(update={"kind": "choice", "options": _options(told["enum"])})
    if told.get("type") == "object":
        return made.model_copy(update={"kind": "group", "default": None, "fields": _group(told, known)})
    if told.get("type") == "array":
        item = _resolved(told["items"], known)
        if item.get("type") == "object":
            return made.model_copy(update={"kind": "list", "default": None, "fields": _group(item, known)})
        return made.model_copy(update={"kind": "choices", "options": _options(item.get("enum", []))})
    return made.model_copy(update={"kind": _KINDS[told["type"]]})


def _resolved(schema: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with what it refers to, and without the choice of leaving a field empty."""
    found = dict(schema)
    if "anyOf" in found:
        (one,) = (one for one in found.pop("anyOf") if one.get("type") != "null")
        found = {**one, **found}
    if "$ref" in found:
        found = {**known[found.pop("$ref").rsplit("/", 1)[-1]], **found}
    return found


def _options(values: list[str]) -> list[FormOption]:
    return [FormOption(value=str(one)) for one in values]


# What can be chosen because other data say so.


def _offered(spoken: Path) -> dict[str, list[FormOption]]:
    try:
        entries = tomllib.loads((spoken / "catalogue.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        entries = {}
    said = {name: one for name, one in entries.items() if isinstance(one, dict)}
    # A language in which nobody has spoken it yet could be chosen and not be heard.
    languages = dict.fromkeys(
        lang for name, one in said.items() for lang in one if (spoken / f"{name}.{lang}.ogg").exists()
    )
    return {
        "announce": [
            FormOption(value=name, sv=one.get("sv"), en=one.get("en")) for name, one in said.items()
        ],
        "language": _options(list(languages)),
        "labels": [FormOption(value=one.id, sv=one.sv, en=one.en) for one in guides().label],
    }


def _with_options(one: FormField, offered: Mapping[str, list[FormOption]]) -> FormField:
    change: dict[str, Any] = {"fields": [_with_options(inner, offered) for inner in one.fields]}
    if one.name in offered and one.kind in ("text", "choices"):
        change |= {"kind": "choices" if one.kind == "choices" else "choice", "options": offered[one.name]}
    return one.model_copy(update=change)
