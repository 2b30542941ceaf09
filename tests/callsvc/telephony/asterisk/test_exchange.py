"""Calls that an Asterisk hands over: two bridges each, and what becomes of them when something fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest

from callsvc.clock import SystemClock
from callsvc.telephony.asterisk.ari import Ari
from callsvc.telephony.asterisk.exchange import Exchange
from callsvc.telephony.asterisk.frames import Kind
from callsvc.telephony.asterisk.placed import Plan
from callsvc.telephony.asterisk.server import AudioSocketServer
from callsvc.telephony.call import Parts
from callsvc.telephony.lines import LinesInForce
from callsvc.telephony.plain import Ports
from callsvc.telephony.switchboard import Switchboard
from callsvc.types import CallState, EventKind, Leg, Profile
from tests.support.asterisk import PASSWORD, USER, FakeAsterisk, FakeChannel, running_asterisk
from tests.support.legs import Events

pytestmark = pytest.mark.call

PATIENCE_S = 30.0
VOICE = [bytes([7 + index % 200, 1]) * 320 for index in range(50)]


@dataclass
class House:
    asterisk: FakeAsterisk
    board: Switchboard
    exchange: Exchange
    events: Events
    running: asyncio.Task[None]

    async def stop(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    clock, events = SystemClock(), Events()
    audio = AudioSocketServer(["127.0.0.1"], Kind.SOUND_16K, clock)
    port = await audio.start("127.0.0.1", 0)
    parts = Parts(clock, events, None, None, vanish_after_s=10.0)
    plan = Plan(f"127.0.0.1:{port}", "slin16", Profile.REPORT, "PJSIP/operator", ring_s=30, node="node-1")
    async with (
        running_asterisk() as asterisk,
        Switchboard(parts, Ports("127.0.0.1", 0, 0), max_calls=2) as board,
    ):
        ari = Ari(f"http://127.0.0.1:{asterisk.port}", USER, PASSWORD, "callsvc")
        exchange = Exchange(ari, audio, board, plan)
        house = House(asterisk, board, exchange, events, asyncio.create_task(exchange.run()))
        await until(lambda: exchange.connected)
        yield house
        await house.stop()
        await audio.close()
        ari.close()


@dataclass
class Talk:
    caller: FakeChannel
    operator: FakeChannel


async def a_call(house: House, *args: str) -> Talk:
    live = len([call for call in house.board.calls.values() if call.state is CallState.LIVE])
    caller = await house.asterisk.call(*args)
    await until(
        lambda: (
            len([c for c in house.board.calls.values() if c.state is CallState.LIVE]) == live + 1
            and all(len(members) == 2 for members in house.asterisk.bridges.values())
        )
    )
    operator = [one for name, one in house.asterisk.channels.items() if name.endswith("-operator")][-1]
    return Talk(caller, operator)


async def talk_for_a_while(house: House, talk: Talk) -> None:
    for frame in VOICE:
        await house.asterisk.say(talk.caller, frame)
        await asyncio.sleep(0.01)


def heard_voice(channel: FakeChannel) -> list[bytes]:
    return [payload for payload in channel.heard if payload in VOICE]


async def test_each_party_has_a_bridge_of_its_own_and_hears_the_other_through_us(house: House) -> None:
    talk = await a_call(house, "interview")
    assert talk.caller.answered
    bridges = house.asterisk.bridges.values()
    parties = [{name for name in members if not name.endswith("-media")} for members in bridges]
    assert {talk.caller.id} in parties
    assert {talk.operator.id} in parties
    assert all(len(members) == 2 for members in house.asterisk.bridges.values())
    await talk_for_a_while(house, talk)
    await until(lambda: len(heard_voice(talk.operator)) == len(VOICE))
    assert heard_voice(talk.operator) == VOICE
    await until(lambda: EventKind.CALL_STARTED in house.events.kinds)
    assert house.events.of(EventKind.CALL_STARTED) == [{"profile": "interview"}]


@pytest.mark.parametrize("who", list(Leg))
async def test_whoever_hangs_up_ends_the_call_and_nothing_is_left_behind(house: House, who: Leg) -> None:
    talk = await a_call(house)
    await house.asterisk.hang_up(talk.caller if who is Leg.CALLER else talk.operator)
    await until(lambda: not house.asterisk.channels and not house.asterisk.bridges)
    await until(lambda: not house.board.calls)
    assert house.events.of(EventKind.CALL_ENDED)[0]["cause"] == "hangup"
    assert house.asterisk.continued == []


async def test_digits_reach_the_other_party(house: House) -> None:
    talk = await a_call(house)
    await house.asterisk.press(talk.caller, "5")
    await until(lambda: talk.operator.digits == "5")
    await house.asterisk.press(talk.operator, "#")
    await until(lambda: talk.caller.digits == "#")


async def test_whoever_is_put_on_hold_hears_music_until_the_call_is_taken_up_again(house: House) -> None:
    talk = await a_call(house)
    (call,) = house.board.calls.values()
    for holder, other, leg in (
        (talk.operator, talk.caller, Leg.OPERATOR),
        (talk.caller, talk.operator, Leg.CALLER),
    ):
        await house.asterisk.tell("ChannelHold", holder, musicclass="default")
        await until(lambda other=other: other.music)  # type: ignore[misc]
        assert call.sides[leg].connection.held
        assert not holder.music
        await house.asterisk.tell("ChannelUnhold", holder)
        await until(lambda other=other: not other.music)  # type: ignore[misc]
        assert not call.sides[leg].connection.held


async def test_a_call_that_its_operator_transfers_goes_on_through_us_with_whoever_takes_it(
    house: House,
) -> None:
    talk = await a_call(house)
    await house.asterisk.tell("ChannelHold", talk.operator)
    await until(lambda: talk.caller.music)
    third = await house.asterisk.transfer(talk.operator)
    await until(lambda: not talk.caller.music)
    await talk_for_a_while(house, talk)
    await until(lambda: len(heard_voice(third)) == len(VOICE))
    assert len(house.board.calls) == 1
    await house.asterisk.press(talk.caller, "5")
    await until(lambda: third.digits == "5")
    assert house.asterisk.continued == []
    await house.asterisk.hang_up(third)
    await until(lambda: not house.asterisk.channels and not house.asterisk.bridges)


async def test_without_an_operator_the_dial_plan_goes_on(house: House) -> None:
    house.asterisk.operator = "busy"
    caller = await house.asterisk.call()
    await until(lambda: house.asterisk.continued == [caller.id])
    assert caller.id in house.asterisk.channels
    assert not house.board.calls


async def test_a_caller_who_gives_up_while_it_rings_stops_the_ringing(house: House) -> None:
    house.asterisk.operator = "rings"
    caller = await house.asterisk.call()
    await until(lambda: len(house.asterisk.channels) == 2)
    await house.asterisk.hang_up(caller)
    await until(lambda: not house.asterisk.channels)
    assert house.asterisk.continued == []


async def test_a_node_that_is_full_gives_the_call_back_to_the_dial_plan(house: House) -> None:
    await a_call(house)
    await a_call(house)
    third = await house.asterisk.call()
    await until(lambda: house.asterisk.continued == [third.id])
    assert len(house.board.calls) == 2


async def test_a_node_that_is_about_to_stop_waits_for_the_telephone_that_rings(house: House) -> None:
    house.asterisk.operator = "rings"
    caller = await house.asterisk.call()
    await until(lambda: len(house.asterisk.channels) == 2)
    draining = asyncio.create_task(house.board.drain())
    second = await house.asterisk.call()
    await until(lambda: house.asterisk.continued == [second.id])
    assert not draining.done()
    await house.asterisk.hang_up(caller)
    async with asyncio.timeout(30):
        await draining


@pytest.mark.parametrize("refused", ["externalMedia", "addChannel", "answer"])
async def test_a_call_that_cannot_be_put_through_goes_back_to_the_dial_plan(
    house: House, refused: str
) -> None:
    house.asterisk.refuse[refused] = 500
    caller = await house.asterisk.call()
    await until(lambda: house.asterisk.continued == [caller.id])
    await until(lambda: list(house.asterisk.channels) == [caller.id] and not house.asterisk.bridges)
    assert not house.board.calls


async def test_when_we_fail_they_talk_on_without_us(house: House) -> None:
    talk = await a_call(house)
    next(iter(house.board.calls.values())).fail(RuntimeError("of ours"))
    await until(lambda: {talk.caller.id, talk.operator.id} in house.asterisk.bridges.values())
    await house.asterisk.say(talk.caller, VOICE[0])
    assert talk.operator.heard[-1] == VOICE[0]
    await house.asterisk.hang_up(talk.operator)
    await until(lambda: not house.asterisk.channels and not house.asterisk.bridges)


async def test_a_sound_connection_that_breaks_does_not_break_the_call(house: House) -> None:
    talk = await a_call(house)
    media = next(one for one in house.asterisk.channels.values() if one.socket)
    assert media.socket is not None
    media.socket.abort()
    await until(lambda: {talk.caller.id, talk.operator.id} in house.asterisk.bridges.values())
    await house.asterisk.hang_up(talk.caller)
    await until(lambda: not house.asterisk.channels and not house.asterisk.bridges)


async def test_a_node_that_stops_leaves_them_talking(house: House) -> None:
    talk = await a_call(house)
    await house.stop()
    assert {talk.caller.id, talk.operator.id} in house.asterisk.bridges.values()
    assert {talk.caller.id, talk.operator.id} <= set(house.asterisk.channels)


async def test_a_lost_line_to_asterisk_ends_no_call_and_who_hung_up_meanwhile_is_found(house: House) -> None:
    first, second = await a_call(house), await a_call(house)
    await house.asterisk.drop_lines()
    await until(lambda: not house.exchange.connected)
    await house.asterisk.hang_up(first.caller)
    assert len(house.board.calls) == 2
    await until(lambda: house.exchange.connected)
    await until(lambda: len(house.board.calls) == 1)
    assert {second.caller.id, second.operator.id} <= set(house.asterisk.channels)
    await until(lambda: first.operator.id not in house.asterisk.channels)


async def die(house: House) -> None:
    """The node is gone from one moment to the next, and its AudioSockets with it."""
    house.exchange._ari = Ari("http://127.0.0.1:1", USER, PASSWORD, "callsvc")
    await house.stop()
    for name, channel in list(house.asterisk.channels.items()):
        if channel.socket:
            await house.asterisk.hang_up(house.asterisk.channels[name])


def again(house: House) -> None:
    """The node is back, and knows nothing."""
    ari = Ari(f"http://127.0.0.1:{house.asterisk.port}", USER, PASSWORD, "callsvc")
    house.exchange = Exchange(ari, house.exchange._audio, house.board, house.exchange._plan)
    house.running = asyncio.create_task(house.exchange.run())


async def test_a_node_that_died_puts_those_together_whom_it_left_when_it_is_back(house: House) -> None:
    talk, alone = await a_call(house), await a_call(house)
    await die(house)
    foreign = "callsvc-00000000-0000-4000-8000-000000000000-caller"
    house.asterisk.bridges[foreign] = set()
    house.asterisk.names[foreign] = "node-2"
    await house.asterisk.hang_up(alone.caller)
    assert {talk.caller.id, talk.operator.id} not in house.asterisk.bridges.values()
    again(house)
    await until(lambda: {talk.caller.id, talk.operator.id} in house.asterisk.bridges.values())
    await until(lambda: alone.operator.id not in house.asterisk.channels)
    await house.asterisk.hang_up(talk.operator)
    await until(lambda: not house.asterisk.channels and list(house.asterisk.bridges) == [foreign])
    assert house.asterisk.continued == []


async def test_a_caller_who_was_ringing_when_the_node_died_goes_back_to_the_dial_plan(house: House) -> None:
    house.asterisk.operator = "rings"
    caller = await house.asterisk.call()
    await until(lambda: len(house.asterisk.channels) == 2)
    await die(house)
    again(house)
    await until(lambda: house.asterisk.continued == [caller.id])
    await until(lambda: list(house.asterisk.channels) == [caller.id])


async def test_a_call_that_comes_while_asterisk_is_asked_who_is_there_is_not_taken_for_gone(
    house: House,
) -> None:
    house.asterisk.slow_list = asyncio.Event()
    await house.asterisk.drop_lines()
    await until(lambda: house.asterisk.asked_for_list and house.exchange.connected)
    talk = await a_call(house)
    house.asterisk.slow_list.set()
    await until(lambda: house.asterisk.listed)
    await talk_for_a_while(house, talk)
    assert len(house.board.calls) == 1


async def test_a_call_for_the_browser_waits_for_its_operator(house: House) -> None:
    caller = await house.asterisk.call("report", "")
    await until(lambda: caller.answered and sum(any(frame) for frame in caller.heard) > 5)  # it rings
    (call,) = house.board.calls.values()
    assert (call.state, set(call.sides)) == (CallState.SETTING_UP, {Leg.CALLER})
    assert not any(name.endswith("-operator") for name in house.asterisk.channels)
    call.end("nobody_came")
    await until(lambda: not house.asterisk.channels)


async def test_an_operator_in_the_browser_presses_digits_that_the_caller_gets_in_their_order(
    house: House,
) -> None:
    caller = await house.asterisk.call("report", "")
    await until(lambda: len(house.board.calls) == 1 and caller.answered)
    (call,) = house.board.calls.values()
    await until(lambda: Leg.CALLER in call.sides)
    end = call.sides[Leg.CALLER].connection
    assert end.takes_digits
    for digit in "1234#":
        assert end.press(digit)
    await until(lambda: caller.digits == "1234#")
    call.end("nobody_came")
    await until(lambda: not house.asterisk.channels)
    assert not end.press("5")


async def test_an_anonymous_callers_number_goes_nowhere(house: House) -> None:
    await a_call(house, "anonymous")
    asked = [query for _, path, query in house.asterisk.requests if path == "/ari/channels"]
    assert any("callerId" in query for query in asked) is False
    await a_call(house, "report")
    asked = [
        query
        for method, path, query in house.asterisk.requests
        if path == "/ari/channels" and method == "POST"
    ]
    assert asked[-1]["callerId"] == "0701234567"


LINES = """version = 1
[[line]]
id = "alarm"
number = "112*"
sv = "Larm"
en = "Alarm"
profile = "emergency"
announce = "wait"
language = "en"
[[line]]
id = "old"
number = "0770"
sv = "Gammal"
en = "Old"
profile = "interview"
retired = true
"""


async def test_the_number_that_was_dialled_is_the_line_and_a_profile_of_the_dial_plan_goes_before_its_own(
    house: House,
) -> None:
    lines = LinesInForce()
    lines.put(LINES)
    house.exchange._plan = replace(house.exchange._plan, line=lines.of)

    async def came(*args: str, dialled: str) -> tuple[Profile, object, set[object]]:
        await house.asterisk.call(*args, dialled=dialled)
        await until(lambda: [one.state for one in house.board.calls.values()] == [CallState.LIVE])
        (call,) = house.board.calls.values()
        joined = house.events.of(EventKind.LEG_JOINED)[-2:]
        call.end("hangup")
        await until(lambda: not house.asterisk.channels and not house.board.calls)
        return call.profile, call.policy.announcement, {one.get("line") for one in joined}

    assert await came(dialled="11299") == (Profile.EMERGENCY, ("wait", "en"), {"alarm"})
    assert await came("anonymous", dialled="112") == (Profile.ANONYMOUS, ("wait", "en"), {"alarm"})
    # A line that is no longer in use, and a number that has none, are the settings'.
    for number in ("0770", "114", ""):
        assert await came(dialled=number) == (Profile.REPORT, None, {None})


async def test_events_that_make_no_sense_are_left_alone(house: House) -> None:
    stranger = FakeChannel("1.1")
    for kind in ("StasisStart", "Nonsense", "ChannelDtmfReceived"):
        await house.asterisk.tell(kind, stranger, args={"not": "a list"}, digit=None)
    for line in list(house.asterisk._lines):
        await line.send_text("{not json")
        await line.send_text("[1]")
    talk = await a_call(house, "no-such-profile")
    assert talk.caller.answered
