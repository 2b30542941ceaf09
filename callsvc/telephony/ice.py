"""Which addresses WebRTC may use: only those it was given.

aioice gathers every interface but loopback, and has no setting for it. Nor has asyncio one for the 256 KiB that it sets
aside for each datagram; clearing them costs more than all else that is done with one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aioice.ice

LARGEST_BYTES = 2048
"""Of a datagram: more than any network lets through in one piece."""


def use_only(addresses: Sequence[str]) -> None:
    """From now on gather candidates on these addresses alone, in this process."""
    chosen = list(addresses)

    def get_host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return [host for host in chosen if (use_ipv6 if ":" in host else use_ipv4)]

    aioice.ice.get_host_addresses = get_host_addresses
    setattr(aioice.ice.StunProtocol, "connection_made", _connection_made)  # noqa: B010  a method is not assigned


_begin = aioice.ice.StunProtocol.connection_made


def _connection_made(protocol: aioice.ice.StunProtocol, transport: asyncio.BaseTransport) -> None:
    setattr(transport, "max_size", LARGEST_BYTES)  # noqa: B010  no part of the transport's declared face
    _begin(protocol, transport)
