"""What the database was told of a call's recordings while they were made: an outside witness to their chains."""

from __future__ import annotations

import psycopg

from callsvc.config import Settings
from callsvc.errors import CallsvcError
from callsvc.store import address


def known_chains(settings: Settings, call: str) -> dict[str, str] | None:
    """The last link of each recording, by its id; None when the database does not answer."""
    try:
        with psycopg.connect(address(settings), connect_timeout=3) as conn:
            cursor = conn.execute(
                "select id::text, head from recordings where call_id = %s and head is not null", [call]
            )
            return {str(row[0]): str(row[1]) for row in cursor.fetchall()}
    except (psycopg.Error, CallsvcError):
        return None
