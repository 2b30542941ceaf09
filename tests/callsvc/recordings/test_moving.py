"""A spool that fails in the middle of a call: the recording goes on in the other one, and the call stays one sound."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.events.entries import ENTRIES, Told
from callsvc.events.kinds import CallDegraded, body
from callsvc.recordings import archive, place
from callsvc.recordings.errors import NoRecording
from callsvc.recordings.export_command import hand_out
from callsvc.recordings.hand import RecordedCall
from callsvc.recordings.head import Head, load_head
from callsvc.recordings.joined import open_joined
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.layout import SEGMENTS
from callsvc.recordings.manifest import load_manifest
from callsvc.recordings.objects import objects
from callsvc.recordings.reader import Recording, open_recording
from callsvc.recordings.rebooking import rebook
from callsvc.recordings.recorder import Condition, Recorder
from callsvc.recordings.recovery import recover
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify
from callsvc.recordings.whole_call import check_call, check_directory
from callsvc.store import Database, calls, recordings
from tests.support.failing_spool import NOT_HERE, PATIENCE_S
from tests.support.house import ROOT
from tests.support.recordings import TRACKS, Sink, lengths, play, sound, wait_for

pytestmark = [pytest.mark.evidence, pytest.mark.fault]

FRAMES = 300
MOVED = ["recording.started", "call.degraded", "recording.started"]


def settings_for(base: Path) -> Settings:
    # No database: what is found must be found without.
    return load(
        data_dir=base,
        media={"second_spool": base / "second"},
        database={"url": "postgresql://127.0.0.1:1/none"},
    )


def head_in(directory: Path) -> Head:
    return load_head((directory / "head.json").read_bytes())


def joined(base: Path, continuation: Path) -> Recording:
    head = head_in(continuation)
    keys = FileKeyRing(base / "keys")
    return open_joined(settings_for(base), keys, call=str(head.call), recording=str(head.recording))


def whole(recording: Recording) -> bool:
    """Whether every sample of the call is there, and in its place, from whatever position it is read."""
    for track in TRACKS:
        samples = FRAMES * track.rate_hz // 50
        info, expected = recording.tracks[track.name], sound(track, 0, samples)
        assert (info.samples, info.gaps) == (samples, ())
        for start, n in ((0, samples), (samples // 3 - 100, 200), (samples - 50, 100), (-20, 60)):
            right = np.concatenate([np.zeros(max(0, -start), np.int16), expected[max(0, start) : start + n]])
            right = np.concatenate([right, np.zeros(n - len(right), np.int16)])
            assert np.array_equal(recording.read(track.name, start, n), right)
        assert (recording.peaks(track.name).high > 0).all()
    return True


def codes(base: Path, call: str) -> list[str]:
    reports = check_call(settings_for(base), call, FileKeyRing(base / "keys"))
    return [finding.code for report in reports for finding in report.findings]


def on_a_failing_disk(base: Path, how: str) -> dict[str, Any]:
    root = ["unshare", "-m"] if how == "read_only" else ["unshare", "-rm"]
    done = subprocess.run(
        [*root, sys.executable, "-m", "tests.support.failing_spool", base, how],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    if done.returncode == NOT_HERE or "unshare" in done.stderr:
        pytest.skip("this machine lets a test have no file system of its own")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("how", "said"), [("full", "disk_full"), ("read_only", "disk_error")])
def test_a_real_disk_that_fails_in_mid_call_leaves_a_whole_call(tmp_path: Path, how: str, said: str) -> None:
    told = on_a_failing_disk(tmp_path, how)
    assert (told["said"], told["where"]) == (said, "second")
    assert told["kinds"] == [*MOVED, "recording.sealed"]
    continuation, keys = tmp_path / "second" / told["call"], FileKeyRing(tmp_path / "keys")
    # By itself it is a sealed recording that says what it lacks, and where that is.
    source = DirectorySource(continuation)
    report = check_directory(settings_for(tmp_path), source, keys)
    assert (report.findings, [note.code for note in report.notes]) == ([], ["continues"])
    (gap,) = open_recording(source, keys).tracks["caller.rx"].gaps
    assert (gap.start, gap.length, gap.cause) == (0, 16_000, "recorder")
    assert codes(tmp_path, told["call"]) == ["earlier_missing"]
    # The disk is back, and a node starts on it.
    shutil.rmtree(tmp_path / "spool")
    shutil.copytree(tmp_path / "left", tmp_path / "spool")
    (sealed,) = recover(tmp_path / "spool", keys, SystemClock(), Sink())
    assert sealed.outcome == "ended_by_failure"
    assert codes(tmp_path, told["call"]) == []
    assert whole(joined(tmp_path, continuation))


class Node:
    """A recorder in this process, with a call."""

    def __init__(self, base: Path, *, second: bool = True) -> None:
        self.failing = ""
        self.sink, self.name, self.base = Sink(), str(uuid4()), base
        self.recorder = Recorder(
            base / "spool", FileKeyRing(base / "keys"), node="node-1", sink=self.sink, sync=self.sync,
            second_spool=base / "second" if second else None,
        )  # fmt: skip
        self.recorder.start()
        self.call: RecordedCall = self.recorder.open(self.name, "report", TRACKS)
        self.plays(range(100))

    def sync(self, fd: int) -> None:
        """A disk that gives errors for all that lies below `failing`."""
        if self.failing and os.readlink(f"/proc/self/fd/{fd}").startswith(self.failing):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fdatasync(fd)

    def plays(self, frames: range) -> None:
        play(self.call, TRACKS, frames=frames)
        self.until(lambda: self.recorder.state(self.name).safe_ms == frames.stop * 20)

    def until(self, true: Callable[[], bool]) -> None:
        """Wait, and let the recorder not wait for its next turn."""

        def now() -> bool:
            self.call.due = 0.0
            self.call.wake()
            return true()

        wait_for(now, PATIENCE_S)

    def ends(self, then: Callable[[], bool] = lambda: True) -> None:
        self.call.close(lengths(TRACKS, FRAMES), "hangup")
        self.until(lambda: self.recorder.state(self.name).condition == Condition.SEALED)
        self.until(then)
        self.recorder.stop()


def is_sealed(directory: Path) -> bool:
    return (directory / "manifest.json").exists()


def test_a_directory_that_is_removed_in_mid_call_is_brought_back_from_the_open_file(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.call.note(500, {"kind": "marker", "marker": "important", "text": ""})
    node.plays(range(100, 150))
    shutil.rmtree(tmp_path / "spool" / node.name)
    node.plays(range(150, 250))
    node.call.note(4000, {"kind": "marker", "marker": "threat", "text": ""})
    node.plays(range(250, 300))
    continuation = node.call.writing.directory
    others = [continuation.with_name(f"{node.name}.2"), tmp_path / "spool" / node.name]
    node.ends(lambda: any(is_sealed(other) for other in others))
    assert node.sink.kinds().count("recording.sealed") == 2
    assert codes(tmp_path, node.name) == []
    recording = joined(tmp_path, continuation)
    assert whole(recording)
    kept = [(at, note.get("marker", note["kind"])) for at, note in recording.notes()]
    assert [what for _, what in kept] == ["important", "degraded", "threat"]


def test_with_one_spool_alone_a_removed_directory_is_made_anew(tmp_path: Path) -> None:
    node = Node(tmp_path, second=False)
    shutil.rmtree(tmp_path / "spool" / node.name)
    node.plays(range(100, 300))
    continuation = node.call.writing.directory
    node.ends(lambda: node.sink.kinds().count("recording.sealed") == 2)
    assert continuation.parent == tmp_path / "spool"
    assert codes(tmp_path, node.name) == []
    assert whole(joined(tmp_path, continuation))


def test_a_directory_that_is_removed_before_the_seal_gets_its_seal_elsewhere(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.plays(range(100, 300))
    shutil.rmtree(tmp_path / "spool" / node.name)
    node.ends(lambda: node.sink.kinds()[-1] == "recording.sealed")
    assert codes(tmp_path, node.name) == []
    (source, *rest) = place.of_call(settings_for(tmp_path), node.name)
    recordings = [open_recording(one, FileKeyRing(tmp_path / "keys")) for one in (source, *rest)]
    assert max(one.tracks["caller.rx"].samples for one in recordings) == FRAMES * 160


def test_a_call_moves_as_often_as_it_must_also_at_its_very_end(tmp_path: Path) -> None:
    first, second = str(tmp_path / "spool"), str(tmp_path / "second")
    node = Node(tmp_path)
    node.failing = first
    node.plays(range(100, 200))
    # The one is well again, the other fails: on in the first, and the call lies in three places.
    node.failing = second
    play(node.call, TRACKS, frames=range(200, 300))
    continuation = Path(first) / f"{node.name}.2"
    node.ends(lambda: is_sealed(continuation))
    keys = FileKeyRing(tmp_path / "keys")
    for spool in ("spool", "second"):
        recover(tmp_path / spool, keys, SystemClock(), Sink())
    assert len(place.of_call(settings_for(tmp_path), node.name)) == 3
    assert codes(tmp_path, node.name) == []
    assert whole(joined(tmp_path, continuation))


def moved_node(base: Path) -> Node:
    """A call whose first spool failed after two seconds, and was well again after it had moved."""
    node = Node(base)
    node.failing = str(base / "spool")
    node.plays(range(100, 300))
    node.failing = ""
    node.until(lambda: is_sealed(base / "spool" / node.name))
    node.ends()
    return node


def moved(base: Path) -> tuple[str, Path, Path]:
    """Its name, the part before, the continuation."""
    node = moved_node(base)
    return node.name, base / "spool" / node.name, base / "second" / node.name


def test_both_parts_are_archived_and_heard_as_one_from_the_store(tmp_path: Path) -> None:
    call, before, continuation = moved(tmp_path)
    settings, keys = settings_for(tmp_path), FileKeyRing(tmp_path / "keys")
    recording = str(head_in(continuation).recording)
    for directory in (continuation, before):
        archive.archive(directory, objects(settings), keys)
        archive.free(directory)
    assert codes(tmp_path, call) == []
    assert whole(open_joined(settings, keys, call=call, recording=recording))


def test_a_part_that_was_changed_after_the_other_went_on_is_found(tmp_path: Path) -> None:
    call, before, continuation = moved(tmp_path)
    keys = FileKeyRing(tmp_path / "keys")
    continues = head_in(continuation).continues
    assert continues is not None
    # An insider with the keys cuts a record off the first part and seals it anew: whole by itself, and found all the same.
    for name in ("manifest.json", "manifest.sig", "index"):
        (before / name).unlink()
    segments = (before / SEGMENTS).read_bytes()
    (before / SEGMENTS).write_bytes(segments[: len(segments) // 3])
    recover(tmp_path / "spool", keys, SystemClock(), Sink())
    assert verify(DirectorySource(before), keys=keys).ok
    assert codes(tmp_path, call) == ["continued_otherwise"]
    # Both are named when one of them is gone.
    shutil.rmtree(before)
    assert codes(tmp_path, call) == ["earlier_missing"]
    shutil.rmtree(continuation)
    with pytest.raises(NoRecording):
        codes(tmp_path, call)


def test_what_the_head_says_of_the_part_before_is_signed_with_it(tmp_path: Path) -> None:
    _, before, continuation = moved(tmp_path)
    keys = FileKeyRing(tmp_path / "keys")
    head = json.loads((continuation / "head.json").read_text())
    assert head["continues"]["recording"] == load_manifest((before / "manifest.json").read_bytes()).recording
    assert head["continues"]["samples"] == [16_000, 32_000]
    head["continues"]["samples"] = [8000, 16_000]
    (continuation / "head.json").write_text(json.dumps(head))
    assert "head_changed" in [f.code for f in verify(DirectorySource(continuation), keys=keys).findings]


def whole_bundle(bundle: Path) -> bool:
    words: list[str | Path] = [sys.executable, "-I", "-S", ROOT / "deploy" / "check_bundle.py", bundle]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


async def test_the_books_hold_one_call_and_the_export_a_bundle_for_each_part(
    tmp_path: Path, conninfo: str, database: Database
) -> None:
    node = await asyncio.to_thread(moved_node, tmp_path)
    for event in node.sink.events:
        content = body(event.kind, json.loads(json.dumps(event.fields)))
        if content is not None and not isinstance(content, CallDegraded):
            async with database.transaction() as conn:
                await ENTRIES[type(content)](
                    conn, Told(UUID(node.name), "node-1", SystemClock().utc_now()), content
                )
    async with database.transaction() as conn:
        latest = await recordings.of_call(conn, UUID(node.name))
        assert latest is not None
        assert [track.gaps for track in await recordings.tracks(conn, latest.id)] == [[], []]
        cursor = await conn.execute("select task_name from procrastinate_jobs order by task_name")
        jobs = [row["task_name"] for row in await cursor.fetchall()]
    assert jobs == ["archive_recording", "archive_recording", "transcribe_call"]
    settings = load(
        data_dir=tmp_path, media={"second_spool": tmp_path / "second"}, database={"url": conninfo}
    )
    await hand_out(settings, UUID(node.name), tmp_path / "paket", "dnr 1-26")
    for number, after in ((1, ""), (2, head_in(tmp_path / "spool" / node.name).recording)):
        bundle = tmp_path / "paket" / f"del-{number}"
        assert await asyncio.to_thread(whole_bundle, bundle)
        assert json.loads((bundle / "paket.json").read_text(encoding="utf-8"))["continues"] == str(after)
        assert ("fortsättningen" in (bundle / "LÄSMIG.txt").read_text(encoding="utf-8")) == bool(after)
    await hand_out(settings, UUID(node.name), tmp_path / "slutet", "dnr 1-26", "0:04", "0:05")
    assert [path.name for path in (tmp_path / "slutet").iterdir()] == ["del-2"]


async def test_books_that_are_lost_are_written_anew_from_both_parts_as_one_call(
    tmp_path: Path, database: Database
) -> None:
    call, _, continuation = await asyncio.to_thread(moved, tmp_path)
    settings, keys = settings_for(tmp_path), FileKeyRing(tmp_path / "keys")
    archive.archive(continuation, objects(settings), keys)
    archive.free(continuation)
    assert (await rebook(settings, database, keys, SystemClock())).written == 2
    async with database.transaction() as conn:
        row = await calls.get(conn, UUID(call))
        assert (row.state, row.length_ms) == ("ended", FRAMES * 20)
        latest = await recordings.of_call(conn, UUID(call))
        assert latest is not None
        assert latest.state == "archived"
        assert [track.gaps for track in await recordings.tracks(conn, latest.id)] == [[], []]
