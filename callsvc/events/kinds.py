"""What each kind of event holds, and how it is checked before it is believed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from callsvc.types import EventKind, Leg, Profile

Word = Annotated[str, Field(max_length=100)]
Count = Annotated[int, Field(ge=0, lt=1 << 62)]
Level = Annotated[float, Field(allow_inf_nan=False)] | None


class Body(BaseModel):
    """Fields that a later version adds are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class CallStarted(Body):
    profile: Profile


class LegJoined(Body):
    leg: Leg
    profile: Profile | None = None
    line: Word = ""
    transport: Word = ""
    codec: Word = ""


class LegLeft(Body):
    leg: Leg
    cause: Word = ""


Figure = Annotated[int, Field(ge=0, le=1_000_000)]


class LegConnection(Body):
    """How a leg's own end found the connection, since the last such event."""

    leg: Leg
    at_ms: Annotated[int, Field(ge=0, lt=1 << 31)]
    received: Figure
    lost: Figure
    made_up_ms: Figure
    jitter_ms: Figure
    buffer_ms: Figure
    trip_ms: Figure | None = None
    sent_lost_pct: Figure | None = None
    sent_jitter_ms: Figure | None = None


class CallDegraded(Body):
    what: Word
    why: Word = ""


class CallEnded(Body):
    cause: Word
    length_ms: Count = 0


class CallProof(Body):
    strokes: Count
    level_before_db: Level = None
    level_after_db: Level = None
    audible_before_pct: Level = None
    audible_after_pct: Level = None
    blocks: Count
    blocks_passed: Count
    model: Word
    model_sha256: Word
    latency_samples: Count
    degraded: bool


class CallStrokes(Body):
    """Keystrokes since the last such event: when, on the call's clock, and how loud at the microphone, in dBFS."""

    at_ms: Annotated[list[Annotated[int, Field(ge=0, lt=1 << 31)]], Field(max_length=2000)]
    level_db: Annotated[list[Annotated[int, Field(ge=-200, le=0)]], Field(max_length=2000)]

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.at_ms) != len(self.level_db):
            raise ValueError("a stroke without a level")
        return self


class CallNoted(Body):
    """`note` says what was done; what else belongs to it are words, figures and yes or no."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())

    note: Word
    at_ms: Annotated[int, Field(ge=0, lt=1 << 53)]

    __pydantic_extra__: dict[str, bool | int | Word]


class RecordingStarted(Body):
    recording: UUID


class RecordingHead(Body):
    recording: UUID
    records: Annotated[int, Field(gt=0, lt=1 << 32)]
    chain: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SealedTrack(Body):
    name: Word
    rate: Annotated[int, Field(gt=0, le=192_000)]
    samples: Count
    gaps: list[tuple[Count, Count, Word]] = []


class Continued(Body):
    recording: UUID
    samples: list[Count]


class RecordingSealed(Body):
    recording: UUID
    continues: Continued | None = None
    head: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    outcome: Literal["complete", "ended_by_failure"]
    sealed_at: datetime | None = None
    tracks: list[SealedTrack]


BODIES: dict[str, type[Body]] = {
    EventKind.CALL_STARTED: CallStarted,
    EventKind.CALL_DEGRADED: CallDegraded,
    EventKind.CALL_PROOF: CallProof,
    EventKind.CALL_NOTED: CallNoted,
    EventKind.CALL_STROKES: CallStrokes,
    EventKind.CALL_ENDED: CallEnded,
    EventKind.LEG_JOINED: LegJoined,
    EventKind.LEG_LEFT: LegLeft,
    EventKind.LEG_CONNECTION: LegConnection,
    EventKind.RECORDING_STARTED: RecordingStarted,
    EventKind.RECORDING_HEAD: RecordingHead,
    EventKind.RECORDING_SEALED: RecordingSealed,
}


def body(kind: str, fields: dict[str, Any]) -> Body | None:
    """The checked content; None for a kind of a later version. Raises pydantic's `ValidationError`."""
    model = BODIES.get(kind)
    return None if model is None else model.model_validate(fields)
