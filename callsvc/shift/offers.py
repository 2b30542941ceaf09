"""Which waiting call is offered to which free operator.

Emergency calls go first, then who has waited longest; each is offered to whoever has been free longest. A call that
has waited a while is offered to everybody who has nothing else before them: the first who answers has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from callsvc.types import Profile

ALONE: Final = timedelta(seconds=15)
"""For so long a call is offered to one operator alone."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caller who is on the line and whom nobody has answered."""

    call: UUID
    profile: Profile
    since: datetime
    demo: bool = False
    line: str | None = None
    """The id of the line that it came in on, where it has one."""


@dataclass(frozen=True, slots=True)
class Free:
    """An operator who could answer."""

    person: UUID
    since: datetime


def in_line(waiting: Iterable[Waiting]) -> list[Waiting]:
    """The callers in the order in which they are to be answered."""
    return sorted(waiting, key=lambda one: (one.profile is not Profile.EMERGENCY, one.since, one.call))


def offers(waiting: Iterable[Waiting], free: Iterable[Free], at: datetime) -> Mapping[UUID, Waiting]:
    """The call that each operator is offered, by person; who is offered none is not there."""
    callers = in_line(waiting)
    people = sorted(free, key=lambda one: (one.since, one.person))
    offered = {one.person: call for call, one in zip(callers, people, strict=False)}
    overdue = next((call for call in callers if at - call.since >= ALONE), None)
    if overdue is not None:
        for one in people:
            offered.setdefault(one.person, overdue)
    return offered
