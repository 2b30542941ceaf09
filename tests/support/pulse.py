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


ALSA = """
pcm.room_microphone { type pulse device room.monitor }
pcm.cable_loudspeaker { type pulse device cable }
pcm.default { type pulse }
"""
"""Both as devices of ALSA, by its plug-in for PulseAudio; and few others, which it would look for in vain for seconds.
PortAudio does not start without one that is called default."""

TELEPHONE = """
pcm.{name} {{
    type asym
    playback.pcm {{ type pulse device {name} }}
    capture.pcm {{ type pulse device {name}_says.monitor }}
}}
"""


def pull_out(environment: dict[str, str], sink: str) -> None:
    """Take a sink and its monitor away, as when a headset is unplugged.

    The server moves who listened there to its standard source: here to one that is silent.
    """
    for words in (
        ("load-module", "module-null-sink", "sink_name=spare", "rate=16000", "channels=1"),
        ("set-default-source", "spare.monitor"),
    ):
        subprocess.run(["pactl", *words], env=environment, check=True, stdout=subprocess.DEVNULL)
    listed = subprocess.run(
        ["pactl", "list", "short", "modules"], env=environment, capture_output=True, text=True, check=True
    ).stdout
    numbers = [line.split()[0] for line in listed.splitlines() if f"sink_name={sink} " in line]
    assert len(numbers) == 1, listed
    subprocess.run(["pactl", "unload-module", numbers[0]], env=environment, check=True)


def plug_in(environment: dict[str, str], sink: str) -> None:
    """Bring it back."""
    words = ["module-null-sink", f"sink_name={sink}", "rate=16000", "channels=1"]
    subprocess.run(["pactl", "load-module", *words], env=environment, check=True, stdout=subprocess.DEVNULL)


def suspend(environment: dict[str, str], sink: str, on: bool) -> None:
    """Let a sink, and its monitor with it, stand still or go on: a driver that hangs."""
    subprocess.run(["pactl", "suspend-sink", sink, str(int(on))], env=environment, check=True)


@contextmanager
def server(*telephones: str) -> Iterator[dict[str, str]]:
    """The environment in which clients find it. Each telephone gets a device of ALSA of its name: what it plays goes to a sink
    of its name, what it hears is what is played into `NAME_says`. These sinks do not rewind, so that they take little at a
    time, and nobody who plays into them is made to wait."""
    place = Path(tempfile.mkdtemp(prefix="pulse"))
    script = place / "start.pa"
    socket = place / "native"
    (place / "alsa.conf").write_text(ALSA + "".join(TELEPHONE.format(name=name) for name in telephones))
    sinks = "".join(
        f"load-module module-null-sink sink_name={name}{part} rate=16000 channels=1 norewinds=1\n"
        for name in telephones
        for part in ("", "_says")
    )
    script.write_text(
        f"load-module module-native-protocol-unix socket={socket} auth-anonymous=1\n"
        f"load-module module-null-sink sink_name={ROOM} rate=16000 channels=1 "
        "sink_properties=device.description=Room\n"
        f"load-module module-null-sink sink_name={CABLE} rate=16000 channels=1 "
        "sink_properties=device.description=Cable\n" + sinks
    )
    environment = {
        **os.environ,
        "HOME": str(place),
        "XDG_RUNTIME_DIR": str(place),
        "PULSE_RUNTIME_PATH": str(place),
        "PULSE_SERVER": f"unix:{socket}",
        "ALSA_CONFIG_PATH": str(place / "alsa.conf"),
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
