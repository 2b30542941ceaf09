"""More calls than the engine can write: the newest go without, are told so, and come back when there is room."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from audio.feed import Kind, Message
from callsvc.captions.admission import FULL_S, LOOK_S, SETTLE_S, Admission, Load
from callsvc.captions.board import Board
from callsvc.captions.ear import Ear
from callsvc.captions.room import GIVEN_UP, Caption, Room
from callsvc.clock import FixedClock
from callsvc.store import Database, captions
from models.recogniser.words import Hearing, Word
from tests.callsvc.captions.test_utterances import Loud
from tests.support.past_calls import BEGAN, live

pytestmark = pytest.mark.transcripts

CALLS = [UUID(int=n) for n in range(1, 9)]
RATE = 8000


class Desk:
    """Admission with a clock of its own."""

    def __init__(self, calls: int) -> None:
        self.time = 0.0
        self.admission = Admission(lambda: self.time)
        self.load = Load(lambda: self.time)
        for call in CALLS[:calls]:
            self.admission.open(call)


def test_calls_are_put_off_only_when_what_waits_would_come_late() -> None:
    desk = Desk(4)
    assert desk.admission.crowded(CALLS[:4], FULL_S / 4) == []
    assert desk.admission.put_off == frozenset()


def test_the_newest_go_first_and_as_many_as_it_takes() -> None:
    desk = Desk(4)
    # Twelve texts of half a second: six seconds, of which two may stay.
    assert desk.admission.crowded(CALLS[:4] * 3, 0.5) == [CALLS[3], CALLS[2], CALLS[1]]
    assert desk.admission.captioned(CALLS[0])
    assert desk.admission.put_off == {*CALLS[1:4]}


def test_each_putting_off_is_given_time_to_help() -> None:
    desk = Desk(4)
    assert desk.admission.crowded([*CALLS[:3], *[CALLS[3]] * 9], 0.5) == [CALLS[3]]
    assert desk.admission.crowded(CALLS[:3] * 4, 0.5) == []
    desk.time = SETTLE_S
    assert desk.admission.crowded(CALLS[:3] * 4, 0.5) == [CALLS[2], CALLS[1]]


def test_a_call_that_is_alone_is_never_put_off() -> None:
    desk = Desk(1)
    assert desk.admission.crowded([CALLS[0]] * 99, 1.0) == []
    assert desk.admission.captioned(CALLS[0])


def test_a_new_call_waits_behind_those_that_wait() -> None:
    desk = Desk(3)
    desk.admission.crowded([CALLS[0], *[CALLS[2]] * 20], 0.3)
    assert desk.admission.put_off == {CALLS[2]}
    assert desk.admission.open(CALLS[3]) is False
    desk.admission.close(CALLS[2])
    desk.admission.close(CALLS[3])
    assert desk.admission.open(CALLS[4]) is True


def test_they_come_back_the_oldest_first_and_one_at_a_time_once_there_has_been_room_for_a_while() -> None:
    desk = Desk(3)
    desk.admission.crowded(CALLS[:3] * 9, 0.5)
    assert desk.admission.put_off == {CALLS[1], CALLS[2]}
    desk.time = LOOK_S - 0.1
    assert desk.admission.back(desk.load, 0.0) is None
    desk.time = LOOK_S
    assert desk.admission.back(desk.load, 9.0) is None  # what waits, waits too long
    assert desk.admission.back(desk.load, 0.0) == CALLS[1]
    assert desk.admission.back(desk.load, 0.0) is None
    desk.time = 2 * LOOK_S
    assert desk.admission.back(desk.load, 0.0) == CALLS[2]


def test_nobody_comes_back_while_the_engine_has_no_time_for_one_more() -> None:
    desk = Desk(2)
    desk.admission.crowded(CALLS[:2] * 9, 0.5)
    desk.time = LOOK_S
    for _ in range(4):
        desk.load.add(0.8)  # 40 % of the time; twice that is too much
    assert desk.load.share == pytest.approx(0.4)
    assert desk.admission.back(desk.load, 0.0) is None
    desk.time = 2 * LOOK_S + 0.1
    assert desk.load.share == 0.0
    assert desk.admission.back(desk.load, 0.0) == CALLS[1]


def test_one_text_that_took_long_makes_no_slow_engine() -> None:
    desk = Desk(1)
    for spent in (0.1, 0.1, 9.0, 0.1):
        desk.load.add(spent)
    assert desk.load.cost_s == pytest.approx(0.1)


class Slow:
    """An engine that stands still until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def hear(self, sound: NDArray[np.float32], languages: object) -> Hearing:
        assert self.go.wait(60)
        return Hearing((Word(0.0, 0.1, "ja", 1.0),), "sv")

    def sketch(self, sound: NDArray[np.float32], language: str) -> list[str]:
        return []


def say(room: Room, call: UUID, start_s: float, seconds: float, level: float) -> None:
    # Noise: what holds its tone is taken for music.
    sound = np.random.default_rng(1).uniform(-level, level, RATE // 10)
    body = (sound * 32767).astype("<i2").tobytes()
    for at in range(int(start_s * RATE), int((start_s + seconds) * RATE), RATE // 10):
        room.take(Message(Kind.SOUND, call, 0, at, body))


async def test_who_is_put_off_is_told_so_and_nothing_is_lost_in_silence(database: Database) -> None:
    clock, engine, told = FixedClock(BEGAN), Slow(), list[Caption]()
    board = Board(database, clock)

    def out(caption: Caption) -> None:
        told.append(caption)
        board.tell(caption)

    room = Room(engine, ["sv"], out, clock, lambda rate: Ear(rate, Loud()))
    async with database.transaction() as conn:
        first, second = await live(conn, at=BEGAN), await live(conn, at=BEGAN)
    body = json.dumps({"tracks": {"0": ["caller.rx", RATE]}}).encode()
    for call in (first, second):
        room.take(Message(Kind.OPEN, call, body=body))
    room.start()
    for n in range(10):
        for call in (first, second):
            say(room, call, 2 * n, 1.0, 0.5)
            say(room, call, 2 * n + 1, 1.0, 0.0)
        clock.advance(0.3)
    assert room.put_off == {second}
    lost = [one for one in told if one.call == second]
    assert lost
    assert {(one.text, one.final) for one in lost} == {(GIVEN_UP, True)}
    assert not [one for one in told if one.call == first]

    async def states() -> list[tuple[str, str]]:
        await board.write(room)
        async with database.transaction() as conn:
            found = [await captions.state(conn, call) for call in (first, second)]
        return [(one.state, one.why) for one in found if one is not None]

    assert (await states())[1] == ("off", "crowded")
    engine.go.set()
    deadline = time.monotonic() + 60
    while len([one for one in told if one.call == first]) < 10:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)
    assert {one.text for one in told if one.call == first} == {"ja"}
    clock.advance(LOOK_S + 1)
    say(room, first, 20, 0.1, 0.0)
    assert room.put_off == frozenset()
    assert await states() == [("on", ""), ("on", "")]
    before = len(told)
    say(room, second, 30, 1.0, 0.5)
    say(room, second, 31, 1.0, 0.0)
    while len(told) == before:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)
    room.stop()
    again = told[-1]
    assert (again.call, again.text, again.start_ms) == (second, "ja", 30_000)
