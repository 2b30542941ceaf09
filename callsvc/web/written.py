"""A value written as TOML over a text that people wrote: what is as it was stays as they wrote it, comments and all.

    old text ──► statements: what stands above each, its value as written, the comment after it
    new value ──► written in its own order; an entry is the old one with the same id, else the one at its place

A comment belongs to what stands below it, and goes when that goes. Comments inside a list stay while the list is the same.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Path = tuple[str | int, ...]

_STRING: Final = r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''
_ABOVE: Final = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*(?:[ \t]*#[^\n]*\Z)?[ \t]*")
_HEADER: Final = re.compile(rf"(\[\[?)((?:{_STRING}|[^\]\"'#\n])+)\]\]?([ \t]*#[^\n]*)?[ \t]*(?:\n|\Z)", re.S)
_KEY: Final = re.compile(rf"((?:{_STRING}|[^=\"'#\n])+)=[ \t]*", re.S)
_PIECE: Final = re.compile(rf"{_STRING}|[ \t]*#[^\n]*|\n|[\[\]{{}}]|[^\"'#\n\[\]{{}} \t]+|[ \t]+", re.S)
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(slots=True)
class _Old:
    """A text, statement by statement; places are those of its value."""

    value: Any = None
    head: str = ""
    above: dict[Path, str] = field(default_factory=dict)
    raw: dict[Path, str] = field(default_factory=dict)
    after: dict[Path, str] = field(default_factory=dict)
    end: str = ""


def write(value: Mapping[str, Any], over: str = "") -> str:
    """The text for a value. What is none is left out: TOML has no word for it."""
    whole = _without_none(value)
    text = _text(whole, _read(over.replace("\r\n", "\n")))
    try:
        if same(tomllib.loads(text), whole):
            return text
    except tomllib.TOMLDecodeError:
        pass
    # The old text is laid out in a way that is not followed here: what is meant goes before how it was written.
    return _text(whole, _Old())


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same: 1 is 1.0, but true is not 1."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_clean(name): _without_none(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_none(one) for one in value if one is not None]
    return _clean(value) if isinstance(value, str) else value


def _clean(text: str) -> str:
    """Without halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


# Reading


def _read(text: str) -> _Old:
    old = _Old()
    try:
        old.value = tomllib.loads(text)
        _statements(text, old)
    except (tomllib.TOMLDecodeError, LookupError):
        return _Old()
    return old


def _statements(text: str, old: _Old) -> None:
    """Fill in what stands where. Raises `LookupError` for what it cannot follow."""
    at = 0
    table: Path = ()
    counts: dict[Path, int] = {}
    while True:
        above = _match(_ABOVE, text, at)
        at = above.end()
        over = above[0]
        if not old.above and "\n\n" in over:
            # What stands above a first blank line is about the whole.
            old.head, over = re.split(r"(?<=\n)(?=\n)", over, maxsplit=1)
        elif not old.above and text[at : at + 1] == "[":
            # Elsewhere than at the beginning there is a blank line above a header.
            over = "\n" + over
        if at >= len(text):
            old.end = over
            return
        if text[at] == "[":
            found = _match(_HEADER, text, at)
            table = _resolve(_names(found[2]), counts, more=found[1] == "[[")
            old.above[table] = over
            old.after[table] = (found[3] or "").rstrip()
        else:
            found = _match(_KEY, text, at)
            place = table + _names(found[1])
            raw, after, end = _value(text, found.end())
            old.above[place], old.raw[place], old.after[place] = over, raw, after
            at = end
            continue
        at = found.end()


def _match(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    found = pattern.match(text, at)
    if found is None:
        raise LookupError
    return found


def _names(written: str) -> Path:
    """`a."b c"` as ("a", "b c")."""
    found: Any = tomllib.loads(f"[{written.strip()}]")
    names: list[str] = []
    while found:
        ((name, found),) = found.items()
        names.append(name)
    return tuple(names)


def _resolve(names: Path, counts: dict[Path, int], *, more: bool) -> Path:
    """The place that a header speaks of: in a list of tables it is the last that was begun."""
    place: Path = ()
    for n, name in enumerate(names):
        place += (name,)
        if more and n == len(names) - 1:
            counts[place] = counts.get(place, 0) + 1
        if place in counts:
            place += (counts[place] - 1,)
    return place


def _value(text: str, at: int) -> tuple[str, str, int]:
    """A value as written, the comment after it, and where the next line begins."""
    start, depth = at, 0
    while at < len(text):
        piece = _match(_PIECE, text, at)
        said = piece[0]
        if depth == 0 and (said == "\n" or said.lstrip().startswith("#")):
            comment = "" if said == "\n" else said
            end = piece.end() if said == "\n" else piece.end() + 1
            return text[start:at].rstrip(), comment.rstrip(), end
        depth += (said in ("[", "{")) - (said in ("]", "}"))
        at = piece.end()
    return text[start:at].rstrip(), "", at


# Writing


def _text(value: Mapping[str, Any], old: _Old) -> str:
    body = "".join(_table(value, (), (), old)).lstrip("\n")
    return old.head + ("\n" if old.head else "") + body + (old.end or "")


def _table(value: Mapping[str, Any], header: tuple[str, ...], place: Path | None, old: _Old) -> Iterator[str]:
    """The lines of a table. `place` is where it stood in the old text; none for a new one."""
    below: list[str] = []
    for name, one in value.items():
        here = None if place is None else (*place, name)
        raw = old.raw.get(here) if here is not None else None
        if here is not None and raw is not None and same(one, _at(old.value, here)):
            yield f"{old.above[here]}{_key(name)} = {raw}{old.after[here]}\n"
        elif isinstance(one, Mapping) or (
            one and isinstance(one, list) and all(isinstance(x, Mapping) for x in one)
        ):
            below.append(name)
        else:
            kept = here if here is not None and here in old.raw else ()
            yield f"{old.above.get(kept, '') if kept else ''}{_key(name)} = {_written(one)}"
            yield f"{old.after.get(kept, '') if kept else ''}\n"
    for name in below:
        one = value[name]
        named = (*header, name)
        title = ".".join(map(_key, named))
        here = None if place is None else (*place, name)
        if isinstance(one, Mapping):
            yield from _headed(f"[{title}]", one, named, here, old)
            continue
        before = _at(old.value, here) if here is not None else None
        for item, n in zip(one, _partners(one, before), strict=True):
            was = None if here is None or n is None else (*here, n)
            yield from _headed(f"[[{title}]]", item, named, was, old)


def _headed(
    title: str, value: Mapping[str, Any], header: tuple[str, ...], place: Path | None, old: _Old
) -> Iterator[str]:
    above = old.above.get(place, "\n") if place is not None else "\n"
    after = old.after.get(place, "") if place is not None else ""
    yield f"{above}{title}{after}\n"
    yield from _table(value, header, place, old)


def _partners(new: Sequence[Mapping[str, Any]], old: Any) -> list[int | None]:
    """For each entry the one that it was: with the same id, else at the same place when that one is nobody's."""
    if not isinstance(old, list):
        return [None] * len(new)
    by_id = {
        one["id"]: n for n, one in enumerate(old) if isinstance(one, dict) and isinstance(one.get("id"), str)
    }
    found: list[int | None] = []
    for one in new:
        name = one.get("id")
        n = by_id.pop(name, None) if isinstance(name, str) else None
        found.append(n)
    taken = set(found)
    return [
        n if n is not None else at if at < len(old) and at not in taken else None
        for at, n in enumerate(found)
    ]


def _at(value: Any, place: Path) -> Any:
    """What stands at a place; none where nothing does."""
    for part in place:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(name)} = {_written(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return repr(value)
