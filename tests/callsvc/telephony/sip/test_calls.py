"""Calls between two scripted telephones: what each is told, word by word."""

from __future__ import annotations

import asyncio
import re

import pytest

from audio.rtp import Packet
from callsvc.telephony.sip import rtcp
from callsvc.telephony.sip.line import Line
from callsvc.types import CallState, EventKind, Leg, Profile
from tests.callsvc.telephony.sip.conftest import House
from tests.support.telephone import Telephone

pytestmark = pytest.mark.call


async def test_the_caller_gets_the_codec_that_the_operator_chose_and_the_operator_what_the_caller_offered(
    house: House,
) -> None:
    offer = house.caller.offer("a=rtpmap:9 G722/8000").replace("RTP/AVP 8 101", "RTP/AVP 9 8 101")
    invite = await house.ringing(body=offer)
    assert "RTP/AVP 9 8 101" in invite.body
    house.operator.reply(invite, "200 OK", body=house.operator.offer())
    answer = await house.caller.hear("SIP/2.0 200")
    assert "RTP/AVP 8 101" in answer.body
    await house.until(lambda: EventKind.CALL_STARTED in house.events.kinds)
    joined = house.events.of(EventKind.LEG_JOINED)
    assert {(leg["leg"], leg["transport"], leg["codec"]) for leg in joined} == {
        ("caller", "sip", "PCMA"),
        ("operator", "sip", "PCMA"),
    }


async def test_ringing_and_sound_before_the_answer_reach_the_caller(house: House) -> None:
    invite = await house.ringing()
    house.operator.reply(invite, "180 Ringing")
    assert (await house.caller.hear("SIP/2.0 18")).first == "SIP/2.0 180 Ringing"
    house.operator.reply(invite, "183 Session Progress", body=house.operator.offer())
    early = await house.caller.hear("SIP/2.0 183")
    assert "m=audio" in early.body
    house.operator.say(invite.rtp_port, Packet(8, 1, 160, 77, b"\x55" * 160))
    assert (await house.caller.sound()).payload == b"\x55" * 160
    house.operator.reply(invite, "200 OK", body=house.operator.offer())
    answer = await house.caller.hear("SIP/2.0 200")
    assert answer.rtp_port == early.rtp_port
    await house.until(lambda: [call.state for call in house.board.calls.values()] == [CallState.LIVE])


async def test_an_invite_without_an_offer_gets_ours_and_answers_with_the_ack(house: House) -> None:
    invite = await house.ringing(body="")
    assert "m=audio" in invite.body
    house.operator.reply(invite, "200 OK", body=house.operator.offer())
    offer = await house.caller.hear("SIP/2.0 200")
    assert re.search(r"m=audio \d+ RTP/AVP 8 13 101\r\n", offer.body)
    house.caller.remote_tag = offer.get("To").partition(";tag=")[2]
    assert not house.board.calls
    house.caller.request("ACK", body=house.caller.offer())
    await house.until(lambda: [call.state for call in house.board.calls.values()] == [CallState.LIVE])
    house.operator.send_as_called("BYE")
    await house.caller.hear("BYE ")


@pytest.mark.parametrize("who", list(Leg))
async def test_whoever_hangs_up_the_other_is_told_and_nothing_is_left(house: House, who: Leg) -> None:
    await house.talking()
    if who is Leg.CALLER:
        house.caller.request("BYE")
        house.operator.reply(await house.operator.hear("BYE "), "200 OK")
    else:
        house.operator.send_as_called("BYE")
        house.caller.reply(await house.caller.hear("BYE "), "200 OK")
    await house.until(lambda: not house.board.calls and not house.trunk.calls)
    assert [fields["cause"] for fields in house.events.of(EventKind.CALL_ENDED)] == ["hangup"]


async def test_a_contact_that_names_udp_in_capitals_is_told_of_the_end_too(house: House) -> None:
    invite = await house.ringing()
    house.operator.reply(invite, "200 OK", body=house.operator.offer())
    await house.caller.hear("SIP/2.0 200")
    house.others.append(other := await Telephone("shouting", house.caller.node).open())
    other.request("INVITE", body=other.offer(), contact=f"<{other.uri};transport=UDP>")
    second = await house.operator.hear("INVITE ")
    house.operator.reply(second, "200 OK", body=house.operator.offer())
    answer = await other.hear("SIP/2.0 200")
    other.remote_tag = answer.get("To").partition(";tag=")[2]
    other.request("ACK")
    house.operator.send_as_called("BYE")
    await other.hear("BYE ")


async def test_a_way_through_proxies_is_kept_to(house: House) -> None:
    house.others.append(proxy := await Telephone("proxy", house.caller.node).open())
    route = f"<sip:127.0.0.1:{proxy.port};lr>"
    await house.talking(f"Record-Route: {route}")
    house.operator.send_as_called("BYE")
    through = await proxy.hear("BYE ")
    assert through.all("Route") == [route]
    assert through.first == f"BYE {house.caller.uri} SIP/2.0"


async def test_hold_is_answered_and_told_to_the_other_side_and_so_is_its_end(house: House) -> None:
    invite, _ = await house.talking()
    for direction, mirrored in (("sendonly", "recvonly"), ("inactive", "inactive"), ("sendrecv", "sendrecv")):
        house.operator.send_as_called("INVITE", body=house.operator.offer(f"a={direction}"))
        # A machine that is busy has the node answer an earlier one again.
        while (
            not (answer := await house.operator.hear("SIP/2.0 200"))
            .get("CSeq")
            .startswith(f"{house.operator.cseq} ")
        ):
            pass
        assert f"a={mirrored}\r\n" in answer.body
        assert answer.rtp_port == invite.rtp_port
        house.operator.send_as_called("ACK")
        told = await house.caller.hear("INVITE ")
        assert f"a={direction}\r\n" in told.body
        house.caller.reply(told, "200 OK", body=house.caller.offer(f"a={mirrored}"))
        await house.caller.hear("ACK ")
    (call,) = house.board.calls.values()
    assert call.state is CallState.LIVE


async def test_a_change_that_cannot_be_is_refused_and_the_call_goes_on(house: House) -> None:
    await house.talking()
    for offer in (
        house.operator.offer().replace("RTP/AVP", "RTP/SAVP"),
        house.operator.offer().replace("8 101", "3"),
        "v=0",
    ):
        house.operator.send_as_called("INVITE", body=offer)
        assert (await house.operator.hear("SIP/2.0 4")).first == "SIP/2.0 488 Not Acceptable Here"
        house.operator.send_as_called("ACK")
    (call,) = house.board.calls.values()
    assert call.state is CallState.LIVE


async def test_a_reinvite_without_a_body_is_offered_what_is_agreed(house: House) -> None:
    _, answer = await house.talking()
    house.caller.request("INVITE")
    offer = await house.caller.hear("SIP/2.0 200")
    assert offer.rtp_port == answer.rtp_port
    assert "a=sendrecv" in offer.body
    house.caller.request("ACK", body=house.caller.offer("a=sendonly"))
    (connection,) = [call.media[Leg.CALLER] for call in house.trunk.calls]
    await house.until(lambda: connection.direction.value == "recvonly")


@pytest.mark.parametrize("replaces", ["", "?Replaces=one%40x%3Bto-tag%3D1%3Bfrom-tag%3D2"])
async def test_a_transfer_and_what_becomes_of_it_are_passed_on(house: House, replaces: str) -> None:
    await house.talking()
    third = f"<sip:third@127.0.0.1:5099{replaces}>"
    house.operator.send_as_called("REFER", f"Refer-To: {third}", "Referred-By: <sip:operator@x>")
    refer = await house.caller.hear("REFER ")
    assert refer.get("Refer-To") == third
    # There are telephones that read names of headers in this writing alone.
    assert "\r\nRefer-To: " in refer.text
    assert "\r\nReferred-By: " in refer.text
    assert "operator" in refer.get("Referred-By")
    house.caller.reply(refer, "202 Accepted")
    assert (await house.operator.hear("SIP/2.0 2")).first == "SIP/2.0 202 Accepted"
    house.caller.request(
        "NOTIFY", "Event: refer", "Subscription-State: terminated;reason=noresource",
        "Content-Type: message/sipfrag;version=2.0",
    )  # fmt: skip
    notify = await house.operator.hear("NOTIFY ")
    assert notify.get("Event") == "refer"
    assert notify.get("Subscription-State") == "terminated;reason=noresource"
    house.operator.reply(notify, "200 OK")
    await house.caller.hear("SIP/2.0 200")
    assert len(house.board.calls) == 1


async def test_an_update_refreshes_and_an_unknown_method_is_refused(house: House) -> None:
    await house.talking()
    house.caller.request("UPDATE")
    assert (await house.caller.hear("SIP/2.0 ")).first == "SIP/2.0 200 OK"
    house.caller.request("PUBLISH")
    refused = await house.caller.hear("SIP/2.0 ")
    assert refused.first == "SIP/2.0 405 Method Not Allowed"
    house.caller.request("OPTIONS")
    about = await house.caller.hear("SIP/2.0 ")
    assert (about.first, about.get("Supported")) == ("SIP/2.0 200 OK", "timer, replaces")
    assert refused.get("Allow") == about.get("Allow")
    assert {"INVITE", "UPDATE", "REFER"} <= set(about.get("Allow").split(", "))
    house.caller.request("INFO", "Require: 100rel, timer")
    unknown = await house.caller.hear("SIP/2.0 ")
    assert (unknown.first, unknown.get("Unsupported")) == ("SIP/2.0 420 Bad Extension", "100rel")
    house.caller.request("BYE", "Require: 100rel")
    await house.operator.hear("BYE ")


@pytest.mark.parametrize("wishes", [{"user": "callsvc", "password": "secret"}])
async def test_the_next_hop_that_asks_who_we_are_is_told(house: House) -> None:
    first = await house.ringing()
    house.operator.reply(
        first, "407 Proxy Authentication Required",
        'Proxy-Authenticate: Digest realm="pbx", nonce="abc", algorithm=MD5, qop="auth"',
    )  # fmt: skip
    second = await house.operator.hear("INVITE ")
    assert 'username="callsvc"' in second.get("Proxy-Authorization")
    assert "secret" not in second.text
    house.operator.reply(second, "200 OK", body=house.operator.offer())
    await house.caller.hear("SIP/2.0 200")


@pytest.mark.parametrize("wishes", [{"session_s": 90}])
async def test_session_timers_are_agreed_on_with_both(house: House) -> None:
    house.caller.request("INVITE", "Supported: timer", "Session-Expires: 20", body=house.caller.offer())
    assert "90" in (await house.caller.hear("SIP/2.0 422")).get("Min-SE")
    house.caller.request("ACK")
    house.caller.call_id += "-again"
    invite, answer = await house.talking("Supported: timer", "Session-Expires: 1200")
    assert invite.get("Session-Expires") == "90"
    assert answer.get("Session-Expires") == "1200;refresher=uac"
    assert answer.get("Require") == "timer"


async def test_a_telephone_that_wants_longer_sessions_is_asked_again(house: House) -> None:
    first = await house.ringing("Max-Forwards: 70")
    house.operator.reply(first, "422 Session Interval Too Small", "Min-SE: 3600")
    second = await house.operator.hear("INVITE ")
    assert (second.get("Session-Expires"), second.get("Min-SE")) == ("3600", "3600")
    assert second.get("Call-ID") == first.get("Call-ID")
    assert second.get("From") == first.get("From")
    assert int(second.get("CSeq").split()[0]) == int(first.get("CSeq").split()[0]) + 1
    assert second.body == first.body
    assert second.get("Max-Forwards") == first.get("Max-Forwards")
    house.operator.reply(second, "200 OK", "Session-Expires: 3600;refresher=uac", body=house.operator.offer())
    await house.caller.hear("SIP/2.0 200")
    (call,) = house.trunk.calls
    assert call.operator is not None
    call.operator._refresh()
    refresh = await house.operator.hear("INVITE ")
    house.operator.reply(refresh, "422 Session Interval Too Small", "Min-SE: 7200")
    again = await house.operator.hear("INVITE ")
    assert (again.get("Session-Expires"), again.get("Min-SE")) == ("7200;refresher=uac", "7200")
    house.operator.reply(again, "422 Session Interval Too Small", "Min-SE: 7200")
    await house.until(lambda: house.board.calls)
    assert house.trunk.calls == {call}


@pytest.mark.parametrize("least", ["Min-SE: 1800", "Min-SE: none", ""])
async def test_a_telephone_that_refuses_a_session_of_its_own_length_is_not_asked_for_ever(
    house: House, least: str
) -> None:
    for _ in range(2):
        invite = await house.ringing()
        house.operator.reply(invite, "422 Session Interval Too Small", *([least] if least else []))
        if least.endswith("0"):
            again = await house.operator.hear("INVITE ")
            house.operator.reply(again, "422 Session Interval Too Small", least)
        assert (await house.caller.hear("SIP/2.0 4")).first == "SIP/2.0 422 Session Interval Too Small"
        house.caller.request("ACK")
        house.caller.call_id += "-again"


async def test_a_dialog_that_nobody_refreshes_ends(house: House) -> None:
    await house.talking("Session-Expires: 1200", "Supported: timer")
    (call,) = house.trunk.calls
    call.caller._expired()
    await house.caller.hear("BYE ")
    await house.operator.hear("BYE ")


async def test_a_dialog_that_we_refresh_is_refreshed(house: House) -> None:
    invite = await house.ringing()
    house.operator.reply(invite, "200 OK", "Session-Expires: 90;refresher=uac", body=house.operator.offer())
    await house.caller.hear("SIP/2.0 200")
    (call,) = house.trunk.calls
    assert call.operator is not None
    call.operator._refresh()
    again = await house.operator.hear("INVITE ")
    assert again.get("Session-Expires") == "90;refresher=uac"
    house.operator.reply(again, "481 Call/Transaction Does Not Exist")
    await house.caller.hear("BYE ")


async def test_digits_go_through_byte_for_byte_in_both_directions(house: House) -> None:
    invite, answer = await house.talking()
    await house.until(lambda: len(house.board.calls) == 1)
    digit = [bytes([5, 0x0A, 0, 160]), bytes([5, 0x0A, 1, 64]), bytes([5, 0x8A, 3, 32])]
    for number in range(10):
        house.caller.say(answer.rtp_port, Packet(8, number, number * 160, 7, b"\xd5" * 160))
    for index, payload in enumerate(digit):
        house.caller.say(answer.rtp_port, Packet(101, 10 + index, 1600, 7, payload, marker=index == 0))
    came = [await house.operator.sound() for _ in range(13)]
    events = [packet for packet in came if packet.payload_type == 101]
    assert [packet.payload for packet in events] == digit
    assert [packet.sequence - came[0].sequence for packet in came] == list(range(13))
    assert {packet.timestamp - came[0].timestamp for packet in events} == {1600}
    for index, payload in enumerate(digit):
        house.operator.say(invite.rtp_port, Packet(101, 500 + index, 9600, 9, payload, marker=index == 0))
    back = [await house.caller.sound((101,)) for _ in digit]
    assert [packet.payload for packet in back] == digit
    assert len({packet.timestamp for packet in back}) == 1
    assert back[0].marker


async def test_sound_from_somebody_else_is_not_heard(house: House) -> None:
    _, answer = await house.talking()
    await house.until(lambda: len(house.board.calls) == 1)
    house.others.append(stranger := await Telephone("stranger", house.caller.node).open())
    house.caller.say(answer.rtp_port, Packet(8, 1, 160, 7, b"\x11" * 160))
    assert (await house.operator.sound()).payload == b"\x11" * 160
    for number in range(50):
        stranger.say(answer.rtp_port, Packet(8, 2 + number, 320 + 160 * number, 7, b"\x22" * 160))
        await asyncio.sleep(0.005)
    house.caller.say(answer.rtp_port, Packet(8, 2, 320, 7, b"\x33" * 160))
    assert (await house.operator.sound()).payload == b"\x33" * 160


async def test_reports_tell_the_telephone_what_was_heard_of_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callsvc.telephony.sip.media.REPORT_S", 0.3)
    _, answer = await house.talking()
    for number in (1, 2, 4, 5):
        house.caller.say(answer.rtp_port, Packet(8, number, number * 160, 7, b"\xd5" * 160))
    sent = rtcp.Report(7, rtcp.ntp(1_700_000_000.0), 800, 4, 640, ())
    house.caller.report(answer.rtp_port, rtcp.build(sent, "caller"))
    blocks: list[rtcp.Block] = []
    while not blocks:
        blocks = [
            one
            for report in rtcp.parse(await house.caller.reported())
            for one in report.blocks
            if one.last_report
        ]
    assert (blocks[0].ssrc, blocks[0].lost, blocks[0].highest) == (7, 1, 5)
    assert blocks[0].last_report == rtcp.middle(sent.ntp)


async def test_when_something_of_ours_fails_they_go_on_talking(house: House) -> None:
    invite, answer = await house.talking()
    await house.until(lambda: len(house.board.calls) == 1)
    next(iter(house.board.calls.values())).fail(RuntimeError("of ours"))
    assert not house.board.calls
    house.caller.say(answer.rtp_port, Packet(8, 1, 160, 7, b"\x44" * 160))
    assert (await house.operator.sound()).payload == b"\x44" * 160
    house.operator.say(invite.rtp_port, Packet(8, 1, 160, 8, b"\x66" * 160))
    while (await house.caller.sound()).payload != b"\x66" * 160:
        pass
    house.caller.request("BYE")
    await house.operator.hear("BYE ")
    await house.until(lambda: not house.trunk.calls)


async def test_a_call_that_cannot_be_admitted_is_put_through_without_us(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("of ours")

    monkeypatch.setattr(house.board, "admit", refuse)
    _, answer = await house.talking()
    house.caller.say(answer.rtp_port, Packet(8, 1, 160, 7, b"\x44" * 160))
    assert (await house.operator.sound()).payload == b"\x44" * 160


@pytest.mark.parametrize("wishes", [{"default": Line(Profile.INTERVIEW)}])
async def test_without_a_telephone_the_caller_rings_until_the_browser_answers(house: House) -> None:
    house.caller.request("INVITE", body=house.caller.offer())
    await house.caller.hear("SIP/2.0 180")
    (call,) = house.board.calls.values()
    assert (call.profile, set(call.sides), call.state) == (
        Profile.INTERVIEW,
        {Leg.CALLER},
        CallState.SETTING_UP,
    )
    for side in call.sides.values():
        side.connection.tell({"t": "state", "state": "live"})
    answer = await house.caller.hear("SIP/2.0 200")
    assert "RTP/AVP 8 101" in answer.body
    call.end("hangup")
    house.caller.remote_tag = answer.get("To").partition(";tag=")[2]
    house.caller.request("ACK")
    await house.caller.hear("BYE ")


@pytest.mark.parametrize("wishes", [{"default": Line(Profile.INTERVIEW)}])
async def test_a_caller_whom_nobody_takes_is_told_so(house: House) -> None:
    house.caller.request("INVITE", body=house.caller.offer())
    await house.caller.hear("SIP/2.0 180")
    next(iter(house.board.calls.values())).end("nobody_came")
    assert (await house.caller.hear("SIP/2.0 4")).first == "SIP/2.0 480 Temporarily Unavailable"


async def test_an_anonymous_lines_caller_has_no_number(house: House) -> None:
    house.trunk._wishes = type(house.trunk._wishes)(
        peers=["127.0.0.1"], default=Line(Profile.ANONYMOUS, "operator", "127.0.0.1", house.operator.port)
    )
    invite = await house.ringing()
    assert "sip:anonymous@" in invite.get("From")
    assert "caller" not in invite.get("From") + invite.get("Contact")
