"""Captions of a spoken call, through the real engine, a real process and the real database; killed, nobody misses a sample."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from audio import feed as feeds
from audio.feed import Feed
from audio.taps import Track
from callsvc import data_dir
from callsvc.captions.room import GIVEN_UP, Caption, Room
from callsvc.clock import SystemClock
from callsvc.demo.sound import read
from callsvc.store import Database, captions
from models.recogniser import check, packaged
from models.recogniser.training.evaluate import errors
from models.recogniser.whisper import Whisper
from tests.support.house import ROOT
from tests.support.past_calls import BEGAN, live

pytestmark = pytest.mark.transcripts

FIXTURE = ROOT / "tests/fixtures/recogniser"
TRACKS = (Track("caller.rx", 16000), Track("operator.tx", 16000))
STEP = 320


def sound(leg: str) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    heard: np.ndarray[tuple[int], np.dtype[np.int16]] = (read(FIXTURE / f"{leg}.flac", 16000) * 32767).astype(
        np.int16
    )
    return heard


def wanted(leg: str) -> list[str]:
    turns = json.loads((FIXTURE / "call.json").read_text(encoding="utf-8"))
    return [word for turn in turns if turn["leg"] == leg for word, _, _ in turn["words"]]


def play(feed: Feed, call: UUID, seconds: float = 60.0) -> None:
    """Both legs, as fast as it goes."""
    taps = feed.open(call, TRACKS)
    legs = [sound("caller"), sound("operator")]
    for at in range(0, min(int(seconds * 16000), max(len(leg) for leg in legs)), STEP):
        for tap, leg in zip(taps, legs, strict=True):
            if at < len(leg):
                tap.write(at, leg[at : at + STEP])


def test_what_is_said_is_captioned_on_its_leg_in_its_time_and_grows_before_it_is_final() -> None:
    told: list[Caption] = []
    room = Room(Whisper(check(packaged.directory()), live=True), ["sv"], told.append, SystemClock())
    call = uuid4()
    sent: list[feeds.Message] = []
    feed = Feed(Path("nobody"))
    feed.listened = True
    feed.put = sent.append  # type: ignore[method-assign,assignment]
    play(feed, call)
    feed.close(call)
    room.start()
    for message in sent:
        room.take(message)
        # As in a call, the decoder has time; what it makes of interim work is part of the test.
        deadline = time.monotonic() + 30
        while room.scheduler._finals or room.scheduler._interim:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    room.stop()
    for leg in ("caller", "operator"):
        finals = [one for one in told if one.final and one.leg == leg]
        words = " ".join(one.text for one in finals).split()
        assert errors(wanted(leg), words) <= len(wanted(leg)) // 4, words
        assert [one.start_ms for one in finals] == sorted(one.start_ms for one in finals)
    interim = [one for one in told if not one.final]
    assert interim
    assert GIVEN_UP not in {one.text for one in told}
    assert {one.call for one in told} == {call}
    assert not room.calls


def test_an_engine_that_fails_costs_its_utterance_and_not_the_next() -> None:
    told: list[Caption] = []

    class Moody:
        asked = 0

        def hear(self, sound: object, languages: object) -> object:
            self.asked += 1
            if self.asked == 1:
                raise RuntimeError("out of memory")
            return type("H", (), {"words": [type("W", (), {"text": "ja"})()], "language": "sv"})()

        def sketch(self, sound: object, language: str) -> list[str]:
            return []

    room = Room(Moody(), ["sv"], told.append, SystemClock())  # type: ignore[arg-type]
    call = uuid4()
    room.start()
    feed = Feed(Path("nobody"))
    feed.listened = True
    feed.put = room.take  # type: ignore[method-assign]
    play(feed, call, 12.0)
    room.over(call)
    deadline = time.monotonic() + 30
    while len([one for one in told if one.final]) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    room.stop()
    assert [one.text for one in told if one.final][:2] == [GIVEN_UP, "ja"]
    assert room.behind


@contextmanager
def process(data: Path, conninfo: str) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(
        [sys.executable, "-m", "callsvc", "captions"],
        env={
            **os.environ,
            "CALLSVC_DATA_DIR": str(data),
            "CALLSVC_DATABASE__URL": conninfo,
            "CALLSVC_TRANSCRIPTS__LIVE_MODEL_DIR": str(packaged.directory()),
        },
        stderr=subprocess.DEVNULL,
    )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.wait()


async def until_listened(feed: Feed, listened: bool = True) -> None:
    while feed.listened is not listened:
        await asyncio.sleep(0.02)


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short path: a socket's name has room for a hundred letters."""
    return tmp_path_factory.mktemp("c")


async def test_a_process_of_its_own_writes_them_and_is_taken_up_again_after_it_was_killed(
    data: Path, conninfo: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "RETRY_S", 0.05)
    async with database.transaction() as conn:
        call = await live(conn, at=BEGAN)

    async def finals() -> list[str]:
        async with database.transaction() as conn:
            return [row.text for row in await captions.since(conn, call, 0) if row.final]

    async def until_state(state: str) -> None:
        while True:
            async with database.transaction() as conn:
                found = await captions.state(conn, call)
            if found is not None and found.state == state:
                return
            await asyncio.sleep(0.05)

    feed = Feed(data_dir.captions_socket(data))
    feed.start()
    try:
        with process(data, conninfo) as first:
            await until_listened(feed)
            await asyncio.to_thread(play, feed, call, 14.0)
            await until_state("on")
            while len(await finals()) < 2:
                await asyncio.sleep(0.05)
            os.kill(first.pid, signal.SIGKILL)
        await until_listened(feed, False)
        taps = feed.open(call, TRACKS)
        # The call goes on: nothing waits, nothing is kept.
        for n in range(2000):
            taps[0].write(14 * 16000 + n * STEP, np.zeros(STEP, np.int16))
        with process(data, conninfo) as second:
            await until_listened(feed)
            await until_state("on")
            feed.close(call)
            await until_state("off")
            second.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(second.wait, 30) == 0
    finally:
        await asyncio.to_thread(feed.stop)
    said = " ".join(await finals())
    assert "polisen" in said or "hänt" in said or "Anna" in said, said


async def test_captions_end_when_the_transcript_is_there(database: Database) -> None:
    from tests.support.past_calls import transcribed

    async with database.transaction() as conn:
        done, goes_on = await live(conn, at=BEGAN), await live(conn, at=BEGAN)
        for call in (done, goes_on):
            await captions.put(conn, [captions.CaptionRow(call, "caller", 0, 0, 9, "ja", True)])
            await captions.set_states(conn, [captions.StateRow(call, "on", "", 0, BEGAN)])
        await transcribed(conn, done)
        await captions.clear(conn, at=BEGAN)
        assert await captions.since(conn, done, 0) == []
        assert len(await captions.since(conn, goes_on, 0)) == 1


async def test_a_final_caption_is_not_taken_back_by_interim_text_that_comes_late(database: Database) -> None:
    call = uuid4()
    async with database.transaction() as conn:
        for text, final in (("ja", False), ("ja det", True), ("ja", False)):
            await captions.put(conn, [captions.CaptionRow(call, "caller", 0, 0, 9, text, final)])
        (row,) = await captions.since(conn, call, 0)
        assert (row.text, row.final) == ("ja det", True)
        assert await captions.since(conn, call, row.change) == []
