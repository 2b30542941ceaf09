"""What goes over the wire for notes, checklists, consents and the writing-up of a call."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from callsvc.types import Profile
from callsvc.web.seen import SEEN
from callsvc.web.shapes import Shape

AtMs = Annotated[int, Field(ge=0, lt=1 << 40)] | None
Word = Annotated[str, Field(min_length=1, max_length=40)]


class NoteLine(Shape):
    """A line of notes, where in the call it was begun; null before and after the call."""

    at_ms: AtMs
    text: Annotated[str, SEEN, Field(max_length=4000)]


class NotesToSave(Shape):
    """`revision` is the one that the text was made from; 0 at first."""

    revision: Annotated[int, Field(ge=0)]
    lines: Annotated[list[NoteLine], Field(max_length=2000)]


class Saved(Shape):
    revision: int


class NotesOut(Shape):
    """`mine` tells the asker's own from others'."""

    author: str
    mine: bool
    lines: list[NoteLine]
    revision: int
    updated_at: datetime


class TickToSet(Shape):
    checklist: Word
    item: Word
    ticked: bool
    at_ms: AtMs


class TickOut(Shape):
    checklist: str
    version: str
    item: str
    ticked: bool
    at_ms: int | None
    at: datetime


class ConsentToRecord(Shape):
    who: Annotated[str, Field(min_length=1, max_length=100)]
    what: Word
    given: bool
    at_ms: AtMs


class ConsentOut(Shape):
    id: UUID
    who: str
    what: str
    given: bool
    at_ms: int | None
    recorded_at: datetime
    withdrawn_at: datetime | None


class WrapUpToSave(Shape):
    """`later` puts it off, `done` closes it together with the notes."""

    case_number: Annotated[str, Field(max_length=60)]
    labels: Annotated[list[Word], Field(max_length=50)]
    told: Annotated[list[Word], Field(max_length=50)]
    hand_over: Annotated[str, SEEN, Field(max_length=4000)]
    state: Literal["open", "later", "done"]


class WrapUpOut(Shape):
    case_number: str | None
    labels: list[str]
    told: list[str]
    hand_over: str
    state: Literal["open", "later", "done"]


class AnnouncedOut(Shape):
    """What the caller was played, or began to be where it was `cut_off`. `by` is the operator's name;
    null for what the `line` plays by itself, or the `service` while the operator is gone.
    """

    announcement: str
    version: str
    language: str
    at_ms: int
    source: Literal["operator", "line", "service"]
    by: str | None
    cut_off: bool


class Beside(Shape):
    """All that was written beside a call, and what its caller was played."""

    call_id: UUID
    profile: Profile
    notes: list[NotesOut]
    ticks: list[TickOut]
    consents: list[ConsentOut]
    announced: list[AnnouncedOut]
    wrap_up: WrapUpOut | None


class ChoiceOut(Shape):
    """Something to choose; its words in both languages."""

    id: str
    sv: str
    en: str


class ItemOut(ChoiceOut):
    source: str


class ChecklistOut(ChoiceOut):
    version: str
    profiles: list[Profile]
    items: list[ItemOut]


class GuidesOut(Shape):
    """What an operator is reminded of during a call and asked after it."""

    checklists: list[ChecklistOut]
    labels: list[ChoiceOut]
    told: list[ChoiceOut]
    consents: list[ChoiceOut]


class CaseOut(Shape):
    """A number under which calls were written up."""

    number: str
    calls: int
    first_at: datetime
    last_at: datetime


class CaseList(Shape):
    cases: list[CaseOut]


class MomentOut(Shape):
    """What was set down at a place in a call: a marker of a kind, or an item of a checklist as `list/item`."""

    kind: Literal["marker", "tick"]
    what: str
    at_ms: int | None


class CaseCall(Shape):
    """A call of a case; `opened` when this session has it open for reading."""

    call_id: UUID
    profile: Profile
    started_at: datetime
    length_ms: int | None
    labels: list[str]
    told: list[str]
    hand_over: str
    moments: list[MomentOut]
    opened: bool


class CaseDetail(Shape):
    """The calls of a case, oldest first."""

    number: str
    calls: list[CaseCall]
