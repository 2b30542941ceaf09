"""What an operator is reminded of during a call and asked after it: guides.toml, checked when it is read."""

from __future__ import annotations

import tomllib

from pydantic import BaseModel, ConfigDict, Field

from callsvc.in_force import InForce
from callsvc.types import Profile


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(_Entry):
    """Something that can be chosen, in both languages."""

    id: str = Field(pattern=r"^[a-z_]{2,40}$")
    sv: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)


class Item(Choice):
    """A line of a checklist. `source` is the section of law that it rests on, where it rests on one."""

    source: str = ""


class Checklist(Choice):
    version: str
    profiles: tuple[Profile, ...]
    item: tuple[Item, ...] = Field(min_length=1)


class Guides(_Entry):
    """All of it."""

    checklist: tuple[Checklist, ...]
    label: tuple[Choice, ...]
    told: tuple[Choice, ...]
    consent: tuple[Choice, ...]

    def checklists(self, profile: Profile) -> list[Checklist]:
        """The checklists of a line."""
        return [one for one in self.checklist if profile in one.profiles]


def read(text: str) -> Guides:
    """Raises pydantic's `ValidationError`."""
    return Guides.model_validate(tomllib.loads(text))


guides = InForce(__package__, "guides.toml", read)
"""What is in force: what administrators have saved, else what comes with this version."""
