"""A sealed recording moves to the object store, verified, and the spool is freed last, whatever dies on the way."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from uuid import UUID

import pytest

from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.errors import ConfigurationError, Unavailable
from callsvc.jobs import Work
from callsvc.recordings import archive, place
from callsvc.recordings.jobs import archive_recording
from callsvc.recordings.layout import SEALED_FILES, SEGMENTS
from callsvc.recordings.manifest import load_manifest
from callsvc.recordings.objects import Objects, StoredSource, objects
from callsvc.recordings.reader import open_recording
from callsvc.recordings.recovery import recover
from callsvc.recordings.verify import verify
from callsvc.store import Database, recordings
from tests.support.recordings import Made, Sink, make_recording, sound

pytestmark = pytest.mark.evidence


def settings_for(base: Path, url: str = "") -> Settings:
    return load(data_dir=base, store={"url": url})


def recording_of(made: Made) -> str:
    return load_manifest((made.directory / "manifest.json").read_bytes()).recording


async def booked(database: Database, made: Made) -> UUID:
    """What the node's events leave in the database."""
    recording, at = UUID(recording_of(made)), SystemClock().utc_now()
    async with database.transaction() as conn:
        await recordings.seal(
            conn, recording, UUID(made.call), outcome="complete", head="00" * 32, tracks=[], at=at
        )
    return recording


def work(base: Path, database: Database, url: str = "") -> Work:
    return Work(settings_for(base, url), database, SystemClock(), job_id=1, attempt=1)


async def test_an_archived_recording_is_whole_in_the_store_and_gone_from_the_spool(
    tmp_path: Path, database: Database
) -> None:
    made = make_recording(tmp_path, seconds=3, lost=[5])
    recording = await booked(database, made)
    await archive_recording(work(tmp_path, database), str(recording))
    assert not made.directory.exists()
    async with database.transaction() as conn:
        row = await recordings.get(conn, recording)
    assert (row.state, row.location) == ("archived", f"recordings/{recording}")
    assert row.manifest is not None
    assert row.manifest["call"] == made.call
    source = place.find(
        settings_for(tmp_path), call=made.call, recording=str(recording), location=row.location
    )
    assert source.names() == sorted(SEALED_FILES)
    assert verify(source, keys=made.keys, call=made.call).findings == []
    opened = open_recording(source, made.keys)
    expected = sound(opened.head.tracks[0], 8000, 8000)
    assert (opened.read("caller.rx", 8000, 8000) == expected).all()


async def test_doing_it_again_changes_nothing(tmp_path: Path, database: Database) -> None:
    made = make_recording(tmp_path, seconds=1)
    recording = await booked(database, made)
    await archive_recording(work(tmp_path, database), str(recording))
    stored = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "objects").rglob("*"))
    await archive_recording(work(tmp_path, database), str(recording))
    assert sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "objects").rglob("*")) == stored


class Killed(Exception):
    """The worker died here."""


@pytest.mark.parametrize("at", range(7))
async def test_a_worker_killed_at_any_step_leaves_a_job_that_can_be_done_again(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    made = make_recording(tmp_path, seconds=1)
    recording = await booked(database, made)
    put, steps = Objects.put, iter(range(100))

    def dying(self: Objects, name: str, file: Path) -> None:
        if next(steps) == at:
            (self._root / name).parent.mkdir(parents=True, exist_ok=True)  # type: ignore[operator]
            (self._root / name).write_bytes(file.read_bytes()[:10])  # type: ignore[operator]
            raise Killed
        put(self, name, file)

    def dying_in_free(directory: Path) -> None:
        os.replace(directory, directory.with_name(archive.FREED + directory.name))
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Objects, "put", dying)
        if at == 6:
            patch.setattr(archive, "free", dying_in_free)
        with pytest.raises(Killed):
            await archive_recording(work(tmp_path, database), str(recording))
    # A node that starts now finds no orphan.
    assert recover(tmp_path / "spool", made.keys, SystemClock(), Sink()) == []
    await archive_recording(work(tmp_path, database), str(recording))
    assert [path.name for path in (tmp_path / "spool").iterdir()] == [".lock"]
    source = StoredSource(objects(settings_for(tmp_path)), f"recordings/{recording}")
    assert verify(source, keys=made.keys).findings == []


async def test_a_freed_spool_whose_books_are_behind_is_found_in_the_store(
    tmp_path: Path, database: Database
) -> None:
    made = make_recording(tmp_path, seconds=1)
    recording = await booked(database, made)
    archive.archive(made.directory, objects(settings_for(tmp_path)), made.keys)
    archive.free(made.directory)
    await archive_recording(work(tmp_path, database), str(recording))
    async with database.transaction() as conn:
        assert (await recordings.get(conn, recording)).state == "archived"


async def test_while_the_store_is_away_nothing_is_lost(tmp_path: Path, database: Database) -> None:
    made = make_recording(tmp_path, seconds=1)
    recording = await booked(database, made)
    (tmp_path / "elsewhere").write_text("not a directory")
    url = (tmp_path / "elsewhere").as_uri()
    with pytest.raises((Unavailable, ConfigurationError)):
        await archive_recording(work(tmp_path, database, url), str(recording))
    assert verify(place.find(settings_for(tmp_path), call=made.call, recording=str(recording))).ok
    (tmp_path / "elsewhere").unlink()
    await archive_recording(work(tmp_path, database, url), str(recording))
    assert not made.directory.exists()
    assert (tmp_path / "elsewhere" / "recordings" / str(recording) / SEGMENTS).exists()


async def test_a_copy_that_is_not_what_was_copied_frees_nothing_and_is_made_anew(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_recording(tmp_path, seconds=1)
    recording = await booked(database, made)
    put = Objects.put

    def bad(self: Objects, name: str, file: Path) -> None:
        put(self, name, file)
        if name.endswith(SEGMENTS):
            with (self._root / name).open("r+b") as stored:  # type: ignore[operator]
                stored.seek(200)
                was = stored.read(1)[0]
                stored.seek(200)
                stored.write(bytes([was ^ 1]))  # whatever was there is no longer

    with monkeypatch.context() as patch:
        patch.setattr(Objects, "put", bad)
        with pytest.raises(Unavailable):
            await archive_recording(work(tmp_path, database), str(recording))
    assert made.directory.exists()
    await archive_recording(work(tmp_path, database), str(recording))
    assert not made.directory.exists()
    async with database.transaction() as conn:
        assert (await recordings.get(conn, recording)).state == "archived"


async def test_a_recording_that_is_not_as_sealed_is_not_archived_and_is_called_failed(
    tmp_path: Path, database: Database
) -> None:
    made = make_recording(tmp_path, seconds=1)
    recording = await booked(database, made)
    segments = made.directory / SEGMENTS
    segments.write_bytes(segments.read_bytes()[:-1])
    await archive_recording(work(tmp_path, database), str(recording))
    async with database.transaction() as conn:
        assert (await recordings.get(conn, recording)).state == "failed"
    assert made.directory.exists()


def test_with_spool_and_database_lost_everything_is_found_from_store_and_keys(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=2)
    archive.archive(made.directory, objects(settings_for(tmp_path)), made.keys)
    shutil.rmtree(tmp_path / "spool")
    (source,) = place.of_call(settings_for(tmp_path), made.call)
    assert verify(source, keys=made.keys, call=made.call).findings == []
    assert open_recording(source, made.keys).tracks["caller.rx"].samples == 16_000


def test_a_store_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"file:// . s3://"):
        settings_for(tmp_path, "ftp://somewhere")
