"""What each line profile means for the call itself: is it recorded, is the raw microphone kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callsvc.telephony.line_profiles import Lines, packaged
from callsvc.telephony.protocol import Do
from callsvc.types import Profile, Track

KeepRaw = Literal["never", "demo", "always"]


@dataclass(frozen=True, slots=True)
class LinePolicy:
    """The rules of one call."""

    record: bool
    keep_raw: bool
    recall_ms: int = 60_000
    """How far the operator can listen back; 0 remembers nothing."""
    keep_number: bool = True
    """Whether the caller's number may go further than the door."""
    keep_digits: bool = True
    """Whether it is shown and kept which digits a party presses."""
    codecs: tuple[str, ...] = ()
    """What may be spoken, the preferred first; empty: what the client prefers."""
    announcement: tuple[str, str] | None = None
    """What the caller hears as the call begins, and in which language."""
    language: str = "sv"
    """In which the line speaks to its callers."""

    @property
    def commands(self) -> tuple[Do, ...]:
        """What the operator may command."""
        without = set() if self.record else {Do.MASK, Do.MARKER}
        without |= set() if self.recall_ms else {Do.RECALL, Do.RECALL_STOP}
        return tuple(one for one in Do if one not in without)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks that are recorded."""
        if not self.record:
            return ()
        raw = (Track.OPERATOR_RX,) if self.keep_raw else ()
        return (Track.CALLER_RX, Track.OPERATOR_TX, *raw)


def policy_of(
    profile: Profile, *, demonstration: bool, keep_raw: KeepRaw, lines: Lines | None = None
) -> LinePolicy:
    """The rules for a call that begins on this line now. The anonymous line records nothing."""
    line = lines.of(profile) if lines else packaged().of(profile)
    raw = keep_raw == "always" or (keep_raw == "demo" and demonstration)
    return LinePolicy(
        line.record,
        line.record and raw,
        line.recall_s * 1000,
        line.number == "keep",
        line.digits == "keep",
        line.codecs,
        (line.announce, line.language) if line.announce else None,
        line.language,
    )
