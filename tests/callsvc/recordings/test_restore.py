"""Spool and database are lost: the store and the keys write the books anew, and nothing that is not as sealed gets in."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

import pytest

from callsvc.access import trail
from callsvc.clock import FixedClock
from callsvc.config import Settings, load
from callsvc.errors import UsageError
from callsvc.jobs import Work
from callsvc.recordings import archive
from callsvc.recordings.jobs import ARCHIVE, archive_recording
from callsvc.recordings.joined import open_joined
from callsvc.recordings.key_source import key_ring
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.layout import SEGMENTS
from callsvc.recordings.manifest import Manifest, load_manifest
from callsvc.recordings.objects import objects
from callsvc.recordings.rebooking import Rebooked, rebook
from callsvc.recordings.restore_command import restore
from callsvc.store import Connection, Database, calls, overview, recordings
from callsvc.types import CallState, Profile
from tests.support.recordings import Made, make_recording

pytestmark = pytest.mark.evidence


@pytest.fixture
def settings(tmp_path: Path, conninfo: str) -> Settings:
    return load(data_dir=tmp_path, database={"url": conninfo})


def manifest_of(made: Made) -> Manifest:
    return load_manifest((made.directory / "manifest.json").read_bytes())


def archived(settings: Settings, *, lost: tuple[int, ...] = ()) -> tuple[Made, Manifest]:
    made = make_recording(settings.data_dir, seconds=2, lost=lost)
    manifest = manifest_of(made)
    archive.archive(made.directory, objects(settings), made.keys)
    archive.free(made.directory)
    return made, manifest


async def again(settings: Settings, database: Database) -> Rebooked:
    return await rebook(settings, database, key_ring(settings), FixedClock())


async def books(conn: Connection) -> list[object]:
    """Every row that a restore writes."""
    found: list[object] = []
    for table in ("calls", "recordings", "tracks"):
        cursor = await conn.execute(f"select * from {table} order by 1, 2")
        found += await cursor.fetchall()
    return found


async def test_the_drill_spool_and_database_lost(
    tmp_path: Path, settings: Settings, database: Database
) -> None:
    made, manifest = archived(settings, lost=(5,))
    other, _ = archived(settings)
    shutil.rmtree(tmp_path / "spool")
    assert await restore(settings) == Rebooked(written=2)
    async with database.transaction() as conn:
        (line,) = await trail.events(conn)
        assert (line.action, line.detail["written"]) == ("recordings.restore", 2)
        shown = {one.id: one for one in await overview.listing(conn, [CallState.ENDED])}
        assert set(shown) == {UUID(made.call), UUID(other.call)}
        row = shown[UUID(made.call)]
        assert (row.profile, row.length_ms, row.recording_state) == ("report", 2000, "archived")
        assert (row.recording_outcome, row.ended_at is not None) == ("complete", True)
        recording = await recordings.of_call(conn, UUID(made.call))
        assert recording is not None
        assert (recording.head, recording.manifest) == (manifest.chain, manifest.content())
        (caller, operator) = await recordings.tracks(conn, recording.id)
        assert (caller.samples, operator.samples) == (16_000, 32_000)
        assert caller.gaps == [{"start": 800, "length": 160, "cause": "loss"}]
        first = await books(conn)
    heard = open_joined(
        settings, made.keys, call=made.call, recording=str(recording.id), location=recording.location
    )
    assert heard.read("caller.rx", 8000, 8000).any()
    # Once more: nothing is written and nothing is changed.
    assert await again(settings, database) == Rebooked(known=2)
    async with database.transaction() as conn:
        assert await books(conn) == first


async def test_what_is_not_as_sealed_is_named_and_not_written(
    tmp_path: Path, settings: Settings, database: Database
) -> None:
    _, harmed = archived(settings)
    made, good = archived(settings)
    file = tmp_path / "objects" / "recordings" / harmed.recording / SEGMENTS
    content = bytearray(file.read_bytes())
    content[500] ^= 1
    file.write_bytes(content)
    # A copy under another name is another recording's place, however well it is sealed.
    stranger = tmp_path / "objects" / "recordings" / "00000000-0000-4000-8000-000000000000"
    shutil.copytree(tmp_path / "objects" / "recordings" / good.recording, stranger)
    done = await again(settings, database)
    assert done.written == 1
    assert {label.rpartition("/")[2] for label, _ in done.bad} == {harmed.recording, stranger.name}
    assert all(sentences for _, sentences in done.bad)
    async with database.transaction() as conn:
        assert [one.id for one in await calls.listing(conn, [CallState.ENDED])] == [UUID(made.call)]
        assert (await recordings.get(conn, UUID(good.recording))).location == f"recordings/{good.recording}"


async def test_strangers_keys_vouch_for_nothing(
    tmp_path: Path, settings: Settings, database: Database
) -> None:
    archived(settings)
    done = await rebook(settings, database, FileKeyRing(tmp_path / "others"), FixedClock())
    assert (done.written, len(done.bad)) == (0, 1)


async def test_what_the_books_know_better_stays(settings: Settings, database: Database) -> None:
    made, manifest = archived(settings)
    at = FixedClock().utc_now()
    async with database.transaction() as conn:
        await calls.start(conn, UUID(made.call), profile=Profile.INTERVIEW, node="node-9", at=at)
        await calls.end(conn, UUID(made.call), cause="transfer", length_ms=1990, at=at)
        known = await calls.get(conn, UUID(made.call))
    assert (await again(settings, database)).written == 1
    async with database.transaction() as conn:
        assert await calls.get(conn, UUID(made.call)) == known
        assert (await recordings.get(conn, UUID(manifest.recording))).state == "archived"


async def test_a_spool_that_is_left_is_booked_and_queued_for_the_archive(
    settings: Settings, database: Database
) -> None:
    made = make_recording(settings.data_dir, seconds=1)
    recording = UUID(manifest_of(made).recording)
    async with database.transaction() as conn:
        # The node that starts tells of the seal alone: a call on the line that keeps the least, not begun.
        await recordings.seal(
            conn,
            recording,
            UUID(made.call),
            outcome="complete",
            head="00",
            tracks=[],
            at=FixedClock().utc_now(),
        )
    assert (await again(settings, database)).written == 1
    async with database.transaction() as conn:
        call = await calls.get(conn, UUID(made.call))
        assert (call.profile, call.state) == ("report", "ended")
        assert (await recordings.get(conn, recording)).state == "sealed"
        cursor = await conn.execute("select args from procrastinate_jobs where task_name = %s", [ARCHIVE])
        assert [row["args"] for row in await cursor.fetchall()] == [{"recording": str(recording)}]


async def test_a_recording_that_lies_in_both_places_is_one_and_leaves_the_spool(
    settings: Settings, database: Database
) -> None:
    made = make_recording(settings.data_dir, seconds=1)
    recording = manifest_of(made).recording
    archive.archive(made.directory, objects(settings), made.keys)  # and here the archive died
    assert await again(settings, database) == Rebooked(written=1)
    async with database.transaction() as conn:
        assert (await recordings.get(conn, UUID(recording))).state == "archived"
    await archive_recording(Work(settings, database, FixedClock(), job_id=1, attempt=1), recording)
    assert not made.directory.exists()
    assert await again(settings, database) == Rebooked(known=1)


async def test_a_recording_whose_key_was_destroyed_stays_destroyed(
    tmp_path: Path, settings: Settings, database: Database
) -> None:
    _, manifest = archived(settings)
    key = tmp_path / "objects" / "recordings" / manifest.recording / "key.json"
    key.write_text('{"destroyed_at": "2026-01-01T00:00:00.000Z"}\n')
    assert (await again(settings, database)).written == 1
    async with database.transaction() as conn:
        row = await recordings.get(conn, UUID(manifest.recording))
    assert (row.state, row.outcome) == ("failed", "destroyed")
    assert (await again(settings, database)).known == 1


async def test_without_keys_nothing_is_restored(settings: Settings) -> None:
    with pytest.raises(UsageError, match="keys are not here"):
        await restore(settings)
