"""A node that is killed at any moment loses less than a second of sound, and the next start says how much."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from audio.taps import GapCause
from callsvc.clock import FixedClock, SystemClock
from callsvc.recordings.errors import KeyMissing
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.layout import SEGMENTS
from callsvc.recordings.reader import open_recording
from callsvc.recordings.recorder import Recorder
from callsvc.recordings.recovery import recover, seal_orphan
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify
from tests.support.doomed_node import call_of, fed
from tests.support.house import ROOT
from tests.support.recordings import TRACKS, Sink, lengths, make_recording, play, sound, started, wait_for
from tests.support.tampering import records

pytestmark = [pytest.mark.evidence, pytest.mark.fault]

NODES = 30
ROUNDS = 7
LATE_US = 100_000
"""A machine that is later than this keeps no promise about a second; what was called safe it keeps all the same."""
SEED = 7


class Killing:
    """Starts nodes with a running call each, and kills each at its own moment; round after round from one process."""

    def __init__(self, nodes: int) -> None:
        self._nodes = nodes
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.support.doomed_node", str(nodes)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def round(self, base: Path, rng: random.Random) -> None:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(f"{base}\n")
        self._parent.stdin.flush()
        children = [int(word) for word in self._parent.stdout.readline().split()]
        assert len(children) == self._nodes
        begun = time.monotonic()
        for moment, child in sorted((rng.uniform(0.02, 1.8), child) for child in children):
            time.sleep(max(0.0, begun + moment - time.monotonic()))
            os.kill(child, signal.SIGKILL)
        assert self._parent.stdout.readline() == "dead\n"

    def __enter__(self) -> Killing:
        return self

    def __exit__(self, *_exc: object) -> None:
        # No more rounds; the children of the last are dead.
        self._parent.communicate(timeout=60)
        assert self._parent.returncode == 0


def check_what_is_left(base: Path, n: int) -> str:
    """Recover one node's spool and check it against what its call had been."""
    told = fed(base)
    frames, slow = told.frames, max(told.late_us, told.disk_us) > LATE_US
    keys, sink = FileKeyRing(base / "keys"), Sink()
    sealed = recover(base / "spool", keys, SystemClock(), sink) if (base / "spool").exists() else []
    if not sealed:
        assert told.safe_ms == 0, f"node {n}: what was safe is gone"
        assert slow or frames * 20 < 1000, f"node {n}: {frames} frames and no recording"
        return "slow" if slow else "nothing"
    source = DirectorySource(base / "spool" / call_of(n))
    assert verify(source, keys=keys).findings == [], f"node {n}"
    assert sealed[0].outcome == "ended_by_failure"
    assert sink.kinds() == ["recording.sealed"]
    recording = open_recording(source, keys)
    missing, kept = 0.0, 0.0
    for track in TRACKS:
        info = recording.tracks[track.name]
        size = track.rate_hz // 50
        if info.samples == 0:
            # Killed while the spool was being opened: the taps were not told yet where to note how far they are.
            assert slow or frames * 20 < 1000, f"node {n}: {frames} frames and none kept"
            missing = max(missing, frames / 50)
            continue
        # The frame under way when the node died may or may not be in.
        assert frames * size <= info.samples <= (frames + 1) * size, f"node {n}"
        expected = sound(track, 0, info.samples)
        for gap in info.gaps:
            expected[gap.start : gap.end] = 0
        assert np.array_equal(recording.read(track.name, 0, info.samples), expected), f"node {n}"
        failed = [gap for gap in info.gaps if gap.cause == GapCause.FAILURE]
        assert len(failed) <= 1
        missing = max([missing, *(gap.length / track.rate_hz for gap in failed)])
        kept = max(kept, (failed[0].start if failed else info.samples) / track.rate_hz)
    assert kept * 1000 >= told.safe_ms, f"node {n}: {told.safe_ms} ms were safe, {kept:.2f} s are kept"
    assert slow or missing <= 1.0, f"node {n}: {missing:.2f} s missing"
    return "slow" if slow else "sealed"


@pytest.mark.timeout(300)
def test_killed_two_hundred_times_a_node_never_loses_a_second(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    came = []
    with Killing(NODES) as killing:
        for number in range(ROUNDS):
            base = tmp_path / str(number)
            killing.round(base, rng)
            came += [check_what_is_left(base / str(n), n) for n in range(NODES)]
    assert len(came) == NODES * ROUNDS
    # On a machine that keeps pace most have a recording, each with less than a second missing.
    assert came.count("sealed") + came.count("slow") > len(came) / 2


def test_a_second_recovery_changes_nothing(tmp_path: Path) -> None:
    with Killing(1) as killing:
        killing.round(tmp_path / "nodes", random.Random(SEED + 1))
    base = tmp_path / "nodes" / "0"
    check_what_is_left(base, 0)
    before = {path: path.read_bytes() for path in (base / "spool").rglob("*") if path.is_file()}
    assert recover(base / "spool", FileKeyRing(base / "keys"), FixedClock(), Sink()) == []
    assert {path: path.read_bytes() for path in (base / "spool").rglob("*") if path.is_file()} == before


@pytest.fixture(scope="module")
def abandoned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of 6 s whose node is gone: no seal, no end; to be copied."""
    base = tmp_path_factory.mktemp("abandoned")
    recorder, _, _ = started(base)
    call = recorder.open(call_of(1), "report", TRACKS)
    for first in range(0, 300, 50):
        play(call, TRACKS, frames=range(first, first + 50))
        wait_for(lambda first=first: call.writing.safe_ms >= (first + 50) * 20)  # type: ignore[misc]
    recorder.stop()
    return base


@pytest.fixture
def orphan(abandoned: Path, tmp_path: Path) -> tuple[Path, FileKeyRing]:
    shutil.copytree(abandoned, tmp_path, dirs_exist_ok=True)
    return tmp_path / "spool" / call_of(1), FileKeyRing(tmp_path / "keys")


def test_power_lost_at_any_byte_leaves_all_whole_records_readable(
    orphan: tuple[Path, FileKeyRing], tmp_path: Path
) -> None:
    directory, keys = orphan
    segments = (directory / SEGMENTS).read_bytes()
    ends = np.cumsum([len(record) for record in records(segments)])
    rng = random.Random(SEED)
    for n, cut in enumerate(sorted(rng.sample(range(len(segments)), 30))):
        copy = tmp_path / f"copy{n}"
        shutil.copytree(directory, copy)
        # What had not been synced is gone, or is zeros where the file had grown already; so is `reached`.
        tail = b"" if n % 2 else bytes(min(4096, len(segments) - cut))
        (copy / SEGMENTS).write_bytes(segments[:cut] + tail)
        (copy / "reached").unlink()
        manifest = seal_orphan(copy, keys, SystemClock())
        source = DirectorySource(copy)
        assert verify(source, keys=keys).findings == []
        kept = int(np.searchsorted(ends, cut, side="right"))
        assert manifest.records >= kept
        assert (copy / SEGMENTS).read_bytes().startswith(segments[: int(ends[kept - 1]) if kept else 0])


def test_a_crash_between_the_last_record_and_the_seal_is_a_complete_recording(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=2)
    for name in ("manifest.json", "manifest.sig", "index"):
        (made.directory / name).unlink()
    sink = Sink()
    (manifest,) = recover(tmp_path / "spool", made.keys, SystemClock(), sink)
    assert (manifest.outcome, manifest.cause) == ("complete", "hangup")
    assert verify(DirectorySource(made.directory), keys=made.keys).findings == []


def test_sealed_recordings_are_told_of_again_at_the_next_start(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=1)
    sink = Sink()
    assert recover(tmp_path / "spool", made.keys, SystemClock(), sink) == []
    assert [event.fields for event in sink.events] == [made.sink.events[-1].fields]


def test_an_orphan_whose_key_is_missing_is_left_as_it_is(
    orphan: tuple[Path, FileKeyRing], tmp_path: Path
) -> None:
    directory, _ = orphan
    before = (directory / SEGMENTS).read_bytes()
    strangers = FileKeyRing(tmp_path / "others")
    assert recover(tmp_path / "spool", strangers, SystemClock(), Sink()) == []
    with pytest.raises(KeyMissing):
        seal_orphan(directory, strangers, SystemClock())
    assert (directory / SEGMENTS).read_bytes() == before


def test_a_call_that_was_open_when_the_node_stopped_is_sealed_by_the_next_start(tmp_path: Path) -> None:
    keys = FileKeyRing(tmp_path / "keys")
    first = Recorder(tmp_path / "spool", keys, node="node-1", sink=Sink())
    first.start()
    call = first.open(call_of(1), "report", TRACKS)
    play(call, TRACKS, frames=range(100))
    first.stop()
    call.close(lengths(TRACKS, 100), "hangup")  # too late: nobody writes any more
    second = Recorder(tmp_path / "spool", keys, node="node-1", sink=Sink())
    (manifest,) = second.start()
    second.stop()
    assert manifest.outcome == "ended_by_failure"
    assert [t.samples for t in manifest.tracks] == [16_000, 32_000]
    assert all(not t.gaps for t in manifest.tracks)
