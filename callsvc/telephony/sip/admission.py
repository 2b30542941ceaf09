"""Who may call, and how often: addresses, and a bucket of calls that fills at a steady rate."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Peers:
    """The addresses and networks that are answered. Raises `ValueError` for what is neither."""

    def __init__(self, peers: Iterable[str]) -> None:
        self._networks: list[Network] = [ipaddress.ip_network(peer, strict=False) for peer in peers]
        self._known: dict[str, bool] = {}

    def __contains__(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            one = ipaddress.ip_address(address)
            known = any(one in network for network in self._networks if network.version == one.version)
            if len(self._known) > 10_000:
                self._known.clear()  # strangers may come from many addresses
            self._known[address] = known
        return known


class Bucket:
    """Lets `rate` a second through, and up to `burst` at once."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Whether one more may pass now."""
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True
