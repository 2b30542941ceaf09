"""What goes over the wire for operators at work: their shift, a call that is offered, the one in hand."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from callsvc.types import CallState, Profile
from callsvc.web.shapes import Shape


class Availability(Shape):
    """To be said anew every ten seconds; who is silent for seventy is not available."""

    available: bool


class LineNamed(Shape):
    """The line that a call came in on; `queue` is empty where it has no label."""

    id: str
    sv: str
    en: str
    queue: str


class Offer(Shape):
    """A caller who is on the line since `since`. `line` is null where the number belongs to none."""

    call_id: UUID
    profile: Profile
    line: LineNamed | None
    demo: bool
    since: datetime


class CallInHand(Shape):
    """The call that the asker has answered."""

    call_id: UUID
    profile: Profile
    line: LineNamed | None
    state: CallState
    demo: bool
    answered_at: datetime
    started_at: datetime | None


class CallToWriteUp(Shape):
    """A call of the asker's that is over and not written up; `later` when it was put off."""

    call_id: UUID
    profile: Profile
    line: LineNamed | None
    started_at: datetime
    ended_at: datetime
    length_ms: int | None
    later: bool


class Shift(Shape):
    """How things stand for the operator who asks. `waiting` counts the callers whom nobody has answered."""

    now: datetime
    available_since: datetime | None
    in_hand: CallInHand | None
    offer: Offer | None
    waiting: int
    to_write_up: list[CallToWriteUp]


class OperatorLeg(Shape):
    """Where and with what to join as the operator. The token is good once, for two minutes."""

    call_id: UUID
    profile: Profile
    demo: bool
    media_url: str
    token: str


class CallerText(Shape):
    """What an announcement says, by language (BCP 47). `version` is that of the sound, which a node may have another of.

    `unchecked` are the languages whose words no translator has looked through.
    """

    id: str
    version: str
    words: dict[str, str]
    unchecked: list[str]


class CallerTexts(Shape):
    announcements: list[CallerText]
