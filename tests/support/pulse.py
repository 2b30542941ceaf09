"""A PulseAudio server of a test's own: two sinks without hardware, one whose monitor is a microphone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOM = "room"
"""Sink that a test plays into; the microphone is its monitor."""
CABLE = "cable"
"""Sink that stands for the virtual cable; its monitor is what the telephone hears."""


@contextmanager
def server() -> Iterator[dict[str, str]]:
    """The environment in which clients find it."""
    place = Path(tempfile.mkdtemp(prefix="pulse"))
    script = place / "start.pa"
    socket = place / "native"
    script.write_text(
        f"load-module module-native-protocol-unix socket={socket} auth-anonymous=1\n"
        f"load-module module-null-sink sink_name={ROOM} rate=16000 channels=1 "
        "sink_properties=device.description=Room\n"
        f"load-module module-null-sink sink_name={CABLE} rate=16000 channels=1 "
        "sink_properties=device.description=Cable\n"
    )
    environment = {
        **os.environ,
        "HOME": str(place),
        "XDG_RUNTIME_DIR": str(place),
        "PULSE_RUNTIME_PATH": str(place),
        "PULSE_SERVER": f"unix:{socket}",
    }
    command = [
        "pulseaudio",
        "-n",
        "--daemonize=no",
        "--exit-idle-time=-1",
        "--disable-shm",
        "-F",
        str(script),
    ]
    with (place / "log").open("wb") as log:
        child = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(200):
            asked = subprocess.run(["pactl", "info"], env=environment, capture_output=True, check=False)
            if asked.returncode == 0:
                break
            assert child.poll() is None, (place / "log").read_text()
            time.sleep(0.05)
        else:
            raise AssertionError((place / "log").read_text())
        yield environment
    finally:
        child.terminate()
        child.wait(10)
        shutil.rmtree(place, ignore_errors=True)
