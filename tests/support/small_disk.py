"""A media node whose disk fills up in the middle of a call: a process of its own, for the limit holds for all of it.

    python -m tests.support.small_disk BASE {comes_back|stays_full}

Prints what the recorder said on the way, as JSON.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from pathlib import Path
from uuid import uuid4

from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.recorder import Recorder
from tests.support.recordings import TRACKS, Sink, lengths, play, wait_for

ROOM = 8_000


def main() -> None:
    base, then = Path(sys.argv[1]), sys.argv[2]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    sink = Sink()
    recorder = Recorder(base / "spool", FileKeyRing(base / "keys"), node="node-1", sink=sink)
    recorder.start()
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS, frames=range(50))
    wait_for(lambda: recorder.state(name).safe_ms == 1000)
    limit = call.writing.bytes_written + ROOM
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    play(call, TRACKS, frames=range(50, 150))
    wait_for(lambda: recorder.alarm == "disk_full")
    said = [str(recorder.state(name).condition), recorder.state(name).why]
    # The call goes on, longer than the rings are.
    play(call, TRACKS, frames=range(150, 1500))
    safe_ms = recorder.state(name).safe_ms
    if then == "comes_back":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_for(lambda: recorder.alarm == "")
        play(call, TRACKS, frames=range(1500, 1600))
    call.close(lengths(TRACKS, 1600), "hangup")
    if then == "comes_back":
        wait_for(lambda: not recorder.open_calls())
    recorder.stop(timeout_s=5.0)
    print(json.dumps({"call": name, "said": said, "safe_ms": safe_ms, "kinds": sink.kinds()}))


if __name__ == "__main__":
    main()
