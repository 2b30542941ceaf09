"""Stretches of a call in which sound is not heard or not kept: masks, holds, mutes, absences; on the call's own clock.

A command takes effect at a moment, but the sound of that moment passes its tap later, after jitter buffer and
suppressor. So what is done to a frame follows from when it was spoken, not from when it comes by.
"""

from __future__ import annotations

from dataclasses import dataclass

from audio.taps import GapCause

REMEMBERED_MS = 5000
"""How long a stretch that is over is still asked for: far longer than sound is under way."""


@dataclass(slots=True)
class Span:
    """One stretch; it has no end while it lasts."""

    cause: GapCause
    from_ms: int
    to_ms: int | None = None

    def holds(self, at_ms: int) -> bool:
        return self.from_ms <= at_ms and (self.to_ms is None or at_ms < self.to_ms)


class Spans:
    """What lies over one direction of a call."""

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def begin(self, cause: GapCause, at_ms: int) -> None:
        """From now on; nothing happens if it is so already."""
        if not self.now(cause):
            self._spans = [
                one for one in self._spans if one.to_ms is None or at_ms - one.to_ms < REMEMBERED_MS
            ]
            self._spans.append(Span(cause, at_ms))

    def end(self, cause: GapCause, at_ms: int) -> None:
        """Until now."""
        for span in self._spans:
            if span.cause is cause and span.to_ms is None:
                span.to_ms = max(at_ms, span.from_ms)

    def now(self, cause: GapCause) -> bool:
        """Whether such a stretch lasts at present."""
        return any(span.cause is cause and span.to_ms is None for span in self._spans)

    def over(self, cause: GapCause, at_ms: int) -> bool:
        """Whether such a stretch lies over this moment."""
        return any(span.cause is cause and span.holds(at_ms) for span in self._spans)

    def __bool__(self) -> bool:
        return bool(self._spans)
