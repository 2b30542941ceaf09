"""Leave to read something of a call: right and reason each time, a line in the trail for each sitting.

A player asks for a track in dozens of ranges. The first is written down, and the next that comes ten minutes later.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final
from uuid import UUID

from callsvc.access import reasons, trail
from callsvc.access.ownership import demand_call
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.clock import Clock
from callsvc.errors import ReasonRequired
from callsvc.store import Database

SITTING_S: Final = 600.0
_REMEMBERED: Final = 10_000


class Readings:
    """What has been written down lately."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lately: OrderedDict[tuple[UUID, UUID | None, str], tuple[float, str]] = OrderedDict()

    async def ask(self, session: Session, call: UUID, action: Action, *, kind: str, name: str) -> None:
        """Raises `AccessDenied`, or `ReasonRequired` when this session has not opened the call."""
        key: tuple[UUID, UUID | None, str] = (session.id, call, name)
        now = self._clock.monotonic()
        async with self._database.transaction() as conn:
            reason = await reasons.reason_for(conn, session, call)
            noted = self._lately.get(key)
            if reason is not None and noted is not None and noted[1] == reason and now - noted[0] < SITTING_S:
                await demand_call(conn, session.person, action, call)
                return
            await reasons.read(
                conn, session, call, action, object_kind=kind, object_id=name, at=self._clock.utc_now()
            )
        if reason is None:
            raise ReasonRequired
        self._remember(key, now, reason)

    async def case(self, session: Session, number: str) -> None:
        """Which calls belong to a case, and what was ticked and marked in them, needs no reason and leaves a line."""
        key: tuple[UUID, UUID | None, str] = (session.id, None, number)
        now = self._clock.monotonic()
        if key in self._lately and now - self._lately[key][0] < SITTING_S:
            return
        async with self._database.transaction() as conn:
            await trail.record(
                conn,
                user_id=session.person.id,
                action=Action.CASE_READ,
                object_kind="case",
                object_id=number,
                at=self._clock.utc_now(),
            )
        self._remember(key, now, "")

    def _remember(self, key: tuple[UUID, UUID | None, str], now: float, reason: str) -> None:
        self._lately[key] = (now, reason)
        self._lately.move_to_end(key)
        while len(self._lately) > _REMEMBERED:
            self._lately.popitem(last=False)
