"""Builders for recordings: sound that is known at every sample, a sink that remembers, a source in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np

from audio.taps import GapCause, Samples, Track
from callsvc.clock import SystemClock
from callsvc.recordings.errors import NoRecording
from callsvc.recordings.hand import RecordedCall
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.manifest import load_manifest
from callsvc.recordings.recorder import Recorder
from callsvc.store import Database
from callsvc.store import recordings as rows
from callsvc.types import Event

FRAME_MS = 20
TRACKS = (Track("caller.rx", 8000), Track("operator.tx", 16000))


class Sink:
    """Takes events and keeps them in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def kinds(self) -> list[str]:
        return [str(event.kind) for event in self.events]


def sound(track: Track, start: int, length: int) -> Samples:
    """What is heard on `track` at these positions: the same at every call, and unlike any other track's."""
    at = np.arange(start, start + length, dtype=np.int64)
    voice = 6000 * np.sin(at * (2 * np.pi * 210 / track.rate_hz)) * np.abs(np.sin(at / track.rate_hz))
    noise = (at * 7919 + len(track.name) * 13) % 401 - 200
    heard: Samples = (voice + noise).astype(np.int16)
    return heard


def wait_for(true: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Until `true`; fails the test when it does not become so."""
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


def play(
    call: RecordedCall,
    tracks: Iterable[Track],
    *,
    frames: range,
    lost: Iterable[int] = (),
    cause: GapCause = GapCause.LOSS,
    pace_s: float = 0.0,
) -> None:
    """Hand frames of 20 ms to a call's taps; those in `lost` are gaps on every track."""
    gone = set(lost)
    for n in frames:
        for track in tracks:
            size = track.rate_hz * FRAME_MS // 1000
            if n in gone:
                call.tap(track.name).gap(n * size, size, cause)
            else:
                call.tap(track.name).write(n * size, sound(track, n * size, size))
        if pace_s:
            time.sleep(pace_s)


def lengths(tracks: Iterable[Track], frames: int) -> dict[str, int]:
    return {track.name: frames * track.rate_hz * FRAME_MS // 1000 for track in tracks}


@dataclass(frozen=True)
class Made:
    """A sealed recording, and what it was made of."""

    directory: Path
    call: str
    keys: FileKeyRing
    sink: Sink
    frames: int
    lost: tuple[int, ...]


def started(base: Path) -> tuple[Recorder, FileKeyRing, Sink]:
    """A recorder that takes calls under `base`, with the keys that lie there."""
    keys, sink = FileKeyRing(base / "keys"), Sink()
    recorder = Recorder(base / "spool", keys, node="node-1", sink=sink)
    recorder.start()
    return recorder, keys, sink


def make_recording(
    base: Path, *, seconds: int = 5, lost: Iterable[int] = (), tracks: tuple[Track, ...] = TRACKS
) -> Made:
    """Record and seal a call of so many seconds, faster than it was spoken."""
    (recorder, keys, sink), gone = started(base), tuple(lost)
    name = str(uuid4())
    call = recorder.open(name, "report", tracks)
    frames = seconds * 1000 // FRAME_MS
    for first in range(0, frames, 250):
        play(call, tracks, frames=range(first, min(first + 250, frames)), lost=gone)
        target = min(first + 250, frames) * FRAME_MS
        call.due = 0.0
        call.wake()
        wait_for(lambda target=target: call.writing.safe_ms >= target)  # type: ignore[misc]
    call.close(lengths(tracks, frames), "hangup")
    wait_for(lambda: (base / "spool" / name / "manifest.json").exists())
    recorder.stop()
    return Made(base / "spool" / name, name, keys, sink, frames, gone)


def id_of(made: Made) -> str:
    return load_manifest((made.directory / "manifest.json").read_bytes()).recording


async def booked(database: Database, made: Made) -> str:
    """The recording stands in the database as sealed; its id."""
    recording = id_of(made)
    async with database.transaction() as conn:
        await rows.seal(
            conn, UUID(recording), UUID(made.call), outcome="complete", head="00" * 32, tracks=[],
            at=SystemClock().utc_now(),
        )  # fmt: skip
    return recording


class MemorySource:
    """A recording's files in memory, to be tampered with."""

    label = "memory"

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    @classmethod
    def of(cls, directory: Path) -> MemorySource:
        return cls({path.name: path.read_bytes() for path in directory.iterdir()})

    def names(self) -> list[str]:
        return sorted(self.files)

    def size(self, name: str) -> int:
        return len(self.whole(name))

    def read(self, name: str, offset: int, length: int) -> bytes:
        return self.whole(name)[offset : offset + length]

    def whole(self, name: str) -> bytes:
        try:
            return self.files[name]
        except KeyError:
            raise NoRecording from None
