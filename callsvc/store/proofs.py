"""The proof of a call: how much typing was found and what the caller was left with."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from callsvc.store import calls
from callsvc.store.database import Connection


@dataclass(frozen=True, slots=True)
class ProofRow:
    """Levels are None, and shares too, when no stroke was found."""

    call_id: UUID
    at: datetime
    strokes: int
    level_before_db: float | None
    level_after_db: float | None
    audible_before_pct: float | None
    audible_after_pct: float | None
    blocks: int
    blocks_passed: int
    model: str
    model_sha256: str
    latency_samples: int
    degraded: bool


_COLUMNS = tuple(ProofRow.__dataclass_fields__)


async def put(conn: Connection, proof: ProofRow) -> None:
    """Keep the latest: one that is older than what is there changes nothing."""
    await calls.ensure(conn, proof.call_id, at=proof.at)
    rest = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
    await conn.execute(
        f"insert into proofs ({', '.join(_COLUMNS)}) values ({', '.join(['%s'] * len(_COLUMNS))})"
        f" on conflict (call_id) do update set {rest} where proofs.at <= excluded.at",
        astuple(proof),
    )


async def get(conn: Connection, call_id: UUID) -> ProofRow | None:
    async with conn.cursor(row_factory=class_row(ProofRow)) as cursor:
        await cursor.execute(f"select {', '.join(_COLUMNS)} from proofs where call_id = %s", [call_id])
        return await cursor.fetchone()
