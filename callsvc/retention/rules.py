"""Which calls are kept how long, and on which ground: retention.toml, checked when it is read."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from callsvc.in_force import InForce
from callsvc.types import Profile

CaseState = Literal["none", "open", "closed"]
CASE_STATES: tuple[CaseState, ...] = ("none", "open", "closed")
Name = Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")]
ONE_DAY = timedelta(days=1)


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Entry):
    """Keeps the calls that fit it for a time, counted from their beginning or from when their case was closed."""

    id: Name
    sv: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)
    basis: str = Field(min_length=3, max_length=300)
    profiles: tuple[Profile, ...] = Field(tuple(Profile), min_length=1)
    labels: tuple[Name, ...] = ()
    cases: tuple[CaseState, ...] = Field(CASE_STATES, min_length=1)
    demonstrations: bool = False
    after: Literal["call", "case_closed"]
    year_end: bool = False
    years: int = Field(0, ge=0, le=200)
    days: int = Field(0, ge=0, le=36_500)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not (self.years or self.days or self.year_end):
            raise PydanticCustomError(
                "nothing",
                "a rule without a time keeps nothing: give years, days or the end of the year",
                {"at": ("years",)},
            )
        if self.after == "case_closed" and "none" in self.cases:
            raise PydanticCustomError(
                "no_case",
                "a call without a case has no case that is closed; take that choice (none) away",
                {"at": ("cases",)},
            )
        return self

    def last_day(self, since: date) -> date:
        """The last day that a call is kept, of which the time began on `since`."""
        first = date(since.year, 12, 31) if self.year_end else since
        return _years_later(first, self.years) + timedelta(days=self.days)

    def cutoff(self, night: date) -> date:
        """Calls whose time began before this day have had their last one when the day `night` begins."""
        found = _years_later(night - timedelta(days=self.days), -self.years)
        while self.last_day(found) < night:
            found += ONE_DAY
        while self.last_day(found - ONE_DAY) >= night:
            found -= ONE_DAY
        return found


class Rules(_Entry):
    """All of them, in the order in which they are tried. `zone` says when a day begins."""

    version: str = Field(min_length=1, max_length=40)
    zone: str = "Europe/Stockholm"
    rule: tuple[Rule, ...] = Field(min_length=1, max_length=50)

    @field_validator("zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (LookupError, ValueError, OSError):
            raise PydanticCustomError("zone", "there is no such time zone") from None
        return name

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [one.id for one in self.rule]
        if len(set(names)) < len(names):
            raise PydanticCustomError("twice", "an id stands twice")
        return self

    def midnight(self, day: date) -> datetime:
        """When a day begins."""
        return datetime.combine(day, time(), ZoneInfo(self.zone))

    def day(self, at: datetime) -> date:
        """The day that a moment lies in."""
        return at.astimezone(ZoneInfo(self.zone)).date()


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year + years, day=28)


def read(text: str) -> Rules:
    """Raises pydantic's `ValidationError`."""
    return Rules.model_validate(tomllib.loads(text))


rules = InForce(__package__, "retention.toml", read)
"""What is in force: what administrators have saved, else what comes with this version."""
