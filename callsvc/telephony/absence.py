"""What the caller hears while the operator is gone: a reload that takes long, a crash, a lost network.

    last sign of life ──(a few seconds)──► `wait` is played ──(10 s)──► again ... ──► the operator is back: it fades
                                                                              └─(patience ends)──► the call does

A person in distress takes silence for having been left. Nothing here is the operator's doing: hold and mute leave the
operator's sound coming in, and whose sound comes in is not gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, Protocol

from callsvc import logs
from callsvc.telephony.announcements import Catalogue, Playing
from callsvc.telephony.parts import Parts
from callsvc.telephony.side import Side
from callsvc.types import Leg

ANNOUNCEMENT: Final = "wait"
EVERY_S: Final = 10.0
"""From one beginning to the next."""
PAUSE_S: Final = 5.0
"""From the end of a long one to the next, at least."""
TELEPHONE_S: Final = 6.5
"""A telephone may send nothing while nobody speaks into it. What tells that it is there is its RTCP report, due every five
seconds and, by chance, up to 6.2 s after the one before (RFC 3550 section 6.3.1)."""
LAST: Final = ("sv", "en")
"""Languages that are tried when there is no sound in the call's own."""


log = logs.get("telephony")


def _patience_s(side: Side, parts: Parts) -> float:
    waits = side.leg is Leg.OPERATOR and side.connection.may_return and side.subject is not None
    return parts.return_within_s if waits else parts.vanish_after_s


class Player(Protocol):
    """What plays to the caller."""

    language: str

    @property
    def playing(self) -> Playing | None: ...

    def announce(self, name: str, language: str, by: Literal["service"]) -> Playing: ...


def gone(side: Side, parts: Parts, player: Player | None, now: float) -> bool:
    """Whether a leg gave no sign of life for so long that the call is over. A caller who is just being asked to wait hears
    the sentence out.
    """
    if now - side.connection.last_heard <= _patience_s(side, parts) or not (
        side.connection.ready or side.away
    ):
        return False
    playing = player.playing if player and side.leg is Leg.OPERATOR else None
    return playing is None or playing.by != "service"


class Absence:
    """Looks, for one call, whether the operator is still there."""

    def __init__(self, side: Side, parts: Parts) -> None:
        self._side = side
        self._parts = parts
        self._again_at: float | None = None
        """When it is to be said again; None while the operator is there."""

    def look(self, player: Player, now: float) -> bool:
        """To be asked every 10 ms; True when an announcement has begun."""
        silent_s = now - self._side.connection.last_heard
        if not 0 < self._after_s <= silent_s:
            if self._again_at is not None:
                self._again_at = None
                if (playing := player.playing) and playing.by == "service":
                    playing.fade()
            return False
        due = self._again_at is None or now >= self._again_at
        if not due or player.playing or silent_s >= _patience_s(self._side, self._parts):
            return False
        return self._tell(player, now)

    @property
    def _after_s(self) -> float:
        after_s = self._parts.away_told_after_s
        return after_s if self._side.connection.may_return or not after_s else max(after_s, TELEPHONE_S)

    def _tell(self, player: Player, now: float) -> bool:
        self._again_at = now + EVERY_S
        language = next(_choices(player.language, self._parts.announcements), None)
        if language is None:
            log.warning("not_announced", why="nothing_there", announcement=ANNOUNCEMENT)
            return False
        playing = player.announce(ANNOUNCEMENT, language, by="service")
        self._again_at = now + max(EVERY_S, playing.announcement.length_ms / 1000 + PAUSE_S)
        return True


def _choices(wanted: str, catalogue: Catalogue) -> Iterator[str]:
    """Languages in which it has been spoken, the best first: any says more than silence."""
    spoken = catalogue.get(ANNOUNCEMENT, {})
    return (one for one in (wanted, *LAST, *sorted(spoken)) if one in spoken)
