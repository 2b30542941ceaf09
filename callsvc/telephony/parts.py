"""What every call of a node shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from audio.suppressor import Engine
from callsvc.clock import Clock
from callsvc.telephony.announcements import Catalogue
from callsvc.telephony.connection import Connection
from callsvc.telephony.ports import EventSink, Recording


def _keep(_connection: Connection) -> None:
    """Nobody closes what is let go: for calls without a node around them."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What every call of a node shares."""

    clock: Clock
    events: EventSink
    recording: Recording | None
    engine: Engine | None
    vanish_after_s: float
    announcements: Catalogue = field(default_factory=dict)
    discard: Callable[[Connection], None] = _keep
    """Closes a connection that another one has taken the place of."""
    return_within_s: float = 30.0
    """How long an operator in a browser may be away."""
    away_told_after_s: float = 3.0
    """How long, until the caller is told so; 0: never."""
