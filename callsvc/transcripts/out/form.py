"""JSON for other programs; docs/reference/transcript-format.md holds the schema, which is made from these types."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from callsvc.transcripts.layers import Layer, Line
from callsvc.transcripts.out.document import Document
from callsvc.transcripts.personal import Kind, marks
from callsvc.transcripts.values.value import Kind as ValueKind
from callsvc.transcripts.values.value import values
from callsvc.types import Leg

VERSION: Final = 2


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class WordForm(Form):
    """`probability` is the machine's own, null for a word that a person wrote. `unsure`: no speech carries it, or it
    looks invented. `estimated`: the time is a guess. `redacted`: taken out with the stretch of this number, from 0."""

    start_ms: int = Field(ge=0)
    end_ms: int = Field(ge=0)
    text: str
    probability: float | None = Field(ge=0, le=1)
    unsure: bool
    estimated: bool
    redacted: int | None


class MarkForm(Form):
    """Words `first` to `last` may be personal data, and come to `value`; a help, nothing more."""

    first: int
    last: int
    kind: Kind
    value: str


class ValueForm(Form):
    """Words `first` to `last` are a number, a time or a date, and come to `value`. Two readings stand with `|` between
    them: `02:30|14:30`. A day without a year is `--05-03`."""

    first: int
    last: int
    kind: ValueKind
    value: str


class LineForm(Form):
    n: int
    leg: Leg
    start_ms: int = Field(ge=0)
    end_ms: int = Field(ge=0)
    kind: Literal["speech", "unknown_language"]
    language: str
    layer: Layer
    text: str
    words: list[WordForm]
    marks: list[MarkForm]
    values: list[ValueForm]


class StretchForm(Form):
    start_ms: int
    end_ms: int
    reason: str


class CopyForm(Form):
    id: UUID
    sha256: str
    stretches: list[StretchForm]


class TranscriptForm(Form):
    """A transcript in one layer. `verified` is true only where a person has been over every utterance."""

    format: Literal["callsvc-transcript"]
    version: Literal[2]
    call: UUID
    at: datetime | None
    made_at: datetime
    layer: Layer
    model: str
    model_sha256: str
    language: str
    verified: bool
    corrected_utterances: int
    redacted_copy: CopyForm | None
    utterances: list[LineForm]


def form(document: Document) -> TranscriptForm:
    copy = None
    if document.copy_id is not None:
        copy = CopyForm(
            id=document.copy_id,
            sha256=document.copy_sha256,
            stretches=[StretchForm.model_validate(one, from_attributes=True) for one in document.stretches],
        )
    return TranscriptForm(
        format="callsvc-transcript",
        version=VERSION,
        call=document.call_id,
        at=document.at,
        made_at=document.made_at,
        layer=document.layer,
        model=document.model,
        model_sha256=document.model_sha256,
        language=document.language,
        verified=document.verified,
        corrected_utterances=document.corrected,
        redacted_copy=copy,
        utterances=[_line(line) for line in document.lines],
    )


def _line(line: Line) -> LineForm:
    words = [word.text for word in line.words]
    marked = marks(words, line.language)
    return LineForm(
        n=line.n,
        leg=Leg(line.leg),
        start_ms=line.start_ms,
        end_ms=line.end_ms,
        kind="unknown_language" if line.kind == "unknown_language" else "speech",
        language=line.language,
        layer=line.layer,
        text=line.text,
        words=[WordForm.model_validate(word, from_attributes=True) for word in line.words],
        marks=[MarkForm.model_validate(one, from_attributes=True) for one in marked],
        values=[
            ValueForm.model_validate(one, from_attributes=True)
            for one in values(words, marked, line.language)
        ],
    )
