"""The agent on a real sound server: a voice and a keyboard in at the microphone, the voice out at the cable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import correlate, resample_poly

from audio.devices import DeviceGone, Pulse, VirtualMicrophone
from audio.suppressor.frames import Float
from tests.support import pulse
from tests.support.streams import decibels

pytestmark = pytest.mark.quiet

Status = dict[str, Any]

RATE = 16000
ALIKE = 0.8
TRIES = 8
SCENE = Path(str(resources.files("callsvc.demo") / "scene"))
PLAIN = "plain"
CABLES = (pulse.CABLE, PLAIN)
"""Behind one the agent is at work; behind the other it lets everything through, and hears the same."""
FORM = ("--raw", "--format=float32le", "--rate=16000", "--channels=1")


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    with pulse.server(PLAIN) as environment:
        yield environment


def at_16k(path: Path) -> Float:
    samples, rate = soundfile.read(path, dtype="float32")
    made: Float = resample_poly(samples, RATE, rate).astype(np.float32)
    return made


def voice() -> Float:
    """Three seconds of an operator."""
    made = at_16k(SCENE / "voices" / "operator-a0001.ogg")[: 3 * RATE]
    made *= 10 ** (-26 / 20) / np.sqrt(np.mean(made**2))
    return made


def typing() -> Float:
    """Twenty strokes of a real keyboard in four seconds."""
    strokes = sorted((SCENE / "keys" / "cherrymx-brown-abs").glob("*.flac"))
    made = np.zeros(4 * RATE, np.float32)
    for n in range(20):
        stroke = at_16k(strokes[n % len(strokes)])
        start = int(0.2 * n * RATE)
        stroke = stroke[: len(made) - start] * np.float32(0.1 / np.abs(stroke).max())
        made[start : start + len(stroke)] += stroke
    return made


def desk(*words: str, **more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **more}
    command = [sys.executable, "-m", "callsvc", "desk", *words]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def agent(server: dict[str, str], cable: str, *options: str) -> Iterator[Status]:
    """The agent at work between the room and a cable; afterwards, what it said last."""
    child = desk("--input", "room.monitor", "--output", cable, "--json", *options, **server)
    assert child.stdout is not None
    said: Status = json.loads(child.stdout.readline())
    while said["state"] not in ("running", "bypassed") or said["proof"]["blocks"] < 20:
        said = json.loads(child.stdout.readline())
    yield said
    child.terminate()
    rest, errors = child.communicate(timeout=30)
    assert child.returncode == 0, errors
    if rest.strip():
        said.update(json.loads(rest.strip().splitlines()[-1]))


def through(server: dict[str, str], signal: Float, place: Path) -> list[Float]:
    """What telephone programs hear at the cables while a sound is played in the room."""
    files = [place.with_name(f"{place.name}-{cable}") for cable in CABLES]

    def until_heard(bytes_more: int) -> None:
        wanted = [file.stat().st_size + bytes_more for file in files]
        for _ in range(600):
            if all(file.stat().st_size >= size for file, size in zip(files, wanted, strict=True)):
                return
            time.sleep(0.05)
        raise AssertionError("nothing is to be heard at a cable, not even silence")

    with ExitStack() as stack:
        ears = [
            subprocess.Popen(
                ["parec", f"--device={cable}.monitor", "--latency-msec=50", *FORM],
                env=server,
                stdout=stack.enter_context(file.open("wb")),
            )
            for cable, file in zip(CABLES, files, strict=True)
        ]
        until_heard(4)
        subprocess.run(
            ["pacat", "--playback", "--device=room", *FORM],
            env=server,
            input=signal.tobytes(),
            check=True,
            timeout=60,
        )
        until_heard(int(0.7 * RATE) * 4)
        for ear in ears:
            ear.terminate()
            ear.wait(10)
    return [np.fromfile(file, "<f4") for file in files]


def likeness(heard: Float, original: Float) -> float:
    """How much of a voice is found again, by correlation: the fourth best of its eighths of a second.

    Piece by piece, and not of all, because on a busy machine a sound server drops and doubles milliseconds.
    """
    found = []
    for start in range(0, len(original) - 2000, 2000):
        piece = original[start : start + 2000].astype(np.float64)
        at = int(np.argmax(np.abs(correlate(heard, piece, mode="valid", method="fft"))))
        there = heard[at : at + 2000].astype(np.float64)
        found.append(
            float(np.dot(piece, there) / np.sqrt(np.dot(piece, piece) * np.dot(there, there) + 1e-20))
        )
    return sorted(found)[-4]


def voice_through(server: dict[str, str], place: Path) -> list[float]:
    """How well the voice arrives at each cable, the best of some tries: while a machine is too busy a sound server leaves
    gaps."""
    best = [0.0 for _ in CABLES]
    for _ in range(TRIES):
        found = [likeness(heard, voice()) for heard in through(server, voice(), place)]
        best = [max(pair) for pair in zip(best, found, strict=True)]
        if min(best) > ALIKE:
            break
    return best


def busy_level(heard: Float) -> float:
    """Level that a tenth of the 10-ms blocks exceed, dBFS."""
    blocks = heard[: len(heard) // 160 * 160].reshape(-1, 160)
    return float(np.percentile([decibels(block) for block in blocks], 90))


@pytest.mark.timeout(300)
def test_the_voice_arrives_and_the_typing_does_not(server: dict[str, str], tmp_path: Path) -> None:
    with agent(server, "Cable", "--no-comfort") as quiet, agent(server, PLAIN, "--bypass") as bypassed:
        said, plain = voice_through(server, tmp_path / "voice")
        typed, loud = through(server, typing(), tmp_path / "keys")
    assert said > ALIKE
    assert plain > ALIKE
    assert likeness(loud, voice()) < 0.7, "nor is every sound like every other"
    assert busy_level(typed) < busy_level(loud) - 15
    assert (quiet["state"], bypassed["state"]) == ("running", "bypassed")
    assert quiet["proof"]["strokes"] >= 6
    assert quiet["proof"]["latency_samples"] == 320


def test_devices_are_listed_and_picked_by_a_part_of_their_name(server: dict[str, str]) -> None:
    listed = desk("--list", **server)
    out, _ = listed.communicate(timeout=30)
    assert listed.returncode == 0
    assert "room.monitor" in out
    assert "Cable" in out
    for words, said in (
        (("--input", "nothing like it", "--output", "cable"), "nothing like it"),
        (("--input", "monitor", "--output", "cable"), "Monitor of Cable"),
        (
            (
                "--input",
                "room",
            ),
            "--output",
        ),
    ):
        asked = desk(*words, **server)
        _, errors = asked.communicate(timeout=30)
        assert asked.returncode == 2
        assert said in errors
        assert "Traceback" not in errors


def test_a_virtual_microphone_is_there_while_it_is_wanted_and_no_longer(
    server: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    before = Pulse().devices()
    with VirtualMicrophone() as made:
        names = {device.id: device for device in Pulse().devices()}
        assert names[made.source].records
        assert names[made.sink].plays
        with pytest.raises(DeviceGone):
            VirtualMicrophone()
    assert Pulse().devices() == before


def test_without_a_server_it_says_what_to_do() -> None:
    lost = desk("--host", "pulse", "--output", "x", PULSE_SERVER="unix:/nowhere/native")
    _, errors = lost.communicate(timeout=30)
    assert lost.returncode == 4
    assert "PulseAudio" in errors
    assert "Traceback" not in errors
