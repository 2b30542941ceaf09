"""The UDP port for SIP. What comes from a stranger is dropped unread; a crowd of calls is told to come again later.

Stands where sippy has its own server with threads: one socket in the event loop, so that a flood is bounded by what is
read at a time, and running calls keep their turn.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import secrets
import socket
from collections.abc import Callable
from typing import Any

from sippy.Network_server import Remote_address
from sippy.Time.MonoTime import MonoTime

from callsvc import logs
from callsvc.telephony.sip import metrics
from callsvc.telephony.sip.admission import Peers

MAX_BYTES = 16 * 1024
READS_A_TURN = 20
"""Datagrams that are read before others get their turn."""
RETRY_AFTER_S = 5
HEAD = re.compile(rb"(SIP/2\.0 [1-6]\d\d |[A-Z]{3,12} [^\s]{1,512} SIP/2\.0\r?\n)")
NAMES = {b"v": b"via", b"f": b"from", b"t": b"to", b"i": b"call-id"}
ECHOED = (b"via", b"from", b"to", b"call-id", b"cseq")
UPPER_UDP = re.compile(rb";transport=udp(?=[;>\s?])", re.IGNORECASE)
Receive = Callable[[bytes, Any, Any, Any], None]
log = logs.get("sip")


def headers(data: bytes) -> dict[bytes, list[bytes]]:
    """The headers that a stateless answer echoes, as they came."""
    found: dict[bytes, list[bytes]] = {}
    head = data.partition(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n")[1:60]:
        name, colon, value = line.partition(b":")
        name = name.strip().lower()
        name = NAMES.get(name, name)
        if colon and name in ECHOED:
            found.setdefault(name, []).append(value.strip())
    return found


def busy(data: bytes) -> bytes:
    """503 to an INVITE, without remembering it; empty when the request cannot be answered."""
    echoed = headers(data)
    if any(name not in echoed for name in ECHOED):
        return b""
    echoed[b"to"] = [echoed[b"to"][0] + b";tag=" + secrets.token_hex(6).encode()]
    lines = [b"SIP/2.0 503 Service Unavailable"]
    lines += [name.title() + b": " + value for name in ECHOED for value in echoed[name]]
    lines += [b"Retry-After: %d" % RETRY_AFTER_S, b"Content-Length: 0", b"", b""]
    return b"\r\n".join(lines)


class Door:
    """A bound port, in the form that sippy expects of a server. `open` binds it."""

    transport = "udp"

    def __init__(self, host: str, peers: Peers, receive: Receive) -> None:
        self.host = host
        self.port = 0
        self.crowded: Callable[[], bool] = lambda: False
        """Asked for each new call: whether it is one too many."""
        self.known: Callable[[str], bool] = lambda _: True
        """Whether a call with this Call-ID runs."""
        self._peers = peers
        self._receive = receive
        self._socket: socket.socket | None = None
        self.uopts = self

    def open(self, port: int) -> int:
        """Bind; raises `OSError`."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_DGRAM)
        bound.setblocking(False)
        try:
            bound.bind((self.host, port))
        except OSError:
            bound.close()
            raise
        self._socket = bound
        self.port = bound.getsockname()[1]
        asyncio.get_running_loop().add_reader(bound, self._read)
        return self.port

    def close(self) -> None:
        if self._socket:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _read(self) -> None:
        for _ in range(READS_A_TURN):
            if self._socket is None:
                return
            try:
                data, source = self._socket.recvfrom(65_535)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue
            self.take(data, source[:2])

    def take(self, data: bytes, source: tuple[str, int]) -> None:
        """One datagram."""
        fate = self._sort(data, source)
        metrics.DATAGRAMS.labels(fate).inc()
        if fate == "busy":
            if answer := busy(data):
                self.send_to(answer, source)
        elif fate == "taken":
            # A Contact with `;transport=UDP` raises in sippy, and the other leg would never be told of the end.
            data = UPPER_UDP.sub(b";transport=udp", data)
            try:
                self._receive(data, Remote_address(source, self.transport), self, MonoTime())
            except Exception as error:  # whatever a peer wrote stays the peer's problem
                log.warning("sip_datagram_failed", error=type(error).__name__)

    def _sort(self, data: bytes, source: tuple[str, int]) -> str:
        if source[0] not in self._peers:
            return "stranger"
        if len(data) < 32:
            return "alive"  # CR LF, to keep a translator's port open
        if len(data) > MAX_BYTES or not HEAD.match(data):
            return "malformed"
        if data.startswith(b"INVITE "):
            echoed = headers(data)
            call_id = echoed.get(b"call-id", [b""])[0].decode("utf-8", "replace")
            begins = b";tag=" not in echoed.get(b"to", [b""])[0] and not self.known(call_id)
            if begins and self.crowded():
                return "busy"
        return "taken"

    # What sippy asks of a server.

    def isWildCard(self) -> bool:  # noqa: N802  sippy's name
        return False

    def getSIPaddr(self) -> tuple[tuple[str, int], str]:  # noqa: N802  sippy's name
        return (self._bracketed(self.host), self.port), self.transport

    def addr2str(self, address: tuple[str, int]) -> str:
        return f"{self.transport}:{address[0]}:{address[1]}"

    def send_to(self, data: bytes | str, address: tuple[str, int], delayed: bool = False) -> None:
        host, port = address[0].strip("[]"), int(address[1])
        try:
            ipaddress.ip_address(host)
        except ValueError:
            log.warning("sip_name_not_resolved")
            return
        if self._socket:
            try:
                self._socket.sendto(data.encode() if isinstance(data, str) else data, (host, port))
            except OSError as error:
                log.warning("sip_not_sent", error=type(error).__name__)

    @staticmethod
    def _bracketed(host: str) -> str:
        return f"[{host}]" if ":" in host else host
