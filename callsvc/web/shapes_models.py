"""The API's shapes for models: which there are, which are in use for what, and how they stand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from callsvc.transcripts.models import Purpose
from callsvc.web.shapes import Shape

Name = Annotated[str, Field(min_length=1, max_length=100)]


class ModelState(Shape):
    """How a model's files were found. `known`: its weights are the ones that the catalogue or the card speaks of.

    `damaged`: not whole, or not what was fetched; `language`: it cannot write the language that is expected here.
    `detail` is the check's own word, in the reader's language.
    """

    state: Literal["whole", "damaged", "language", "none"]
    detail: str = ""
    sha256: str | None = None
    known: bool | None = None
    languages: int | None = None


class ModelUse(Shape):
    """What a purpose is served by. `in_settings`: a setting names the model, and goes before what is chosen here."""

    purpose: Purpose
    name: str | None
    in_settings: bool
    found: ModelState


class ModelOut(Shape):
    """A model that is known, or that lies here. Word errors are what its publisher states, in per cent."""

    name: str
    here: bool
    partly: bool
    size_mb: int
    memory_mb: int | None
    licence: str | None
    wer: list[float]
    wer_confirmed: bool
    languages: Literal["sv", "many"] | None
    use: Literal["live", "final", "both"] | None
    used_for: list[Purpose]


class Suppressor(Shape):
    """What takes typing out of the sound; it is part of the program and is not chosen."""

    name: str
    enabled: bool
    found: ModelState


class Worked(Shape):
    """What a model has done of late: so many calls, the last then."""

    what: Literal["text", "quiet"]
    model: str
    calls: int
    last_at: datetime


class ModelsOut(Shape):
    uses: list[ModelUse]
    models: list[ModelOut]
    suppressor: Suppressor
    worked: list[Worked]
    days: int


class ModelChoice(Shape):
    name: Name
