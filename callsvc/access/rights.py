"""Who may do what: the one table. Everything that asks goes through `demand`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from callsvc.errors import AccessDenied
from callsvc.types import Role


class Action(StrEnum):
    """What a person can ask of the service."""

    CALL_TAKE = "call.take"  # place or answer a call, and get the token of its leg
    CALL_LIST = "call.list"  # see that calls exist: times, states, figures, never what was said
    CALL_OPEN = "call.open"  # give a reason and so open a call for reading
    AUDIO_READ = "audio.read"
    TRANSCRIPT_READ = "transcript.read"
    DEMO_PLACE = "demo.place"
    TRAIL_READ = "trail.read"  # who looked at what, and why
    USERS_ADMIN = "users.admin"
    HEALTH_READ = "health.read"  # health of the parts, models, what is degraded


RIGHTS: Final[Mapping[Role, frozenset[Action]]] = MappingProxyType(
    {
        Role.OPERATOR: frozenset({Action.CALL_TAKE, Action.CALL_LIST, Action.DEMO_PLACE}),
        Role.INVESTIGATOR: frozenset(
            {Action.CALL_LIST, Action.CALL_OPEN, Action.AUDIO_READ, Action.TRANSCRIPT_READ}
        ),
        Role.QA: frozenset(
            {
                Action.CALL_LIST,
                Action.CALL_OPEN,
                Action.AUDIO_READ,
                Action.TRANSCRIPT_READ,
                Action.DEMO_PLACE,
            }
        ),
        # Runs the system and sees who looked; does not listen.
        Role.ADMIN: frozenset(
            {
                Action.CALL_LIST,
                Action.DEMO_PLACE,
                Action.TRAIL_READ,
                Action.USERS_ADMIN,
                Action.HEALTH_READ,
            }
        ),
    }
)


def actions(roles: Iterable[Role]) -> frozenset[Action]:
    """All that somebody with these roles may do."""
    return frozenset().union(*(RIGHTS[role] for role in roles))


def allowed(roles: Iterable[Role], action: Action) -> bool:
    return action in actions(roles)


def demand(roles: Iterable[Role], action: Action) -> None:
    """Raises `AccessDenied` unless one of the roles may do it."""
    if not allowed(roles, action):
        raise AccessDenied(hint="Ask an administrator for the role that this needs.")
