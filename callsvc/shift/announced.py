"""What the caller of a call was played: which text in which language, when, whether to its end, and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID

from callsvc.store import Connection, call_notes
from callsvc.store.call_notes import CallNote

By = Literal["operator", "line", "service"]
_CUT_OFF: Final = ("stopped", "broken_off")


@dataclass(frozen=True, slots=True)
class Announced:
    """`by`: the operator; or the line, or the service while the operator was gone. `cut_off`: the caller did not hear the
    end of it.
    """

    announcement: str
    version: str
    language: str
    at_ms: int
    by: By
    cut_off: bool


def announced(notes: Sequence[CallNote]) -> list[Announced]:
    """From what the node noted, in the order of the call. One is played at a time."""
    found: list[Announced] = []
    for note in notes:
        what = note.what
        if note.note != "announcement":
            continue
        one = Announced(
            str(what.get("announcement", "")),
            str(what.get("version", "")),
            str(what.get("language", "")),
            note.at_ms,
            _by(note),
            False,
        )
        if what.get("state") == "begun":
            found.append(one)
        elif what.get("state") in _CUT_OFF and found and _same(found[-1], one):
            found[-1] = replace(one, at_ms=found[-1].at_ms, cut_off=True)
    return found


def _by(note: CallNote) -> By:
    by = note.what.get("by")
    # Older nodes played for nobody else.
    return by if by in ("line", "service") else "operator"


def _same(begun: Announced, one: Announced) -> bool:
    return (begun.announcement, begun.language) == (one.announcement, one.language)


async def of_call(conn: Connection, call_id: UUID) -> list[Announced]:
    return announced(await call_notes.of_call(conn, call_id))


async def operator(conn: Connection, call_id: UUID) -> str:
    """Who answered the call and so played what nothing else did; empty where nobody is known to have."""
    cursor = await conn.execute(
        "select display_name from users join calls on calls.answered_by = users.id where calls.id = %s",
        [call_id],
    )
    row = await cursor.fetchone()
    return str(row["display_name"]) if row else ""
