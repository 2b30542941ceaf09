"""Keys are changed without touching sound, destroyed for good with a line in the trail, and drilled for their loss."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from callsvc.access import trail
from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.errors import Unavailable, UsageError
from callsvc.recordings import archive, place
from callsvc.recordings.errors import KeyDestroyed, KeyMissing, NoRecording
from callsvc.recordings.head import load_key
from callsvc.recordings.key_work import Destroyed, destroy, wrap_anew
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.keys_command import app, dispose
from callsvc.recordings.layout import KEY, SEGMENTS
from callsvc.recordings.objects import objects
from callsvc.recordings.reader import open_recording
from callsvc.recordings.recovery import recover
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify
from callsvc.store import Database, recordings
from tests.support.recordings import Made, Sink, booked, make_recording

pytestmark = pytest.mark.evidence


def archived(base: Path, settings: Settings) -> Made:
    made = make_recording(base, seconds=1)
    archive.archive(made.directory, objects(settings), made.keys)
    archive.free(made.directory)
    return made


def heard(settings: Settings, call: str) -> bool:
    """Whether a call's sound can be read with the keys that are there now."""
    keys = FileKeyRing(settings.data_dir / "keys")
    (source,) = place.of_call(settings, call)
    return (
        bool(open_recording(source, keys).read("caller.rx", 0, 8000).any()) and verify(source, keys=keys).ok
    )


def test_a_rotation_wraps_keys_in_spool_and_store_anew_and_leaves_every_other_byte(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path)
    stored, young = archived(tmp_path, settings), make_recording(tmp_path, seconds=1)
    sound = (young.directory / SEGMENTS).read_bytes()
    before = load_key((young.directory / KEY).read_bytes()).by
    done = CliRunner().invoke(app, ["rotate", "--data-dir", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "2 av 2" in done.output
    assert load_key((young.directory / KEY).read_bytes()).by != before
    assert (young.directory / SEGMENTS).read_bytes() == sound
    done = CliRunner().invoke(app, ["rewrap", "--data-dir", str(tmp_path)])
    assert "0 av 2" in done.output
    assert "1 äldre" in done.output
    assert before not in (tmp_path / "keys" / "installation.json").read_text()
    assert heard(settings, stored.call)
    assert heard(settings, young.call)


def test_an_earlier_key_that_still_wraps_something_is_kept(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path)
    made = make_recording(tmp_path, seconds=1)
    (made.directory / KEY).write_text("no key")
    FileKeyRing(tmp_path / "keys").rotate()
    done = CliRunner().invoke(app, ["rewrap", "--data-dir", str(tmp_path)])
    assert done.exit_code == 1
    assert str(made.directory) in done.output
    assert wrap_anew(settings, FileKeyRing(tmp_path / "keys")).failed == [str(made.directory)]
    assert len(FileKeyRing(tmp_path / "keys").forget({"x"})) == 1


def test_showing_makes_no_keys(tmp_path: Path) -> None:
    assert "inga nycklar" in CliRunner().invoke(app, ["show", "--data-dir", str(tmp_path)]).output
    assert not (tmp_path / "keys").exists()
    ring = FileKeyRing(tmp_path / "keys")
    shown = CliRunner().invoke(app, ["show", "--data-dir", str(tmp_path)]).output
    assert ring.signer in shown
    assert ring.wraps_with in shown


async def test_a_destroyed_key_ends_the_sound_keeps_the_seals_and_is_in_the_trail(
    tmp_path: Path, conninfo: str, database: Database
) -> None:
    settings = load(data_dir=tmp_path, database={"url": conninfo})
    made = make_recording(tmp_path, seconds=1)
    recording = await booked(database, made)
    archive.archive(made.directory, objects(settings), made.keys)  # it lies in both places for a moment
    assert await dispose(settings, UUID(made.call), "rule 7") == Destroyed([recording], [])
    for source in place.of_call(settings, made.call):
        report = verify(source, keys=made.keys)
        assert report.ok
        assert [note.code for note in report.notes] == ["key_destroyed"]
        with pytest.raises(KeyDestroyed):
            open_recording(source, made.keys)
    async with database.transaction() as conn:
        row = await recordings.get(conn, UUID(recording))
        assert (row.state, row.outcome) == ("failed", "destroyed")
        (line,) = await trail.events(conn)
        assert (line.action, line.reason, line.object_id) == ("recording.destroy", "rule 7", made.call)


def test_keys_have_a_place_of_their_own_where_one_is_named(tmp_path: Path) -> None:
    beside, elsewhere = load(data_dir=tmp_path), tmp_path / "elsewhere"
    settings = load(data_dir=tmp_path, store={"keys_url": elsewhere.as_uri()})
    earlier, made = archived(tmp_path, beside), archived(tmp_path, settings)
    assert len(list((tmp_path / "objects").rglob(KEY))) == 1
    (lies,) = elsewhere.rglob(KEY)
    assert heard(settings, made.call)
    assert heard(settings, earlier.call)  # archived before: its key lies beside it still
    made.keys.rotate()
    assert wrap_anew(settings, made.keys).anew == 2
    assert heard(settings, earlier.call)
    for one in (made, earlier):
        destroy(settings, one.call, SystemClock())
        (source,) = place.of_call(settings, one.call)
        with pytest.raises(KeyDestroyed):
            open_recording(source, one.keys)
        assert verify(source, keys=one.keys).ok
    for file in (lies, *(tmp_path / "objects").rglob(KEY)):
        with pytest.raises(KeyDestroyed):
            load_key(file.read_bytes())


async def test_without_the_database_nothing_is_destroyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callsvc.store.database.WAIT_S", 0.5)
    settings = load(data_dir=tmp_path, database={"url": "postgresql://127.0.0.1:1/none"})
    made = make_recording(tmp_path, seconds=1)
    with pytest.raises(Unavailable):
        await dispose(settings, UUID(made.call), "rule 7")
    assert heard(settings, made.call)


def test_only_what_is_sealed_can_be_destroyed(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path)
    made = make_recording(tmp_path, seconds=1)
    (made.directory / "manifest.json").unlink()
    with pytest.raises(UsageError, match="still being recorded"):
        destroy(settings, made.call, SystemClock())
    with pytest.raises(NoRecording):
        destroy(settings, "00000000-0000-4000-8000-000000000000", SystemClock())


def test_the_drill_for_lost_keys(tmp_path: Path) -> None:
    """What docs/howto/keys.md tells to do, step by step."""
    settings = load(data_dir=tmp_path)
    made = archived(tmp_path, settings)
    safe = shutil.copytree(tmp_path / "keys", tmp_path / "safe")
    shutil.rmtree(tmp_path / "keys")
    # Lost: the seals hold by the public key alone, and nobody hears anything.
    (source,) = place.of_call(settings, made.call)
    trusted = FileKeyRing(safe).trusted()
    assert verify(source, trusted=trusted).ok
    with pytest.raises(KeyMissing):
        open_recording(source, FileKeyRing(tmp_path / "others"))
    # A service that starts now makes new keys; what it records is heard, and the old is not.
    made_since = make_recording(tmp_path, seconds=1)
    assert heard(settings, made_since.call)
    with pytest.raises(KeyMissing):
        open_recording(source, FileKeyRing(tmp_path / "keys"))
    # The copy comes back beside the new keys: both are heard.
    done = CliRunner().invoke(app, ["restore", str(safe), "--data-dir", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert heard(settings, made.call)
    assert heard(settings, made_since.call)


def test_an_orphan_under_a_lost_key_waits_for_the_key(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=1)
    (made.directory / "manifest.json").unlink()
    shutil.move(tmp_path / "keys", tmp_path / "safe")
    assert recover(tmp_path / "spool", FileKeyRing(tmp_path / "keys"), SystemClock(), Sink()) == []
    (sealed,) = recover(tmp_path / "spool", FileKeyRing(tmp_path / "safe"), SystemClock(), Sink())
    assert sealed.call == made.call
    assert verify(DirectorySource(made.directory), keys=FileKeyRing(tmp_path / "safe")).ok
