"""What it costs to record a call as evidence, against writing plain WAV files in the same run.

    python -m benchmarks.evidence_recorder [--minutes 4] [--calls 100]

Processor time, bytes and syncs for each hour of a call with two tracks (8 kHz and 48 kHz); how many calls one core
carries at real pace without a gap; how fast a recording is verified; how fast a second in the middle of an hour is
read, against seeking in plain FLAC. Results go to benchmarks/results/evidence-recorder.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import tempfile
import threading
import time
import wave
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import soundfile

from audio.taps import Samples, Track
from callsvc.recordings.hand import RecordedCall
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.reader import open_recording
from callsvc.recordings.recorder import Recorder
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify
from callsvc.types import Event

TRACKS = (Track("caller.rx", 8000), Track("operator.tx", 48_000))
RESULT = Path(__file__).with_name("results") / "evidence-recorder.json"


class Nobody:
    def emit(self, event: Event) -> None:
        return None


def speech(rate: int, seconds: int) -> Samples:
    """Like a voice in loudness and pauses: harmonics that come and go over a quiet room."""
    rng = np.random.default_rng(rate)
    at = np.arange(rate * seconds) / rate
    voice = sum(np.sin(2 * np.pi * 140 * k * at) / k for k in range(1, 8))
    talking = np.clip(np.sin(2 * np.pi * at / 3.7) + 0.3, 0, 1) * np.abs(np.sin(2 * np.pi * 3.1 * at))
    sound: Samples = (5000 * voice * talking + rng.normal(0, 12, len(at))).astype(np.int16)
    return sound


SOUND = {track.name: speech(track.rate_hz, 60) for track in TRACKS}


def frame(track: Track, n: int) -> Samples:
    size = track.rate_hz // 50
    at = n % 3000 * size
    return SOUND[track.name][at : at + size]


def as_evidence(base: Path, frames: int) -> dict[str, float]:
    """One call, faster than it was spoken, with the syncs that real pace would have."""
    keys = FileKeyRing(base / "keys")
    recorder = Recorder(base / "spool", keys, node="bench", sink=Nobody())
    recorder.start()
    name = str(uuid4())
    begun = time.process_time()
    call = recorder.open(name, "report", TRACKS)
    syncs = 0
    for n in range(frames):
        for track in TRACKS:
            call.tap(track.name).write(n * track.rate_hz // 50, frame(track, n).copy())
        if n % 35 == 34:  # every 0.7 s of the call
            done = call.writing.syncs
            call.due = 0.0
            call.wake()
            while call.writing.syncs == done:
                time.sleep(0.0005)
    call.close({t.name: frames * t.rate_hz // 50 for t in TRACKS}, "hangup")
    while recorder.open_calls():
        syncs = max(syncs, call.writing.syncs)
        time.sleep(0.001)
    spent = time.process_time() - begun
    recorder.stop()
    size = sum(path.stat().st_size for path in (base / "spool" / name).iterdir())
    return {"cpu_s": spent, "bytes": size, "syncs": syncs, "wall_s": 0.0}


def as_wav(base: Path, frames: int) -> dict[str, float]:
    """The same frames into two WAV files, synced every 0.7 s, too."""
    base.mkdir()
    begun, syncs = time.process_time(), 0
    with contextlib.ExitStack() as stack:
        files = []
        for track in TRACKS:
            raw = stack.enter_context((base / f"{track.name}.wav").open("wb"))
            file = stack.enter_context(wave.open(raw, "wb"))
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(track.rate_hz)
            files.append((track, raw, file))
        for n in range(frames):
            for track, _, file in files:
                file.writeframesraw(frame(track, n).tobytes())
            if n % 35 == 34:
                for _, raw, _ in files:
                    raw.flush()
                    os.fdatasync(raw.fileno())
                    syncs += 1
    spent = time.process_time() - begun
    return {"cpu_s": spent, "bytes": sum(p.stat().st_size for p in base.iterdir()), "syncs": syncs}


def at_real_pace(base: Path, calls: int, seconds: int) -> dict[str, float]:
    """Many calls at once, on one core: what was dropped, and how much of the core it took."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    recorder = Recorder(base / "spool", FileKeyRing(base / "keys"), node="bench", sink=Nobody())
    recorder.start()
    try:
        names = [str(uuid4()) for _ in range(calls)]
        opened: list[RecordedCall] = [recorder.open(name, "report", TRACKS) for name in names]
        begun, cpu = time.monotonic(), time.process_time()
        late = 0.0
        for n in range(seconds * 50):
            for call in opened:
                for track in TRACKS:
                    call.tap(track.name).write(n * track.rate_hz // 50, frame(track, n))
            wait = begun + (n + 1) / 50 - time.monotonic()
            late = max(late, -wait)
            time.sleep(max(0.0, wait))
        spent = (time.process_time() - cpu) / (time.monotonic() - begun)
        unsafe = max(seconds * 1000 - recorder.state(name).safe_ms for name in names)
        dropped = sum(recorder.state(name).dropped_ms for name in names)
        for call in opened:
            call.close({t.name: seconds * t.rate_hz for t in TRACKS}, "hangup")
        while recorder.open_calls():
            time.sleep(0.01)
    finally:
        recorder.stop()
        os.sched_setaffinity(0, cores)
    return {
        "calls": calls, "seconds": seconds, "core_share": spent, "dropped_ms": dropped,
        "behind_ms": unsafe, "feeder_late_ms": late * 1000,
    }  # fmt: skip


def hour_long(base: Path) -> tuple[Path, FileKeyRing]:
    keys = FileKeyRing(base / "keys")
    recorder = Recorder(base / "spool", keys, node="bench", sink=Nobody())
    recorder.start()
    name = str(uuid4())
    track = TRACKS[0]
    call = recorder.open(name, "report", (track,))
    for n in range(3600 * 50):
        call.tap(track.name).write(n * 160, frame(track, n).copy())
        if n % 35 == 34:
            done = call.writing.syncs
            call.due = 0.0
            call.wake()
            while call.writing.syncs == done:
                time.sleep(0.0002)
    call.close({track.name: 3600 * track.rate_hz}, "hangup")
    while recorder.open_calls():
        time.sleep(0.01)
    recorder.stop()
    return base / "spool" / name, keys


def reading(base: Path) -> dict[str, float]:
    """Verify an hour, open it, and read seconds anywhere in it; the same from one plain FLAC file."""
    directory, keys = hour_long(base)
    source = DirectorySource(directory)
    begun = time.monotonic()
    assert verify(source, trusted=keys.trusted()).ok
    seals_s = time.monotonic() - begun
    begun = time.monotonic()
    assert verify(source, keys=keys).ok
    all_s = time.monotonic() - begun
    begun = time.monotonic()
    subprocess.run(["sha256sum", *directory.iterdir()], check=True, capture_output=True)
    sums_s = time.monotonic() - begun
    begun = time.monotonic()
    recording = open_recording(source, keys)
    recording.read("caller.rx", 1800 * 8000, 8000)
    first_s = time.monotonic() - begun
    flac = base / "plain.flac"
    soundfile.write(flac, np.tile(SOUND["caller.rx"], 60), 8000, subtype="PCM_16")
    rng = np.random.default_rng(1)
    ours, theirs = [], []
    with soundfile.SoundFile(flac) as plain:
        for second in rng.integers(0, 3598, 200):
            begun = time.monotonic()
            mine = recording.read("caller.rx", int(second) * 8000, 8000)
            ours.append(time.monotonic() - begun)
            begun = time.monotonic()
            plain.seek(int(second) * 8000)
            other = plain.read(8000, dtype="int16")
            theirs.append(time.monotonic() - begun)
            assert np.array_equal(mine, other)
    return {
        "verify_seals_call_hours_per_min": 60 / seals_s,
        "verify_all_call_hours_per_min": 60 / all_s,
        "sha256sum_call_hours_per_min": 60 / sums_s,
        "open_and_first_second_ms": first_s * 1000,
        "second_anywhere_ms": statistics.median(ours) * 1000,
        "flac_second_anywhere_ms": statistics.median(theirs) * 1000,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=int, default=4)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=15)
    asked = parser.parse_args()
    frames = asked.minutes * 60 * 50
    per_hour = 60 / asked.minutes
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        rounds = [(as_evidence(base / f"e{n}", frames), as_wav(base / f"w{n}", frames)) for n in range(3)]
        ours = {
            key: statistics.median(r[0][key] for r in rounds) * per_hour
            for key in ("cpu_s", "bytes", "syncs")
        }
        wav = {
            key: statistics.median(r[1][key] for r in rounds) * per_hour
            for key in ("cpu_s", "bytes", "syncs")
        }
        pace = at_real_pace(base / "pace", asked.calls, asked.seconds)
        read = reading(base / "hour")
    result: dict[str, Any] = {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "threads": threading.active_count(),
        },
        "peer": f"wave of Python {platform.python_version()}, fdatasync every 0.7 s",
        "per_call_hour": ours,
        "peer_per_call_hour": wav,
        "ratio": {key: ours[key] / wav[key] for key in ours},
        "real_pace": pace,
        "reading": read,
        "reading_peer": f"soundfile {version('soundfile')}, one plain FLAC file",
        "verify_peer": "sha256sum of coreutils over the same files",
        "verify_ratio": read["verify_seals_call_hours_per_min"] / read["sha256sum_call_hours_per_min"],
        "reading_ratio": read["second_anywhere_ms"] / read["flac_second_anywhere_ms"],
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(f"for each hour of a call       evidence          plain WAV      ratio   ({os.cpu_count()} cores)")
    for key, unit, scale in (("cpu_s", "s processor", 1.0), ("bytes", "MB", 1e6), ("syncs", "syncs", 1.0)):
        print(
            f"  {unit:24}{ours[key] / scale:12.1f}      {wav[key] / scale:12.1f}   {ours[key] / wav[key]:8.2f}"
        )
    print(
        f"{pace['calls']:.0f} calls at real pace on one core: {100 * pace['core_share']:.0f} % of it, "
        f"{pace['dropped_ms']:.0f} ms dropped, at most {pace['behind_ms']:.0f} ms not yet safe "
        f"(those who talk were {pace['feeder_late_ms']:.0f} ms late themselves; load {os.getloadavg()[0]:.0f})"
    )
    print(
        f"verify: {read['verify_seals_call_hours_per_min']:.0f} call-hours a minute (seals), "
        f"{read['verify_all_call_hours_per_min']:.0f} (with every second decoded); sha256sum over the same "
        f"files {read['sha256sum_call_hours_per_min']:.0f}, ratio {result['verify_ratio']:.2f}"
    )
    print(
        f"an hour: opened and first second {read['open_and_first_second_ms']:.0f} ms; a second anywhere "
        f"{read['second_anywhere_ms']:.2f} ms, plain FLAC {read['flac_second_anywhere_ms']:.2f} ms, "
        f"ratio {result['reading_ratio']:.2f}"
    )


if __name__ == "__main__":
    main()
