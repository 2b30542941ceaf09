"""What Asterisk holds for one call, and how calls are set up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from callsvc.telephony.asterisk.channels import Channel
from callsvc.telephony.asterisk.connection import AudioSocketConnection
from callsvc.telephony.lines import TelephoneLine
from callsvc.types import Leg, Profile

OURS = "callsvc-"
"""What the ids of channels and bridges that we make begin with."""
MEDIA = "-media"
"""What the ids of our AudioSockets end with."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How calls are set up."""

    audio_host: str
    """Where Asterisk reaches our AudioSocket server: `host:port`."""
    form: str
    """Asterisk's name of the format: `slin16`."""
    profile: Profile
    operator: str
    """Endpoint that is rung, `PJSIP/operator`; empty: the operator takes the call in the browser."""
    ring_s: int
    line: Callable[[str], TelephoneLine | None] = lambda _: None
    """The line that a dialled number belongs to."""
    node: str = ""
    """The bridges' name: whose they are, when this node comes back after it died."""


@dataclass(slots=True)
class Placed:
    """What Asterisk holds for one call."""

    id: UUID
    caller: Channel
    line: TelephoneLine | None = None
    operator: Channel | None = None
    bridges: dict[Leg, str] = field(default_factory=dict)
    external: list[Channel] = field(default_factory=list)
    legs: dict[Leg, AudioSocketConnection] = field(default_factory=dict)
    kept: bool = False
    """Whether the parties are left as they are when we take leave of the call."""

    @property
    def parties(self) -> dict[Leg, Channel]:
        operator = {Leg.OPERATOR: self.operator} if self.operator else {}
        return {Leg.CALLER: self.caller} | operator

    @property
    def whole(self) -> bool:
        """Whether nobody has hung up."""
        return not any(channel.gone.is_set() for channel in self.parties.values())

    def bridge(self, leg: Leg) -> str:
        """A bridge's id."""
        return f"{OURS}{self.id}-{leg.value}"

    def leg_of(self, channel: Channel) -> Leg | None:
        """Which party this is."""
        return next((leg for leg, one in self.parties.items() if one is channel), None)
