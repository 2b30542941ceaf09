from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from audio.codecs import PCMA
from callsvc.clock import SystemClock
from callsvc.errors import UsageError
from callsvc.telephony import sdp
from callsvc.telephony.client import offer_of
from callsvc.telephony.errors import BadOffer, CallOver, LegTaken, NodeFull, NoSuchLeg, TokenRefused
from callsvc.telephony.parts import Parts
from callsvc.telephony.plain import Ports, RtpSocket
from callsvc.telephony.policies import policy_of
from callsvc.telephony.switchboard import TICK_S, Switchboard
from callsvc.telephony.tokens import Claims
from callsvc.types import CallState, EventKind, Leg, Profile, Track
from tests.support.legs import Events

pytestmark = pytest.mark.call

HOST = "127.0.0.1"
OFFER = sdp.plain(HOST, 40_000, {8: PCMA}, 1).encode()
CLOCK = SystemClock()


def claims(call: str, leg: Leg = Leg.CALLER) -> Claims:
    expires = CLOCK.utc_now() + timedelta(seconds=100)
    return Claims(call, leg, Profile.REPORT, "someone", str(uuid4()), expires)


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
async def board(events: Events) -> AsyncIterator[Switchboard]:
    parts = Parts(CLOCK, events, None, None, vanish_after_s=10.0)
    async with Switchboard(parts, Ports(HOST, 0, 0), max_calls=2) as board:
        yield board


async def a_call(board: Switchboard) -> str:
    call = str(uuid4())
    for leg in Leg:
        await board.join(call, leg, claims(call, leg), OFFER)
    return call


async def test_a_call_that_fails_ends_and_no_other_does(
    board: Switchboard, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = await a_call(board), await a_call(board)

    def fail(_now: float) -> None:
        raise RuntimeError

    monkeypatch.setattr(board.calls[UUID(broken)], "due", fail)
    board.tick(CLOCK.monotonic())

    assert [str(call) for call in board.calls] == [whole]
    assert events.of(EventKind.CALL_ENDED) == [{"cause": "fault", "length_ms": 0}]
    assert board.calls[UUID(whole)].state is CallState.LIVE


async def test_more_calls_than_may_be_are_refused_and_one_that_is_there_gets_its_second_leg(
    board: Switchboard,
) -> None:
    first, second = str(uuid4()), str(uuid4())
    await board.join(first, Leg.CALLER, claims(first), OFFER)
    await board.join(second, Leg.CALLER, claims(second), OFFER)
    third = str(uuid4())

    with pytest.raises(NodeFull):
        await board.join(third, Leg.CALLER, claims(third), OFFER)
    await board.join(second, Leg.OPERATOR, claims(second, Leg.OPERATOR), OFFER)


async def test_nothing_of_a_call_that_is_over_waits_for_the_garbage_collector(board: Switchboard) -> None:
    call = UUID(await a_call(board))
    running = board.calls[call]
    assert running.live is not None
    parts = [
        running,
        running.live,
        running.live.uplink,
        running.live.downlink,
        *running.live.memories.values(),
    ]
    parts += [part for side in running.sides.values() for part in (side, side.connection, side.receiver)]
    left = [weakref.ref(part) for part in parts]
    gc.disable()
    try:
        running.end("hangup")
        del running, parts
        async with asyncio.timeout(30):
            while any(one() for one in left):
                await asyncio.sleep(0.01)
    finally:
        gc.enable()


async def test_a_refusal_changes_nothing(board: Switchboard, events: Events) -> None:
    call = str(uuid4())
    with pytest.raises(BadOffer):
        await board.join(call, Leg.CALLER, claims(call), b"nothing")
    with pytest.raises(UsageError):
        await board.join("../../etc", Leg.CALLER, claims("../../etc"), OFFER)
    with pytest.raises(NoSuchLeg):
        board.hang_up(call, Leg.CALLER, claims(call), expired=False)

    assert board.calls == {}
    assert events.all == []


async def test_two_who_come_at_once_for_one_leg_do_not_both_get_in(
    board: Switchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind = board._ports.bind

    async def after_a_while() -> RtpSocket:
        await asyncio.sleep(0)  # as the making of a WebRTC leg does
        return await bind()

    monkeypatch.setattr(board._ports, "bind", after_a_while)
    call = str(uuid4())
    results = await asyncio.gather(
        *(board.join(call, Leg.CALLER, claims(call), OFFER) for _ in range(4)), return_exceptions=True
    )

    assert sum(isinstance(one, str) for one in results) == 1
    assert sum(isinstance(one, LegTaken) for one in results) == 3


async def test_one_token_does_not_join_twice_even_at_once(board: Switchboard) -> None:
    call = str(uuid4())
    token = claims(call)
    await board.join(call, Leg.CALLER, token, OFFER)
    with pytest.raises(TokenRefused):
        await board.join(call, Leg.OPERATOR, token, OFFER)


async def test_an_expired_token_hangs_up_only_the_leg_that_it_joined(board: Switchboard) -> None:
    call = await a_call(board)
    with pytest.raises(NoSuchLeg):
        board.hang_up(call, Leg.CALLER, claims(call), expired=True)

    board.hang_up(call, Leg.CALLER, claims(call), expired=False)
    with pytest.raises(CallOver):
        await board.join(call, Leg.CALLER, claims(call), OFFER)


async def test_whoever_drains_takes_no_calls_and_waits_for_those_that_are_there(board: Switchboard) -> None:
    call = await a_call(board)
    draining = asyncio.create_task(board.drain())
    await asyncio.sleep(0)
    other = str(uuid4())
    with pytest.raises(NodeFull):
        await board.join(other, Leg.CALLER, claims(other), OFFER)
    assert not draining.done()

    board.hang_up(call, Leg.CALLER, claims(call), expired=False)
    await asyncio.wait_for(draining, 5)


async def test_a_webrtc_leg_that_never_connects_is_given_up(
    board: Switchboard, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callsvc.telephony.webrtc.SETUP_S", 0.05)
    peer, _, _ = await offer_of([PCMA])
    offer = peer.localDescription.sdp.encode()
    await peer.close()
    call = str(uuid4())
    await board.join(call, Leg.OPERATOR, claims(call, Leg.OPERATOR), offer)
    async with asyncio.timeout(10):
        while board.calls:
            await asyncio.sleep(0.01)

    assert events.of(EventKind.CALL_ENDED)[0]["cause"] == "failed"


@pytest.mark.parametrize(
    ("profile", "demonstration", "keep_raw", "tracks"),
    [
        (Profile.REPORT, False, "demo", {Track.CALLER_RX, Track.OPERATOR_TX}),
        (Profile.REPORT, True, "demo", {Track.CALLER_RX, Track.OPERATOR_TX, Track.OPERATOR_RX}),
        (Profile.EMERGENCY, True, "never", {Track.CALLER_RX, Track.OPERATOR_TX}),
        (Profile.INTERVIEW, False, "always", {Track.CALLER_RX, Track.OPERATOR_TX, Track.OPERATOR_RX}),
        (Profile.ANONYMOUS, True, "always", set()),
    ],
)
def test_the_line_decides_what_is_recorded(
    profile: Profile, demonstration: bool, keep_raw: str, tracks: set[Track]
) -> None:
    assert keep_raw in ("never", "demo", "always")
    policy = policy_of(profile, demonstration=demonstration, keep_raw=keep_raw)  # type: ignore[arg-type]

    assert set(policy.tracks) == tracks


async def test_calls_are_told_when_a_wake_was_due_and_not_how_late_it_came(
    board: Switchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []
    enough = asyncio.Event()

    def tick(now: float) -> None:
        told.append(now)
        # Everything that a wake waits for: a little, and once so much that wakes are left out.
        time.sleep(0.150 if len(told) == 10 else 0.0013 * (len(told) % 5))
        if len(told) == 30:
            enough.set()

    monkeypatch.setattr(board, "tick", tick)
    await a_call(board)
    async with asyncio.timeout(60):
        await enough.wait()

    steps = [(later - earlier) / TICK_S for earlier, later in pairwise(told)]
    assert all(abs(step - round(step)) < 0.001 and step > 0.5 for step in steps), steps
    assert max(steps) > 5
