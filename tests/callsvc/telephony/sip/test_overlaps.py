"""Two who describe themselves at once, and one who does so again before the first was answered."""

from __future__ import annotations

import pytest

from callsvc.telephony.sip import dialog, session
from callsvc.types import Leg
from tests.callsvc.telephony.sip.conftest import House
from tests.support.telephone import Message

pytestmark = pytest.mark.call


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog, "AGAIN_S", dict.fromkeys(Leg, (0.0, 0.1)))
    monkeypatch.setattr(session, "TRY_AGAIN_S", 0.1)


async def said(house: House, *direction: str) -> Message:
    """The caller describes itself anew; what the operator is told of it."""
    house.caller.request("INVITE", body=house.caller.offer(*direction))
    await house.caller.hear("SIP/2.0 200")
    house.caller.request("ACK")
    return await house.operator.hear("INVITE ")


async def test_who_cannot_be_told_now_that_a_hold_is_over_is_told_a_moment_later(house: House) -> None:
    await house.talking()
    hold = await said(house, "a=inactive")
    house.operator.reply(hold, "200 OK", body=house.operator.offer("a=inactive"))
    await house.operator.hear("ACK ")
    over = await said(house)
    for _ in range(2):
        house.operator.reply(over, "491 Request Pending")
        await house.operator.hear("ACK ")
        over = await house.operator.hear("INVITE ")
        assert "a=sendrecv" in over.body
    house.operator.reply(over, "200 OK", body=house.operator.offer())
    await house.operator.hear("ACK ")
    assert "a=inactive" in (await said(house, "a=inactive")).body


async def test_a_hold_that_is_over_before_the_other_has_answered_it_is_told_afterwards(house: House) -> None:
    await house.talking()
    hold = await said(house, "a=inactive")
    house.caller.request("INVITE", body=house.caller.offer())
    await house.caller.hear("SIP/2.0 200")
    house.caller.request("ACK")
    house.operator.reply(hold, "200 OK", body=house.operator.offer("a=inactive"))
    await house.operator.hear("ACK ")
    assert "a=sendrecv" in (await house.operator.hear("INVITE ")).body


async def test_an_offer_that_meets_one_of_ours_is_to_be_made_again(house: House) -> None:
    await house.talking()
    hold = await said(house, "a=inactive")
    house.operator.send_as_called("INVITE", body=house.operator.offer("a=sendonly"))
    assert (await house.operator.hear("SIP/2.0 ")).first == "SIP/2.0 491 Request Pending"
    house.operator.send_as_called("ACK")
    house.operator.reply(hold, "200 OK", body=house.operator.offer("a=inactive"))
    await house.operator.hear("ACK ")
    house.operator.send_as_called("INVITE", body=house.operator.offer("a=inactive"))
    await house.operator.hear("SIP/2.0 200")


@pytest.mark.parametrize("wishes", [{"session_s": 90}])
async def test_an_offer_that_was_refused_takes_nothing_from_the_session(house: House) -> None:
    invite = await house.ringing()
    house.operator.reply(invite, "200 OK", "Session-Expires: 90;refresher=uac", body=house.operator.offer())
    await house.operator.hear("ACK ")
    answer = await house.caller.hear("SIP/2.0 200")
    house.caller.remote_tag = answer.get("To").partition(";tag=")[2]
    house.caller.request("ACK")
    hold = await said(house, "a=inactive")
    assert hold.get("Session-Expires") == "90;refresher=uac"
    house.operator.reply(hold, "488 Not Acceptable Here")
    await house.operator.hear("ACK ")

    (call,) = house.trunk.calls
    assert call.operator is not None
    await house.until(lambda: call.operator and isinstance(call.operator.state, dialog.Connected))
    call.operator._refresh()
    for _ in range(2):
        refresh = await house.operator.hear("INVITE ")
        assert "a=sendrecv" in refresh.body
        house.operator.reply(refresh, "503 Service Unavailable")
    house.operator.reply(await house.operator.hear("INVITE "), "200 OK", "Session-Expires: 90;refresher=uac")
    await house.operator.hear("ACK ")
    assert house.trunk.calls == {call}


async def test_who_takes_the_call_up_as_the_caller_gives_up_is_let_go(house: House) -> None:
    invite = await house.ringing()
    house.operator.reply(invite, "180 Ringing")
    await house.caller.hear("SIP/2.0 180")
    house.caller.request("CANCEL")
    await house.operator.hear("CANCEL ")
    house.operator.reply(invite, "200 OK", body=house.operator.offer())
    await house.operator.hear("ACK ")
    house.operator.reply(await house.operator.hear("BYE "), "200 OK")
    await house.until(lambda: not house.trunk.calls and not house.board.calls)
