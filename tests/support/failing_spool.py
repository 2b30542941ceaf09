"""A media node whose spool fails in the middle of a call, on a file system of its own that really does.

    python -m tests.support.failing_spool BASE {full|read_only}

`full` mounts a small tmpfs in a namespace of its own. `read_only` mounts an ext4 image, and the kernel turns it read-only as
it does when the disk reports an error; for that it must be root. Ends with 77 where the machine allows neither. Prints
what the recorder said on the way, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.recorder import Condition, Recorder
from tests.support.recordings import TRACKS, Sink, lengths, play, wait_for

NOT_HERE = 77
PATIENCE_S = 60.0


def _done(*words: str | Path) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def mount(base: Path, how: str) -> bool:
    """Put the failing file system where the first spool is."""
    spool = base / "spool"
    spool.mkdir()
    if how == "full":
        return _done("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", spool)
    image = base / "disk"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    return _done("mkfs.ext4", "-q", "-F", "-e", "remount-ro", image) and _done(
        "mount", "-o", "loop", image, spool
    )


def fail(base: Path, how: str) -> None:
    """Let it fail from now on."""
    spool = base / "spool"
    if how == "full":
        stuff = b"\0" * 4096
        fd = os.open(spool / "other", os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(fd, stuff)
        except OSError:
            os.close(fd)
        return
    found = subprocess.run(["findmnt", "-no", "SOURCE", spool], capture_output=True, text=True, check=True)
    trigger = Path("/sys/fs/ext4") / Path(found.stdout.strip()).name / "trigger_fs_error"
    trigger.write_text("a test of a failing disk\n")


def main() -> int:
    base, how = Path(sys.argv[1]), sys.argv[2]
    if not mount(base, how):
        return NOT_HERE
    try:
        told = record(base, how)
        # What was left behind lies on the disk that failed: whoever has it finds it there.
        subprocess.run(["cp", "-a", base / "spool", base / "left"], check=True)
    finally:
        subprocess.run(["umount", "-l", base / "spool"], check=False)
    print(json.dumps(told))
    return 0


def record(base: Path, how: str) -> dict[str, object]:
    sink, name = Sink(), str(uuid4())
    recorder = Recorder(
        base / "spool", FileKeyRing(base / "keys"), node="node-1", sink=sink, second_spool=base / "second"
    )
    recorder.start()
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS, frames=range(100))
    wait_for(lambda: recorder.state(name).safe_ms == 2000, PATIENCE_S)
    fail(base, how)
    play(call, TRACKS, frames=range(100, 250))
    wait_for(lambda: recorder.alarm in ("disk_full", "disk_error"), PATIENCE_S)
    said = recorder.alarm
    wait_for(lambda: recorder.state(name).safe_ms == 5000, PATIENCE_S)
    where = str(call.writing.directory.parent.name)
    play(call, TRACKS, frames=range(250, 300))
    call.close(lengths(TRACKS, 300), "hangup")
    wait_for(lambda: recorder.state(name).condition == Condition.SEALED, PATIENCE_S)
    recorder.stop()
    return {"call": name, "said": said, "where": where, "kinds": sink.kinds()}


if __name__ == "__main__":
    sys.exit(main())
