"""Which calls are drawn for review: rules.toml, checked when it is read."""

from __future__ import annotations

import tomllib
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from callsvc.in_force import InForce
from callsvc.types import Profile

CHOSEN: Final = "chosen"
"""Drawn by no rule: a reviewer asked for it."""

Share = Annotated[float, Field(ge=0, le=100)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Entry):
    """Draws a share of the calls that fit it."""

    id: str = Field(pattern=r"^[a-z_]{2,40}$")
    sv: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)
    share_pct: Share
    profiles: tuple[Profile, ...] = tuple(Profile)
    degraded: bool = False
    """Only calls in which something did not work all the time."""
    figures: bool = False
    """What it draws may stand for all calls of a line."""


class Rules(_Entry):
    """All of them, in the order in which they draw."""

    version: str = Field(min_length=1, max_length=40)
    calibrated_pct: Share
    rule: tuple[Rule, ...] = Field(min_length=1)

    @property
    def standing_for_all(self) -> list[str]:
        """The rules whose draws may stand for all calls of a line."""
        return [one.id for one in self.rule if one.figures]


def read(text: str) -> Rules:
    """Raises pydantic's `ValidationError`."""
    return Rules.model_validate(tomllib.loads(text))


rules = InForce(__package__, "rules.toml", read)
"""What is in force: what administrators have saved, else what comes with this version."""
