"""Whose call it is: who answered it or placed it. A call that one may not know of is answered for as if there were none."""

from __future__ import annotations

from uuid import UUID

from callsvc.access.people import Person
from callsvc.access.rights import Action, Scope, demand
from callsvc.errors import NotFound
from callsvc.store import Connection


async def demand_call(conn: Connection, person: Person, action: Action, call_id: UUID) -> None:
    """Leave to do it with this call. Raises `AccessDenied` when the role never may, `NotFound` when not with this one."""
    if demand(person.roles, action) is Scope.OWN and not await owns(conn, person.id, call_id):
        raise NotFound("There is no such call.")


async def owns(conn: Connection, person: UUID, call_id: UUID) -> bool:
    cursor = await conn.execute(
        "select 1 from calls where id = %(call)s and (answered_by = %(who)s or created_by = %(who)s)",
        {"call": call_id, "who": person},
    )
    return await cursor.fetchone() is not None
