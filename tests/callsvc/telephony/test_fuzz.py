"""Bytes and messages that nobody should send: nothing falls over, and no call of another party is touched."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio import rtp
from audio.codecs import OPUS, PCMA
from audio.errors import BadPacket
from audio.receive import Receiver
from audio.rtp import Packet
from callsvc.clock import SystemClock
from callsvc.telephony import ice, sdp, webrtc
from callsvc.telephony.client import offer_of
from callsvc.telephony.errors import BadOffer
from callsvc.telephony.plain import Ports, RtpConnection, is_bye
from callsvc.telephony.sip import rtcp
from callsvc.types import CallState
from tests.support.calls import TwoLegs
from tests.support.fuzz import TIMES, examples
from tests.support.packets import babble, payloads

pytestmark = pytest.mark.call

HOST = "127.0.0.1"
slow = examples(60)
HEADERS = st.builds(
    lambda first, second, rest: bytes([first, second]) + rest,
    st.sampled_from([0x80, 0x81, 0x90, 0xA0, 0xB3, 0x9F]),
    st.integers(0, 255),
    st.binary(max_size=200),
)
REPORTS = st.lists(
    st.builds(
        lambda first, kind, words, body: bytes([first, kind]) + words.to_bytes(2, "big") + body,
        st.sampled_from([0x80, 0x81, 0x9F, 0xA1]),
        st.integers(200, 206),
        st.integers(0, 20) | st.just(0xFFFF),
        st.binary(max_size=60),
    ),
    max_size=4,
).map(b"".join)


@slow
@given(st.binary(max_size=300) | HEADERS | REPORTS)
def test_any_datagram_is_a_packet_or_none(data: bytes) -> None:
    try:
        packet = rtp.parse(data)
    except BadPacket:
        packet = None
    if packet is not None:
        again = rtp.parse(rtp.build(packet))
        assert again == packet
    if rtp.is_rtcp(data):
        is_bye(data)
        for report in rtcp.parse(data):
            assert 0 <= report.ssrc < 1 << 32
            assert all(0 <= block.fraction_lost < 1 for block in report.blocks)


@slow
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 8, 13, 96, 101]),
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFFFFFF),
            st.integers(1, 2),
            st.binary(max_size=100) | st.binary(min_size=160, max_size=160),
            st.floats(0, 0.1),
        ),
        max_size=60,
    )
)
def test_any_stream_leaves_a_receive_path_that_still_works(
    packets: list[tuple[int, int, int, int, bytes, float]],
) -> None:
    receiver = Receiver({8: PCMA, 96: OPUS}, 16_000)
    receiver.start(0.0)
    now = 0.0
    for number, sequence, timestamp, ssrc, payload, step in packets:
        now += step
        receiver.put(Packet(number, sequence, timestamp, ssrc, payload), now)
        for heard in receiver.pop(now):
            assert heard.samples.dtype.name == "int16"
    frames = payloads(babble(8000, 1.0))
    told = 0
    for index, frame in enumerate(frames):
        now += 0.02
        receiver.put(Packet(8, (30_000 + index) & 0xFFFF, (9 + index * 160) & 0xFFFFFFFF, 99, frame), now)
        told += sum(heard.cause is None for heard in receiver.pop(now))
    assert told > 30


@slow
@given(
    st.binary(max_size=400)
    | st.text(max_size=400).map(lambda text: ("v=0\r\n" + text).encode("utf-8", "replace"))
)
def test_any_body_is_an_offer_or_refused(body: bytes) -> None:
    try:
        offer = sdp.parse(body)
    except BadOffer:
        return
    assert offer.codecs


GOOD = sdp.plain(HOST, 4000, {8: PCMA, 96: OPUS}, 1)
LINES = GOOD.split("\r\n")


@slow
@given(
    st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, 40), st.text(max_size=6)), max_size=5)
)
def test_an_offer_that_was_tampered_with_is_an_offer_or_refused(edits: list[tuple[int, int, str]]) -> None:
    lines = list(LINES)
    for line, place, text in edits:
        lines[line] = lines[line][:place] + text + lines[line][place + 1 :]
    try:
        sdp.parse("\r\n".join(lines).encode("utf-8", "replace"))
    except BadOffer:
        return


async def test_webrtc_offers_that_were_tampered_with_are_answered_or_refused_and_leave_nothing_open() -> None:
    ice.use_only([HOST])
    peer, _, _ = await offer_of([OPUS, PCMA])
    good = peer.localDescription.sdp
    await peer.close()
    chance = random.Random(11)
    before = len(asyncio.all_tasks())
    for _ in range(30 * TIMES):
        lines = good.split("\r\n")
        for _ in range(chance.randint(1, 4)):
            line = chance.randrange(len(lines))
            kind = chance.randrange(4)
            if kind == 0:
                del lines[line]
            elif kind == 1:
                lines.insert(line, chance.choice(lines))
            elif kind == 2:
                place = chance.randrange(len(lines[line]) + 1)
                lines[line] = (
                    lines[line][:place] + chr(chance.randrange(32, 0x250)) + lines[line][place + 1 :]
                )
            else:
                lines[line] = lines[line].replace("a=", "m=").replace("0", "99999999999")
        body = "\r\n".join(lines)
        try:
            sdp.parse(body.encode())
            connection, _ = await webrtc.accept(body, SystemClock())
        except BadOffer:
            continue
        await connection.close()
    async with asyncio.timeout(60):
        while len(asyncio.all_tasks()) > before:
            await asyncio.sleep(0.05)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
MESSAGES = st.fixed_dictionaries(
    {"t": st.sampled_from(["command", "key", "state", "hello", "?"]) | JSON},
    optional={
        "id": st.text("ab", min_size=1, max_size=3) | JSON,
        "do": st.sampled_from(
            ["mask", "marker", "recall", "recall_stop", "announce", "hold", "mute", "digit"]
        )
        | JSON,
        "on": st.booleans() | JSON,
        "reason": st.sampled_from(["other", "private"]) | JSON,
        "back_ms": st.integers(0, 70_000) | JSON,
        "at_ms": JSON,
        "announcement": JSON,
        "digit": st.sampled_from("07*") | JSON,
    },
)


@slow
@given(st.lists(MESSAGES, max_size=12))
def test_whatever_is_said_on_the_channel_ends_no_call_and_the_other_one_goes_on(
    messages: list[dict[str, object]],
) -> None:
    async def run() -> None:
        legs, others = TwoLegs().join(), TwoLegs().join()
        frames = payloads(babble(8000, 0.2))
        await legs.talk(caller=frames, operator=frames, tail_s=0.0)
        for message in messages:
            legs.operator.say(json.loads(json.dumps(message)))
            legs.caller.say(json.loads(json.dumps(message)))
        await legs.talk(caller=frames, operator=frames)
        await others.talk(caller=frames)
        assert legs.call.state is CallState.LIVE
        assert all(one["t"] in ("hello", "state", "done", "refused") for one in legs.operator.told)
        assert [packet.payload for packet in others.operator.sent] == frames
        assert not [one for one in others.operator.told if one["t"] in ("done", "refused")]
        legs.call.end("hangup")
        assert all(book.whole for book in legs.tapes.notebooks.values())

    asyncio.run(run())


async def test_a_port_takes_any_datagram_from_its_peer() -> None:
    bound = await Ports(HOST, 0, 0).bind()
    connection = RtpConnection(bound, (HOST, 9), {8: PCMA}, SystemClock())
    chance = random.Random(5)
    for _ in range(3000 * TIMES):
        data = bytes([chance.choice([0x80, 0x81, 0x9F]), chance.randrange(256)]) + chance.randbytes(
            chance.randrange(120)
        )
        connection.datagram(data, (HOST, 9))
    await connection.close()
    await asyncio.sleep(0)
