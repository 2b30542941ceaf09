"""A telephone in the test's own loop that says and hears SIP and RTP word by word."""

from __future__ import annotations

import asyncio
import itertools
import re
import socket
from dataclasses import dataclass

from audio import rtp
from audio.rtp import Packet
from tests.support.sip import HOST, sdp

PATIENCE_S = 30.0
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Message:
    """One SIP message."""

    text: str

    @property
    def first(self) -> str:
        return self.text.partition("\r\n")[0]

    @property
    def body(self) -> str:
        return self.text.partition("\r\n\r\n")[2]

    def all(self, name: str) -> list[str]:
        head = self.text.partition("\r\n\r\n")[0]
        return re.findall(rf"(?im)^{name}:[ \t]*(.*?)\r?$", head)

    def get(self, name: str) -> str:
        found = self.all(name)
        return found[0] if found else ""

    @property
    def rtp_port(self) -> int:
        found = re.search(r"m=audio (\d+)", self.body)
        assert found
        return int(found[1])


class _Queue(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came.put_nowait((data, addr))

    def error_received(self, exc: Exception) -> None:
        return None


class Telephone:
    """One telephone; `close` it. The node is at `node`, sound is heard in `sound`."""

    def __init__(self, name: str, node: tuple[str, int]) -> None:
        self.name = name
        self.node = node
        self.number = "114"
        """Whom it calls."""
        self.tag = f"{name}-tag"
        self.call_id = f"{name}-{next(_numbers)}@test"
        self.cseq = 0
        self.remote_tag = ""
        self.routes: list[str] = []
        self.invite: Message | None = None

    async def open(self) -> Telephone:
        loop = asyncio.get_running_loop()
        self._sip, self._signals = await loop.create_datagram_endpoint(_Queue, (HOST, 0))
        self.port: int = self._sip.get_extra_info("sockname")[1]
        while True:
            first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            first.bind((HOST, 0))
            self.rtp_port: int = first.getsockname()[1]
            second = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                second.bind((HOST, self.rtp_port + 1))
                break
            except (OSError, OverflowError):
                first.close()
                second.close()
        for one in (first, second):
            one.setblocking(False)
        self._rtp, self._sound = await loop.create_datagram_endpoint(_Queue, sock=first)
        self._rtcp, self._reports = await loop.create_datagram_endpoint(_Queue, sock=second)
        return self

    def close(self) -> None:
        for one in (self._sip, self._rtp, self._rtcp):
            one.close()

    @property
    def uri(self) -> str:
        return f"sip:{self.name}@{HOST}:{self.port}"

    def offer(self, *more: str) -> str:
        return sdp(self.rtp_port, (8, 101), *more)

    # What is said.

    def request(self, method: str, *more: str, body: str = "", contact: str = "") -> None:
        """A request of our own dialog."""
        if method not in ("ACK", "CANCEL"):
            self.cseq += 1
        tag = f";tag={self.remote_tag}" if self.remote_tag else ""
        number = self.cseq if method == "CANCEL" else next(_numbers) + 1000
        if method == "INVITE":
            self._branch = number = self.cseq
        lines = [
            f"{method} sip:{self.number}@{self.node[0]}:{self.node[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self.port};branch=z9hG4bK-{self.name}-{self.call_id}-{number}",
            *[f"Route: {route}" for route in self.routes],
            f"From: <{self.uri}>;tag={self.tag}",
            f"To: <sip:{self.number}@{HOST}>{tag}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq} {method}",
            f"Contact: {contact or f'<{self.uri}>'}",
            "Max-Forwards: 70",
            *more,
        ]
        self._send("\r\n".join([*lines, *_content(body)]))

    def reply(self, to: Message, status: str, *more: str, body: str = "") -> None:
        """An answer to a request of the node's."""
        tag = "" if ";tag=" in to.get("To") else f";tag={self.tag}"
        lines = [
            f"SIP/2.0 {status}",
            *[f"Via: {via}" for via in to.all("Via")],
            *[f"Record-Route: {route}" for route in to.all("Record-Route")],
            f"From: {to.get('From')}",
            f"To: {to.get('To')}{tag}",
            f"Call-ID: {to.get('Call-ID')}",
            f"CSeq: {to.get('CSeq')}",
            f"Contact: <{self.uri}>",
            *more,
        ]
        if to.first.startswith("INVITE "):
            self.invite = to
            self.call_id = to.get("Call-ID")
            self.remote_tag = to.get("From").partition(";tag=")[2]
        self._send("\r\n".join([*lines, *_content(body)]))

    def send_as_called(self, method: str, *more: str, body: str = "") -> None:
        """A request within the dialog that the node began."""
        assert self.invite is not None
        self.cseq += 1
        lines = [
            f"{method} sip:node@{self.node[0]}:{self.node[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self.port};branch=z9hG4bK-{self.name}-{next(_numbers)}",
            f"From: <{self.uri}>;tag={self.tag}",
            f"To: {self.invite.get('From')}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq} {method}",
            f"Contact: <{self.uri}>",
            "Max-Forwards: 70",
            *more,
        ]
        self._send("\r\n".join([*lines, *_content(body)]))

    def _send(self, text: str) -> None:
        self._sip.sendto(text.encode(), self.node)

    # What is heard.

    async def hear(self, *starts: str) -> Message:
        """The next message that begins so; others are left out."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                data, _ = await self._signals.came.get()
                message = Message(data.decode())
                if message.first.startswith(starts):
                    return message

    async def established(self, *more: str, body: str | None = None) -> Message:
        """INVITE, until 200, with ACK."""
        self.request("INVITE", *more, body=self.offer() if body is None else body)
        answer = await self.hear("SIP/2.0 2", "SIP/2.0 4", "SIP/2.0 5")
        assert answer.first.startswith("SIP/2.0 200"), answer.text
        self.remote_tag = answer.get("To").partition(";tag=")[2]
        self.routes = list(reversed(answer.all("Record-Route")))
        return answer

    def say(self, port: int, packet: Packet) -> None:
        """A packet of sound, or of digits."""
        self._rtp.sendto(rtp.build(packet), (HOST, port))

    def report(self, port: int, data: bytes) -> None:
        self._rtcp.sendto(data, (HOST, port + 1))

    async def sound(self, numbers: tuple[int, ...] = (8, 101, 13)) -> Packet:
        """The next packet of sound that comes."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                data, _ = await self._sound.came.get()
                if not rtp.is_rtcp(data) and (packet := rtp.parse(data)).payload_type in numbers:
                    return packet

    async def reported(self) -> bytes:
        """The next RTCP datagram that comes."""
        async with asyncio.timeout(PATIENCE_S):
            return (await self._reports.came.get())[0]

    def silent(self) -> bool:
        """Whether no packet of sound is waiting."""
        return self._sound.came.empty()


def _content(body: str) -> list[str]:
    kind = ["Content-Type: application/sdp"] if body else []
    return [*kind, f"Content-Length: {len(body)}", "", body]
