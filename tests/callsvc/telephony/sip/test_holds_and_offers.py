"""What a telephone leaves open, takes back or keeps to itself: no offer, holds, losses, a number that may not go further."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from audio.codecs import PCMA
from audio.rtp import Packet
from audio.taps import GapCause
from callsvc.telephony.sip import rtcp
from callsvc.telephony.sip.line import Line
from callsvc.telephony.sip.media import SipConnection
from callsvc.types import Leg, Profile
from tests.callsvc.telephony.sip.conftest import House
from tests.support.legs import Tapes
from tests.support.packets import FRAME_S
from tests.support.telephone import Telephone

pytestmark = pytest.mark.call


@pytest.mark.parametrize("wishes", [{"default": Line(Profile.INTERVIEW)}])
async def test_a_caller_who_offers_nothing_gets_our_offer_when_the_browser_answers(house: House) -> None:
    house.caller.request("INVITE", body="")
    await house.caller.hear("SIP/2.0 180")
    (call,) = house.board.calls.values()
    connection = call.sides[Leg.CALLER].connection
    connection.tell({"t": "state", "state": "live"})
    ours = await house.caller.hear("SIP/2.0 200")
    assert "RTP/AVP 8 13 101" in ours.body
    house.caller.remote_tag = ours.get("To").partition(";tag=")[2]
    house.caller.request("ACK", body=house.caller.offer())

    await house.until(lambda: not connection.held)
    connection.send_frame(PCMA, b"\x55" * 160)
    assert (await house.caller.sound()).payload == b"\x55" * 160
    heard = connection.last_heard
    house.caller.say(ours.rtp_port, Packet(8, 1, 160, 7, b"\x44" * 160))
    await house.until(lambda: connection.last_heard > heard)
    call.end("hangup")
    await house.caller.hear("BYE ")


@pytest.mark.parametrize("wishes", [{"default": Line(Profile.INTERVIEW)}])
async def test_a_caller_whose_answer_makes_no_sense_is_let_go(house: House) -> None:
    house.caller.request("INVITE", body="")
    await house.caller.hear("SIP/2.0 180")
    (call,) = house.board.calls.values()
    call.sides[Leg.CALLER].connection.tell({"t": "state", "state": "live"})
    ours = await house.caller.hear("SIP/2.0 200")
    house.caller.remote_tag = ours.get("To").partition(";tag=")[2]
    house.caller.request("ACK", body=house.caller.offer().replace("8 101", "0"))
    await house.caller.hear("BYE ")
    await house.until(lambda: not house.board.calls)


@pytest.mark.parametrize(("says", "told_on"), [("inactive", "inactive"), ("sendonly", "recvonly")])
async def test_a_hold_by_the_telephone_is_a_hold_on_its_track_and_nothing_that_was_lost(
    house: House, says: str, told_on: str
) -> None:
    tapes = Tapes()
    house.board._parts = replace(house.board._parts, recording=tapes)
    _, answer = await house.talking()
    (call,) = house.board.calls.values()
    receiver = call.sides[Leg.CALLER].receiver

    async def speak(first: int, count: int) -> None:
        for number in range(first, first + count):
            house.caller.say(
                answer.rtp_port, Packet(8, number, number * 160, 7, bytes([0x44 + number % 7]) * 160)
            )
            await asyncio.sleep(FRAME_S)

    async def told(*direction: str) -> None:
        invite = await house.operator.hear("INVITE ")
        house.operator.reply(invite, "200 OK", body=house.operator.offer(*direction))
        await house.operator.hear("ACK ")

    await speak(0, 25)
    house.caller.request("INVITE", body=house.caller.offer(f"a={says}"))
    await house.caller.hear("SIP/2.0 200")
    house.caller.request("ACK")
    await told(f"a={told_on}")
    await house.until(lambda: call.live is not None and call.live.spans[Leg.CALLER].now(GapCause.HOLD))
    held = call.length_ms
    await house.until(lambda: call.length_ms > held + 1000)
    house.caller.request("INVITE", body=house.caller.offer())
    await house.caller.hear("SIP/2.0 200")
    house.caller.request("ACK")
    await told()
    await house.until(lambda: call.live is not None and not call.live.spans[Leg.CALLER].now(GapCause.HOLD))
    assert call.live is not None
    assert not call.live.held  # by the operator's command it is not
    before = receiver.counts.received
    await speak(25 + round(1.2 / FRAME_S), 25)
    await house.until(lambda: receiver.counts.received >= before + 25)
    call.end("hangup")

    gaps = tapes.notebooks["caller.rx"].gaps
    by_cause = {cause: sum(n for _, n, why in gaps if why is cause) for cause in GapCause}
    assert by_cause[GapCause.HOLD] > 0.7 * 8000
    assert by_cause[GapCause.HOLD] > by_cause[GapCause.LOSS] + by_cause[GapCause.SILENCE]


async def test_a_telephone_that_holds_and_sends_no_music_is_not_taken_for_gone(house: House) -> None:
    await house.talking()
    (call,) = house.board.calls.values()
    holds = call.sides[Leg.OPERATOR].connection
    house.operator.send_as_called("INVITE", body=house.operator.offer("a=sendonly"))
    await house.operator.hear("SIP/2.0 200")
    house.operator.send_as_called("ACK")
    before = holds.last_heard
    await house.until(lambda: holds.last_heard > before)
    assert holds.held


async def test_a_telephone_that_holds_and_plays_music_is_heard(house: House) -> None:
    _, answer = await house.talking()
    (call,) = house.board.calls.values()
    holds = call.sides[Leg.CALLER].connection
    house.caller.request("INVITE", body=house.caller.offer("a=sendonly"))
    await house.caller.hear("SIP/2.0 200")
    house.caller.request("ACK")
    await house.until(lambda: holds.held)
    for number in range(40):
        house.caller.say(answer.rtp_port, Packet(8, number, number * 160, 7, bytes([0x44]) * 160))
        await asyncio.sleep(FRAME_S)
        if not holds.held:
            break
    assert not holds.held
    await house.until(lambda: holds.held)


async def test_what_the_telephone_misses_is_told_to_the_encoder(house: House) -> None:
    await house.talking()
    (call,) = house.board.calls.values()
    connection = call.sides[Leg.OPERATOR].connection
    assert isinstance(connection, SipConnection)
    block = rtcp.Block(connection._out.ssrc, 0.25, 10, 100, 0, 0, 0)
    connection._take_reports(rtcp.build(rtcp.Report(7, 0, 0, 0, 0, (block,)), "telephone"))
    assert connection.peer_loss == 0.25


async def test_a_line_that_drops_numbers_drops_them_by_sip_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = house.board.policy(Profile.REPORT)
    monkeypatch.setattr(house.board, "policy", lambda *_, **__: replace(kept, keep_number=False))
    invite = await house.ringing()
    assert "sip:anonymous@" in invite.get("From")
    assert "caller" not in invite.get("From") + invite.get("Contact")


@pytest.mark.parametrize("wishes", [{"default": Line(Profile.REPORT)}])
async def test_a_telephone_that_waits_for_a_browser_sends_nothing_and_is_not_taken_for_gone(
    house: House,
) -> None:
    house.caller.request("INVITE", body=house.caller.offer())
    await house.caller.hear("SIP/2.0 180")
    (call,) = house.board.calls.values()
    waits = call.sides[Leg.CALLER].connection
    before = waits.last_heard
    await house.until(lambda: waits.last_heard > before)


async def test_a_telephone_that_moves_is_heard_though_a_translator_gives_it_another_port(
    house: House,
) -> None:
    _, answer = await house.talking()
    await house.until(lambda: house.board.calls)
    sound = [Packet(8, number, number * 160, 7, bytes([number % 256]) * 160) for number in range(1000)]
    house.caller.say(answer.rtp_port, sound[0])
    await house.operator.sound()
    house.others.append(named := await Telephone("named", house.caller.node).open())
    house.others.append(real := await Telephone("real", house.caller.node).open())
    house.caller.request("INVITE", body=named.offer())
    await house.caller.hear("SIP/2.0 200")
    house.caller.request("ACK")
    for packet in sound[1:]:
        real.say(answer.rtp_port, packet)
        await asyncio.sleep(FRAME_S)
        if not house.operator.silent():
            break
    assert (await house.operator.sound()).payload_type == 8
    # It is answered where it is.
    (call,) = house.board.calls.values()
    call.sides[Leg.CALLER].connection.send_frame(PCMA, b"\x66" * 160)
    while (await real.sound()).payload != b"\x66" * 160:
        pass
