"""What goes over the wire for handing out: legal bases, what would leave, decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from callsvc.web.seen import SEEN
from callsvc.web.shapes import Shape, Who
from callsvc.web.shapes_notes import ChoiceOut


class BasisOut(ChoiceOut):
    """A legal basis, the rule that it rests on, and what it asks."""

    source: str
    questions: list[ChoiceOut]


class BasesOut(Shape):
    version: str
    bases: list[BasisOut]


class LeavingLine(Shape):
    """A line that leaves; what was taken out stands as a mark."""

    start_ms: int
    end_ms: int
    leg: str
    text: str


class Silenced(Shape):
    """A stretch of the sound that stays behind: there is silence in its place."""

    start_ms: int
    end_ms: int


class Leaving(Shape):
    """Exactly what would leave: how much sound and which of it not, how many words, and which."""

    copy_id: UUID | None
    heard_ms: int
    silenced_ms: int
    silenced: list[Silenced]
    words: int
    lines: list[LeavingLine]


class Decision(Shape):
    """`copy_id` null is the whole call. `answers` by question; a refusal is written down like a disclosure."""

    basis: Annotated[str, Field(max_length=40)]
    answers: Annotated[dict[str, Annotated[str, SEEN, Field(max_length=2000)]], Field(max_length=20)]
    recipient: Annotated[str, SEEN, Field(min_length=2, max_length=200)]
    granted: bool
    motive: Annotated[str, SEEN, Field(min_length=3, max_length=2000)]
    copy_id: UUID | None


class DisclosureOut(Shape):
    id: UUID
    at: datetime
    person: Who | None
    basis: str
    basis_version: str
    answers: dict[str, str]
    recipient: str
    granted: bool
    motive: str
    copy_id: UUID | None
    heard_ms: int | None
    words: int | None


class BundleOut(Shape):
    """The signed copy of a disclosure: none yet, on its way (`progress` from 0 to 1), there to be fetched, or failed."""

    state: Literal["none", "queued", "running", "done", "failed"]
    progress: float
    error: str | None
    size: int | None


class DisclosureList(Shape):
    """Oldest first."""

    disclosures: list[DisclosureOut]
