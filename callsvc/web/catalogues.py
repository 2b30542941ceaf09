"""What administrators edit, and what is in force of it: a text each, checked as a whole, each fault at its field.

line-profiles   what each kind of line means for its calls; for the media nodes
lines           which number is which line; for the media nodes, too
guides          checklists and choices of the operator's page
bases           legal bases of a disclosure
scorecard       what quality review asks
sampling        which calls it draws
retention       how long calls are kept, and on which ground
"""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from callsvc import logs
from callsvc.bus.edition import Edition
from callsvc.disclosures.bases import bases
from callsvc.errors import Unavailable
from callsvc.in_force import InForce
from callsvc.locale import text as words
from callsvc.locale.unfit import unfit
from callsvc.retention.rules import rules as retention
from callsvc.review.rules import rules
from callsvc.review.scorecard import scorecard
from callsvc.shift.guides import guides
from callsvc.store import Connection, Database
from callsvc.store import catalogues as store
from callsvc.telephony import line_profiles
from callsvc.telephony import lines as telephone_lines

LOOK_EVERY_S: Final = 10.0
MOST: Final = 48 * 1024
lines: Final = InForce("callsvc.telephony", "lines.toml", telephone_lines.read)
FOR_NODES: Final = ("line-profiles", "lines")
"""What the media nodes go by: it is spread to them over the broker."""
KINDS: Final[dict[str, InForce[Any]]] = {
    "line-profiles": InForce("callsvc.telephony", "profiles.toml", line_profiles.read),
    "lines": lines,
    "guides": guides,
    "bases": bases,
    "scorecard": scorecard,
    "sampling": rules,
    "retention": retention,
}
_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")
# Told entry by entry, for every list, before the models are asked.
_TOLD_ALREADY: Final = frozenset({"two lines have the same id", "an id stands twice"})

_log = logs.get("web")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and at which field: `checklist 2 › item 1 › sv`. `line` where the text cannot be read at all."""

    at: tuple[str | int, ...]
    message: str
    line: int | None = None

    @property
    def field(self) -> str:
        return _place(self.at)


def faults(kind: str, text: str, lang: str) -> list[Fault]:
    """What stands in the way of putting a text in force; none when nothing does."""
    if len(text.encode()) > MOST:
        return [Fault((), words("web.catalogue.too_big", lang, most=MOST // 1024))]
    twice: list[Fault] = []
    try:
        twice = [
            Fault(where, words("web.catalogue.id_twice", lang)) for where in _twice(tomllib.loads(text), ())
        ]
        KINDS[kind].read(text)
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        return [Fault((), words("web.catalogue.unreadable", lang, line=line), line)]
    except ValidationError as error:
        told = [one for one in unfit(error) if one.what.words not in _TOLD_ALREADY]
        return twice + [Fault(one.where, one.what.sentence(lang)) for one in told]
    return twice


def _twice(value: Any, at: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Where an id stands that an entry of the same list has before."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _twice(one, (*at, name))
    elif isinstance(value, list):
        seen: set[str] = set()
        for n, one in enumerate(value):
            name = one.get("id") if isinstance(one, dict) else None
            if isinstance(name, str):
                if name in seen:
                    yield (*at, n, "id")
                seen.add(name)
            yield from _twice(one, (*at, n))


def _place(where: tuple[int | str, ...]) -> str:
    """`("checklist", 1, "sv")` as people count: checklist 2 › sv."""
    parts: list[str] = []
    for part in where:
        if isinstance(part, int) and parts:
            parts[-1] += f" {part + 1}"
        else:
            parts.append(str(part))
    return " › ".join(parts)


def changes(before: str, after: str) -> Iterator[tuple[str, str]]:
    """The lines of both texts: ("same" | "out" | "in", line), each change with what stands around it."""
    old, new = before.splitlines(), after.splitlines()
    for n, group in enumerate(SequenceMatcher(a=old, b=new, autojunk=False).get_grouped_opcodes(3)):
        if n:
            yield ("gap", "")
        for kind, a1, a2, b1, b2 in group:
            if kind == "equal":
                yield from (("same", line) for line in old[a1:a2])
                continue
            yield from (("out", line) for line in old[a1:a2])
            yield from (("in", line) for line in new[b1:b2])


class Catalogues:
    """Holds what is in force in this process to what the database says, and knows what the media nodes are to go by."""

    def __init__(self, database: Database, key: Ed25519PrivateKey) -> None:
        self._database = database
        self._key = key
        self._versions: dict[str, int] = {}
        self._for_nodes: dict[str, bytes] = {}
        self.editions: dict[str, Edition] = {}
        """What the media nodes are to go by, of what was ever edited."""
        self.changed = asyncio.Event()
        """Set when that is something else."""
        for kind in KINDS.values():
            kind.put(None)

    async def refresh(self, conn: Connection) -> None:
        """Take in what was saved, here or by another process. What is no longer whole is left out, and said to be."""
        for kind, found in (await store.latest(conn)).items():
            if kind not in KINDS or self._versions.get(kind) == found.version:
                continue
            try:
                KINDS[kind].put(found.body)
            except ValueError as error:
                _log.error("catalogue_refused", kind=kind, version=found.version, error=type(error).__name__)
            else:
                if kind in FOR_NODES:
                    one = self.editions[kind] = Edition(kind, found.version, found.body)
                    self._for_nodes[kind] = one.dump(self._key)
                    self.changed.set()
            self._versions[kind] = found.version

    async def for_nodes(self) -> dict[str, bytes]:
        """What the media nodes are to be told, by kind: what the database says now, or said last."""
        await self._look()
        return self._for_nodes

    async def run(self, sleep: Callable[[float], Any] = asyncio.sleep) -> None:
        """Look from time to time, until cancelled."""
        while True:
            await self._look()
            await sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        try:
            async with self._database.transaction() as conn:
                await self.refresh(conn)
        except (Unavailable, OSError) as error:
            _log.warning("catalogues_unknown", error=type(error).__name__)
