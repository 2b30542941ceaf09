"""Precedence and loss: what somebody waits for goes first, and what nobody works on any more is said to have failed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from callsvc import transcripts
from callsvc.ids import new_id
from callsvc.store import Database
from callsvc.store import transcripts as rows
from callsvc.transcripts import models
from callsvc.types import TranscriptState
from models.recogniser.words import Hearing
from tests.callsvc.transcripts.test_job import CLOCK, Echo, _call, _found, _open, _work, heard
from tests.support.model_files import model_directory

__all__ = ["heard"]

pytestmark = pytest.mark.transcripts


@pytest.mark.usefixtures("heard")
async def test_what_somebody_waits_for_overtakes_the_nights_work_at_the_next_piece(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callsvc.transcripts.both_legs.PROGRESS_EVERY_S", 0.01)
    begun, go_on, asked = threading.Event(), threading.Event(), []

    class Slow(Echo):
        def hear(self, sound: NDArray[np.float32], languages: Sequence[str]) -> Hearing:
            asked.append(len(sound))
            begun.set()
            go_on.wait(20)
            return super().hear(sound, languages)

    monkeypatch.setattr(models, "load", lambda card: Slow())
    nightly, urgent = await _call(database), new_id()
    async with database.transaction() as conn:
        cursor = await conn.execute("update procrastinate_jobs set status = 'doing' returning id")
        row = await cursor.fetchone()
    assert row is not None
    work = replace(_work(database, tmp_path, model_directory(tmp_path / "model")), job_id=row["id"])
    running = asyncio.ensure_future(transcripts.job(_open).run(work, call=str(nightly)))
    await asyncio.to_thread(begun.wait, 20)
    async with database.transaction() as conn:
        await transcripts.ask(conn, urgent, priority=transcripts.ASKED_FOR)
    await asyncio.sleep(0.2)
    go_on.set()
    await running
    assert (await _found(database, nightly)).state == TranscriptState.QUEUED
    assert len(asked) == 1
    async with database.transaction() as conn:
        cursor = await conn.execute(
            "select args->>'call' as call from procrastinate_jobs where status = 'todo' order by priority desc, id"
        )
        assert [row["call"] for row in await cursor.fetchall()] == [str(urgent), str(nightly)]


async def test_asking_for_a_call_that_waits_moves_it_forward(database: Database) -> None:
    first, second = await _call(database), await _call(database)
    async with database.transaction() as conn:
        await transcripts.ask(conn, second, priority=transcripts.ASKED_FOR)
        cursor = await conn.execute(
            "select args->>'call' as call, priority from procrastinate_jobs order by id"
        )
        assert [(row["call"], row["priority"]) for row in await cursor.fetchall()] == [
            (str(first), 0),
            (str(second), transcripts.ASKED_FOR),
        ]


async def test_a_transcript_that_no_job_works_on_any_more_is_said_to_have_failed(database: Database) -> None:
    lost, waits, parked = await _call(database), await _call(database), await _call(database)
    async with database.transaction() as conn:
        for call_id, state in (
            (lost, TranscriptState.RUNNING),
            (waits, TranscriptState.RUNNING),
            (parked, TranscriptState.WAITING_MODEL),
        ):
            transcript = new_id()
            await rows.create(conn, transcript, call_id, language="sv", at=CLOCK.utc_now())
            await rows.set_state(conn, transcript, state, at=CLOCK.utc_now())
        # As the sweeper leaves a job whose workers all died.
        await conn.execute(
            "update procrastinate_jobs set status = 'failed' where args->>'call' = any(%s)",
            [[str(lost), str(parked)]],
        )
    assert await transcripts.give_up_lost(database, CLOCK.utc_now()) == 1
    assert (await _found(database, lost)).state == TranscriptState.FAILED
    assert (await _found(database, waits)).state == TranscriptState.RUNNING
    assert (await _found(database, parked)).state == TranscriptState.WAITING_MODEL
