"""What the database was told of a call's recordings while they were made: an outside witness to their chains."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from callsvc.config import Settings
from callsvc.errors import CallsvcError
from callsvc.store import address


@dataclass(frozen=True, slots=True)
class Known:
    """The last link, once sealed; and (records, link) at the last time it was told while the call ran."""

    chain: str | None
    told: tuple[int, str] | None
    stamped: bool = False
    """Whether a timestamp was put beside it."""

    @property
    def expected(self) -> bool:
        """Whether anything was told of it: then it must be somewhere."""
        return bool(self.chain or self.told)


def known_recordings(settings: Settings, call: str) -> dict[str, Known] | None:
    """What was told of each of a call's recordings, by its id; None when the database does not answer."""
    try:
        with psycopg.connect(address(settings), connect_timeout=3) as conn:
            rows = conn.execute(
                "select id::text, head, told_records, told_chain, stamped_at from recordings where call_id = %s",
                [call],
            ).fetchall()
    except (psycopg.Error, CallsvcError):
        return None
    return {
        str(recording): Known(head, (int(records), str(chain)) if records and chain else None, bool(stamped))
        for recording, head, records, chain, stamped in rows
    }
