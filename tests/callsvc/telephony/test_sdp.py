from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.codecs import G722, OPUS, PCMA, PCMU
from callsvc.telephony import sdp
from callsvc.telephony.errors import BadOffer

pytestmark = pytest.mark.call

PHONE = """v=0
o=- 1 1 IN IP4 192.0.2.7
s=-
c=IN IP4 192.0.2.7
t=0 0
m=audio 40000 RTP/AVP 8 0 9 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=ptime:20
"""


def test_a_telephones_offer_is_read_with_its_codecs_in_its_order() -> None:
    offer = sdp.parse(PHONE.encode())

    assert (offer.protocol, offer.host, offer.port) == (sdp.PLAIN, "192.0.2.7", 40000)
    assert list(offer.codecs.items()) == [(8, PCMA), (0, PCMU), (9, G722)]


def test_an_address_of_the_media_line_goes_before_the_sessions() -> None:
    offer = sdp.parse((PHONE + "c=IN IP4 192.0.2.8\n").encode())

    assert offer.host == "192.0.2.8"


def test_an_address_is_known_however_it_is_written() -> None:
    offer = sdp.parse(PHONE.replace("IP4 192.0.2.7", "IP6 2001:DB8:0:0::0007").encode())

    assert offer.host == "2001:db8::7"


def test_what_else_is_offered_is_refused_in_its_place() -> None:
    video = "m=video 40002 RTP/AVP 96 97\na=rtpmap:96 H264/90000\n"
    offer = sdp.parse(PHONE.replace("m=audio", video + "m=audio").encode())
    answer = sdp.plain("127.0.0.1", 5004, {8: PCMA}, 1, offer.media)

    assert re.findall(r"m=.*", answer.replace("\r", "")) == [
        "m=video 0 RTP/AVP 96 97",
        "m=audio 5004 RTP/AVP 8",
    ]
    with pytest.raises(BadOffer, match="media line"):
        sdp.parse((PHONE + "m=video\n").encode())


def test_what_is_written_can_be_read() -> None:
    offer = sdp.parse(sdp.plain("127.0.0.1", 5004, {96: OPUS, 8: PCMA}, 1).encode())

    assert (offer.host, offer.port, offer.codecs) == ("127.0.0.1", 5004, {96: OPUS, 8: PCMA})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(("v=0\n", ""), "not a session", id="no version"),
        pytest.param(("m=audio", "m=video"), "exactly one audio", id="no audio"),
        pytest.param(("a=ptime:20\n", "m=audio 1 RTP/AVP 8\n"), "exactly one audio", id="two audio lines"),
        pytest.param(("40000", "99999"), "cannot be read", id="a port that is none"),
        pytest.param(("40000", "0"), "nobody can be reached", id="port 0"),
        pytest.param(("RTP/AVP", "RTP/SAVP"), "offer UDP", id="another protocol"),
        pytest.param(("8 0 9 101", "101"), "no codec", id="nothing we speak"),
        pytest.param(("8 0 9 101", "8 ä"), "no number", id="a payload type that is no number"),
        pytest.param(("c=IN IP4 192.0.2.7", "c=IN IP4 example.org"), "no IP address", id="a name"),
        pytest.param(("c=IN IP4 192.0.2.7", "c=IN IP4 224.0.0.1"), "nobody can be reached", id="multicast"),
        pytest.param(("c=IN IP4 192.0.2.7", "c=IN IP4 0.0.0.0"), "nobody can be reached", id="nowhere"),
        pytest.param(("s=-", "this is no line"), "not a session", id="no line"),
        pytest.param(("s=-", "s=" + "x" * 20_000), "too long", id="far too long"),
        pytest.param(("s=-", "s=\x00"), "not a session", id="a zero byte"),
        pytest.param(("RTP/AVP", "UDP/TLS/RTP/SAVPF"), "ice-ufrag", id="WebRTC without ICE"),
    ],
)
def test_an_offer_that_makes_no_sense_is_refused_with_the_reason(change: tuple[str, str], why: str) -> None:
    with pytest.raises(BadOffer, match=why):
        sdp.parse(PHONE.replace(*change).encode())


@given(st.binary(max_size=600))
def test_any_bytes_are_an_offer_or_are_refused(body: bytes) -> None:
    with pytest.raises(BadOffer):
        sdp.parse(body)


@given(st.lists(st.sampled_from(PHONE.splitlines()), max_size=20), st.text(max_size=30))
def test_lines_in_any_order_are_an_offer_or_are_refused(lines: list[str], extra: str) -> None:
    try:
        offer = sdp.parse("\n".join([*lines, extra]).encode("utf-8", "replace"))
    except BadOffer:
        return
    assert offer.codecs
