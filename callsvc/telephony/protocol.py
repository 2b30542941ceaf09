"""What a leg's client and the node say to each other during a call: docs/reference/operator-channel.md, typed.

`command(message)` reads one of the operator's commands or raises `Malformed`; `done`, `refused`, `hello` and `State`
are the node's own words. Anything that comes in is checked here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from callsvc.telephony.digits import DIGITS

VERSION = 1
MAX_TEXT = 200
LEAST_BACK_MS = 1000
MOST_BACK_MS = 60_000
USUAL_BACK_MS = 10_000
MAX_AT_MS = 1 << 53
MAX_FIGURE = 1_000_000
"""Of a connection: more packets or milliseconds in the seconds between two messages are none."""
ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
WORD = re.compile(r"[a-z0-9_-]{1,40}")

Message = Mapping[str, object]


class Do(StrEnum):
    """What can be commanded."""

    MASK = "mask"
    MARKER = "marker"
    RECALL = "recall"
    RECALL_STOP = "recall_stop"
    ANNOUNCE = "announce"
    ANNOUNCE_STOP = "announce_stop"
    HOLD = "hold"
    MUTE = "mute"
    DIGIT = "digit"
    HANG_UP = "hangup"


class Why(StrEnum):
    """Why a command was refused."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    NOT_LIVE = "not_live"
    NOT_RECORDED = "not_recorded"
    NOTHING_THERE = "nothing_there"
    BUSY = "busy"
    TOO_MANY = "too_many"
    NOT_YOURS = "not_yours"


class MaskReason(StrEnum):
    """Why a stretch is not kept."""

    PRIVATE = "private"
    THIRD_PARTY = "third_party"
    PRIVILEGED = "privileged"
    """A conversation with a lawyer, a doctor or a priest."""
    PAYMENT = "payment"
    INTERNAL = "internal"
    OTHER = "other"


class MarkerKind(StrEnum):
    """What a marker points at."""

    IMPORTANT = "important"
    STATEMENT = "statement"
    THREAT = "threat"
    INJURY = "injury"
    CONSENT = "consent"
    INFORMATION = "information"
    OTHER = "other"


class Refused(Exception):
    """The command is not done."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Command:
    """One of the operator's commands, whole and in range. Fields that its kind does not have are left as they are."""

    id: str
    do: Do
    on: bool = False
    reason: MaskReason = MaskReason.OTHER
    kind: MarkerKind = MarkerKind.IMPORTANT
    text: str = ""
    back_ms: int = USUAL_BACK_MS
    announcement: str = ""
    language: str = ""
    digit: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """A key was pressed: when, by the client's wall clock, in milliseconds since 1970."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class ConnectionSeen:
    """How the connection has been since this was last told, as the operator's browser measured it."""

    received: int
    """Packets; `lost` are those that never came."""
    lost: int
    made_up_ms: int
    """Sound that the browser made up for what was late or lost."""
    jitter_ms: int
    buffer_ms: int
    """How long what came was held back, so that it could be played without holes."""
    trip_ms: int | None
    """To the node and back; None where nothing has told it yet, as with the two below: how what was sent came there."""
    sent_lost_pct: int | None
    sent_jitter_ms: int | None


@dataclass(frozen=True, slots=True)
class RecordingNow:
    """How the recording is doing."""

    condition: str
    safe_ms: int = 0
    masked_ms: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class RecallNow:
    """What is being played again."""

    at_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class AnnouncementNow:
    """What the caller hears from a file."""

    id: str
    version: str
    language: str
    at_ms: int
    length_ms: int


@dataclass(frozen=True, slots=True)
class State:
    """How the call is now."""

    state: str
    length_ms: int
    recording: RecordingNow
    degraded: Sequence[str] = ()
    away: Sequence[str] = ()
    held: bool = False
    muted: bool = False
    digits: bool = False
    """Whether the caller's end takes the digits of a telephone's keys."""
    recall: RecallNow | None = None
    announcement: AnnouncementNow | None = None
    strokes: int = 0
    level_before_db: float | None = None
    level_after_db: float | None = None

    def message(self) -> dict[str, object]:
        return {"t": "state", **asdict(self)}


@dataclass(frozen=True, slots=True)
class Offered:
    """An announcement that can be played."""

    id: str
    version: str
    languages: Sequence[str]


@dataclass(frozen=True, slots=True)
class Hello:
    """What this call and this line can do."""

    call: str
    leg: str
    profile: str
    commands: Sequence[str] = ()
    recall_ms: int = 0
    announcements: Sequence[Offered] = ()
    mask_reasons: Sequence[str] = field(default=tuple(one.value for one in MaskReason))
    marker_kinds: Sequence[str] = field(default=tuple(one.value for one in MarkerKind))

    def message(self) -> dict[str, object]:
        return {"t": "hello", "v": VERSION, **asdict(self)}


def done(identity: str, number: int, at_ms: int, **more: object) -> dict[str, object]:
    """The answer to a command that has taken effect."""
    return {"t": "done", "id": identity, "n": number, "at_ms": at_ms, **more}


def refused(identity: str, why: Why) -> dict[str, object]:
    """The answer to a command that was not done."""
    return {"t": "refused", "id": identity, "why": why.value}


def digit(by: str, pressed: str | None, at_ms: int) -> dict[str, object]:
    """A party pressed a key of its telephone; None where nobody is to know which."""
    return {"t": "digit", "by": by, "digit": pressed, "at_ms": at_ms}


def bye(cause: str) -> dict[str, object]:
    """The last word."""
    return {"t": "bye", "cause": cause}


def identity_of(message: Message) -> str:
    """The command's id, or "" where there is none that can be used."""
    found = message.get("id")
    return found if isinstance(found, str) and ID.fullmatch(found) else ""


def command(message: Message) -> Command:
    """Read a command; raises `Refused`."""
    identity = identity_of(message)
    if not identity:
        raise Refused(Why.MALFORMED)
    name = message.get("do")
    if not isinstance(name, str):
        raise Refused(Why.MALFORMED)
    try:
        do = Do(name)
    except ValueError:
        raise Refused(Why.UNKNOWN) from None
    given: dict[str, Any] = {}
    for name in _FIELDS.get(do, ()):
        if name in message:
            given[name] = _READ[name](message[name])
        elif name in _NEEDED:
            raise Refused(Why.MALFORMED)
    if do is Do.MASK and given["on"] and "reason" not in given:
        raise Refused(Why.MALFORMED)
    return Command(identity, do, **given)


def key(message: Message) -> Key | None:
    """Read a key time; None for one that is none."""
    at_ms = message.get("at_ms")
    if isinstance(at_ms, bool) or not isinstance(at_ms, int | float) or not 0 <= at_ms < MAX_AT_MS:
        return None
    return Key(float(at_ms))


def connection(message: Message) -> ConnectionSeen | None:
    """Read how the operator's browser finds the connection; None where a figure is missing or out of range."""
    figures: dict[str, Any] = {}
    for one in fields(ConnectionSeen):
        value = message.get(one.name)
        if value is None and one.name in _UNKNOWN_AT_FIRST:
            figures[one.name] = None
        elif isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_FIGURE:
            return None
        else:
            figures[one.name] = value
    return ConnectionSeen(**figures)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused(Why.MALFORMED)
    return value


def _back(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not LEAST_BACK_MS <= value <= MOST_BACK_MS:
        raise Refused(Why.MALFORMED)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise Refused(Why.MALFORMED)
    try:
        value.encode()  # half of a surrogate pair can stand in JSON, and nowhere else
    except UnicodeEncodeError:
        raise Refused(Why.MALFORMED) from None
    return value


def _word(value: object) -> str:
    if not isinstance(value, str) or not WORD.fullmatch(value):
        raise Refused(Why.MALFORMED)
    return value


def _digit(value: object) -> str:
    if not isinstance(value, str) or len(value) != 1 or value not in DIGITS:
        raise Refused(Why.MALFORMED)
    return value


def _reason(value: object) -> MaskReason:
    return MaskReason(_one_of(value, MaskReason))


def _kind(value: object) -> MarkerKind:
    return MarkerKind(_one_of(value, MarkerKind))


def _one_of(value: object, words: type[StrEnum]) -> str:
    if not isinstance(value, str) or value not in {one.value for one in words}:
        raise Refused(Why.MALFORMED)
    return value


_FIELDS = {
    Do.MASK: ("on", "reason"),
    Do.MARKER: ("kind", "text"),
    Do.RECALL: ("back_ms",),
    Do.ANNOUNCE: ("announcement", "language"),
    Do.HOLD: ("on",),
    Do.MUTE: ("on",),
    Do.DIGIT: ("digit",),
}
_UNKNOWN_AT_FIRST = {"trip_ms", "sent_lost_pct", "sent_jitter_ms"}
_NEEDED = {"on", "announcement", "language", "digit"}
_READ = {
    "on": _flag,
    "reason": _reason,
    "kind": _kind,
    "text": _text,
    "back_ms": _back,
    "announcement": _word,
    "language": _word,
    "digit": _digit,
}
