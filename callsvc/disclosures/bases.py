"""The legal bases: bases.toml, checked when it is read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from callsvc.errors import UsageError
from callsvc.in_force import InForce


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Question(_Entry):
    """What has to be answered in words."""

    id: str = Field(pattern=r"^[a-z_]{2,40}$")
    sv: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Basis(Question):
    """A ground on which something may be handed out, the rule that it rests on, and what it asks."""

    source: str = Field(min_length=1)
    question: tuple[Question, ...] = Field(min_length=1)


class Bases(_Entry):
    """All of them."""

    version: str = Field(min_length=1)
    basis: tuple[Basis, ...] = Field(min_length=1)


def read(text: str) -> Bases:
    """Raises pydantic's `ValidationError`."""
    return Bases.model_validate(tomllib.loads(text))


bases = InForce(__package__, "bases.toml", read)
"""What is in force: what administrators have saved, else what comes with this version."""


def answered(basis: str, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers to what the basis asks, each in words. Raises `UsageError` for a basis or an answer that is missing."""
    found = next((one for one in bases().basis if one.id == basis), None)
    if found is None:
        raise UsageError("There is no such legal basis.")
    given = {question.id: " ".join(answers.get(question.id, "").split()) for question in found.question}
    if any(len(answer) < 3 for answer in given.values()):
        raise UsageError("What the legal basis asks has to be answered.")
    return given
