"""Plain RTP over real sockets on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from audio import codecs, rtp
from audio.rtp import Packet
from callsvc.clock import FixedClock, SystemClock
from callsvc.telephony import plain, sdp
from callsvc.telephony.errors import BadOffer, NodeFull
from callsvc.telephony.plain import Ports, RtpConnection, bye, is_bye

pytestmark = pytest.mark.call

HOST = "127.0.0.1"
GOOD = rtp.build(Packet(8, 1, 160, 5, b"\xd5" * 160))


class Ear:
    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.left: list[str] = []

    def on_ready(self) -> None: ...

    def on_channel(self) -> None: ...

    def on_packet(self, packet: Packet, now: float) -> None:
        self.packets.append(packet)

    def on_message(self, message: object) -> None: ...

    def on_left(self, cause: str) -> None:
        self.left.append(cause)


class Phone:
    """A telephone that names one port, and may send from others."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self.named = self.port()
        self.clock = FixedClock()
        self.ear = Ear()
        self.connection: RtpConnection | None = None

    def port(self) -> socket.socket:
        made = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        made.bind((HOST, 0))
        made.setblocking(False)
        return made

    async def send(self, data: bytes, source: socket.socket | None = None) -> None:
        assert self.connection is not None
        await asyncio.get_running_loop().sock_sendto(source or self.named, data, self.connection.local)
        await asyncio.sleep(0.01)


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    with contextlib.ExitStack() as stack:
        phone = Phone(stack)
        offer = sdp.Offer(sdp.PLAIN, HOST, phone.named.getsockname()[1], {8: codecs.PCMA, 0: codecs.PCMU})
        phone.connection, answer = await plain.accept(offer, Ports(HOST, 0, 0), phone.clock)
        phone.connection.listen(phone.ear)
        assert sdp.parse(answer.encode()).codecs == {8: codecs.PCMA}
        yield phone
        await phone.connection.close()
        await asyncio.sleep(0)


async def test_the_port_that_was_named_is_heard_and_answered(phone: Phone) -> None:
    assert phone.connection is not None
    await phone.send(GOOD)
    phone.connection.send_frame(codecs.PCMA, b"\x2a" * 160)

    assert [packet.sequence for packet in phone.ear.packets] == [1]
    got = rtp.parse(await asyncio.get_running_loop().sock_recv(phone.named, 2000))
    assert (got.payload_type, got.payload) == (8, b"\x2a" * 160)


async def test_a_stranger_on_the_same_host_is_not_heard_once_the_peer_has_spoken(phone: Phone) -> None:
    stranger = phone.port()
    await phone.send(GOOD)
    phone.clock.advance(60)
    await phone.send(GOOD, stranger)

    assert len(phone.ear.packets) == 1
    # The system itself keeps the stranger out.
    assert phone.connection is not None
    assert phone.connection.foreign == 0


async def test_a_stranger_who_is_first_is_not_believed_when_the_peer_speaks(phone: Phone) -> None:
    stranger = phone.port()
    for _ in range(5):
        await phone.send(GOOD, stranger)
    await phone.send(GOOD)
    phone.clock.advance(60)
    await phone.send(GOOD, stranger)

    assert len(phone.ear.packets) == 1


async def test_a_phone_behind_a_translator_is_believed_after_a_while(phone: Phone) -> None:
    translated = phone.port()
    await phone.send(GOOD, translated)
    phone.clock.advance(plain.TRANSLATED_AFTER_S)
    await phone.send(GOOD, translated)
    assert phone.connection is not None
    phone.connection.send_frame(codecs.PCMA, b"\x2a" * 160)

    assert len(phone.ear.packets) == 1
    assert await asyncio.get_running_loop().sock_recv(translated, 2000)


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\x00", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 2000, b"\x80" + bytes(11), bytes(range(256))],
)
async def test_garbage_is_counted_and_makes_nobody_a_peer(phone: Phone, garbage: bytes) -> None:
    translated = phone.port()
    await phone.send(garbage, translated)
    phone.clock.advance(1)
    await phone.send(garbage, translated)
    await phone.send(GOOD)

    assert [packet.sequence for packet in phone.ear.packets] == [1]


async def test_garbage_from_the_peer_itself_is_counted(phone: Phone) -> None:
    await phone.send(GOOD)
    await phone.send(b"nothing")

    assert phone.connection is not None
    assert phone.connection.malformed == 1
    assert len(phone.ear.packets) == 1


async def test_a_goodbye_by_rtcp_ends_the_leg_and_another_report_does_not(phone: Phone) -> None:
    await phone.send(bytes([0x80, 201, 0, 1, 0, 0, 0, 5]))
    assert phone.ear.left == []
    await phone.send(bye(5))

    assert phone.ear.left == ["hangup"]


async def test_a_leg_that_closes_says_goodbye(phone: Phone) -> None:
    assert phone.connection is not None
    await phone.connection.close()

    assert is_bye(await asyncio.get_running_loop().sock_recv(phone.named, 2000))


async def test_ports_are_taken_from_the_range_until_there_are_none() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 0))
        port = taken.getsockname()[1]
        with pytest.raises(NodeFull):
            await Ports(HOST, port, port).bind()


async def test_each_end_reports_what_it_hears_and_learns_what_the_other_misses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("callsvc.telephony.plain.REPORT_S", 0.1)
    ports = Ports(HOST, 0, 0)
    clock = SystemClock()
    there = RtpConnection(await ports.bind(), (HOST, 1), {8: codecs.PCMA}, clock)
    offer = sdp.parse(sdp.plain(HOST, there.local[1], {8: codecs.PCMA}, 1).encode())
    here, _ = await plain.accept(offer, ports, clock)
    there._peer = there._named = here.local
    there.listen(Ear())
    here.listen(Ear())
    there.report_regularly()
    try:
        async with asyncio.timeout(30):
            while there.peer_loss == 0 or here.sender_report is None:
                there.send_frame(codecs.PCMA, b"\xd5" * 160)
                here.send_frame(codecs.PCMA, b"\xd5" * 160)
                there._out.frame(8, b"", 160, 0.0)  # one that never leaves
                await asyncio.sleep(0.01)
        assert there.peer_loss == pytest.approx(0.5, abs=0.2)
        assert here.peer_loss == 0
        # The report says which timestamp was spoken when.
        at = here.timestamp_at(clock.utc_now().timestamp() * 1000)
        assert at is not None
        assert there._last_sent is not None
        assert abs(at - there._last_sent.timestamp) < 16_000
    finally:
        await asyncio.gather(there.close(), here.close())
        await asyncio.sleep(0)


async def test_who_cannot_be_reached_by_our_addresses_is_refused_and_takes_no_port() -> None:
    offer = sdp.Offer(sdp.PLAIN, "2001:db8::7", 4000, {8: codecs.PCMA})
    with pytest.raises(BadOffer, match="family"):
        await plain.accept(offer, Ports(HOST, 0, 0), SystemClock())
