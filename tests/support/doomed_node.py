"""Media nodes that will be killed: each child records a call at real pace until it dies.

    python -m tests.support.doomed_node BASE N

Starts N children, prints their process ids, and waits for them all. A child's spool is BASE/<n>/spool; in BASE/<n>/fed
it notes, through the kernel, how many frames its call has had.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from uuid import UUID

from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.recorder import Recorder
from tests.support.recordings import FRAME_MS, TRACKS, Sink, play


def call_of(n: int) -> str:
    return str(UUID(int=n, version=4))


def record_until_killed(base: Path, n: int) -> None:
    recorder = Recorder(base / "spool", FileKeyRing(base / "keys"), node="node-1", sink=Sink())
    recorder.start()
    call = recorder.open(call_of(n), "report", TRACKS)
    fed = os.open(base / "fed", os.O_WRONLY | os.O_CREAT)
    begun = time.monotonic()
    for frame in range(3000):
        play(call, TRACKS, frames=range(frame, frame + 1), lost=range(7, 3000, 50))
        os.pwrite(fed, (frame + 1).to_bytes(8, "little"), 0)
        time.sleep(max(0.0, begun + (frame + 1) * FRAME_MS / 1000 - time.monotonic()))


def main() -> None:
    base, count = Path(sys.argv[1]), int(sys.argv[2])
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


if __name__ == "__main__":
    main()
