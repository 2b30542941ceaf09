"""A value written as TOML over a text that people wrote: what is as it was stays as they wrote it, comments and all.

    old text ──► tomlkit's document, each comment bound to the statement below it
    new value ──► laid over it: an entry is the old one with the same id, else the one at its place

A comment belongs to what stands below it, and goes when that goes. Comments inside a list stay while the list is the same.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Comment, InlineTable, Item, Key, Null, Table, Whitespace

# What stands above a first blank line is about the whole.
_HEAD: Final = re.compile(r"(?:[ \t]*#[^\n]*\n)+(?=\n)")


def write(value: Mapping[str, Any], over: str = "") -> str:
    """The text for a value. What is none is left out: TOML has no word for it."""
    whole = _without_none(value)
    try:
        if same(tomllib.loads(over), whole):
            return over
        text = _over(over.replace("\r\n", "\n"), whole)
        if same(tomllib.loads(text), whole):
            return text
    except (tomllib.TOMLDecodeError, TOMLKitError, LookupError):
        pass
    # No TOML, or laid out in a way that tomlkit loses its place in: what is meant goes before how it was written.
    return tomlkit.dumps(whole)


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


def _over(old: str, value: dict[str, Any]) -> str:
    found = _HEAD.match(old)
    head = found[0] if found else ""
    rest = old.removeprefix(head)
    document = tomlkit.parse(rest)
    # Were the first statement to come further down, a blank line would be missed there.
    end = _bind(document.body, "" if rest.startswith("\n") else "\n")
    _lay(document, value)
    text = document.as_string()
    return (head + "\n" if head else "") + text.removeprefix("\n") + end


def _bind(body: list[tuple[Key | None, Item]], above: str) -> str:
    """Have each statement hold what stands above it, which tomlkit leaves at the end of the table before; what is left."""
    for n, (_, one) in enumerate(body):
        if isinstance(one, Comment | Whitespace):
            above += one.as_string()
            body[n] = (None, Null())
            continue
        for part in one.body if isinstance(one, AoT) else [one]:
            if not isinstance(part, Table) or not part.is_super_table():
                part.trivia.indent = above + part.trivia.indent
                above = ""
            if isinstance(part, Table):
                above = _bind(part.value.body, above)
    return above


def _lay(table: MutableMapping[str, Any], value: Mapping[str, Any]) -> None:
    for name in [name for name in table if name not in value]:
        del table[name]
    for name, one in value.items():
        was = table.get(name)
        if isinstance(was, MutableMapping) and isinstance(one, Mapping) and one:
            _lay(was, one)
        elif isinstance(was, AoT) and _tables(one):
            _entries(was, one)
        elif name not in table or not same(was, one):
            _put(table, name, one)


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _entries(old: AoT, new: Sequence[Mapping[str, Any]]) -> None:
    before = old.body.copy()
    old.clear()
    for entry, n in zip(new, _partners(new, before), strict=True):
        if n is None:
            made = tomlkit.item(entry)
            made.trivia.indent = "\n"
            old.append(made)
        else:
            _lay(before[n], entry)
            old.append(before[n])


def _put(table: MutableMapping[str, Any], name: str, value: Any) -> None:
    if isinstance(table, InlineTable):
        table[name] = value
        return
    made, known = tomlkit.item(value), name in table
    table[name] = made
    if not known:
        # tomlkit would indent it by what stands above the table's header.
        first = made[0] if isinstance(made, AoT) else made
        first.trivia.indent = "\n" if isinstance(first, Table) else ""


def _partners(new: Sequence[Mapping[str, Any]], old: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """For each entry the one that it was: with the same id, else at the same place when that one is nobody's."""
    by_id = {one["id"]: n for n, one in enumerate(old) if isinstance(one.get("id"), str)}
    found: list[int | None] = []
    for one in new:
        name = one.get("id")
        found.append(by_id.pop(name, None) if isinstance(name, str) else None)
    taken = set(found)
    return [
        n if n is not None else at if at < len(old) and at not in taken else None
        for at, n in enumerate(found)
    ]
