"""What does not fit a model of settings or of a text that is edited, in words: where, and what is wrong there.

A model that looks at the whole says it itself, by a `PydanticCustomError`; the rest is said here, by pydantic's type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from callsvc.locale.said import Said, Several, of, sentences

OF_TYPE: Final = {
    "missing": "is missing",
    "extra_forbidden": "does not exist; check the spelling",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "string_type": "must be text in quotation marks",
    "path_type": "must be text in quotation marks",
    "string_too_short": "has too few characters",
    "string_too_long": "has too many characters, at most {limit}",
    "too_short": "has too few entries, at least {limit}",
    "too_long": "has too many entries, at most {limit}",
    "greater_than_equal": "is too small, at least {limit}",
    "less_than_equal": "is too large, at most {limit}",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "beginning": "must begin with {beginnings}",
}
OF_PATTERN: Final = {
    r"^[a-z_]{2,40}$": "may have small letters a-z and underscores, 2 to 40 of them",
    r"^[a-z0-9_-]{1,40}$": "may have small letters a-z, digits, hyphens and underscores, 40 at most",
    r"^[0-9A-Za-z+*?._-]{1,40}$": "may have digits, letters and the signs + * ? . _ -, 40 at most",
}
OTHER: Final = "cannot be used ({kind})"
LINE: Final = "line {line} cannot be read; check quotation marks, brackets and equals signs"
_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")
_LIMITS: Final = ("ge", "le", "min_length", "max_length")


@dataclass(frozen=True, slots=True)
class Unfit:
    """One thing that does not fit."""

    where: tuple[int | str, ...]
    what: Said
    kind: str
    """Pydantic's type, or the model's own."""


def unfit(error: ValidationError) -> list[Unfit]:
    """All that does not fit; never with what was given, which may be a secret."""
    return [_unfit(one) for one in error.errors(include_url=False)]


def said(error: ValidationError) -> Several:
    """The same as a sentence's part: `web.port: must be a whole number; ...`."""
    return Several(
        [
            Said("{where}: {what}", {"where": ".".join(map(str, one.where)), "what": one.what})
            for one in unfit(error)
        ]
    )


def unreadable(error: ValueError) -> Said:
    """Why a TOML file cannot be read."""
    found = _LINE.search(str(error))
    return Said(LINE, {"line": int(found[1])}) if found else of(error)


def no_network(error: ValueError) -> Said:
    """What `ipaddress` finds wrong with an address or a network; its own sentence begins with what was given."""
    found = re.match(r"'(.*?)'", str(error))
    return Said("{found} is no address and no network", {"found": found[1]}) if found else of(error)


def _unfit(told: ErrorDetails) -> Unfit:
    context = told.get("ctx") or {}
    # A model that looks at the whole says itself where the fault is.
    where = (*told["loc"], *context.get("at", ()))
    kind = told["type"]
    words = OF_TYPE.get(kind) or OF_PATTERN.get(str(context.get("pattern", "")))
    if words == OF_TYPE["string_too_short"] and not told["input"]:
        words = OF_TYPE["missing"]
    if words is None and told["msg"] in sentences("sv"):
        words = told["msg"]
    limit = next((context[name] for name in _LIMITS if name in context), "")
    values = {"kind": kind, "limit": limit} | {name: str(value) for name, value in context.items()}
    return Unfit(where, _filled(words or OTHER, values), kind)


def _filled(words: str, values: dict[str, object]) -> Said:
    return Said(words, {name: value for name, value in values.items() if f"{{{name}}}" in words})
