"""What telephony needs of others, as protocols: where events go."""

from __future__ import annotations

from typing import Protocol

from callsvc.types import Event


class EventSink(Protocol):
    """Takes events on their way out. Callable from any thread; never waits for a network, never raises."""

    def emit(self, event: Event) -> None:
        """Note what happened; the sink numbers it, dates it and sees to it that it arrives."""


class NullSink:
    """Takes events and keeps none: for a node that tells nobody."""

    def emit(self, event: Event) -> None:
        return None
