"""Shapes of calls that are handed over by name."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from callsvc.types import Profile
from callsvc.web.seen import SEEN
from callsvc.web.shapes import Shape


class ColleagueOut(Shape):
    """Somebody who may open the call by a right of their own."""

    id: UUID
    display_name: str


class Colleagues(Shape):
    """By name."""

    people: list[ColleagueOut]


class NewHandOver(Shape):
    """To whom; `place_ms` is where to begin, `word` what they need to know."""

    to: UUID
    place_ms: Annotated[int, Field(ge=0, lt=1 << 40)] | None = None
    word: Annotated[str, SEEN, Field(max_length=500)] = ""


class HandOverOut(Shape):
    """Handed to the asker. With a `review_id` it is a review that was given back to them."""

    id: UUID
    call_id: UUID
    review_id: UUID | None
    from_name: str
    profile: Profile
    started_at: datetime | None
    place_ms: int | None
    word: str
    at: datetime


class HandOverList(Shape):
    """The oldest first."""

    hand_overs: list[HandOverOut]
