"""What is asked of a reviewed call: scorecard.toml, checked when it is read."""

from __future__ import annotations

import tomllib

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from callsvc.in_force import InForce
from callsvc.types import Profile

KEYS = 9
"""Choices that a question can have: each has a number key."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Named(_Entry):
    id: str = Field(pattern=r"^[a-z_]{2,40}$")
    sv: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)


class Choice(_Named):
    """An answer that can be given. Without points it is in no figure."""

    points: float | None = Field(None, ge=0, le=1)


class Scale(_Entry):
    """Answers that several questions share, in the order of their number keys."""

    id: str = Field(pattern=r"^[a-z_]{2,40}$")
    choice: tuple[Choice, ...] = Field(min_length=2, max_length=KEYS)


class Question(_Named):
    """What is asked. `source` is the rule that it rests on, where it rests on one."""

    scale: str
    source: str = ""
    profiles: tuple[Profile, ...] = tuple(Profile)


class Scorecard(_Named):
    """All questions, in their order."""

    version: str = Field(min_length=1, max_length=40)
    scale: tuple[Scale, ...] = Field(min_length=1)
    question: tuple[Question, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Scorecard:
        scales = [one.id for one in self.scale]
        questions = [one.id for one in self.question]
        choices = [[one.id for one in scale.choice] for scale in self.scale]
        if any(len(set(ids)) < len(ids) for ids in (scales, questions, *choices)):
            raise PydanticCustomError("twice", "an id stands twice")
        for n, one in enumerate(self.question):
            if one.scale not in scales:
                raise PydanticCustomError("scale", "there is no such scale", {"at": ("question", n, "scale")})
        return self

    def for_line(self, profile: Profile) -> Scorecard:
        """The card with the questions of this line alone."""
        mine = tuple(one for one in self.question if profile in one.profiles)
        return self.model_copy(update={"question": mine})

    def choices(self, question: str) -> tuple[Choice, ...]:
        """The answers of a question; none when the card does not ask it."""
        scale = next((one.scale for one in self.question if one.id == question), None)
        return next((one.choice for one in self.scale if one.id == scale), ())

    def points(self, question: str, choice: str) -> float | None:
        """What an answer counts, 0 to 1; None when it counts in nothing."""
        return next((one.points for one in self.choices(question) if one.id == choice), None)


def read(text: str) -> Scorecard:
    """Raises pydantic's `ValidationError`."""
    return Scorecard.model_validate(tomllib.loads(text))


scorecard = InForce(__package__, "scorecard.toml", read)
"""What is in force: what administrators have saved, else what comes with this version."""
