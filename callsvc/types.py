"""Words that several features share: plain enumerations and frozen dataclasses, nothing that does anything."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Leg(StrEnum):
    """A party's connection to the call."""

    CALLER = "caller"
    OPERATOR = "operator"


class Track(StrEnum):
    """A place where sound is tapped, named by leg and direction seen from the media node."""

    CALLER_RX = "caller.rx"
    OPERATOR_RX = "operator.rx"
    OPERATOR_TX = "operator.tx"


class Profile(StrEnum):
    """A line profile: what kind of line the call came in on."""

    EMERGENCY = "emergency"
    REPORT = "report"
    INTERVIEW = "interview"
    ANONYMOUS = "anonymous"


class Role(StrEnum):
    """What a person is to the service."""

    OPERATOR = "operator"
    INVESTIGATOR = "investigator"
    QA = "qa"
    ADMIN = "admin"


class CallState(StrEnum):
    SETTING_UP = "setting_up"
    LIVE = "live"
    ENDED = "ended"


class RecordingState(StrEnum):
    RECORDING = "recording"
    SEALED = "sealed"
    ARCHIVED = "archived"
    FAILED = "failed"


class TranscriptState(StrEnum):
    QUEUED = "queued"
    WAITING_MODEL = "waiting_model"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class EventKind(StrEnum):
    """The kinds of event on the bus; docs/reference/events.md lists their fields."""

    CALL_STARTED = "call.started"
    CALL_DEGRADED = "call.degraded"
    CALL_PROOF = "call.proof"
    CALL_NOTED = "call.noted"
    CALL_STROKES = "call.strokes"
    CALL_ENDED = "call.ended"
    LEG_JOINED = "leg.joined"
    LEG_LEFT = "leg.left"
    LEG_CONNECTION = "leg.connection"
    RECORDING_STARTED = "recording.started"
    RECORDING_HEAD = "recording.head"
    RECORDING_SEALED = "recording.sealed"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a call, as the media node tells it. Holds ids, states and figures; no personal data.

    `seq` rises by one per node for ever; 0 means that the outbox has not numbered it yet.
    """

    call: UUID
    kind: EventKind
    fields: dict[str, object]
    at: str = ""
    node: str = ""
    seq: int = 0
