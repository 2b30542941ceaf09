"""Which addresses WebRTC may use: only those it was given.

aioice gathers every interface but loopback, and has no setting for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import aioice.ice


def use_only(addresses: Sequence[str]) -> None:
    """From now on gather candidates on these addresses alone, in this process."""
    chosen = list(addresses)

    def get_host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return [host for host in chosen if (use_ipv6 if ":" in host else use_ipv4)]

    aioice.ice.get_host_addresses = get_host_addresses
