"""A second spool takes what the first cannot; a store that is down for days costs room and nothing else."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.errors import ConfigurationError, DataDirBusy, Unavailable
from callsvc.jobs import Work
from callsvc.recordings import place
from callsvc.recordings.figures import FREE
from callsvc.recordings.jobs import JOBS, archive_recording
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.manifest import load_manifest
from callsvc.recordings.recorder import Condition, Recorder
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify
from callsvc.store import Database, recordings
from tests.support.recordings import TRACKS, Sink, lengths, make_recording, play, wait_for

pytestmark = pytest.mark.evidence


def recorder_with(base: Path, *, min_free_mb: int = 0) -> tuple[Recorder, FileKeyRing]:
    keys = FileKeyRing(base / "keys")
    second = base / "other" / "spool"
    return Recorder(
        base / "spool", keys, node="node-1", sink=Sink(), second_spool=second, min_free_mb=min_free_mb
    ), keys


def record(recorder: Recorder, *, close: bool = True) -> str:
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS, frames=range(100))
    wait_for(lambda: recorder.state(name).safe_ms == 2000)
    if close:
        call.close(lengths(TRACKS, 100), "hangup")
        wait_for(lambda: recorder.state(name).condition == Condition.SEALED)
    return name


def test_while_the_first_has_room_the_second_is_left_alone(tmp_path: Path) -> None:
    recorder, _ = recorder_with(tmp_path)
    recorder.start()
    name = record(recorder)
    recorder.stop()
    assert (tmp_path / "spool" / name / "manifest.json").exists()
    assert not (tmp_path / "other" / "spool" / name).exists()
    assert FREE.labels("1")._value.get() > 0


def test_a_recording_that_cannot_begin_in_the_first_begins_in_the_second(tmp_path: Path) -> None:
    recorder, keys = recorder_with(tmp_path)
    recorder.start()
    # The first disk is gone under the node: its directory is a file that nothing can be made in.
    for file in (tmp_path / "spool").iterdir():
        file.unlink()
    (tmp_path / "spool").rmdir()
    (tmp_path / "spool").write_text("no disk")
    name = record(recorder)
    wait_for(lambda: recorder.alarm == "disk_low")
    recorder.stop()
    directory = tmp_path / "other" / "spool" / name
    assert verify(DirectorySource(directory), keys=keys).findings == []
    settings = load(data_dir=tmp_path, media={"second_spool": tmp_path / "other" / "spool"})
    (source,) = place.of_call(settings, name)
    assert source.label == str(directory)


def test_a_node_starts_with_the_second_alone_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("no disk")
    recorder, _ = recorder_with(tmp_path)
    recorder.start()
    assert recorder.alarm == "disk_low"
    name = record(recorder)
    recorder.stop()
    assert (tmp_path / "other" / "spool" / name / "manifest.json").exists()


def test_orphans_of_both_are_sealed_and_both_are_locked(tmp_path: Path) -> None:
    recorder, keys = recorder_with(tmp_path, min_free_mb=1 << 40)
    recorder.start()
    with pytest.raises(DataDirBusy):
        Recorder(tmp_path / "other" / "spool", keys, node="node-2", sink=Sink()).start()
    name = record(recorder, close=False)
    recorder.stop()
    (tmp_path / "spool" / name).rename(tmp_path / "other" / "spool" / name)
    again, _ = recorder_with(tmp_path)
    (sealed,) = again.start()
    again.stop()
    assert (sealed.call, sealed.outcome) == (name, "ended_by_failure")


def settings_for(base: Path, url: str) -> Settings:
    return load(data_dir=base, store={"url": url}, media={"second_spool": base / "other" / "spool"})


async def test_a_store_that_is_down_for_days_costs_room_and_loses_nothing(
    tmp_path: Path, database: Database
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("no store")
    settings = settings_for(tmp_path, elsewhere.as_uri())
    made = [make_recording(tmp_path, seconds=1) for _ in range(3)]
    names = []
    for one in made:
        recording = load_manifest((one.directory / "manifest.json").read_bytes()).recording
        names.append(recording)
        async with database.transaction() as conn:
            await recordings.seal(
                conn, UUID(recording), UUID(one.call), outcome="complete", head="00" * 32, tracks=[],
                at=SystemClock().utc_now(),
            )  # fmt: skip
    (job,) = [job for job in JOBS if job.run is archive_recording]
    # A fortnight, ten minutes at a time, and the queue still means to try again.
    tries = 14 * 24 * 6
    assert job.attempts > 100 * tries
    assert job.put_off_s(tries) == 600
    for attempt in (1, tries):
        for name in names:
            with pytest.raises((Unavailable, ConfigurationError)):
                await archive_recording(Work(settings, database, SystemClock(), 1, attempt), name)
    assert all(verify(DirectorySource(one.directory), keys=one.keys).ok for one in made)
    elsewhere.unlink()
    for name in names:
        await archive_recording(Work(settings, database, SystemClock(), 1, tries), name)
    assert not any(one.directory.exists() for one in made)
    for one in made:
        (source,) = place.of_call(settings, one.call)
        assert verify(source, keys=one.keys).ok
