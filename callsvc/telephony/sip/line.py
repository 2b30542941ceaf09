"""Where calls to a number go, and what all calls of a trunk share."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from callsvc.clock import Clock
from callsvc.telephony.lines import TelephoneLine
from callsvc.telephony.sip.media import Pairs
from callsvc.telephony.sip.replaces import Replaces
from callsvc.telephony.switchboard import Switchboard
from callsvc.types import Leg, Profile

if TYPE_CHECKING:
    from callsvc.telephony.sip.call import SipCall


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of a call to a number."""

    profile: Profile
    user: str = ""
    """The operator's telephone: its user, and where it is. Without a host the operator answers in the browser."""
    host: str = ""
    port: int = 5060
    entry: TelephoneLine | None = None
    """The line of the screens, where it is one of those."""


class House(Protocol):
    """What a call asks of its trunk."""

    config: dict[str, Any]
    board: Switchboard
    pairs: Pairs
    clock: Clock
    user: str
    password: str
    ring_s: int
    session_s: int

    @property
    def address(self) -> tuple[str, int]:
        """Where we answer."""

    def named(self, dialog: Replaces) -> tuple[SipCall, Leg] | None:
        """The call that has this dialog, and on which side of us."""

    def line(self, number: str) -> Line:
        """What becomes of a call to this number."""

    def spawn(self, work: Awaitable[None]) -> None:
        """Do this besides."""

    def over(self, call: SipCall) -> None:
        """The call is over."""
