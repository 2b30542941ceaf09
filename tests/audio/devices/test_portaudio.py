"""PortAudio's devices, with a double of PyAudio in its place: no machine that tests run on has a sound card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from audio.devices import DeviceGone, PortAudio
from audio.devices.portaudio import INPUT_OVERFLOW, OUTPUT_UNDERFLOW, REFRESH_S
from tests.support.streams import noise

pytestmark = pytest.mark.quiet

DEVICES: list[dict[str, Any]] = [
    {
        "index": 0,
        "name": "Mikrofon",
        "maxInputChannels": 1,
        "maxOutputChannels": 0,
        "defaultSampleRate": 44100.0,
    },
    {
        "index": 1,
        "name": "CABLE Input",
        "maxInputChannels": 0,
        "maxOutputChannels": 2,
        "defaultSampleRate": 48000.0,
    },
]


@pytest.fixture(autouse=True)
def no_sound_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A double has no streams at a server that might move them."""
    monkeypatch.setattr("audio.devices.portaudio._moves", lambda records: None)


class Stream:
    def __init__(self, callback: Callable[..., Any]) -> None:
        self.callback = callback
        self.active = True
        self.there = True

    def is_active(self) -> bool:
        if not self.there:
            raise OSError("Stream not open")
        return self.active

    def close(self) -> None:
        self.active = False


class PyAudio:
    """As much of PyAudio as is used; a device takes its own rate only."""

    streams: list[Stream]
    alive = 0

    def __init__(self) -> None:
        PyAudio.streams = []
        PyAudio.alive += 1

    def terminate(self) -> None:
        """As the real one: every stream ends with it."""
        PyAudio.alive -= 1
        for stream in self.streams:
            stream.there = False

    def get_device_count(self) -> int:
        return len(DEVICES)

    def get_device_info_by_index(self, index: int) -> dict[str, Any]:
        if index >= len(DEVICES):
            raise OSError("Invalid device")
        return {**DEVICES[index], "hostApi": 0}

    def get_host_api_info_by_index(self, index: int) -> dict[str, Any]:
        return {"name": "WASAPI"}

    def get_default_input_device_info(self) -> dict[str, Any]:
        return DEVICES[0]

    def get_default_output_device_info(self) -> dict[str, Any]:
        raise OSError("No Default Output Device Available")

    def open(self, *, rate: int, stream_callback: Callable[..., Any], **options: Any) -> Stream:
        index = options["input_device_index"] if options["input"] else options["output_device_index"]
        if rate != DEVICES[index]["defaultSampleRate"]:
            raise OSError("Invalid sample rate")
        self.streams.append(Stream(stream_callback))
        return self.streams[-1]


class Module:
    PyAudio = PyAudio


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def host(clock: Clock) -> PortAudio:
    PyAudio.alive = 0
    return PortAudio(Module, clock)


def test_devices_are_looked_for_anew_each_time(host: PortAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    first = host.devices()
    assert [(d.name, d.records, d.plays, d.default) for d in first] == [
        ("Mikrofon (WASAPI)", True, False, True),
        ("CABLE Input (WASAPI)", False, True, False),
    ]
    monkeypatch.setitem(globals(), "DEVICES", DEVICES[:1])
    assert len(host.devices()) == 1
    assert PyAudio.alive == 1


def test_looking_for_one_device_does_not_end_the_other_but_once_in_a_while(
    host: PortAudio, clock: Clock
) -> None:
    capture = host.capture(host.devices()[0])
    clock.now += 1
    playback = host.playback(host.devices()[1], 0.03)
    for _ in range(5):
        clock.now += 1
        host.devices()
    assert capture.read(0) is None
    assert playback.write(noise(0.01, 0.1)) == 160
    clock.now += REFRESH_S
    assert len(host.devices()) == 2
    with pytest.raises(DeviceGone):
        playback.write(noise(0.01, 0.1))
    with pytest.raises(DeviceGone):
        capture.read(0)
    capture.close()
    playback.close()


def test_a_microphone_hands_over_what_it_hears_at_a_rate_that_it_takes(host: PortAudio) -> None:
    capture = host.capture(host.devices()[0])
    assert capture.rate_hz == 44100
    assert capture.read(0) is None
    sound = noise(0.01, 0.1)
    PyAudio.streams[0].callback(sound.tobytes(), len(sound), None, 0)
    heard = capture.read(1)
    assert heard is not None
    assert np.array_equal(heard, sound)
    for _ in range(60):
        PyAudio.streams[0].callback(sound.tobytes(), len(sound), None, 0)
    assert capture.lost == 10
    while capture.read(0) is not None:
        pass
    PyAudio.streams[0].active = False
    with pytest.raises(DeviceGone):
        capture.read(0)


def test_a_loudspeaker_plays_what_waits_and_then_silence(host: PortAudio) -> None:
    playback = host.playback(host.devices()[1], 0.03)
    sound = noise(0.02, 0.1)
    assert playback.write(sound) == 320
    assert playback.waiting == 320
    out, _ = PyAudio.streams[0].callback(None, 480, None, 0)
    assert np.array_equal(np.frombuffer(out, "<f4"), np.concatenate((sound, np.zeros(160, np.float32))))
    assert playback.waiting == 0
    assert playback.write(np.zeros(30000, np.float32)) == 24000, "half a second and no more"
    playback.close()
    with pytest.raises(DeviceGone):
        playback.write(sound)


def test_each_time_that_a_loudspeaker_has_too_little_counts_once_however_long_it_lasts(
    host: PortAudio,
) -> None:
    playback = host.playback(host.devices()[1], 0.03)
    wanted = PyAudio.streams[0].callback
    wanted(None, 480, None, 0)
    assert playback.dry == 0, "nothing has come yet, and nothing is missed"
    for gaps in (1, 2):
        playback.write(noise(0.02, 0.1))
        for _ in range(5):
            wanted(None, 240, None, 0)
        assert playback.dry == gaps
    playback.write(noise(0.02, 0.1))
    wanted(None, 240, None, OUTPUT_UNDERFLOW)
    assert playback.dry == 3, "PortAudio itself was late"


def test_what_a_microphone_lost_before_it_came_to_us_counts_too(host: PortAudio) -> None:
    capture = host.capture(host.devices()[0])
    sound = noise(0.01, 0.1)
    PyAudio.streams[0].callback(sound.tobytes(), len(sound), None, INPUT_OVERFLOW)
    PyAudio.streams[0].callback(sound.tobytes(), len(sound), None, 0)
    assert capture.lost == 1


def test_a_device_that_is_gone_says_so(host: PortAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    microphone, cable = host.devices()
    monkeypatch.setitem(globals(), "DEVICES", [])
    for opened in (lambda: host.capture(microphone), lambda: host.playback(cable, 0.03)):
        with pytest.raises(DeviceGone):
            opened()
