"""What a listener has chosen for themselves. How long they have listened stays in their own browser: nobody is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from psycopg.rows import class_row

from callsvc.store import Connection


@dataclass(frozen=True, slots=True)
class Choices:
    """`sound_off`: recordings open as text. `softened`: they begin softened. `marked`: what may be hard to hear is marked.
    `counted`: listening time is counted, in the browser alone."""

    sound_off: bool = True
    softened: bool = False
    marked: bool = True
    counted: bool = True


async def get(conn: Connection, person: UUID) -> Choices:
    async with conn.cursor(row_factory=class_row(Choices)) as cursor:
        await cursor.execute(
            "select sound_off, softened, marked, counted from care_choices where user_id = %s", [person]
        )
        return await cursor.fetchone() or Choices()


async def choose(conn: Connection, person: UUID, choices: Choices) -> None:
    await conn.execute(
        "insert into care_choices (user_id, sound_off, softened, marked, counted)"
        " values (%(who)s, %(sound_off)s, %(softened)s, %(marked)s, %(counted)s)"
        " on conflict (user_id) do update set sound_off = excluded.sound_off, softened = excluded.softened,"
        " marked = excluded.marked, counted = excluded.counted",
        {"who": person} | asdict(choices),
    )
