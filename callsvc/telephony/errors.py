"""What telephony refuses, and with which HTTP status.

CallsvcError
└── TelephonyError
    ├── TokenRefused     401  no token, or not one for this
    ├── BadOffer         400  an SDP offer that cannot be read, or that offers nothing we speak
    ├── BadCommand       400  a command that is no JSON object
    ├── LegTaken         409  somebody else has this leg of this call
    ├── CallOver         410  this call has ended
    ├── NoSuchLeg        404  there is nothing to hang up
    └── NodeFull         503  this node takes no more calls, or is about to stop
"""

from __future__ import annotations

from typing import ClassVar

from callsvc.errors import CallsvcError


class TelephonyError(CallsvcError):
    """The call cannot be set up."""

    status: ClassVar[int] = 500

    def __init__(self, detail: str = "") -> None:
        first = (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(f"{first.rstrip('.')}: {detail}." if detail else first)


class TokenRefused(TelephonyError):
    """The token does not let you in."""

    status = 401
    default_hint = "Ask the web process for a new one; a token is good for one leg, once, for two minutes."


class BadOffer(TelephonyError):
    """The SDP offer cannot be used."""

    status = 400
    default_hint = "Offer one audio stream with PCMA, PCMU, G722 or opus."


class BadCommand(TelephonyError):
    """The command cannot be read."""

    status = 400
    default_hint = "Send one JSON object."


class LegTaken(TelephonyError):
    """Somebody else has this leg of the call."""

    status = 409


class CallOver(TelephonyError):
    """This call has ended."""

    status = 410
    default_hint = "Begin a new call."


class NoSuchLeg(TelephonyError):
    """There is no such leg on this node."""

    status = 404


class NodeFull(TelephonyError):
    """This node takes no more calls now."""

    status = 503
    default_hint = "Try another node, or this one in a moment."
