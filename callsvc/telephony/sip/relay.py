"""Sound from leg to leg, packet by packet, with nothing of ours between: before the operator has answered, and when the
call around it has failed. Both legs speak the same codec, so nothing need be decoded.
"""

from __future__ import annotations

from collections.abc import Mapping

from audio.rtp import Packet
from callsvc.telephony.sip.media import SipConnection


class Relay:
    """Hears one leg and says it to the other."""

    def __init__(self, giver: SipConnection, taker: SipConnection) -> None:
        self._giver = giver
        self._taker = taker

    def on_ready(self) -> None:
        return None

    def on_packet(self, packet: Packet, now: float) -> None:
        codec = self._giver.codecs.get(packet.payload_type)
        if codec is not None:
            self._taker.forward(packet, codec)
        else:
            self._taker.omit(packet)

    def on_channel(self) -> None:
        return None

    def on_message(self, message: Mapping[str, object]) -> None:
        return None

    def on_left(self, cause: str) -> None:
        return None


def connect(one: SipConnection, other: SipConnection) -> None:
    """Let both hear each other."""
    one.digits = other.digits = None
    one.listen(Relay(one, other))
    other.listen(Relay(other, one))
