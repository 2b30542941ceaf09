"""The only place where the service reads the time of day.

Media counts samples (see `audio`); this clock labels what people read and times what waits.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time and a monotonic time, passed in wherever one is needed."""

    def utc_now(self) -> datetime:
        """The time of day, aware, UTC."""

    def monotonic(self) -> float:
        """Seconds that never go backwards; only differences mean anything."""


class SystemClock:
    """The machine's own clocks."""

    def utc_now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class FixedClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now or datetime(2026, 1, 1, tzinfo=UTC)
        self._monotonic = 0.0

    def utc_now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Move the time of day alone, as a corrected clock does; negative goes back."""
        self._now += timedelta(seconds=seconds)


def age_s(stamp_ns: int) -> float:
    """How long ago the machine's clock showed this, in nanoseconds since 1970: of a stamp that the kernel has put on."""
    return (time.time_ns() - stamp_ns) / 1e9


def isoformat(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: `2026-01-01T00:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
