"""A stream that the sound server moves to another device has lost its device, and is not heard from there."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from audio.devices import Device, DeviceGone, Pulse
from audio.devices.moves import Moves
from tests.support import pulse

pytestmark = pytest.mark.quiet

LONGEST_S = 60.0


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    with pulse.server() as environment:
        yield environment


@pytest.fixture
def devices(server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Device]:
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    return {device.id: device for device in Pulse().devices()}


def move(kind: str, to: str) -> None:
    """Move the only stream of that kind, once it is there."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        listed = subprocess.run(
            ["pactl", "--format=json", "list", f"{kind}s"], capture_output=True, text=True, check=True
        ).stdout
        streams = json.loads(listed)
        if len(streams) == 1:
            subprocess.run(["pactl", f"move-{kind}", str(streams[0]["index"]), to], check=True)
            return
        time.sleep(0.05)
    raise AssertionError(f"no {kind} within {LONGEST_S:g} s")


def again_and_again(call: Callable[[], object]) -> None:
    """Until it raises, or for long."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        call()
        time.sleep(0.02)


def test_a_microphone_that_became_another_is_gone(devices: dict[str, Device]) -> None:
    capture = Pulse().capture(devices["room.monitor"])
    try:
        end = time.monotonic() + LONGEST_S
        while capture.read(1.0) is None:
            assert time.monotonic() < end
        move("source-output", "cable.monitor")
        with pytest.raises(DeviceGone, match="another microphone"):
            again_and_again(lambda: capture.read(0.1))
    finally:
        capture.close()


def test_a_cable_that_became_a_loudspeaker_is_gone(devices: dict[str, Device]) -> None:
    playback = Pulse().playback(devices["cable"], 0.03)
    try:
        playback.write(np.zeros(1600, np.float32))
        move("sink-input", "room")
        with pytest.raises(DeviceGone, match="another loudspeaker"):
            again_and_again(lambda: playback.write(np.zeros(160, np.float32)))
    finally:
        playback.close()


def test_without_a_server_nothing_is_said_to_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere/native")
    moves = Moves(os.getpid(), records=True)
    moves.close()
    assert not moves.moved
