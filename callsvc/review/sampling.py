"""The draw: whether a call is reviewed follows from its id and from the rules, and from nothing that anybody can touch.

A call's id is drawn at random when it begins. Its SHA-256 together with the rule's name is a number from 0 to 1, and
the call is drawn when that is below the rule's share. So the draw can be worked out again, years later, from the log.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from callsvc.ids import new_id
from callsvc.review.rules import Rule, Rules, rules
from callsvc.store import Connection
from callsvc.types import Profile

_SCALE = 1 << 64


def place(call_id: UUID, what: str) -> float:
    """Where a call lies between 0 and 1 for this purpose."""
    digest = hashlib.sha256(f"{what} {call_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / _SCALE


def drawn_by(among: Rules, call_id: UUID, profile: Profile, *, degraded: bool) -> Rule | None:
    """The rule that draws this call; None when none does."""
    for rule in among.rule:
        fits = profile in rule.profiles and (degraded or not rule.degraded)
        if fits and place(call_id, rule.id) < rule.share_pct / 100:
            return rule
    return None


def seats(among: Rules, call_id: UUID) -> int:
    """How many reviewers answer for it: one, or two that are compared."""
    return 2 if place(call_id, "calibration") < among.calibrated_pct / 100 else 1


async def consider(conn: Connection, call_id: UUID, *, at: datetime) -> bool:
    """Look at a call that is over and recorded, and draw it when a rule does. Asked again it changes nothing but adds
    captions that came late. Says whether it is drawn."""
    cursor = await conn.execute(
        "select c.profile, c.degraded is not null or coalesce(p.degraded, false) as degraded"
        " from calls c left join proofs p on p.call_id = c.id where c.id = %s and c.state = 'ended' and not c.demo"
        " and exists (select 1 from recordings r where r.call_id = c.id and r.state in ('sealed', 'archived'))",
        [call_id],
    )
    call = await cursor.fetchone()
    if call is None:
        return False
    among = rules()
    rule = drawn_by(among, call_id, Profile(call["profile"]), degraded=call["degraded"])
    if rule is None:
        return False
    await enter(conn, call_id, rule.id, seats(among, call_id), at=at)
    return True


async def enter(conn: Connection, call_id: UUID, rule: str, seats: int, *, at: datetime) -> UUID:
    """Put a call on the worklist, with its captions while they are there; the id of its review."""
    cursor = await conn.execute(
        "insert into reviews (id, call_id, rule, rules_version, seats, drawn_at) values (%s, %s, %s, %s, %s, %s)"
        " on conflict (call_id) do update set seats = reviews.seats returning id",
        [new_id(), call_id, rule, rules().version, seats, at],
    )
    row = await cursor.fetchone()
    assert row is not None
    review: UUID = row["id"]
    # Captions go when the transcript comes. What the operator saw is part of what is reviewed, so it is kept here.
    found = await conn.execute(
        "select leg, start_ms, end_ms, text from captions where call_id = %s order by start_ms, leg, n",
        [call_id],
    )
    seen: list[dict[str, Any]] = list(await found.fetchall())
    if seen:
        await conn.execute(
            "update reviews set captions = %s where id = %s and jsonb_array_length(captions) < %s",
            [Jsonb(seen), review, len(seen)],
        )
    return review
