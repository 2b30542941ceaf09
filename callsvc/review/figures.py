"""What reviews say over time: by line and month, and by nothing else.

Only calls drawn by a rule that is blind to how they went are counted. A cell with few calls is not told: it could be
read as somebody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from callsvc.review.agreement import Agreement, Pair, agreement
from callsvc.review.rules import rules
from callsvc.review.scorecard import Scorecard
from callsvc.store import Connection

LEAST: Final = 5
"""Calls below which a cell is not told."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A question on a line in a month: the mean of its points, 0 to 1; None when there are too few calls to tell."""

    month: date
    profile: str
    question: str
    calls: int | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """`agreed` is over all calls that two reviewers answered for, whatever their line."""

    cells: list[Cell]
    agreed: Agreement
    compared: int


async def figures(conn: Connection, *, since: datetime) -> Figures:
    """Of calls that began at `since` or later."""
    return Figures(await _cells(conn, since), *await _agreed(conn, since))


async def _cells(conn: Connection, since: datetime) -> list[Cell]:
    cursor = await conn.execute(
        "select date_trunc('month', c.started_at at time zone 'UTC')::date as month, c.profile, w.question,"
        " w.choice, a.card from assessments a"
        " join reviews r on r.id = a.review_id join calls c on c.id = r.call_id"
        " join assessment_answers w on w.assessment_id = a.id"
        " where a.seat = 1 and a.done_at is not null and c.started_at >= %s and r.rule = any(%s)",
        [since, rules().standing_for_all],
    )
    counted: dict[tuple[date, str, str], list[float]] = {}
    for row in await cursor.fetchall():
        points = Scorecard.model_validate(row["card"]).points(row["question"], row["choice"])
        if points is not None:
            counted.setdefault((row["month"], row["profile"], row["question"]), []).append(points)
    return [
        Cell(
            month, profile, question,
            len(given) if len(given) >= LEAST else None,
            round(sum(given) / len(given), 3) if len(given) >= LEAST else None,
        )
        for (month, profile, question), given in sorted(counted.items())
    ]  # fmt: skip


async def _agreed(conn: Connection, since: datetime) -> tuple[Agreement, int]:
    cursor = await conn.execute(
        "select a.review_id, w.choice as first, v.choice as second from assessments a"
        " join assessments b on b.review_id = a.review_id and b.seat = 2 and b.done_at is not null"
        " join reviews r on r.id = a.review_id join calls c on c.id = r.call_id"
        " join assessment_answers w on w.assessment_id = a.id"
        " join assessment_answers v on v.assessment_id = b.id and v.question = w.question"
        " where a.seat = 1 and a.done_at is not null and c.started_at >= %s",
        [since],
    )
    pairs: list[Pair] = []
    compared: set[UUID] = set()
    for row in await cursor.fetchall():
        pairs.append((row["first"], row["second"]))
        compared.add(row["review_id"])
    return agreement(pairs), len(compared)
