"""Media nodes that will be killed: each child records a call at real pace until it dies.

    python -m tests.support.doomed_node N

For each BASE that is written to it, a line each, it starts N children, prints their process ids, and `dead` when all are. A
child's spool is BASE/<n>/spool; in BASE/<n>/fed it notes, through the kernel, how far its call has come, what the recorder
calls safe, and how late the machine was.
"""

from __future__ import annotations

import os
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.recorder import Recorder
from tests.support.recordings import FRAME_MS, TRACKS, Sink, play

FRAMES = 3000
_FED = struct.Struct("<4Q")


@dataclass(frozen=True)
class Fed:
    """What a child noted last: frames that its call had, milliseconds that were safe, and the worst delays in
    microseconds of those who talk (the processor) and of a sync (the disk)."""

    frames: int = 0
    safe_ms: int = 0
    late_us: int = 0
    disk_us: int = 0


def fed(base: Path) -> Fed:
    try:
        return Fed(*_FED.unpack((base / "fed").read_bytes()))
    except (FileNotFoundError, struct.error):
        return Fed()


def call_of(n: int) -> str:
    return str(UUID(int=n, version=4))


class Disk:
    """Syncs, and knows how long the slowest took, one that goes on included."""

    def __init__(self) -> None:
        self._worst = 0.0
        self._since = 0.0

    def sync(self, fd: int) -> None:
        self._since = time.monotonic()
        os.fdatasync(fd)
        self._worst, self._since = self.worst(), 0.0

    def worst(self) -> float:
        since = self._since
        return max(self._worst, time.monotonic() - since if since else 0.0)


def record_until_killed(base: Path, n: int) -> None:
    disk = Disk()
    recorder = Recorder(
        base / "spool", FileKeyRing(base / "keys"), node="node-1", sink=Sink(), sync=disk.sync
    )
    recorder.start()
    call = recorder.open(call_of(n), "report", TRACKS)
    noted = os.open(base / "fed", os.O_WRONLY | os.O_CREAT)
    begun, late = time.monotonic(), 0.0
    for frame in range(FRAMES):
        play(call, TRACKS, frames=range(frame, frame + 1), lost=range(7, FRAMES, 50))
        late = max(late, time.monotonic() - begun - frame * FRAME_MS / 1000)
        delays = int(late * 1e6), int(disk.worst() * 1e6)
        os.pwrite(noted, _FED.pack(frame + 1, recorder.state(call_of(n)).safe_ms, *delays), 0)
        time.sleep(max(0.0, begun + (frame + 1) * FRAME_MS / 1000 - time.monotonic()))


def start(base: Path, count: int) -> None:
    """A round of nodes, until each of them is dead."""
    for n in range(count):
        (base / str(n)).mkdir(parents=True)
        FileKeyRing(base / str(n) / "keys")
    children = []
    for n in range(count):
        child = os.fork()
        if child == 0:
            record_until_killed(base / str(n), n)
            os._exit(0)
        children.append(child)
    print(*children, flush=True)
    for child in children:
        os.waitpid(child, 0)
    print("dead", flush=True)


def main() -> None:
    for line in sys.stdin:
        start(Path(line.rstrip("\n")), int(sys.argv[1]))


if __name__ == "__main__":
    main()
