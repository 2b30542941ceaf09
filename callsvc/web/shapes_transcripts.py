"""What the API says of transcripts: their layers, redacted copies, captions and search hits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from callsvc.transcripts.layers import Layer
from callsvc.transcripts.personal import Kind
from callsvc.transcripts.values.value import Kind as ValueKind
from callsvc.types import Leg, Profile, TranscriptState
from callsvc.web.seen import SEEN
from callsvc.web.shapes import Shape, Who

Why = Annotated[str, SEEN, Field(max_length=500)]
# An utterance lasts a breath or two; this only keeps nonsense out.
Words = Annotated[str, SEEN, Field(max_length=4000)]


class WordOut(Shape):
    """`probability` is the machine's own, null where a person wrote the word. `unsure`: no speech carries the word, or
    it looks invented. `estimated`: its times are a guess."""

    start_ms: int
    end_ms: int
    text: str
    probability: float | None
    unsure: bool
    estimated: bool


class MarkOut(Shape):
    """Words `first` to `last` may be personal data, and come to `value`: a help for whoever redacts."""

    first: int
    last: int
    kind: Kind
    value: str


class ValueOut(Shape):
    """Words `first` to `last` are a number, a time or a date, and come to `value`; two readings have `|` between them."""

    first: int
    last: int
    kind: ValueKind
    value: str


class UtteranceOut(Shape):
    """`text` and `words` are in force; `machine` is what the machine heard, where a person corrected it.

    `version` is given back with a change. `kind`: `crosstalk` came through from the other leg, `unknown_language` is
    speech without words.
    """

    n: int
    leg: Leg
    start_ms: int
    end_ms: int
    text: str
    words: list[WordOut]
    kind: Literal["speech", "crosstalk", "unknown_language"]
    language: str
    version: int
    machine: str | None
    marks: list[MarkOut]
    values: list[ValueOut]


class TranscriptOut(Shape):
    """`verified`: a person has been over every utterance; else it holds machine text that nobody has verified.
    `next`: where to go on, when only a piece was asked for and there is more."""

    model: str | None
    model_sha256: str | None
    language: str
    verified: bool
    utterances: list[UtteranceOut]
    next: int | None


class TranscriptStateOut(Shape):
    """How far it is; `expected_at` is when it will be done, once that can be told. `error` says why it waits or failed."""

    state: TranscriptState | None
    progress: float
    expected_at: datetime | None
    error: str | None


class Correction(Shape):
    """The text that is to be in force; the machine's own text, unchanged, confirms it."""

    version: Annotated[int, Field(ge=0)]
    text: Words
    why: Why = ""


class Undo(Shape):
    version: Annotated[int, Field(ge=0)]
    why: Why = ""


class EditOut(Shape):
    """`text` null: back to the machine's. `undoes`: the version that this one took back."""

    n: int
    version: int
    text: str | None
    undoes: int | None
    why: str
    person: Who | None
    at: datetime


class EditList(Shape):
    """Oldest first."""

    edits: list[EditOut]


class Chosen(Shape):
    """Words `first` to `last` of utterance `n`, counted from 0 in the text in force.

    `version` is the one that was read: where a correction has made others of the words since, nothing is taken out.
    """

    n: int
    version: Annotated[int, Field(ge=0)]
    first: Annotated[int, Field(ge=0)]
    last: Annotated[int, Field(ge=0)]
    reason: Annotated[str, SEEN, Field(min_length=1, max_length=200)]


class NewRedaction(Shape):
    title: Annotated[str, SEEN, Field(min_length=1, max_length=200)]
    chosen: Annotated[list[Chosen], Field(min_length=1, max_length=500)]


class StretchOut(Shape):
    start_ms: int
    end_ms: int
    reason: str


class RedactionOut(Shape):
    """A copy without these stretches, in sound and text; `sha256` tells it from any other."""

    id: UUID
    title: str
    at: datetime
    sha256: str
    stretches: list[StretchOut]


class RedactionList(Shape):
    copies: list[RedactionOut]


class NewSummary(Shape):
    version: Annotated[int, Field(ge=0)]
    body: Annotated[str, SEEN, Field(min_length=1, max_length=20_000)]


class SummaryOut(Shape):
    """What somebody wrote in their own words; never what was said. `version` 0: there is none."""

    version: int
    body: str
    person: Who | None
    at: datetime | None


class FoundWord(Shape):
    text: str
    found: bool


class HitOut(Shape):
    """A sentence in which something was found. `replaced`: only in the machine's text, below a correction."""

    call_id: UUID
    case: str | None
    at: datetime | None
    n: int
    leg: Leg
    start_ms: int
    end_ms: int
    layer: Layer
    replaced: bool
    sentence: list[FoundWord]


class HitList(Shape):
    """Call by call, in the order of time. `more`: there are others after these."""

    hits: list[HitOut]
    more: bool


class Sought(Shape):
    """What is sought in every call; what is left out is not asked for. `case`: how its number begins. `operator`: a part
    of the name. `purpose`: why, for the access log; without a text nobody's words are shown and none is needed."""

    text: Annotated[str, SEEN, Field(max_length=200)] = ""
    purpose: Annotated[str, SEEN, Field(max_length=500)] = ""
    case: Annotated[str, Field(max_length=60)] = ""
    operator: Annotated[str, Field(max_length=100)] = ""
    language: Annotated[str, Field(max_length=20)] = ""
    profile: Profile | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    least_ms: Annotated[int, Field(ge=0, lt=1 << 40)] | None = None
    most_ms: Annotated[int, Field(ge=0, lt=1 << 40)] | None = None
    after: Annotated[str, Field(max_length=200)] = ""


class SentenceOut(Shape):
    """As in a HitOut, of the call beside which it stands."""

    n: int
    leg: Leg
    start_ms: int
    end_ms: int
    replaced: bool
    words: list[FoundWord]


class FoundCallOut(Shape):
    """`opened`: this session has it open already."""

    call_id: UUID
    profile: Profile
    started_at: datetime
    length_ms: int | None
    case: str | None
    operator: str | None
    language: str | None
    opened: bool
    sentences: list[SentenceOut]


class FoundCalls(Shape):
    """Newest first. `next` is given back as `after` to go on; null at the end."""

    calls: list[FoundCallOut]
    next: str | None


class CaptionOut(Shape):
    """An utterance of a call that goes on; the same `leg` and `n` come again as it grows, at last with `final`.

    `machine` is what the machine heard, where a person has put `text` right.
    """

    leg: Leg
    n: int
    start_ms: int
    end_ms: int
    text: str
    final: bool
    machine: str | None


class CaptionCorrection(Shape):
    """Word `word` of a caption, counted from 0, which reads `heard`, is to read `meant`."""

    word: Annotated[int, Field(ge=0)]
    heard: Annotated[str, Field(min_length=1, max_length=200)]
    meant: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class CaptionState(Shape):
    """`behind`: captions come late, or some did not come. `off`: there are none; `why` says `none` (nobody makes them),
    `silent` (whoever made them is gone), `crowded` (calls that began earlier take all the room), `ended` or `database`."""

    state: Literal["on", "behind", "off"]
    why: str
    delay_ms: int
