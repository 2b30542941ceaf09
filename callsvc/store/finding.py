"""Calls found across cases: by what was said in them, and by what is known of them.

Calls of the anonymous line are never found: they cannot be joined to others, and a search over all calls would do that.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
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


# Who looks for something looks for the newest first. So few calls are gone through one by one before it is worked out
# from the other end: a word that is common is found in them at once, and one that is not is quick to find everywhere.
NEAR: Final = 200
# Calls that are gone through one by one, too, where what is known of them leaves no more.
FEW: Final = 1000

_LATEST = "select l.id from transcripts l where l.call_id = c.id and l.state = 'done' order by l.created_at desc, l.id limit 1"
# What narrows by more than the call's own row: asked of each call of a few, or worked out at once for all.
_EACH = {
    "case": "exists (select 1 from wrap_ups f where f.call_id = c.id and f.case_number ^@ %(case)s)",
    "operator": "exists (select 1 from users o where o.id = c.answered_by"
    " and strpos(lower(o.display_name), lower(%(operator)s)) > 0)",
    "language": "exists (select 1 from transcripts l where l.call_id = c.id and l.state = 'done'"
    " and (l.language = %(language)s or exists (select 1 from utterances v"
    " where v.transcript_id = l.id and v.language = %(language)s)))",
}
_ALL = {
    "case": "c.id in (select f.call_id from wrap_ups f where f.case_number ^@ %(case)s)",
    "operator": "c.answered_by in (select o.id from users o where strpos(lower(o.display_name), lower(%(operator)s)) > 0)",
    "language": "c.id in (select l.call_id from transcripts l where l.state = 'done' and l.language = %(language)s"
    " union all select l.call_id from utterances v join transcripts l on l.id = v.transcript_id and l.state = 'done'"
    " where v.language = %(language)s)",
}
_OWN = {
    "profile": "c.profile = %(profile)s",
    "since": "c.started_at >= %(since)s",
    "until": "c.started_at < %(until)s",
    "least_ms": "c.length_ms >= %(least_ms)s",
    "most_ms": "c.length_ms <= %(most_ms)s",
}
_ENDED = "c.state = 'ended' and c.started_at is not null and c.profile <> all(%(never)s)"
_AFTER = "c.started_at <= %(at)s and (c.started_at < %(at)s or c.id >= %(call)s)"
_QUERY = "to_tsquery('public.spoken_swedish', %(query)s)"
_HOLDS = f"u.kind <> 'crosstalk' and (u.search @@ {_QUERY} or u.corrected is not null and u.search_corrected @@ {_QUERY})"
_SAID = {"since": "u.called_at >= %(since)s", "until": "u.called_at < %(until)s"}
_SAID_AFTER = "u.called_at <= %(at)s"
_HIT_AFTER = "(c.started_at < %(at)s or c.call_id > %(call)s or (u.start_ms, u.n) > (%(start_ms)s, %(n)s))"
_SHOWN = f"""
    select f.call_id, w.case_number, f.started_at as at, u.transcript_id, u.n, u.leg, u.start_ms, u.end_ms, u.words,
           u.corrected is not null as corrected,
           u.corrected is not null and not u.search_corrected @@ {_QUERY} as replaced,
           ts_headline('public.spoken_swedish',
               case when u.corrected is not null and u.search_corrected @@ {_QUERY} then u.corrected else u.text end, {_QUERY},
               'HighlightAll=true, StartSel=' || %(open)s || ', StopSel=' || %(close)s) as marked
      from found f
      join utterances u on u.transcript_id = f.transcript_id and u.n = f.n
      left join wrap_ups w on w.call_id = f.call_id
     order by f.started_at desc, f.call_id, u.start_ms, u.n
"""
_CALLS = """
    select c.id, c.profile, c.started_at, c.length_ms, w.case_number, o.display_name as operator,
           (select t.language from transcripts t where t.call_id = c.id and t.state = 'done'
             order by t.created_at desc limit 1) as language
      from calls c left join wrap_ups w on w.call_id = c.id left join users o on o.id = c.answered_by
     where c.id = any(%s)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer ended: a call, and with a text the utterance in it."""

    at: datetime
    call: UUID
    start_ms: int = -1
    n: int = -1


def _where(wanted: Wanted, after: Place | None, *, of_call: bool) -> tuple[str, str]:
    """What is asked of the call's own row, and what beyond it."""
    asked = [name for name in Wanted.__dataclass_fields__ if getattr(wanted, name) not in ("", None)]
    own = [_ENDED, *([_AFTER] if after else []), *(_OWN[name] for name in asked if name in _OWN)]
    beyond = _EACH if of_call else _ALL
    return " and ".join(own), " and ".join(["true", *(beyond[name] for name in asked if name in beyond)])


def _newest(wanted: Wanted, after: Place | None) -> str:
    own, _ = _where(wanted, after, of_call=True)
    return f"select c.* from calls c where {own} order by c.started_at desc, c.id limit {NEAR}"


def _known(wanted: Wanted, after: Place | None, *, near: bool) -> str:
    """The newest calls that fit."""
    own, beyond = _where(wanted, after, of_call=near)
    among = f"({_newest(wanted, after)})" if near else "calls"
    fits = beyond if near else f"{own} and {beyond}"
    follows = " and c.id <> %(call)s" if after else ""
    return (
        f"select c.id, c.started_at from {among} c where {fits}{follows}"
        " order by c.started_at desc, c.id limit %(limit)s"
    )


def _said(wanted: Wanted, after: Place | None, among: str) -> str:
    """The newest utterances that hold it: `near`, in a `few` calls, or `everywhere`."""
    own, beyond = _where(wanted, after, of_call=among != "everywhere")
    follows = f" and {_HIT_AFTER}" if after else ""
    if among == "everywhere":
        # What holds it is worked out first and put in order by its own word for when the call began; then its calls are
        # looked at one by one, newest first, and no further than the answer reaches.
        own_words = [_SAID[name] for name in ("since", "until") if getattr(wanted, name) is not None]
        held = " and ".join(
            [_HOLDS, "u.called_at is not null", *own_words, *([_SAID_AFTER] if after else [])]
        )
        places = f"""said as materialized (select u.transcript_id, u.n, u.start_ms, u.called_at from utterances u where {held})
            select u.transcript_id, u.n, u.start_ms, c.call_id, c.started_at
              from (select * from said order by called_at desc) u
              cross join lateral (select c.id as call_id, c.started_at
                                    from transcripts t join calls c on c.id = t.call_id
                                   where t.id = u.transcript_id and t.id = ({_LATEST}) and {own} and {beyond} offset 0) c
             where true{follows}"""
        order = "order by u.called_at desc, call_id, start_ms, n limit %(limit)s"
    else:
        calls = (
            _newest(wanted, after) if among == "near" else "select c.* from calls c where c.id = any(%(few)s)"
        )
        places = f"""few as materialized ({calls})
            select u.transcript_id, u.n, u.start_ms, c.call_id, c.started_at
              from (select few.*, few.id as call_id from few) c cross join lateral ({_LATEST}) t
              cross join lateral (select u.transcript_id, u.n, u.start_ms from utterances u
                                   where u.transcript_id = t.id and {_HOLDS} offset 0) u
             where {beyond}{follows}"""
        order = "order by started_at desc, call_id, start_ms, n limit %(limit)s"
    return f"with found as materialized (with {places} {order}){_SHOWN}"


async def find(
    conn: Connection, text: str, wanted: Wanted, *, limit: int, after: Place | None = None
) -> tuple[list[FoundCall], Place | None]:
    """Calls that fit, newest first, and the place to go on after, if there are more. With a text, `limit` counts
    utterances, else calls.

    A text that seeks nothing ("och -", say) finds nothing.
    """
    values: dict[str, Any] = {name: getattr(wanted, name) for name in Wanted.__dataclass_fields__}
    values |= {"never": list(NEVER), "limit": limit + 1} | (asdict(after) if after else {})
    hits: list[Hit] = []
    if text.strip():
        if not (asked := query(text)):
            return [], None
        values |= {"query": asked, "open": OPEN, "close": CLOSE}
        hits = await _said_in(conn, wanted, after, values)
        last = hits[limit - 1] if len(hits) > limit else None
        go_on = Place(last.at, last.call_id, last.start_ms, last.n) if last and last.at else None
        hits = hits[:limit]
        ids = list(dict.fromkeys(hit.call_id for hit in hits))
    else:
        rows = await _calls(conn, wanted, after, values)
        go_on = Place(rows[limit - 1]["started_at"], rows[limit - 1]["id"]) if len(rows) > limit else None
        ids = [row["id"] for row in rows[:limit]]
    known = {row["id"]: row for row in await (await conn.execute(_CALLS, [ids])).fetchall()}
    return [FoundCall(**known[one], hits=[hit for hit in hits if hit.call_id == one]) for one in ids], go_on


async def _said_in(
    conn: Connection, wanted: Wanted, after: Place | None, values: dict[str, Any]
) -> list[Hit]:
    """The newest utterances that hold it, looked for where they are soonest found: among the newest calls, then in the few
    that fit what else is asked, then everywhere."""
    hits = await _hits(conn, wanted, after, "near", values)
    if len(hits) >= values["limit"]:
        return hits
    if _narrowed(wanted):
        few = await _calls(conn, wanted, after, values | {"limit": FEW + 1})
        if len(few) <= FEW:
            return await _hits(conn, wanted, after, "few", values | {"few": [row["id"] for row in few]})
    return await _hits(conn, wanted, after, "everywhere", values)


def _narrowed(wanted: Wanted) -> bool:
    return any(getattr(wanted, name) not in ("", None) for name in Wanted.__dataclass_fields__)


async def _calls(
    conn: Connection, wanted: Wanted, after: Place | None, values: dict[str, Any]
) -> list[dict[str, Any]]:
    near = await conn.execute(_known(wanted, after, near=True), values, prepare=False)
    if len(rows := await near.fetchall()) >= values["limit"]:
        return rows
    everywhere = await conn.execute(_known(wanted, after, near=False), values, prepare=False)
    return await everywhere.fetchall()


async def _hits(
    conn: Connection, wanted: Wanted, after: Place | None, among: str, values: dict[str, Any]
) -> list[Hit]:
    async with conn.cursor(row_factory=class_row(Hit)) as cursor:
        # Planned for what is sought this time, and not once for all.
        await cursor.execute(_said(wanted, after, among), values, prepare=False)
        return await cursor.fetchall()
