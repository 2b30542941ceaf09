"""Keys between a telephone and an operator in the browser."""

from __future__ import annotations

import asyncio

import pytest

from audio.codecs import PCMA
from audio.rtp import Packet
from callsvc.telephony.digits import ENDS, STEPS
from callsvc.telephony.sip.line import Line
from callsvc.types import Leg, Profile
from tests.callsvc.telephony.sip.conftest import House
from tests.support.legs import PipedConnection
from tests.support.packets import key

pytestmark = pytest.mark.call


@pytest.mark.parametrize("wishes", [{"default": Line(Profile.REPORT)}])
async def test_a_telephone_and_an_operator_in_the_browser_press_keys_for_each_other(house: House) -> None:
    house.caller.request("INVITE", body=house.caller.offer())
    await house.caller.hear("SIP/2.0 180")
    (call,) = house.board.calls.values()
    operator = PipedConnection({8: PCMA}, house.trunk.clock)
    house.board.admit(call.id, Leg.OPERATOR, Profile.REPORT, operator)
    answer = await house.caller.hear("SIP/2.0 200")
    house.caller.remote_tag = answer.get("To").partition(";tag=")[2]
    house.caller.request("ACK")
    operator.say({"t": "command", "id": "1", "do": "digit", "digit": "7"})
    operator.say({"t": "command", "id": "2", "do": "digit", "digit": "*"})
    count = STEPS - 1 + ENDS
    came = [await house.caller.sound((101,)) for _ in range(2 * count)]
    assert [packet.payload[0] for packet in came] == [7] * count + [10] * count
    assert [packet.marker for packet in came[:count]] == [True] + [False] * (count - 1)
    assert len({packet.timestamp for packet in came}) == 2 - (came[0].timestamp == came[-1].timestamp)
    for sequence in range(3):
        house.caller.say(answer.rtp_port, key(3, 4800, end=sequence == 2, sequence=sequence))
    async with asyncio.timeout(30):
        while not any(one["t"] == "digit" for one in operator.told):
            await asyncio.sleep(0.005)
    house.caller.say(answer.rtp_port, key(4, 9600, sequence=3))
    await house.until(lambda: sum(one["t"] == "digit" for one in operator.told) == 2)
    assert [one["digit"] for one in operator.told if one["t"] == "digit"] == ["3", "4"]


async def test_a_digit_before_any_sound_goes_through(house: House) -> None:
    _, answer = await house.talking()
    await house.until(lambda: house.board.calls)
    house.caller.say(answer.rtp_port, Packet(101, 1, 160, 7, bytes([5, 0x0A, 0, 160]), marker=True))
    assert (await house.operator.sound((101,))).payload == bytes([5, 0x0A, 0, 160])
