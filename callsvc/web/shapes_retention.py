"""The API's shapes for how long calls are kept. None of them tells whose call it was or what was said."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from callsvc.types import Profile
from callsvc.web.seen import SEEN
from callsvc.web.shapes import Shape, Who

Reason = Annotated[str, SEEN, Field(min_length=3, max_length=300)]
CaseNumber = Annotated[str, Field(max_length=60)]


class RetentionRule(Shape):
    """A rule, and how many calls it has: `due` would go, `held` are ordered to be kept, `waiting` are not due."""

    id: str
    sv: str
    en: str
    basis: str
    profiles: list[Profile]
    labels: list[str]
    unknown_labels: list[str]
    cases: list[Literal["none", "open", "closed"]]
    demonstrations: bool
    after: Literal["call", "case_closed"]
    year_end: bool
    years: int
    days: int
    due: int
    held: int
    waiting: int


class RetentionFollow(Shape):
    """What is derived from a call and goes where it goes."""

    recordings: int
    transcripts: int
    copies: int
    disclosures: int


class RetentionCall(Shape):
    """A call, and what would become of it. `last_day`: the last that its rule keeps it; none while no time runs."""

    id: UUID
    profile: Profile
    demo: bool
    started_at: datetime
    length_ms: int | None
    case: Literal["none", "open", "closed"]
    rule: str | None
    last_day: date | None
    follow: RetentionFollow


class RetentionNight(Shape):
    """What would be deleted in the night that `night` begins with, were anything deleted. `next` pages on."""

    night: date
    version: str
    rules: list[RetentionRule]
    due: int
    held: int
    waiting: int
    unruled: int
    calls: list[RetentionCall]
    next: int | None


class HoldOut(Shape):
    """An order to keep a call, or all calls of a case. `calls`: how many that are now."""

    id: UUID
    call_id: UUID | None
    case_number: str | None
    reason: str
    by: Who | None
    at: datetime
    lifted_at: datetime | None
    lifted_by: Who | None
    lifted_why: str
    calls: int


class ClosingOut(Shape):
    """A case that was closed, and who said so."""

    case_number: str
    closed_on: date
    by: Who | None
    at: datetime


class HoldAsked(Shape):
    """Somebody asks that a call be kept, and waits for an answer; until then it is kept."""

    id: UUID
    call_id: UUID
    reason: str
    by: Who | None
    at: datetime


class HoldList(Shape):
    asked: list[HoldAsked]
    holds: list[HoldOut]
    closings: list[ClosingOut]


class NewHold(Shape):
    """Exactly one of `call_id` and `case_number`."""

    call_id: UUID | None
    case_number: CaseNumber | None
    reason: Reason


class Lifting(Shape):
    reason: Reason


class CaseClosing(Shape):
    closed_on: date


class HoldRequest(Shape):
    reason: Reason


class HoldAnswer(Shape):
    """A refusal says why."""

    granted: bool
    words: Annotated[str, SEEN, Field(max_length=300)]


class HoldStanding(Shape):
    """`granted` is null while the last request waits, and where there is none: then `asked_at` is, too."""

    held: bool
    asked_at: datetime | None
    granted: bool | None
    answer: str
