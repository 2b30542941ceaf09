"""Whatever a peer writes: nothing falls over, nothing is kept, and no other call notices."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio.codecs import OPUS, PCMA
from audio.rtp import Packet
from callsvc.telephony.errors import BadOffer
from callsvc.telephony.sip import rtcp
from callsvc.telephony.sip.admission import Peers
from callsvc.telephony.sip.description import Description, Direction, agreed, build, offered, parse
from callsvc.telephony.sip.stack import Stack
from callsvc.types import CallState
from tests.callsvc.telephony.sip.conftest import House
from tests.support.sip import sdp
from tests.support.telephone import Telephone

pytestmark = pytest.mark.call

WORDS = st.sampled_from(
    [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0", "c=IN IP6 ::1",
        "c=IN IP4 999.1.1.1", "c=IN IP4 224.0.0.1/4", "m=audio 4000 RTP/AVP 8 101", "m=audio 0 RTP/AVP 8",
        "m=audio 70000 RTP/AVP 8", "m=audio 4000 RTP/SAVP 8", "m=video 4002 RTP/AVP 31", "m=audio 4000 RTP/AVP 300",
        "m=", "m=audio", "a=rtpmap:101 telephone-event/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:96 opus/48000/2",
        "a=rtpmap:99999 x/1", "a=sendonly", "a=inactive", "a=rtcp:99999", "a=rtcp:5 IN IP4 1.2.3.4", "a=", "\x00", "ä=",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(WORDS, max_size=14).map("\r\n".join),
    st.lists(WORDS, max_size=8).map(lambda words: sdp(4000) + "\r\n".join(words)),
    st.text(max_size=300),
)


@given(TEXTS)
def test_any_description_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except BadOffer:
        return
    assert found.codecs
    assert 0 < found.port <= 65_535
    # And whatever is answered to it can be read again.
    stream = agreed(found)
    again = parse(build("127.0.0.1", 4000, stream, (1, 1), found.direction, found.media))
    assert again.codecs == stream.codecs
    assert len(again.media) == len(found.media)


@given(
    st.binary(max_size=200)
    | st.binary(max_size=120).map(lambda tail: b"\x81\xc9\x00\x07\x00\x00\x00\x01" + tail)
)
def test_any_report_is_read_or_left(data: bytes) -> None:
    for report in rtcp.parse(data):
        assert len(report.blocks) <= rtcp.MAX_BLOCKS


@given(st.lists(st.tuples(st.integers(0, 65_535), st.integers(0, 2**32 - 1), st.integers(0, 3)), max_size=60))
def test_any_stream_is_counted_within_what_a_report_can_say(packets: list[tuple[int, int, int]]) -> None:
    reception = rtcp.Reception(8000)
    for number, (sequence, timestamp, ssrc) in enumerate(packets):
        reception.add(Packet(8, sequence, timestamp, ssrc, b"x"), number * 0.02)
    block = reception.block(10.0)
    if block:
        assert 0.0 <= block.fraction_lost <= 1.0
        (report,) = rtcp.parse(rtcp.build(rtcp.Report(1, 0, 0, 0, 0, (block,)), "x"))
        assert report.blocks[0].ssrc == block.ssrc


INVITE = (
    b"INVITE sip:114@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
    b"To: <sip:114@127.0.0.1>\r\nCall-ID: 1@x\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:9>\r\nMax-Forwards: 70\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def bitten(data: bytes, bites: list[tuple[int, bytes, int]]) -> bytes:
    """Pieces put in place of others, anywhere."""
    for place, piece, cut in bites:
        at = place % (len(data) + 1)
        data = data[:at] + piece + data[at + cut :]
    return data


BITES = st.lists(
    st.tuples(
        st.integers(0, 500),
        st.one_of(
            st.binary(max_size=8),
            st.sampled_from([b"\r\n", b"\r\n\r\n", b";tag=", b"Via: ", b"SIP/2.0", b"<sip:", b">", b"CSeq: 99999999999 X", b"\r\nRequire: x", b"\r\nRecord-Route: <sip:x;lr>", b"\r\nContent-Length: 9999"]),
        ),
        st.integers(0, 40),
    ),
    max_size=5,
)  # fmt: skip


@pytest.fixture
async def stack() -> Stack:
    """sippy behind the door, without a call: everything that comes through is refused."""
    return Stack("127.0.0.1", Peers(["127.0.0.1"]), lambda req, _: (req.genResponse(405, "No"), None, None))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bites=BITES)
def test_any_datagram_is_answered_refused_or_dropped(
    stack: Stack, bites: list[tuple[int, bytes, int]]
) -> None:
    stack.door.send_to = lambda data, address, delayed=False: None  # type: ignore[method-assign]
    stack.door.take(bitten(INVITE, bites), ("127.0.0.1", 9))
    stack.door.take(bitten(b"SIP/2.0 200 OK\r\n" + INVITE.partition(b"\r\n")[2], bites), ("127.0.0.1", 9))
    assert not stack.transactions.req_consumers
    stack.transactions.tserver.clear()


async def test_a_running_call_does_not_notice_what_another_peer_writes(house: House) -> None:
    _, answer = await house.talking()
    await house.until(lambda: len(house.board.calls) == 1)
    house.others.append(rude := await Telephone("rude", house.caller.node).open())
    examples = [
        b"INVITE sip:x SIP/2.0\r\n" + b"A: b\r\n" * 2000,
        INVITE[:200] + b"\xff\xfe\r\n\r\n",
        INVITE.replace(b"Via", b"Vla"),
        INVITE.replace(b"CSeq: 1 INVITE", b"CSeq: one INVITE"),
        INVITE.replace(b"\r\nContact", b"\r\nRoute: <sip:evil@1.2.3.4>\r\nContact"),
        INVITE.replace(b"<sip:a@127.0.0.1:9>", b"*"),
        b"SIP/2.0 999 X\r\n\r\n" + b"x" * 100,
        b"BYE sip:x@127.0.0.1 SIP/2.0\r\n" + INVITE.partition(b"\r\n")[2].replace(b"1 INVITE", b"1 BYE"),
        INVITE.replace(b"Content-Length: 0", b"Content-Type: application/sdp\r\nContent-Length: 5")
        + b"v=0\r\n",
        bytes(range(256)) * 60,
    ]
    for data in examples:
        rude._sip.sendto(data, rude.node)
    foreign = house.caller.call_id.encode()
    for method in (b"BYE", b"REFER", b"INVITE"):
        # Somebody else's dialog, guessed but for its tags.
        rude._sip.sendto(INVITE.replace(b"INVITE", method).replace(b"1@x", foreign), rude.node)
    await asyncio.sleep(0.3)
    house.caller.say(answer.rtp_port, Packet(8, 1, 160, 7, b"\x77" * 160))
    assert (await house.operator.sound()).payload == b"\x77" * 160
    (call,) = house.board.calls.values()
    assert call.state is CallState.LIVE
    house.caller.request("BYE")
    await house.operator.hear("BYE ")


def test_offer_and_answer_fit_each_other() -> None:
    offer = parse(
        sdp(
            4000,
            (96, 8, 13, 101, 102),
            "a=rtpmap:96 opus/48000/2",
            "a=rtpmap:102 telephone-event/48000",
            "a=sendonly",
        )
        + "m=video 4002 RTP/AVP 31\r\n"
    )
    assert offer == Description(
        "127.0.0.1",
        4000,
        {96: OPUS, 8: PCMA},
        {101: 8000, 102: 48_000},
        True,
        Direction.SENDS,
        4001,
        ("", "m=video 0 RTP/AVP 31"),
    )
    assert agreed(offer, PCMA).events == {101: 8000}
    assert agreed(offer).digits == 102
    assert agreed(offer).comfort_noise is False
    answer = build("127.0.0.1", 5000, agreed(offer, PCMA), (1, 1), offer.direction.mirrored, offer.media)
    assert re.search(r"m=audio 5000 RTP/AVP 8 13 101\r\n", answer)
    assert answer.endswith("a=recvonly\r\nm=video 0 RTP/AVP 31\r\n")
    assert set(offered(offer).codecs) == {96, 8}


def test_an_address_is_known_however_it_is_written() -> None:
    written = sdp(4000, (8,)).replace("IP4 127.0.0.1", "IP6 2001:DB8:0:0::0007")
    assert parse(written).host == "2001:db8::7"


def test_a_report_says_what_came_and_how_long_the_way_is() -> None:
    reception = rtcp.Reception(8000)
    for number in (65_534, 65_535, 0, 2):
        reception.add(Packet(8, number, number * 160, 5, b""), 0.0)
    reception.heard_of(rtcp.Report(5, rtcp.ntp(1000.0), 0, 0, 0, ()), 1.0)
    block = reception.block(3.0)
    assert block is not None
    assert (block.lost, block.fraction_lost, block.highest & 0xFFFF, block.delay) == (1, 0.2, 2, 2 * 65_536)
    assert rtcp.round_trip_s(block, rtcp.ntp(1002.5)) == pytest.approx(0.5, abs=0.001)
    assert reception.block(4.0).fraction_lost == 0.0  # type: ignore[union-attr]


async def test_neither_log_nor_event_holds_who_called_or_what_was_written(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    house.others.append(canary := await Telephone("canary4711", house.caller.node).open())
    canary.request("INVITE", body=canary.offer())
    invite = await house.operator.hear("INVITE ")
    assert "canary4711" in invite.get("From")
    house.operator.reply(invite, "200 OK", body=house.operator.offer())
    answer = await canary.hear("SIP/2.0 200")
    canary.remote_tag = answer.get("To").partition(";tag=")[2]
    canary.request("ACK")
    canary.request("INFO", body="canary4711")
    await house.operator.hear("INFO ")
    for broken in (b"CSeq: one INVITE", b"CSeq: 1 INVITE\r\nContent-Length: 999\r\n\r\ncanary4711"):
        canary._sip.sendto(
            INVITE.replace(b"sip:a@b", b"sip:canary4711@b").replace(b"CSeq: 1 INVITE", broken), canary.node
        )
    canary._sip.sendto(b"SIP/2.0 200 OK\r\nFrom: canary4711\r\n\r\n" + bytes(50), canary.node)
    await asyncio.sleep(0.2)
    canary.request("BYE")
    await house.operator.hear("BYE ")
    out, err = capfd.readouterr()
    assert "call_started" in out + err
    assert "canary4711" not in out + err + repr(house.events.all)
