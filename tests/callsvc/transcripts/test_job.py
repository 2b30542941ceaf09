"""The job: a call without a model waits and loses nothing; with one it is heard once, however often it runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from callsvc import jobs, transcripts
from callsvc.clock import FixedClock
from callsvc.config import Settings, TranscriptSettings
from callsvc.errors import NotFound
from callsvc.ids import new_id
from callsvc.jobs import Work
from callsvc.locale.said import Said
from callsvc.store import Database
from callsvc.store import transcripts as rows
from callsvc.transcripts import models
from callsvc.types import Track, TranscriptState
from models.recogniser.directory import ModelCard
from models.recogniser.words import RATE, Hearing, Word
from tests.models.recogniser.test_directory import BROKEN
from tests.support.model_files import model_directory

pytestmark = pytest.mark.transcripts

CLOCK = FixedClock()


@dataclass
class Info:
    rate_hz: int
    samples: int


class Call:
    """A recorded call whose two legs say something at different times."""

    def __init__(self) -> None:
        length = 6 * RATE
        self._sound = {
            Track.CALLER_RX: np.zeros(length, np.int16),
            Track.OPERATOR_TX: np.zeros(length, np.int16),
        }
        self._sound[Track.CALLER_RX][RATE : 2 * RATE] = 9000
        self._sound[Track.OPERATOR_TX][3 * RATE : 4 * RATE] = 9000
        self.tracks = MappingProxyType({str(name): Info(RATE, length) for name in self._sound})

    def read(self, track: str, start: int, n: int) -> NDArray[np.int16]:
        return self._sound[Track(track)][start : start + n]


class Echo:
    """A recogniser that hears one word in each piece."""

    longest_s = 24.0

    def hear(self, sound: NDArray[np.float32], languages: Sequence[str]) -> Hearing:
        return Hearing((Word(0.1, 0.6, f"ord-{languages[0]}", 0.8),), languages[0])


def _loud(sound: NDArray[np.float32], longest_s: float) -> list[tuple[int, int]]:
    found = np.flatnonzero(np.abs(sound) > 0.1)
    return [(int(found[0]), int(found[-1]) + 1)] if len(found) else []


def _work(database: Database, tmp_path: Path, model_dir: Path | None = None) -> Work:
    settings = Settings(data_dir=tmp_path, transcripts=TranscriptSettings(model_dir=model_dir))
    return Work(settings, database, CLOCK, job_id=1, attempt=1)


async def _call(database: Database) -> UUID:
    call_id = new_id()
    async with database.transaction() as conn:
        await conn.execute(
            "insert into calls (id, profile, state, created_at) values (%s, 'report', 'ended', %s)",
            [call_id, CLOCK.utc_now()],
        )
        await transcripts.ask(conn, call_id)
    return call_id


async def _found(database: Database, call_id: UUID) -> rows.Transcript:
    async with database.transaction() as conn:
        found = await rows.of_call(conn, call_id)
    assert found is not None
    return found


async def _queued(database: Database) -> int:
    async with database.transaction() as conn:
        return (await jobs.queue.counts(conn)).get((transcripts.NAME, "todo"), 0)


async def _open(call_id: UUID) -> Call:
    return Call()


def told_of(found: rows.Transcript) -> str:
    """Why it waits or failed, as a reader of English is told."""
    return Said.load(found.error or "").sentence()


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "load", lambda card: Echo())
    monkeypatch.setattr("callsvc.transcripts.both_legs.voice.stretches", _loud)


async def test_a_call_is_asked_for_once(database: Database) -> None:
    call_id = await _call(database)
    async with database.transaction() as conn:
        await transcripts.ask(conn, call_id)
    assert await _queued(database) == 1


async def test_without_a_model_the_call_waits_and_says_why(database: Database, tmp_path: Path) -> None:
    call_id = await _call(database)
    await transcripts.job(_open).run(_work(database, tmp_path), call=str(call_id))
    found = await _found(database, call_id)
    assert found.state == TranscriptState.WAITING_MODEL
    assert told_of(found) == models.NONE_SET


async def test_a_broken_model_makes_the_call_wait_and_names_the_fault(
    database: Database, tmp_path: Path
) -> None:
    directory = model_directory(tmp_path / "model")
    (directory / "tokenizer.json").unlink()
    call_id = await _call(database)
    await transcripts.job(_open).run(_work(database, tmp_path, directory), call=str(call_id))
    found = await _found(database, call_id)
    assert found.state == TranscriptState.WAITING_MODEL
    assert "lacks tokenizer.json" in told_of(found)


async def test_what_waits_is_taken_up_when_there_is_a_model_and_not_before(
    database: Database, tmp_path: Path
) -> None:
    call_id = await _call(database)
    async with database.transaction() as conn:
        await conn.execute("delete from procrastinate_jobs")
    await transcripts.job(_open).run(_work(database, tmp_path), call=str(call_id))
    assert await transcripts.take_up(database, _work(database, tmp_path).settings) == 0
    assert await _queued(database) == 0
    directory = model_directory(tmp_path / "model")
    assert await transcripts.take_up(database, _work(database, tmp_path, directory).settings) == 1
    assert await transcripts.take_up(database, _work(database, tmp_path, directory).settings) == 1
    assert await _queued(database) == 1


@pytest.mark.usefixtures("heard")
async def test_both_legs_are_heard_in_order_and_running_twice_leaves_one_set(
    database: Database, tmp_path: Path
) -> None:
    directory = model_directory(tmp_path / "model")
    work = _work(database, tmp_path, directory)
    call_id = await _call(database)
    await transcripts.job(_open).run(work, call=str(call_id))
    first = await _found(database, call_id)
    async with database.transaction() as conn:
        await rows.set_state(conn, first.id, TranscriptState.RUNNING, at=CLOCK.utc_now())
    await transcripts.job(_open).run(work, call=str(call_id))
    found = await _found(database, call_id)
    card: ModelCard = models.card(work.settings)
    assert (found.state, found.progress, found.model, found.model_sha256) == (
        TranscriptState.DONE,
        1.0,
        "model",
        card.sha256,
    )
    async with database.transaction() as conn:
        said = await rows.utterances(conn, found.id)
    assert [(u.leg, u.start_ms, u.end_ms, u.text) for u in said] == [
        ("caller", 1100, 1600, "ord-sv"),
        ("operator", 3100, 3600, "ord-sv"),
    ]
    assert said[0].words == [{"start_ms": 1100, "end_ms": 1600, "text": "ord-sv", "probability": 0.8}]


@pytest.mark.usefixtures("heard")
async def test_a_transcript_that_is_done_is_left_alone(database: Database, tmp_path: Path) -> None:
    work = _work(database, tmp_path, model_directory(tmp_path / "model"))
    call_id = await _call(database)
    await transcripts.job(_open).run(work, call=str(call_id))

    async def nobody(call_id: UUID) -> Call:
        raise AssertionError("the recording was opened again")

    await transcripts.job(nobody).run(work, call=str(call_id))


@pytest.mark.usefixtures("heard")
async def test_a_recording_that_is_not_there_is_tried_again_and_at_last_fails_with_its_reason(
    database: Database, tmp_path: Path
) -> None:
    work = _work(database, tmp_path, model_directory(tmp_path / "model"))
    call_id = await _call(database)

    async def gone(call_id: UUID) -> Call:
        raise NotFound("There is no recording of this call.")

    job = transcripts.job(gone)
    for attempt, state in ((1, TranscriptState.QUEUED), (job.attempts, TranscriptState.FAILED)):
        with pytest.raises(NotFound):
            await job.run(replace(work, attempt=attempt), call=str(call_id))
        found = await _found(database, call_id)
        assert (found.state, told_of(found)) == (state, "There is no recording of this call.")


@pytest.mark.usefixtures("heard")
async def test_a_recording_that_moves_to_the_archive_meanwhile_is_heard_there(
    database: Database, tmp_path: Path
) -> None:
    work = _work(database, tmp_path, model_directory(tmp_path / "model"))
    call_id = await _call(database)
    opened: list[Call] = []

    class Moved(Call):
        def read(self, track: str, start: int, n: int) -> NDArray[np.int16]:
            raise NotFound("It was here a moment ago.")

    async def opening(call_id: UUID) -> Call:
        opened.append(Call() if opened else Moved())
        return opened[-1]

    await transcripts.job(opening).run(work, call=str(call_id))
    assert len(opened) == 2
    assert (await _found(database, call_id)).state == TranscriptState.DONE


@pytest.mark.usefixtures("heard")
async def test_a_fault_of_the_engine_is_seen_without_what_it_says(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Echo):
        def hear(self, sound: NDArray[np.float32], languages: Sequence[str]) -> Hearing:
            raise RuntimeError("words that were said")

    monkeypatch.setattr(models, "load", lambda card: Broken())
    work = _work(database, tmp_path, model_directory(tmp_path / "model"))
    call_id = await _call(database)
    with pytest.raises(RuntimeError):
        await transcripts.job(_open).run(work, call=str(call_id))
    found = await _found(database, call_id)
    assert (found.state, told_of(found)) == (TranscriptState.QUEUED, "A fault: RuntimeError.")


@pytest.mark.usefixtures("heard")
async def test_a_worker_that_stops_waits_for_the_piece_at_hand_and_no_longer(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, pieces = threading.Event(), threading.Event(), []

    class Slow(Echo):
        def hear(self, sound: NDArray[np.float32], languages: Sequence[str]) -> Hearing:
            pieces.append(len(sound))
            begun.set()
            go_on.wait(20)
            return Hearing((), "sv")

    monkeypatch.setattr(models, "load", lambda card: Slow())
    work = _work(database, tmp_path, model_directory(tmp_path / "model"))
    call_id = await _call(database)
    running = asyncio.ensure_future(transcripts.job(_open).run(work, call=str(call_id)))
    await asyncio.to_thread(begun.wait, 20)
    running.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(pieces) == 1


@pytest.mark.usefixtures("heard")
async def test_work_that_was_cut_off_goes_on_at_the_first_piece_that_is_missing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Dies(Echo):
        def hear(self, sound: NDArray[np.float32], languages: Sequence[str]) -> Hearing:
            asked.append("once")
            if len(asked) == 2:
                raise SystemError
            return super().hear(sound, languages)

    dies = Dies()
    monkeypatch.setattr(models, "load", lambda card: dies)
    work = _work(database, tmp_path, model_directory(tmp_path / "model"))
    call_id = await _call(database)
    with pytest.raises(SystemError):
        await transcripts.job(_open).run(work, call=str(call_id))
    await transcripts.job(_open).run(replace(work, attempt=2), call=str(call_id))
    found = await _found(database, call_id)
    assert (found.state, len(asked)) == (TranscriptState.DONE, 3)
    async with database.transaction() as conn:
        assert [u.leg for u in await rows.utterances(conn, found.id)] == ["caller", "operator"]
        assert await rows.pieces(conn, found.id) == []


@pytest.mark.usefixtures("heard")
async def test_pieces_that_another_model_heard_are_heard_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = _work(database, tmp_path, model_directory(tmp_path / "model"))
    call_id = await _call(database)
    await transcripts.job(_open).run(work, call=str(call_id))
    found = await _found(database, call_id)
    stale = rows.PieceRow("caller", 1000, 2000, "sv", "sv", [])
    async with database.transaction() as conn:
        await rows.set_state(
            conn, found.id, TranscriptState.QUEUED, at=CLOCK.utc_now(), model_sha256="00" * 32
        )
        await rows.keep_piece(conn, found.id, stale, at=CLOCK.utc_now())
    await transcripts.job(_open).run(work, call=str(call_id))
    async with database.transaction() as conn:
        assert [u.leg for u in await rows.utterances(conn, found.id)] == ["caller", "operator"]


async def test_in_each_of_the_ways_to_be_broken_calls_wait_and_nothing_is_lost(
    database: Database, tmp_path: Path
) -> None:
    call_id = await _call(database)
    told = set()
    for n, (breaking, said) in enumerate(BROKEN.values()):
        directory = model_directory(tmp_path / str(n))
        breaking(directory)
        work = _work(database, tmp_path, directory)
        await transcripts.job(_open).run(work, call=str(call_id))
        found = await _found(database, call_id)
        assert found.state == TranscriptState.WAITING_MODEL
        assert said in told_of(found)
        told.add(said)
    assert len(told) >= 10
