"""Calls as a list shows them: each with the state of its recording, its transcript and its proof, in one query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from callsvc.store.database import Connection
from callsvc.types import CallState


@dataclass(frozen=True, slots=True)
class Overview:
    """A call in a list. What it does not have (no recording, no proof yet) is None."""

    id: UUID
    profile: str
    state: str
    demo: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    length_ms: int | None
    degraded: str | None
    recording_state: str | None
    recording_outcome: str | None
    transcript_state: str | None
    transcript_progress: float | None
    transcript_expected_at: datetime | None
    strokes: int | None
    level_before_db: float | None
    level_after_db: float | None
    audible_before_pct: float | None
    audible_after_pct: float | None
    proof_degraded: bool | None


_OVERVIEW = """
    select c.id, c.profile, c.state, c.demo, c.created_at, c.started_at, c.ended_at, c.length_ms, c.degraded,
           r.state as recording_state, r.outcome as recording_outcome,
           t.state as transcript_state, t.progress as transcript_progress,
           t.expected_at as transcript_expected_at,
           p.strokes, p.level_before_db, p.level_after_db, p.audible_before_pct, p.audible_after_pct,
           p.degraded as proof_degraded
      from calls c
      left join lateral (select state, outcome from recordings where call_id = c.id
                          order by started_at desc, id limit 1) r on true
      left join lateral (select state, progress, expected_at from transcripts where call_id = c.id
                          order by created_at desc, id limit 1) t on true
      left join proofs p on p.call_id = c.id
"""

# A list that one looks at; what lies behind it is fetched page by page.
NEWEST = 50


async def listing(
    conn: Connection,
    states: Collection[CallState],
    *,
    limit: int = NEWEST,
    before: tuple[datetime, UUID] | None = None,
    of: UUID | None = None,
) -> list[Overview]:
    """Calls in any of `states`, newest first; `before` pages on from the last one's `created_at` and id.

    `of` leaves out all that this person neither answered nor placed.
    """
    at, call_id = before or (None, None)
    async with conn.cursor(row_factory=class_row(Overview)) as cursor:
        await cursor.execute(
            _OVERVIEW + " where c.state = any(%(states)s)"
            " and (%(at)s::timestamptz is null or (c.created_at, c.id) < (%(at)s, %(id)s::uuid))"
            " and (%(of)s::uuid is null or c.answered_by = %(of)s or c.created_by = %(of)s)"
            " order by c.created_at desc, c.id desc limit %(limit)s",
            {"states": [str(state) for state in states], "at": at, "id": call_id, "limit": limit, "of": of},
        )
        return await cursor.fetchall()


async def get(conn: Connection, call_id: UUID) -> Overview | None:
    async with conn.cursor(row_factory=class_row(Overview)) as cursor:
        await cursor.execute(_OVERVIEW + " where c.id = %s", [call_id])
        return await cursor.fetchone()


async def fingerprints(conn: Connection) -> dict[str, str]:
    """What a screen could be showing and how it stands: a digest per topic.

    The topics are `call:<id>` for calls that go on, the newest that have ended and those whose transcript is being
    made, `text:<id>` for calls whose text was corrected lately, `hand-overs`, `demo` for the latest demonstration call and `log` for the access log.
    """
    cursor = await conn.execute(
        "with shown as (select id from calls where state in ('setting_up', 'live')"
        f" union (select id from calls where state = 'ended' order by created_at desc limit {NEWEST})"
        " union (select call_id from transcripts where state in ('queued', 'running')))"
        " select 'call:' || o.id as topic, md5(o::text) as digest"
        f" from ({_OVERVIEW} where c.id in (select id from shown)) o"
        " union all select 'demo', md5(d::text) from (select id, call_id, state, progress, step from demonstrations"
        " order by created_at desc, id limit 1) d"
        " union all select 'text:' || t.call_id, max(e.at)::text || ' ' || count(*)"
        " from (select transcript_id, at from transcript_edits order by at desc limit 100) e"
        " join transcripts t on t.id = e.transcript_id group by t.call_id"
        " union all select 'hand-overs', count(*)::text || ' ' || coalesce(max(at)::text, '')"
        " from hand_overs where taken_at is null"
        " union all select 'log', coalesce(max(id), 0)::text from access_events"
    )
    return {row["topic"]: row["digest"] for row in await cursor.fetchall()}
