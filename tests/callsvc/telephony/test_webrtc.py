"""WebRTC legs between two real ends in one process, on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from audio import codecs
from audio.codecs import G722, OPUS, PCMA, Codec
from audio.rtp import Packet
from callsvc.clock import SystemClock
from callsvc.telephony import ice, sdp, webrtc
from callsvc.telephony.client import offer_of
from callsvc.telephony.errors import BadOffer
from callsvc.telephony.webrtc import WebRtcConnection
from tests.support.packets import babble, payloads

pytestmark = pytest.mark.call

HOST = "127.0.0.1"


class Ear:
    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.channel = asyncio.Event()
        self.left = asyncio.Event()
        self.packets: list[Packet] = []
        self.messages: list[Mapping[str, object]] = []
        self.cause = ""

    def on_ready(self) -> None:
        self.ready.set()

    def on_channel(self) -> None:
        self.channel.set()

    def on_packet(self, packet: Packet, now: float) -> None:
        self.packets.append(packet)

    def on_message(self, message: Mapping[str, object]) -> None:
        self.messages.append(message)

    def on_left(self, cause: str) -> None:
        self.cause = cause
        self.left.set()


class Line:
    """Both ends of one leg: the client's and the node's."""

    def __init__(self, client: WebRtcConnection, node: WebRtcConnection, answer: str) -> None:
        self.client, self.node, self.answer = client, node, answer
        self.at_client, self.at_node = Ear(), Ear()
        client.listen(self.at_client)
        node.listen(self.at_node)

    async def ready(self) -> None:
        ears = (self.at_client, self.at_node)
        await asyncio.wait_for(asyncio.gather(*[e.ready.wait() for e in ears]), 20)
        await asyncio.wait_for(asyncio.gather(*[e.channel.wait() for e in ears]), 20)


async def connect(spoken: list[Codec]) -> Line:
    ice.use_only([HOST])
    clock = SystemClock()
    peer, transceiver, channel = await offer_of(spoken)
    node, answer = await webrtc.accept(peer.localDescription.sdp, clock)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    client = WebRtcConnection(peer, transceiver, clock)
    client.use_channel(channel)
    return Line(client, node, answer)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = await connect([OPUS, G722, PCMA])
    await line.ready()
    yield line
    await asyncio.gather(line.client.close(), line.node.close())


async def test_only_the_addresses_that_were_given_are_offered(line: Line) -> None:
    candidates = [one for one in line.answer.splitlines() if one.startswith("a=candidate:")]

    assert candidates
    assert all(f" {HOST} " in one for one in candidates)


async def test_the_answer_takes_every_codec_that_both_speak_and_says_how_opus_should_be(line: Line) -> None:
    agreed = sdp.parse(line.answer.encode()).codecs

    assert list(agreed.values()) == [OPUS, G722, PCMA]
    assert "useinbandfec=1" in line.answer
    assert "maxaveragebitrate=64000" in line.answer
    assert line.node.codec is OPUS


@pytest.mark.parametrize("codec", [OPUS, G722, PCMA], ids=lambda codec: codec.name)
async def test_payloads_arrive_as_they_were_sent_in_any_agreed_codec(line: Line, codec: Codec) -> None:
    frames = payloads(babble(codec.rate_hz, 0.4), codec)
    for frame in frames:
        line.client.send_frame(codec, frame)
        line.node.send_frame(codec, frame)
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.1)

    for ear, end in ((line.at_node, line.node), (line.at_client, line.client)):
        assert [packet.payload for packet in ear.packets] == frames
        assert {packet.payload_type for packet in ear.packets} == {end.payload_type(codec)}
        steps = {b.timestamp - a.timestamp for a, b in zip(ear.packets, ear.packets[1:], strict=False)}
        assert steps == {codec.clock_hz // 50}


async def test_a_packet_that_is_passed_on_keeps_what_lies_between(line: Line) -> None:
    for sequence, timestamp in ((9, 1440), (10, 1600), (13, 2080)):
        line.node.forward(Packet(8, sequence, timestamp, 5, bytes([sequence]) * 160), PCMA)
    await asyncio.sleep(0.1)

    heard = line.at_client.packets
    assert [packet.payload[0] for packet in heard] == [9, 10, 13]
    assert [packet.sequence - heard[0].sequence for packet in heard] == [0, 1, 4]
    assert [packet.timestamp - heard[0].timestamp for packet in heard] == [0, 160, 640]


async def test_messages_go_both_ways_and_what_is_none_is_counted(line: Line) -> None:
    line.client.tell({"t": "key", "at_ms": 5})
    line.node.tell({"t": "state"})
    assert line.client._channel is not None
    for garbage in ("no json", "[1]", "5", "x" * 5000, "[" * 4000):
        line.client._channel.send(garbage)
    line.client._channel.send(b"bytes")
    line.client.tell({"t": "last"})
    while {"t": "last"} not in line.at_node.messages:
        await asyncio.sleep(0.01)

    assert line.at_node.messages == [{"t": "key", "at_ms": 5}, {"t": "last"}]
    assert line.at_client.messages == [{"t": "state"}]
    assert line.node.malformed == 6


async def test_reports_tell_when_a_timestamp_was_spoken_and_what_the_peer_misses(line: Line) -> None:
    async with asyncio.timeout(60):
        while (
            line.node.sender_report is None or line.client.sender_report is None or not line.client.peer_loss
        ):
            for end in (line.client, line.node):
                end.send_frame(OPUS, payloads(babble(48000, 0.02), OPUS)[0])
            line.client._out.frame(96, b"", 960, 0.0)  # one that never leaves
            await asyncio.sleep(0.02)

    at = line.node.timestamp_at(SystemClock().utc_now().timestamp() * 1000)
    assert at is not None
    # Half of the stream's time passed without a packet; the report holds the last one that was sent.
    last = line.at_node.packets[-1].timestamp
    assert abs((at - last + (1 << 31)) % (1 << 32) - (1 << 31)) < 48_000 * 10
    assert 0.2 < line.client.peer_loss < 0.8
    assert line.node.peer_loss == 0


async def test_an_end_that_closes_without_a_word_is_told_from_one_that_hangs_up(line: Line) -> None:
    await line.client.close()
    await asyncio.wait_for(line.at_node.left.wait(), 20)

    assert line.at_node.cause == "closed"
    # Nothing is sent into the void, and nothing raises.
    line.node.send_frame(PCMA, b"\xd5" * 160)
    line.node.tell({"t": "state"})


async def test_no_thread_is_left_behind_by_a_leg() -> None:
    import threading

    before = threading.active_count()
    line = await connect([PCMA])
    await line.ready()
    await asyncio.gather(line.client.close(), line.node.close())

    assert threading.active_count() <= before + 1  # the loop's own executor may have begun


async def test_a_description_that_aiortc_cannot_follow_is_refused() -> None:
    ice.use_only([HOST])
    peer = RTCPeerConnection()
    peer.addTransceiver("audio")
    await peer.setLocalDescription(await peer.createOffer())
    good = peer.localDescription.sdp
    await peer.close()

    for broken in (
        good.replace("a=mid:0", "a=mid:7"),
        good.replace("a=setup:actpass", "a=setup:nobody"),
        good.replace("a=ice-ufrag:", "a=ice-xfrag:"),
        good.replace("a=fingerprint:sha-256", "a=fingerprint:sha-0"),
        good.replace(" UDP/TLS/RTP/SAVPF", " RTP/AVPF"),
    ):
        try:
            connection, _ = await webrtc.accept(broken, SystemClock())
        except BadOffer:
            continue
        # What can be followed may be answered; it must let go of everything.
        await connection.close()


def test_a_description_without_opus_is_left_as_it_is() -> None:
    assert webrtc.with_opus_format("v=0\r\na=rtpmap:8 PCMA/8000\r\n", {8: codecs.PCMA}).count("fmtp") == 0


async def test_of_a_flood_of_messages_some_are_read_and_none_of_another_leg_waits_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webrtc, "MESSAGES_PER_S", 1.0)
    monkeypatch.setattr(webrtc, "MESSAGES_AT_ONCE", 5.0)
    line = await connect([OPUS])
    await line.ready()
    for number in range(500):
        line.client.tell({"t": "key", "at_ms": number})
    async with asyncio.timeout(30):
        while len(line.at_node.messages) + line.node.malformed < 500:
            await asyncio.sleep(0.02)
    assert line.node.malformed > 400
    read = len(line.at_node.messages)
    async with asyncio.timeout(30):
        while len(line.at_node.messages) == read:
            line.client.tell({"t": "hangup"})
            await asyncio.sleep(0.2)
    assert line.at_node.messages[-1] == {"t": "hangup"}
    await asyncio.gather(line.client.close(), line.node.close())
