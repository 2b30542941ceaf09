"""Calls, recordings, proofs and transcripts in a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from callsvc.errors import NotFound
from callsvc.ids import new_id
from callsvc.store import Database, calls, demonstrations, nodes, proofs, recordings, transcripts
from callsvc.types import CallState, Leg, Profile, TranscriptState

pytestmark = pytest.mark.call

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_a_call_is_set_up_runs_and_ends(database: Database) -> None:
    call = new_id()
    async with database.transaction() as conn:
        await calls.create(conn, call, Profile.REPORT, at=T0)
        await calls.leg_joined(conn, call, Leg.CALLER, transport="rtp", codec="PCMA", at=T0)
        await calls.start(conn, call, profile=Profile.REPORT, node="node-1", at=T0)
        assert (await calls.get(conn, call)).state == CallState.LIVE
        await calls.leg_left(conn, call, Leg.CALLER, cause="hangup", at=T0)
        await calls.end(conn, call, cause="hangup", length_ms=61_000, at=T0 + timedelta(seconds=61))
    async with database.transaction() as conn:
        found = await calls.get(conn, call)
        (leg,) = await calls.legs(conn, call)
        assert await calls.listing(conn, [CallState.ENDED]) == [found]
        assert await calls.listing(conn, [CallState.LIVE, CallState.SETTING_UP]) == []
    assert (found.state, found.length_ms, found.node) == (CallState.ENDED, 61_000, "node-1")
    assert (leg.leg, leg.codec, leg.cause) == (Leg.CALLER, "PCMA", "hangup")


async def test_a_call_that_was_never_announced_keeps_the_least_until_its_profile_is_known(
    database: Database,
) -> None:
    call = new_id()
    async with database.transaction() as conn:
        await calls.leg_joined(conn, call, Leg.OPERATOR, transport="webrtc", codec="opus", at=T0)
        assert (await calls.get(conn, call)).profile == Profile.ANONYMOUS
        await calls.start(conn, call, profile=Profile.EMERGENCY, node="node-2", at=T0)
        assert (await calls.get(conn, call)).profile == Profile.EMERGENCY


async def test_a_late_start_does_not_bring_an_ended_call_back_to_life(database: Database) -> None:
    call = new_id()
    async with database.transaction() as conn:
        await calls.end(conn, call, cause="vanished", length_ms=5, at=T0)
        await calls.start(conn, call, profile=Profile.REPORT, node="node-1", at=T0)
        assert (await calls.get(conn, call)).state == CallState.ENDED


async def test_what_was_degraded_is_noted_once_each(database: Database) -> None:
    call = new_id()
    async with database.transaction() as conn:
        for what in ("suppressor", "disk", "suppressor"):
            await calls.degrade(conn, call, what, at=T0)
        assert (await calls.get(conn, call)).degraded == "suppressor, disk"


async def test_what_does_not_exist_is_not_found(database: Database) -> None:
    async with database.transaction() as conn:
        with pytest.raises(NotFound):
            await calls.get(conn, new_id())
        with pytest.raises(NotFound):
            await transcripts.get(conn, new_id())
        assert await recordings.of_call(conn, new_id()) is None
        assert await proofs.get(conn, new_id()) is None


async def test_a_recording_told_of_twice_is_one_and_an_archived_one_stays_archived(
    database: Database,
) -> None:
    call, recording = new_id(), new_id()
    track = recordings.TrackRow("caller.rx", 8000, 80_000, [{"start": 160, "length": 160, "cause": "loss"}])
    async with database.transaction() as conn:
        for _ in range(2):
            await recordings.start(conn, recording, call, at=T0)
        for _ in range(2):
            await recordings.seal(
                conn, recording, call, outcome="complete", head="ab" * 32, tracks=[track], at=T0
            )
        await recordings.archive(conn, recording, location="objects/x", at=T0, manifest={"v": 1})
        await recordings.seal(conn, recording, call, outcome="complete", head="ab" * 32, tracks=[], at=T0)
        found = await recordings.of_call(conn, call)
        assert found is not None
        assert (found.state, found.location, found.manifest) == ("archived", "objects/x", {"v": 1})
        assert await recordings.tracks(conn, recording) == [track]


async def test_an_older_proof_does_not_take_the_place_of_a_newer(database: Database) -> None:
    call = new_id()

    def proof(strokes: int, at: datetime) -> proofs.ProofRow:
        return proofs.ProofRow(
            call, at, strokes, -30.5, None, 90.0, 0.5, 1000, 0, "gru-1", "00" * 32, 320, False
        )

    async with database.transaction() as conn:
        await proofs.put(conn, proof(7, T0 + timedelta(seconds=10)))
        await proofs.put(conn, proof(3, T0))
        found = await proofs.get(conn, call)
    assert found == proof(7, T0 + timedelta(seconds=10))


async def test_an_event_is_taken_once_even_if_it_is_sent_again(database: Database) -> None:
    async with database.transaction() as conn:
        assert await nodes.advance(conn, "node-1", 1, at=T0)
        assert await nodes.advance(conn, "node-1", 2, at=T0)
        assert not await nodes.advance(conn, "node-1", 2, at=T0)
        assert await nodes.advance(conn, "node-2", 1, at=T0)
        assert (await nodes.progress(conn, "node-1", at=T0)).seq == 2


async def test_an_event_whose_transaction_fails_is_not_taken(database: Database) -> None:
    async def fails() -> None:
        async with database.transaction() as conn:
            await nodes.advance(conn, "node-1", 1, at=T0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    async with database.transaction() as conn:
        assert await nodes.advance(conn, "node-1", 1, at=T0)


async def test_a_transcript_runs_and_is_done_and_a_second_run_leaves_one_set_of_words(
    database: Database,
) -> None:
    call, transcript = new_id(), new_id()
    words = [{"start_ms": 0, "end_ms": 400, "text": "hej", "probability": 0.9}]
    async with database.transaction() as conn:
        await calls.create(conn, call, Profile.REPORT, at=T0)
        await transcripts.create(conn, transcript, call, language="sv", at=T0)
        assert [t.id for t in await transcripts.in_state(conn, TranscriptState.QUEUED)] == [transcript]
        for _ in range(2):
            await transcripts.replace_utterances(
                conn, transcript, [transcripts.Utterance(0, "operator", 0, 400, "hej", words)]
            )
        await transcripts.set_state(
            conn, transcript, TranscriptState.DONE, at=T0, progress=1.0, model="small", model_sha256="ff"
        )
        found = await transcripts.of_call(conn, call)
        assert found is not None
        assert (found.state, found.progress, found.finished_at) == ("done", 1.0, T0)
        assert [u.words for u in await transcripts.utterances(conn, transcript)] == [words]


async def test_a_demonstration_keeps_what_it_has_told(database: Database) -> None:
    demonstration, call = new_id(), new_id()
    async with database.transaction() as conn:
        await demonstrations.create(conn, demonstration, created_by=None, at=T0)
        await demonstrations.update(
            conn, demonstration, "running", at=T0, call_id=call, step="call", progress=0.5
        )
        await demonstrations.update(conn, demonstration, "done", at=T0, report={"strokes": 12})
        found = await demonstrations.get(conn, demonstration)
    assert (found.state, found.call_id, found.step, found.report) == ("done", call, "call", {"strokes": 12})
    assert found.finished_at == T0
