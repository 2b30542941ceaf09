"""What goes over the wire: the API's shapes, from which its OpenAPI description and the screens' types are made.

Times are RFC 3339 in UTC. `_ms` counts from the start of the call.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from callsvc.access.relying_party import WhyNot
from callsvc.access.rights import Action
from callsvc.types import CallState, Leg, Profile, RecordingState, Role, TranscriptState
from callsvc.web.seen import SEEN


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


# People


class Credentials(Shape):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(min_length=1, max_length=1000)]
    code: Annotated[str, Field(max_length=12)] | None = None


class SignedOut(Shape):
    """`next`: where the browser is to go, to sign out at the organisation's provider as well."""

    next: str | None


class WaysIn(Shape):
    """How one can sign in: by a password, by the organisation's `provider` of that name, or either.

    Passkeys go with passwords, but on pages at `passkeys_at` alone; `no_passkeys` says why there are none.
    """

    provider: str | None
    password: bool
    passkeys_at: str | None
    no_passkeys: WhyNot | None


class Code(Shape):
    """Six digits of an authenticator."""

    code: Annotated[str, Field(min_length=6, max_length=12)]


class Unlocking(Shape):
    password: Annotated[str, Field(min_length=1, max_length=1000)]
    code: Annotated[str, Field(max_length=12)] | None = None


class OwnPassword(Shape):
    password: Annotated[str, Field(min_length=1, max_length=1000)]


class SecondFactorOut(Shape):
    on: bool


class NewSecondFactor(Shape):
    """What an authenticator is given; it is shown here and nowhere else. It counts once a code of it was given."""

    secret: str
    address: str


class SessionOut(Shape):
    """`browser` is what the browser says of itself. `current` is the one that asks."""

    id: UUID
    created_at: datetime
    seen_at: datetime
    address: str
    browser: str
    current: bool


class SessionList(Shape):
    sessions: list[SessionOut]


class PasswordChange(Shape):
    current: Annotated[str, Field(min_length=1, max_length=1000)]
    wanted: Annotated[str, Field(min_length=1, max_length=1000)]


class Me(Shape):
    """Who is signed in, and all that they may do."""

    id: UUID
    name: str
    display_name: str
    roles: list[Role]
    rights: list[Action]
    must_change_password: bool
    must_add_factor: bool
    """The roles ask for a second factor, and there is none: nothing else is open until there is."""
    passkey: bool
    """Has a passkey, by which a locked screen can be opened, too."""
    external: bool
    """Signs in by the organisation's provider, and has no password here."""
    expires_at: datetime
    locked: bool
    lock_after_s: int | None
    """Seconds without a key or a pointer after which the screen is to lock itself; none: never."""


class User(Shape):
    id: UUID
    name: str
    display_name: str
    roles: list[Role]
    must_change_password: bool
    external: bool
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None


class UserList(Shape):
    users: list[User]


class NewUser(Shape):
    name: Annotated[str, Field(min_length=1, max_length=100)]
    display_name: Annotated[str, Field(min_length=1, max_length=200)]
    roles: list[Role]


class UserChange(Shape):
    """What is left out stays as it is."""

    roles: list[Role] | None = None
    disabled: bool | None = None


class UserWithPassword(Shape):
    """The password works once and must then be changed; it is shown here and kept nowhere."""

    user: User
    one_time_password: str


# Calls


class RecordingBrief(Shape):
    state: RecordingState
    outcome: str | None


class TranscriptBrief(Shape):
    """`expected_at` is when it will be done, once that can be told."""

    state: TranscriptState
    progress: float
    expected_at: datetime | None


class ProofBrief(Shape):
    """Levels and shares are null when no key stroke was found."""

    strokes: int
    level_before_db: float | None
    level_after_db: float | None
    audible_before_pct: float | None
    audible_after_pct: float | None
    degraded: bool


class ProofOut(ProofBrief):
    blocks: int
    blocks_passed: int
    model: str
    model_sha256: str
    latency_samples: int


class CallSummary(Shape):
    id: UUID
    profile: Profile
    state: CallState
    demo: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    length_ms: int | None
    degraded: str | None
    recording: RecordingBrief | None
    transcript: TranscriptBrief | None
    proof: ProofBrief | None


class CallList(Shape):
    """Newest first. `next` is given back as `before` to go on; null at the end. `now` is the service's clock."""

    now: datetime
    calls: list[CallSummary]
    next: str | None


class GapOut(Shape):
    """Samples at the track's rate, from the start of the call."""

    start: int
    length: int
    cause: str


class TrackOut(Shape):
    name: str
    rate: int
    samples: int
    gaps: list[GapOut]


class LegOut(Shape):
    leg: Leg
    transport: str
    codec: str
    joined_at: datetime | None
    left_at: datetime | None
    cause: str | None


class CallDetail(CallSummary):
    """All that may be known of a call without a reason. `opened` is the reason under which this session has it open,
    `reason_before` the one that it gave last for another call of the same case."""

    proof: ProofOut | None
    now: datetime
    node: str | None
    cause: str | None
    legs: list[LegOut]
    tracks: list[TrackOut]
    opened: str | None
    reason_before: str | None


class NewCall(Shape):
    profile: Profile


class CallTokens(Shape):
    """The call, where to signal, and the token of each leg; each is good once, for two minutes."""

    call_id: UUID
    media_url: str
    caller_token: str
    operator_token: str


class Access(Shape):
    # Its length is judged where all reasons are; this bound only keeps nonsense out.
    reason: Annotated[str, SEEN, Field(max_length=2000)]


class Lane(Shape):
    """The outline of a track: lowest and highest of each stretch, -128 to 127."""

    track: str
    low: list[int]
    high: list[int]


class Peaks(Shape):
    """`channels` names the track of each channel of playback.wav."""

    duration_ms: int
    channels: list[str]
    lanes: list[Lane]


class DoneOut(Shape):
    """Something that was done during the call; a point ends where it begins. `what` says why, which, in what language."""

    lane: Literal["mask", "hold", "mute", "marker", "announcement", "recall"]
    start_ms: int
    end_ms: int
    what: str


class Lanes(Shape):
    """In the order in which they began."""

    done: list[DoneOut]


class Typing(Shape):
    """Each keystroke: when, on the call's clock, and its loudest 8 ms at the microphone, dBFS. Two lists of equal length.

    `told` is false where the node told of none, as of calls that are not recorded: then nothing is known of the typing.
    """

    told: bool
    at_ms: list[int]
    level_db: list[int]


class Demonstration(Shape):
    """A demonstration call. `progress` runs from 0 to 1; `step` names what is being done."""

    id: UUID
    call_id: UUID | None
    state: Literal["queued", "running", "done", "failed"]
    progress: float
    step: str
    error: str | None
    created_at: datetime


class LatestDemonstration(Shape):
    latest: Demonstration | None


# The access log


class Who(Shape):
    id: UUID
    name: str
    display_name: str


class WhoList(Shape):
    """Everybody that the log can name, and everything that was ever done."""

    actions: list[str]
    people: list[Who]


class AccessEventOut(Shape):
    """`object` says which part of a call or which account, where the action does not."""

    id: int
    at: datetime
    person: Who | None
    action: str
    object: str | None
    call_id: UUID | None
    reason: str


class AccessEventList(Shape):
    """Newest first; `next` is given back as `before` to go on."""

    events: list[AccessEventOut]
    next: int | None


class Chain(Shape):
    """Whether the log is whole, as of `at`. `head` is the digest that ends the chain."""

    whole: bool
    events: int
    head: str | None
    broken_at: int | None
    at: datetime


# Health


class Part(Shape):
    """How one part is: a code that the screens have words for, and the figures in those words.

    `since` when it has been in that state; `at_least`: nobody had looked before.
    """

    part: str
    state: Literal["ok", "degraded", "down"]
    code: str
    values: dict[str, str | int | float]
    since: datetime
    at_least: bool


class HealthOut(Shape):
    at: datetime
    overall: Literal["ok", "degraded", "down"]
    parts: list[Part]
