"""What a call's taps were told comes back, sample by sample, from files that only the keys open."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from audio.taps import Gap, GapCause, Track
from callsvc.recordings.errors import KeyMissing, NoRecording
from callsvc.recordings.head import genesis, load_head
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.manifest import load_manifest
from callsvc.recordings.reader import open_recording
from callsvc.recordings.recorder import Condition
from callsvc.recordings.scan import Placed, walk
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify
from tests.support.recordings import TRACKS, lengths, make_recording, play, sound, started, wait_for

pytestmark = pytest.mark.evidence


def test_every_sample_comes_back_at_the_legs_own_rate(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=7, lost=[50, 51, 120])
    recording = open_recording(DirectorySource(made.directory), made.keys)
    for track in TRACKS:
        size = track.rate_hz // 50
        expected = sound(track, 0, made.frames * size)
        for n in made.lost:
            expected[n * size : (n + 1) * size] = 0
        info = recording.tracks[track.name]
        assert (info.rate_hz, info.samples) == (track.rate_hz, made.frames * size)
        assert info.gaps == (
            Gap(50 * size, 2 * size, GapCause.LOSS),
            Gap(120 * size, size, GapCause.LOSS),
        )
        assert np.array_equal(recording.read(track.name, 0, info.samples), expected)
    assert verify(DirectorySource(made.directory), keys=made.keys).findings == []


def test_a_sealed_recording_is_told_of_with_its_chains_end(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=1)
    assert made.sink.kinds() == ["recording.started", "recording.sealed"]
    manifest = load_manifest((made.directory / "manifest.json").read_bytes())
    told = made.sink.events[-1].fields
    assert told["head"] == manifest.chain
    assert told["outcome"] == "complete"
    assert [t["samples"] for t in told["tracks"]] == [8000, 16000]  # type: ignore[attr-defined]


def test_every_track_is_as_long_as_the_call(tmp_path: Path) -> None:
    recorder, keys, _ = started(tmp_path)
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS[:1], frames=range(100))
    play(call, TRACKS[1:], frames=range(30))
    call.close(lengths(TRACKS, 100), "vanished")
    wait_for(lambda: recorder.state(name).condition == Condition.SEALED)
    recorder.stop()
    recording = open_recording(DirectorySource(tmp_path / "spool" / name), keys)
    assert recording.tracks["operator.tx"].samples == 32_000
    assert recording.tracks["operator.tx"].gaps == (Gap(30 * 320, 70 * 320, GapCause.ABSENT),)
    assert recording.manifest is not None
    assert recording.manifest.cause == "vanished"


def test_a_masked_stretch_keeps_the_clock_and_is_nowhere_in_the_files(tmp_path: Path) -> None:
    recorder, keys, _ = started(tmp_path)
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS, frames=range(50))
    call.mask("kortnummer")
    play(call, TRACKS, frames=range(50, 100), lost=[60])
    assert recorder.state(name).condition == Condition.MASKED
    assert recorder.state(name).masked_ms == 1000
    call.unmask()
    play(call, TRACKS, frames=range(100, 150))
    assert recorder.state(name).condition == Condition.RECORDING
    call.close(lengths(TRACKS, 150), "hangup")
    wait_for(lambda: recorder.state(name).condition == Condition.SEALED)
    recorder.stop()
    recording = open_recording(DirectorySource(tmp_path / "spool" / name), keys)
    for track in TRACKS:
        rate = track.rate_hz
        assert recording.tracks[track.name].samples == 3 * rate
        assert recording.tracks[track.name].gaps == (Gap(rate, rate, GapCause.MASK),)
        assert not recording.read(track.name, rate, rate).any()
        assert np.array_equal(recording.read(track.name, 2 * rate, rate), sound(track, 2 * rate, rate))
    assert recording.notes() == [
        (1000, {"kind": "mask", "state": "on", "reason": "kortnummer"}),
        (2000, {"kind": "mask", "state": "off"}),
    ]


def test_sound_is_safe_on_disk_while_the_call_still_runs(tmp_path: Path) -> None:
    recorder, keys, _ = started(tmp_path)
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS, frames=range(100))
    wait_for(lambda: recorder.state(name).safe_ms == 2000)
    assert recorder.state(name).condition == Condition.RECORDING
    growing = open_recording(DirectorySource(tmp_path / "spool" / name), keys)
    assert np.array_equal(growing.read("caller.rx", 0, 16_000), sound(TRACKS[0], 0, 16_000))
    assert growing.manifest is None
    assert growing.peaks("caller.rx").high.max() > 0
    recorder.stop()


def test_the_chains_head_leaves_the_node_while_the_call_runs(tmp_path: Path) -> None:
    recorder, _, sink = started(tmp_path)
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS, frames=range(50))
    wait_for(lambda: recorder.state(name).safe_ms == 1000)
    assert "recording.head" not in sink.kinds()
    call.head_due = 0.0
    play(call, TRACKS, frames=range(50, 100))
    wait_for(lambda: "recording.head" in sink.kinds())
    told = sink.events[-1].fields
    play(call, TRACKS, frames=range(100, 150))
    call.close(lengths(TRACKS, 150), "hangup")
    wait_for(lambda: recorder.state(name).condition == Condition.SEALED)
    recorder.stop()
    found = walk_of(tmp_path / "spool" / name)
    records = int(str(told["records"]))
    assert 0 < records < len(found)
    assert found[records].header.prev.hex() == told["chain"]


def walk_of(directory: Path) -> list[Placed]:
    raw = (directory / "head.json").read_bytes()
    return walk(DirectorySource(directory), "segments", load_head(raw), genesis(raw)).placed


def test_notes_lie_with_the_sound_and_are_as_secret(tmp_path: Path) -> None:
    recorder, keys, _ = started(tmp_path)
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS, frames=range(10))
    call.note(120, {"kind": "marker", "text": "kanariefågel"})
    call.close(lengths(TRACKS, 10), "hangup")
    wait_for(lambda: recorder.state(name).condition == Condition.SEALED)
    recorder.stop()
    directory = tmp_path / "spool" / name
    recording = open_recording(DirectorySource(directory), keys)
    assert recording.notes() == [(120, {"kind": "marker", "text": "kanariefågel"})]
    everything = b"".join(path.read_bytes() for path in directory.iterdir())
    assert b"kanarie" not in everything
    assert b"marker" not in everything


def test_no_sound_lies_unencrypted_in_any_file(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=2)
    stored = (made.directory / "segments").read_bytes()
    for track in TRACKS:
        heard = sound(track, 0, track.rate_hz).tobytes()
        assert not any(heard[at : at + 32] in stored for at in range(0, len(heard), 640))
    assert b"fLaC" not in stored


def test_a_call_that_comes_back_gets_a_recording_of_its_own(tmp_path: Path) -> None:
    recorder, _, _ = started(tmp_path)
    name = str(uuid4())
    for _ in range(2):
        call = recorder.open(name, "report", TRACKS)
        play(call, TRACKS, frames=range(20))
        call.close(lengths(TRACKS, 20), "hangup")
        wait_for(lambda: name not in recorder.open_calls())
    recorder.stop()
    made = [json.loads((tmp_path / "spool" / d / "head.json").read_text()) for d in (name, f"{name}.2")]
    assert made[0]["call"] == made[1]["call"] == name
    assert made[0]["recording"] != made[1]["recording"]


def test_many_calls_at_once_are_told_apart(tmp_path: Path) -> None:
    recorder, keys, _ = started(tmp_path)
    tracks = {str(uuid4()): (Track(f"track.{n}{'x' * n}", 8000),) for n in range(20)}
    calls = {name: recorder.open(name, "report", own) for name, own in tracks.items()}
    for first in range(0, 150, 10):
        for name, call in calls.items():
            play(call, tracks[name], frames=range(first, first + 10))
    for name, call in calls.items():
        call.close(lengths(tracks[name], 150), "hangup")
    wait_for(lambda: not recorder.open_calls())
    recorder.stop()
    for name, (track,) in tracks.items():
        recording = open_recording(DirectorySource(tmp_path / "spool" / name), keys)
        assert np.array_equal(recording.read(track.name, 0, 24_000), sound(track, 0, 24_000))


def test_without_the_installations_key_nothing_can_be_read(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=1)
    with pytest.raises(KeyMissing):
        open_recording(DirectorySource(made.directory), FileKeyRing(tmp_path / "others"))


def test_a_place_without_a_recording_is_called_that(tmp_path: Path) -> None:
    with pytest.raises(NoRecording):
        open_recording(DirectorySource(tmp_path / "nothing"), FileKeyRing(tmp_path / "keys"))
