"""The one thing that a feature in the media node needs to know of the bus."""

from __future__ import annotations

from typing import Protocol

from callsvc.types import Event


class EventSink(Protocol):
    """Takes what happened to a call."""

    def emit(self, event: Event) -> None:
        """Keep the event until somebody has committed it. Never blocks on a network and never raises.

        `call`, `kind` and `fields` are the caller's; `at`, `node` and `seq` are filled in here. May be called from
        any thread.
        """
