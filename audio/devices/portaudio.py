"""PortAudio, through PyAudio: Windows, macOS, and Linux without a sound server. Needs the extra `desk`."""

from __future__ import annotations

import importlib
import importlib.util
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from audio.devices.device import Device, DeviceGone, Float
from audio.devices.moves import Moves

RATES = (16_000, 48_000, 44_100)
"""Rates to try, best first: with 16 kHz nothing has to be resampled. A device's own comes after them."""
FRAME_S = 0.01
KEPT = 50
"""Frames that may wait between the device and us: half a second; beyond that the oldest go."""
CONTINUE = 0
"""PortAudio's paContinue."""
INPUT_OVERFLOW, OUTPUT_UNDERFLOW = 2, 4
"""PortAudio's paInputOverflow and paOutputUnderflow: it was itself called too late by the device."""
REFRESH_S = 10.0
"""PortAudio looks for devices only when it starts, and starting anew ends every stream that is open. So while one is, it
is not started more often than this: a second device would otherwise end the first, and the first the second."""


class PortAudio:
    """PortAudio's devices. PyAudio is loaded when the first is asked for."""

    name = "portaudio"

    def __init__(self, module: Any = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._module = module
        self._now = monotonic
        self._started = 0.0
        self._streams: list[Any] = []
        self._lock = threading.Lock()
        self._system: Any = None

    @staticmethod
    def present() -> bool:
        """Whether PyAudio is installed."""
        return importlib.util.find_spec("pyaudio") is not None

    def devices(self) -> list[Device]:
        """Devices as they are now; with a stream open, as they were REFRESH_S ago at most."""
        with self._lock:
            busy = any(_active(stream) for stream in self._streams)
            if self._system is None or not busy or self._now() - self._started > REFRESH_S:
                self._restart()
            standard = {self._standard(kind) for kind in ("input", "output")}
            found = []
            for index in range(self._system.get_device_count()):
                info = self._system.get_device_info_by_index(index)
                records, plays = info["maxInputChannels"] > 0, info["maxOutputChannels"] > 0
                host = self._system.get_host_api_info_by_index(info["hostApi"])["name"]
                name = f"{info['name']} ({host})"
                found.append(Device(str(index), name, records, plays, index in standard))
            return found

    def capture(self, device: Device) -> PortCapture:
        """Open a microphone."""
        made = PortCapture(self._loaded(), device)
        self._streams.append(made.stream)
        return made

    def playback(self, device: Device, ahead_s: float) -> PortPlayback:
        """Open a loudspeaker. What is ahead waits here and not at the device, so it may be any amount."""
        made = PortPlayback(self._loaded(), device)
        self._streams.append(made.stream)
        return made

    def _loaded(self) -> Any:
        with self._lock:
            if self._system is None:
                self._restart()
            return self._system

    def _restart(self) -> None:
        if self._module is None:
            try:
                self._module = importlib.import_module("pyaudio")
            except ImportError as error:
                raise DeviceGone("PyAudio is not installed") from error
        if self._system is not None:
            self._system.terminate()
        self._streams.clear()
        os.environ.setdefault(
            "JACK_NO_START_SERVER", "1"
        )  # where JACK is built in, looking must not start it
        self._system = self._module.PyAudio()
        self._started = self._now()

    def _standard(self, kind: str) -> int:
        try:
            return int(getattr(self._system, f"get_default_{kind}_device_info")()["index"])
        except OSError:
            return -1


def _open(system: Any, device: Device, callback: Any, records: bool) -> tuple[Any, int]:
    """A stream at the first rate that the device takes."""
    try:
        own = int(system.get_device_info_by_index(int(device.id))["defaultSampleRate"])
    except (OSError, KeyError) as error:
        raise DeviceGone(device.name) from error
    last: Exception = DeviceGone(device.name)
    for rate in dict.fromkeys((*RATES, own)):
        try:
            stream = system.open(
                rate=rate,
                channels=1,
                format=1,  # paFloat32
                input=records,
                output=not records,
                input_device_index=int(device.id) if records else None,
                output_device_index=None if records else int(device.id),
                frames_per_buffer=int(rate * FRAME_S),
                stream_callback=callback,
            )
        except (OSError, ValueError) as error:
            last = error
        else:
            return stream, rate
    raise DeviceGone(device.name) from last


class PortCapture:
    """A microphone that hands over frames from PortAudio's own thread."""

    def __init__(self, system: Any, device: Device) -> None:
        self._frames: queue.Queue[bytes] = queue.Queue(KEPT)
        self.lost = 0
        self.stream, self.rate_hz = _open(system, device, self._heard, records=True)
        self._moves = _moves(records=True)

    def _heard(self, data: bytes, count: int, times: Any, status: int) -> tuple[None, int]:
        if status & INPUT_OVERFLOW:
            self.lost += 1
        try:
            self._frames.put_nowait(data)
        except queue.Full:
            self.lost += 1
        return None, CONTINUE

    def read(self, timeout_s: float) -> Float | None:
        """The next frame."""
        if self._moves is not None and self._moves.moved:
            raise DeviceGone("the sound server went on with another microphone")
        try:
            return np.frombuffer(self._frames.get(timeout=timeout_s), "<f4").astype(np.float32)
        except queue.Empty:
            if not _active(self.stream):
                raise DeviceGone("the stream ended") from None
            return None

    def close(self) -> None:
        """Let go of the device."""
        if self._moves is not None:
            self._moves.close()
        _close(self.stream)


class PortPlayback:
    """A loudspeaker that PortAudio's own thread fills from what waits, or with silence."""

    def __init__(self, system: Any, device: Device) -> None:
        self._lock = threading.Lock()
        self._held: Float = np.zeros(0, np.float32)
        self._flows = False
        self.dry = 0
        self.stream, self.rate_hz = _open(system, device, self._wanted, records=False)
        self._moves = _moves(records=False)

    def _wanted(self, data: None, count: int, times: Any, status: int) -> tuple[bytes, int]:
        with self._lock:
            out, self._held = self._held[:count], self._held[count:]
            if self._flows and (len(out) < count or status & OUTPUT_UNDERFLOW):
                self.dry += 1
                # One gap, however long: it is over when sound comes again.
                self._flows = len(out) == count
        return np.pad(out, (0, count - len(out))).astype("<f4").tobytes(), CONTINUE

    def write(self, samples: Float) -> int:
        """Up to half a second waits."""
        if not _active(self.stream):
            raise DeviceGone("the stream ended")
        if self._moves is not None and self._moves.moved:
            raise DeviceGone("the sound server went on with another loudspeaker")
        with self._lock:
            room = max(0, int(KEPT * FRAME_S * self.rate_hz) - len(self._held))
            taken = samples[:room]
            self._held = np.concatenate((self._held, taken))
            self._flows = self._flows or len(taken) > 0
        return len(taken)

    def unfit(self, ahead_s: float) -> bool:
        """Never."""
        return False

    @property
    def waiting(self) -> int:
        """Samples that wait."""
        return len(self._held)

    def close(self) -> None:
        """Let go of the device."""
        if self._moves is not None:
            self._moves.close()
        _close(self.stream)


def _moves(records: bool) -> Moves | None:
    """On Linux, where ALSA hands us on to a sound server, that server may move us."""
    return Moves(os.getpid(), records) if shutil.which("pactl") else None


def _active(stream: Any) -> bool:
    """Whether it runs; one that ended with its device, or with the system that was started anew, does not."""
    try:
        return bool(stream.is_active())
    except OSError:
        return False


def _close(stream: Any) -> None:
    try:
        stream.close()
    except OSError:
        return
