"""The agent on the real PortAudio, by way of ALSA's plug-in for PulseAudio: sound goes through, and unplugging is survived.

The plug-in stalls now and then; what counts is that the agent lives with it.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from audio.suppressor.frames import Float
from tests.support import pulse
from tests.support.streams import decibels

pytest.importorskip("pyaudio", reason="made by `make test` and `make desk`")

pytestmark = [pytest.mark.quiet, pytest.mark.timeout(240)]

RATE = 16000
FORM = ("--raw", "--format=float32le", "--rate=16000", "--channels=1")
LONGEST_S = 60.0
Status = dict[str, Any]


class Watched:
    """What the agent says of itself, line by line."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        assert child.stdout is not None
        self.thread = threading.Thread(target=self._read, args=(child.stdout,))
        self.thread.start()

    def _read(self, pipe: IO[str]) -> None:
        with pipe:
            for line in pipe:
                self._lines.put(line)

    def until(self, true: Callable[[Status], bool]) -> Status:
        """The first status from now on of which that is true."""
        said: Status = {}
        end = time.monotonic() + LONGEST_S
        while time.monotonic() < end:
            try:
                said = json.loads(self._lines.get(timeout=1))
            except queue.Empty:
                continue
            if true(said):
                return said
        raise AssertionError(f"not so within {LONGEST_S:g} s; last: {said}")


@pytest.fixture
def server() -> Iterator[dict[str, str]]:
    with pulse.server() as environment:
        yield environment


@contextmanager
def agent(server: dict[str, str], *options: str) -> Iterator[Watched]:
    words = ["--host", "portaudio", "--input", "room_microphone", "--output", "cable_loudspeaker"]
    command = [sys.executable, "-m", "callsvc", "desk", "--json", *words, *options]
    with (Path(server["HOME"]) / "desk.log").open("w+") as log:
        child = subprocess.Popen(
            command, env={**os.environ, **server}, stdout=subprocess.PIPE, stderr=log, text=True
        )
        watched = Watched(child)
        try:
            yield watched
            child.terminate()
            assert child.wait(30) == 0
        finally:
            child.kill()
            child.wait(10)
            watched.thread.join(10)
            log.seek(0)
            said = log.read()
    assert "Traceback" not in said, said


@contextmanager
def playing(server: dict[str, str], sound: Float) -> Iterator[None]:
    """This sound in the room, again and again."""
    player = subprocess.Popen(
        ["pacat", "--playback", "--device=room", *FORM], env=server, stdin=subprocess.PIPE
    )
    done = threading.Event()

    def feed() -> None:
        assert player.stdin is not None
        try:
            while not done.is_set():
                player.stdin.write(sound.tobytes())
        except OSError:
            return

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        done.set()
        player.kill()
        player.wait(10)
        thread.join(10)
        assert player.stdin is not None
        with suppress(OSError):
            player.stdin.close()


def tone() -> Float:
    """A second of 440 Hz, at -17 dBFS."""
    made: Float = (0.2 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)
    return made


def at_the_cable(server: dict[str, str], seconds: float) -> Float:
    """What a telephone program hears there."""
    ear = subprocess.Popen(["parec", "--device=cable.monitor", *FORM], env=server, stdout=subprocess.PIPE)
    assert ear.stdout is not None
    try:
        return np.frombuffer(ear.stdout.read(int(seconds * RATE) * 4), "<f4")
    finally:
        ear.kill()
        ear.wait(10)
        ear.stdout.close()


def likeness(heard: Float, hz: float) -> float:
    """Correlation with a tone, of the best 50 ms: on a busy machine there are holes."""
    size = RATE // 20
    wave = np.exp(-2j * np.pi * hz * np.arange(size) / RATE)
    found = [0.0]
    for start in range(0, len(heard) - size, size // 4):
        piece = heard[start : start + size].astype(np.float64)
        found.append(float(np.abs(np.dot(piece, wave)) / np.sqrt(np.dot(piece, piece) * size / 2 + 1e-6)))
    return max(found)


def loud(said: Status) -> bool:
    return bool(said["state"] == "bypassed" and said["level_out_db"] > -30)


def heard_at_the_cable(server: dict[str, str], hz: float) -> Float:
    """A second in which the tone is heard there: waited for, because the plug-in stalls."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        heard = at_the_cable(server, 1)
        if likeness(heard, hz) > 0.9:
            return heard
    raise AssertionError(f"no tone of {hz:g} Hz within {LONGEST_S:g} s")


def test_sound_goes_through_and_a_microphone_that_stalls_or_is_pulled_out_comes_back(
    server: dict[str, str],
) -> None:
    with agent(server, "--bypass") as said:
        with playing(server, tone()):
            first = said.until(loud)
            assert "room_microphone" in first["microphone"]
            assert likeness(heard_at_the_cable(server, 440), 640) < 0.3
            pulse.suspend(server, pulse.ROOM, True)
            said.until(lambda s: bool(s["restarts"] > first["restarts"]))
            pulse.suspend(server, pulse.ROOM, False)
            said.until(loud)
        # The player has to end first: the server would move it to the cable, past us.
        pulse.pull_out(server, pulse.ROOM)
        gone = said.until(lambda s: bool(s["state"] == "no_microphone"))
        pulse.plug_in(server, pulse.ROOM)
        with playing(server, tone()):
            back = said.until(loud)
            assert back["restarts"] > gone["restarts"]
            assert likeness(heard_at_the_cable(server, 440), 640) < 0.3


def test_typing_is_taken_out_on_the_way(server: dict[str, str]) -> None:
    from tests.callsvc.desk.test_pulse import typing

    with agent(server, "--no-comfort") as said, playing(server, typing()):
        said.until(lambda s: s["state"] == "running" and s["proof"]["strokes"] >= 5)
        quiet = at_the_cable(server, 5)
        room = said.until(lambda s: s["level_in_db"] > -45)
    blocks = quiet[: len(quiet) // 160 * 160].reshape(-1, 160)
    loud = np.percentile([decibels(block) for block in blocks], 95)
    assert loud < room["level_in_db"] - 15
