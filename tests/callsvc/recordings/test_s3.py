"""The archive on a real S3: whole, refused to strangers, down and up again, and locked against removal."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.errors import Unavailable
from callsvc.jobs import Work
from callsvc.recordings import archive, place
from callsvc.recordings.errors import KeyMissing
from callsvc.recordings.head import load_key
from callsvc.recordings.jobs import archive_recording
from callsvc.recordings.key_work import Destroyed, destroy, wrap_anew
from callsvc.recordings.layout import KEY, SEALED_FILES, SEGMENTS
from callsvc.recordings.manifest import load_manifest
from callsvc.recordings.objects import StoredSource, objects, prefix_of
from callsvc.recordings.reader import open_recording
from callsvc.recordings.verify import verify
from callsvc.store import Database
from tests.support.recordings import Made, booked, id_of, make_recording, sound
from tests.support.seaweed import ACCESS, REGION, SECRET, Seaweed

pytestmark = pytest.mark.evidence


@pytest.fixture(scope="module")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    peer = Seaweed(tmp_path_factory.mktemp("seaweed"))
    peer.start()
    yield peer
    peer.kill()


def settings_for(
    base: Path, seaweed: Seaweed, *, bucket: str = "calls", secret: str = SECRET, keys_url: str = ""
) -> Settings:
    return load(
        data_dir=base,
        store={
            "url": f"s3://{bucket}/archive", "endpoint": seaweed.endpoint, "region": REGION,
            "access_key": ACCESS, "secret_key": secret, "keys_url": keys_url,
        },
    )  # fmt: skip


@pytest.fixture
def bucket(seaweed: Seaweed) -> None:
    assert seaweed.ask("PUT", "/calls") in (200, 409)


@pytest.mark.usefixtures("bucket")
async def test_a_recording_is_archived_verified_and_read_back(
    tmp_path: Path, database: Database, seaweed: Seaweed
) -> None:
    made, settings = make_recording(tmp_path, seconds=3, lost=[5]), settings_for(tmp_path, seaweed)
    recording = await booked(database, made)
    await archive_recording(Work(settings, database, SystemClock(), 1, 1), recording)
    assert not made.directory.exists()
    source = StoredSource(objects(settings), prefix_of(recording))
    assert source.names() == sorted(SEALED_FILES)
    assert verify(source, keys=made.keys, call=made.call).findings == []
    opened = open_recording(source, made.keys)
    assert (opened.read("caller.rx", 8000, 8000) == sound(opened.head.tracks[0], 8000, 8000)).all()


@pytest.mark.usefixtures("bucket")
def test_with_spool_and_database_lost_everything_is_found_from_store_and_keys(
    tmp_path: Path, seaweed: Seaweed
) -> None:
    settings = settings_for(tmp_path, seaweed)
    made = [make_recording(tmp_path, seconds=1) for _ in range(3)]
    for one in made:
        archive.archive(one.directory, objects(settings), one.keys)
    shutil.rmtree(tmp_path / "spool")
    for one in made:
        (source,) = place.of_call(settings, one.call)
        assert verify(source, keys=one.keys, call=one.call).findings == []


@pytest.mark.usefixtures("bucket")
def test_whoever_has_another_secret_gets_nothing(tmp_path: Path, seaweed: Seaweed) -> None:
    made = make_recording(tmp_path, seconds=1)
    stranger = objects(settings_for(tmp_path, seaweed, secret="wrong"))
    with pytest.raises(Unavailable):
        archive.archive(made.directory, stranger, made.keys)
    archive.archive(made.directory, objects(settings_for(tmp_path, seaweed)), made.keys)
    with pytest.raises(Unavailable):
        StoredSource(stranger, prefix_of(id_of(made))).whole(SEGMENTS)


@pytest.mark.usefixtures("bucket")
async def test_a_store_that_is_killed_and_comes_back_gets_what_waited(
    tmp_path: Path, database: Database, seaweed: Seaweed
) -> None:
    made, settings = make_recording(tmp_path, seconds=1), settings_for(tmp_path, seaweed)
    recording = await booked(database, made)
    work = Work(settings, database, SystemClock(), 1, 1)
    seaweed.kill()
    with pytest.raises(Unavailable):
        await archive_recording(work, recording)
    assert made.directory.exists()
    seaweed.start()
    await archive_recording(work, recording)
    assert not made.directory.exists()
    assert verify(StoredSource(objects(settings), prefix_of(recording)), keys=made.keys).findings == []


@pytest.mark.usefixtures("bucket")
def test_keys_are_wrapped_anew_and_destroyed_in_the_store_too(tmp_path: Path, seaweed: Seaweed) -> None:
    made, settings = make_recording(tmp_path, seconds=1), settings_for(tmp_path, seaweed)
    archive.archive(made.directory, objects(settings), made.keys)
    archive.free(made.directory)
    made.keys.rotate()
    assert wrap_anew(settings, made.keys).anew == 1
    source = StoredSource(objects(settings), prefix_of(recording := id_in(settings, made)))
    assert open_recording(source, made.keys).tracks["caller.rx"].samples == 8000
    assert destroy(settings, made.call, SystemClock()) == Destroyed([recording], [])
    report = verify(StoredSource(objects(settings), prefix_of(recording)), keys=made.keys)
    assert [note.code for note in report.notes] == ["key_destroyed"]


def id_in(settings: Settings, made: Made) -> str:
    (source,) = place.of_call(settings, made.call)
    return load_manifest(source.whole("manifest.json")).recording


def versions(seaweed: Seaweed, path: str) -> list[str]:
    """Which versions of an object the locked bucket has."""
    status, said = seaweed.answer("GET", "/locked", query=f"prefix={path.replace('/', '%2F')}&versions=")
    assert status == 200
    return re.findall(r"<VersionId>([^<]+)</VersionId>", said.decode())


def version(seaweed: Seaweed, path: str, number: str) -> bytes:
    status, content = seaweed.answer("GET", f"/locked/{path}", query=f"versionId={number}")
    assert status == 200
    return content


@pytest.fixture(scope="module")
def locked(seaweed: Seaweed) -> None:
    seaweed.locked_bucket("locked", days=1)


@pytest.mark.usefixtures("locked")
def test_in_a_bucket_with_object_lock_what_was_archived_cannot_be_removed(
    tmp_path: Path, seaweed: Seaweed
) -> None:
    made, settings = make_recording(tmp_path, seconds=1), settings_for(tmp_path, seaweed, bucket="locked")
    prefix, _ = archive.archive(made.directory, objects(settings), made.keys)
    path = f"archive/{prefix}/{SEGMENTS}"
    (number,) = versions(seaweed, path)
    assert seaweed.ask("DELETE", f"/locked/{path}", query=f"versionId={number}") == 403
    assert verify(StoredSource(objects(settings), prefix), keys=made.keys).findings == []


@pytest.mark.usefixtures("locked", "bucket")
def test_a_key_that_lies_outside_the_lock_can_be_destroyed_though_the_sound_cannot(
    tmp_path: Path, seaweed: Seaweed
) -> None:
    settings = settings_for(tmp_path, seaweed, bucket="locked", keys_url="s3://calls/keys")
    made = make_recording(tmp_path, seconds=1)
    prefix, _ = archive.archive(made.directory, objects(settings), made.keys)
    archive.free(made.directory)
    source = StoredSource(objects(settings), prefix)
    assert source.names() == sorted(SEALED_FILES)
    assert verify(source, keys=made.keys).decrypted
    gone = destroy(settings, made.call, SystemClock())
    assert (len(gone.recordings), gone.versions) == (1, [])
    # No version of the key was ever under the lock, and the bucket without one has the note alone.
    assert versions(seaweed, f"archive/{prefix}/{KEY}") == []
    status, left = seaweed.answer("GET", f"/calls/keys/{prefix}/{KEY}")
    assert status == 200
    assert list(json.loads(left)) == ["destroyed_at"]
    report = verify(StoredSource(objects(settings), prefix), keys=made.keys)
    assert (report.ok, [note.code for note in report.notes]) == (True, ["key_destroyed"])


@pytest.mark.usefixtures("locked")
def test_a_key_that_is_under_the_lock_ends_with_the_installations_key(
    tmp_path: Path, seaweed: Seaweed
) -> None:
    settings = settings_for(tmp_path, seaweed, bucket="locked")
    made, other = make_recording(tmp_path, seconds=1), make_recording(tmp_path, seconds=1)
    for one in (made, other):
        prefix, _ = archive.archive(one.directory, objects(settings), one.keys)
        archive.free(one.directory)
    prefix = f"archive/{prefix_of(id_in(settings, made))}"
    (first,) = versions(seaweed, f"{prefix}/{KEY}")
    gone = destroy(settings, made.call, SystemClock())
    assert gone.versions == gone.recordings  # it says that more is to be done
    before = load_key(version(seaweed, f"{prefix}/{KEY}", first))
    assert len(made.keys.unwrap(before)) == 32  # for this opens it still
    made.keys.rotate()
    done = wrap_anew(settings, made.keys)
    made.keys.forget(set(done.by))
    with pytest.raises(KeyMissing):
        made.keys.unwrap(load_key(version(seaweed, f"{prefix}/{KEY}", first)))
    (source,) = place.of_call(settings, other.call)
    assert verify(source, keys=made.keys).decrypted
