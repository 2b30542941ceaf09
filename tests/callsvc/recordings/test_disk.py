"""A disk that is full, slow or broken: the call goes on, the alarm is raised, and what is safe stays safe."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from audio.taps import GapCause
from callsvc.clock import SystemClock
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.reader import Recording, open_recording
from callsvc.recordings.recorder import Condition, Recorder
from callsvc.recordings.recovery import recover
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify
from tests.support.house import ROOT
from tests.support.recordings import TRACKS, Sink, lengths, play, sound, wait_for

pytestmark = [pytest.mark.evidence, pytest.mark.fault]


def on_a_small_disk(base: Path, then: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.small_disk", base, then],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def heard(recording: Recording, track_number: int, start: int, length: int) -> bool:
    track = TRACKS[track_number]
    return np.array_equal(recording.read(track.name, start, length), sound(track, start, length))


def test_when_space_returns_recording_goes_on_and_says_what_is_missing(tmp_path: Path) -> None:
    told = on_a_small_disk(tmp_path, "comes_back")
    assert told["said"] == ["degraded", "disk_full"]
    assert told["kinds"] == ["recording.started", "call.degraded", "recording.sealed"]
    directory, keys = tmp_path / "spool" / told["call"], FileKeyRing(tmp_path / "keys")
    assert verify(DirectorySource(directory), keys=keys).findings == []
    recording = open_recording(DirectorySource(directory), keys)
    for n, track in enumerate(TRACKS):
        info = recording.tracks[track.name]
        assert info.samples == 32 * track.rate_hz
        (gap,) = info.gaps
        assert gap.cause == GapCause.RECORDER
        assert gap.end == 30 * track.rate_hz
        # The rings hold the last seconds before they overflow.
        assert gap.start >= 20 * track.rate_hz
        assert heard(recording, n, 0, gap.start)
        assert heard(recording, n, gap.end, info.samples - gap.end)


def test_on_a_disk_that_stays_full_what_was_safe_can_be_sealed_later(tmp_path: Path) -> None:
    told = on_a_small_disk(tmp_path, "stays_full")
    assert told["kinds"] == ["recording.started", "call.degraded"]
    keys, sink = FileKeyRing(tmp_path / "keys"), Sink()
    (manifest,) = recover(tmp_path / "spool", keys, SystemClock(), sink)
    directory = tmp_path / "spool" / told["call"]
    assert manifest.outcome == "ended_by_failure"
    assert verify(DirectorySource(directory), keys=keys).findings == []
    recording = open_recording(DirectorySource(directory), keys)
    safe = told["safe_ms"] * TRACKS[0].rate_hz // 1000
    assert safe >= 8000
    assert heard(recording, 0, 0, safe)


class Disk:
    """A disk that can be told to stall or to fail."""

    def __init__(self) -> None:
        self.flows = threading.Event()
        self.flows.set()
        self.error = 0

    def sync(self, fd: int) -> None:
        self.flows.wait(30)
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        os.fdatasync(fd)


def test_a_disk_that_stalls_does_not_stall_the_taps(tmp_path: Path) -> None:
    disk, sink, keys = Disk(), Sink(), FileKeyRing(tmp_path / "keys")
    recorder = Recorder(tmp_path / "spool", keys, node="node-1", sink=sink, sync=disk.sync)
    recorder.start()
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS, frames=range(25))
    wait_for(lambda: recorder.state(name).safe_ms == 500)
    disk.flows.clear()
    play(call, TRACKS, frames=range(25, 1500))  # returns although nothing can be written
    dropped = recorder.state(name).dropped_ms
    assert dropped > 0
    wait_for(lambda: recorder.alarm == "disk_slow")
    assert (recorder.state(name).condition, recorder.state(name).why) == (Condition.DEGRADED, "disk_slow")
    # Others tell of it while this one's thread waits; and a call that begins now has a thread that does not.
    wait_for(lambda: "call.degraded" in sink.kinds())
    other = recorder.open(str(uuid4()), "report", TRACKS)
    wait_for(lambda: other.writing.ready)
    other.close({}, "hangup")
    disk.flows.set()
    wait_for(lambda: recorder.state(name).safe_ms >= 20_000)
    call.close(lengths(TRACKS, 1500), "hangup")
    wait_for(lambda: recorder.state(name).condition == Condition.SEALED)
    recorder.stop()
    recording = open_recording(DirectorySource(tmp_path / "spool" / name), keys)
    (gap,) = recording.tracks["caller.rx"].gaps
    assert (gap.cause, gap.end) == (GapCause.RECORDER, 1500 * 160)
    assert gap.length == dropped * 8
    assert heard(recording, 0, 0, gap.start)


def test_a_failed_sync_is_written_again_and_nothing_is_there_twice(tmp_path: Path) -> None:
    disk, sink, keys = Disk(), Sink(), FileKeyRing(tmp_path / "keys")
    recorder = Recorder(tmp_path / "spool", keys, node="node-1", sink=sink, sync=disk.sync)
    recorder.start()
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS, frames=range(50))
    wait_for(lambda: recorder.state(name).safe_ms == 1000)
    disk.error = errno.EIO
    play(call, TRACKS, frames=range(50, 100))
    wait_for(lambda: recorder.alarm == "disk_error")
    disk.error = 0
    wait_for(lambda: recorder.alarm == "")
    call.close(lengths(TRACKS, 100), "hangup")
    wait_for(lambda: recorder.state(name).condition == Condition.SEALED)
    recorder.stop()
    source = DirectorySource(tmp_path / "spool" / name)
    assert verify(source, keys=keys).findings == []
    assert heard(open_recording(source, keys), 1, 0, 32_000)
    assert sink.kinds() == ["recording.started", "call.degraded", "recording.sealed"]


def test_little_room_on_the_disk_is_an_alarm_before_it_is_full(tmp_path: Path) -> None:
    recorder = Recorder(
        tmp_path / "spool", FileKeyRing(tmp_path / "keys"), node="node-1", sink=Sink(), min_free_mb=1 << 40
    )
    recorder.start()
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS, frames=range(50))
    wait_for(lambda: recorder.state(name).safe_ms == 1000)
    assert recorder.alarm == "disk_low"
    assert recorder.state(name).condition == Condition.DEGRADED
    recorder.stop()


def test_a_spool_that_cannot_be_written_at_the_start_is_tried_until_it_can(tmp_path: Path) -> None:
    spool, sink = tmp_path / "spool", Sink()
    keys = FileKeyRing(tmp_path / "keys")
    recorder = Recorder(spool, keys, node="node-1", sink=sink)
    recorder.start()
    name = str(uuid4())
    (spool / name).write_text("in the way")
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS, frames=range(100))
    wait_for(lambda: recorder.alarm == "disk_error")
    (spool / name).unlink()
    wait_for(lambda: recorder.state(name).safe_ms == 2000)
    call.close(lengths(TRACKS, 100), "hangup")
    wait_for(lambda: recorder.state(name).condition == Condition.SEALED)
    recorder.stop()
    recording = open_recording(DirectorySource(spool / name), keys)
    assert recording.tracks["caller.rx"].gaps == ()
    assert heard(recording, 0, 0, 16_000)


def test_two_nodes_cannot_share_a_spool(tmp_path: Path) -> None:
    from callsvc.errors import DataDirBusy

    keys = FileKeyRing(tmp_path / "keys")
    first = Recorder(tmp_path / "spool", keys, node="node-1", sink=Sink())
    first.start()
    with pytest.raises(DataDirBusy):
        Recorder(tmp_path / "spool", keys, node="node-2", sink=Sink()).start()
    first.stop()
