"""Calls found across cases: by what was said in them, and by what is known of them.

Calls of the anonymous line are never found: they cannot be joined to others, and a search over all calls would do that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row

from callsvc.store.database import Connection
from callsvc.store.spoken import CLOSE, OPEN, Hit, query
from callsvc.types import Profile

NEVER: Final = (str(Profile.ANONYMOUS),)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is sought; what is None or empty is not asked for. `case` is how its number begins, `operator` part of a name."""

    case: str = ""
    operator: str = ""
    language: str = ""
    profile: str = ""
    since: datetime | None = None
    until: datetime | None = None
    least_ms: int | None = None
    most_ms: int | None = None


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A call that fits, with the utterances in which what was sought was said; none where nothing was sought."""

    id: UUID
    profile: str
    started_at: datetime
    length_ms: int | None
    case_number: str | None
    operator: str | None
    language: str | None
    hits: list[Hit] = field(default_factory=list)


_CALL = """
    c.state = 'ended' and c.started_at is not null and c.profile <> all(%(never)s)
    and (%(profile)s = '' or c.profile = %(profile)s)
    and (%(since)s::timestamptz is null or c.started_at >= %(since)s)
    and (%(until)s::timestamptz is null or c.started_at < %(until)s)
    and (%(least_ms)s::bigint is null or c.length_ms >= %(least_ms)s)
    and (%(most_ms)s::bigint is null or c.length_ms <= %(most_ms)s)
    and (%(case)s = '' or exists (select 1 from wrap_ups f where f.call_id = c.id and f.case_number ^@ %(case)s))
    and (%(operator)s = '' or exists (select 1 from users o where o.id = c.answered_by
         and strpos(lower(o.display_name), lower(%(operator)s)) > 0))
    and (%(language)s = '' or exists (select 1 from transcripts l where l.call_id = c.id and l.state = 'done'
         and (l.language = %(language)s or exists (select 1 from utterances v
              where v.transcript_id = l.id and v.language = %(language)s))))
"""
_SAID = (
    """
    with asked as materialized (select to_tsquery('public.spoken_swedish', %(query)s) as q),
    found as materialized (
        select u.transcript_id, u.n, t.call_id, c.started_at
          from asked join utterances u on (u.search @@ q or u.corrected is not null and u.search_corrected @@ q)
          join transcripts t on t.id = u.transcript_id and t.state = 'done'
          join calls c on c.id = t.call_id
         where u.kind <> 'crosstalk' and """
    + _CALL
    + """ and not exists (select 1 from transcripts later
               where later.call_id = t.call_id and later.state = 'done' and later.created_at > t.created_at)
         order by c.started_at desc, c.id, u.start_ms, u.n limit %(limit)s offset %(offset)s)
    select f.call_id, w.case_number, f.started_at as at, u.transcript_id, u.n, u.leg, u.start_ms, u.end_ms, u.words,
           u.corrected is not null as corrected,
           u.corrected is not null and not u.search_corrected @@ q as replaced,
           ts_headline('public.spoken_swedish',
               case when u.corrected is not null and u.search_corrected @@ q then u.corrected else u.text end, q,
               'HighlightAll=true, StartSel=' || %(open)s || ', StopSel=' || %(close)s) as marked
      from asked, found f
      join utterances u on u.transcript_id = f.transcript_id and u.n = f.n
      left join wrap_ups w on w.call_id = f.call_id
     order by f.started_at desc, f.call_id, u.start_ms, u.n
"""
)
_KNOWN = (
    "select c.id from calls c where "
    + _CALL
    + " order by c.started_at desc, c.id limit %(limit)s offset %(offset)s"
)
_CALLS = """
    select c.id, c.profile, c.started_at, c.length_ms, w.case_number, o.display_name as operator,
           (select t.language from transcripts t where t.call_id = c.id and t.state = 'done'
             order by t.created_at desc limit 1) as language
      from calls c left join wrap_ups w on w.call_id = c.id left join users o on o.id = c.answered_by
     where c.id = any(%s)
"""


async def find(
    conn: Connection, text: str, wanted: Wanted, *, limit: int, offset: int
) -> tuple[list[FoundCall], bool]:
    """Calls that fit, newest first, and whether there are more. With a text, `limit` counts utterances, else calls.

    A text that seeks nothing ("och -", say) finds nothing.
    """
    values: dict[str, Any] = {name: getattr(wanted, name) for name in Wanted.__dataclass_fields__}
    values |= {"never": list(NEVER), "limit": limit + 1, "offset": offset}
    hits: list[Hit] = []
    if text.strip():
        if not (asked := query(text)):
            return [], False
        async with conn.cursor(row_factory=class_row(Hit)) as cursor:
            await cursor.execute(_SAID, values | {"query": asked, "open": OPEN, "close": CLOSE})
            hits = await cursor.fetchall()
        more = len(hits) > limit
        hits = hits[:limit]
        ids = list(dict.fromkeys(hit.call_id for hit in hits))
    else:
        rows = await (await conn.execute(_KNOWN, values)).fetchall()
        more = len(rows) > limit
        ids = [row["id"] for row in rows[:limit]]
    known = {row["id"]: row for row in await (await conn.execute(_CALLS, [ids])).fetchall()}
    return [FoundCall(**known[one], hits=[hit for hit in hits if hit.call_id == one]) for one in ids], more
