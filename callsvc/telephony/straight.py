"""Sound of a WebRTC leg straight off the socket and onto it, past the queue, the tasks and the parsers of aiortc.

A datagram of sound took thirteen calls and two turns of the event loop on its way to us, as many on its way out, and room
for 256 KiB each time. What is no sound (STUN, DTLS, RTCP) goes the library's own way. All of this rests on names that
aiortc and aioice do not promise to keep: aiortc's version is pinned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pylibsrtp

from audio import rtp

LARGEST_BYTES = 2048
"""Of a datagram that is taken off the wire: more than any network of ours carries in one."""
COMPONENT = 1
Take = Callable[[bytes], None]


class Straight:
    """The way of one peer connection's sound. `begin` once it is connected."""

    def __init__(self, dtls: Any, take: Take) -> None:
        self._dtls = dtls
        self._ice = dtls.transport._connection
        self._take = take

    def begin(self) -> None:
        """From now on hand incoming sound, deciphered, to whom it is for."""
        for protocol in self._ice._protocols:
            self._listen(protocol)

    def _listen(self, protocol: Any) -> None:
        dtls, take, theirs = self._dtls, self._take, protocol.datagram_received

        def received(data: bytes, address: tuple[Any, ...]) -> None:
            if len(data) < rtp.HEADER.size or data[0] >> 6 != rtp.VERSION or rtp.is_rtcp(data):
                theirs(data, address)
                return
            try:
                plain = dtls._rx_srtp.unprotect(data)
            except (pylibsrtp.Error, ValueError):
                return
            take(plain)

        protocol.datagram_received = received
        transport: Any = getattr(protocol, "transport", None)
        if hasattr(transport, "max_size"):
            transport.max_size = LARGEST_BYTES

    def send(self, packet: bytes) -> bool:
        """Put a packet on the wire; whether there was a way."""
        pair = self._ice._nominated.get(COMPONENT)
        if pair is None or self._dtls._tx_srtp is None:
            return False
        try:
            pair.protocol.transport.sendto(self._dtls._tx_srtp.protect(packet), pair.remote_addr)
        except (pylibsrtp.Error, ValueError, OSError, AttributeError):
            # Closed a moment ago.
            return False
        return True
