"""PulseAudio, and PipeWire in its place, by their own programs: pactl, parec, pacat.

They are used as programs and not through PortAudio because Debian's PortAudio reaches PulseAudio only by way of an ALSA
plug-in that stalls. Sound runs through pipes as 16 kHz float32; the server does the rates.
"""

from __future__ import annotations

import array
import fcntl
import json
import os
import select
import shutil
import subprocess
import termios
from types import TracebackType

import numpy as np

from audio.devices.device import Device, DeviceGone, Float
from audio.devices.moves import ANSWER_S, Moves, pactl, plain
from audio.devices.notices import Notices

RATE = 16_000
BLOCK_BYTES = 160 * 4
CAPTURE_MS = 10
IN_PIPE_MS = 10
"""Of what is to be ahead of a loudspeaker, the part that is not at the server."""
PIPE_BYTES = 16384
"""Room in the pipe to the player: 256 ms. What does not fit is late anyhow."""
FORM = ("--raw", "--format=float32le", f"--rate={RATE}", "--channels=1", "--verbose")


class Pulse:
    """The sound server of this session, or the one that PULSE_SERVER names."""

    name = "pulse"

    @staticmethod
    def present() -> bool:
        """Whether the programs are installed and a server answers."""
        if not all(shutil.which(program) for program in ("pactl", "parec", "pacat")):
            return False
        try:
            pactl("info")
        except DeviceGone:
            return False
        return True

    def devices(self) -> list[Device]:
        """Sources and sinks; a sink's monitor is a source, too."""
        standard = json.loads(pactl("--format=json", "info"))
        found: list[Device] = []
        for kind, records in (("sources", True), ("sinks", False)):
            chosen = standard.get("default_source_name" if records else "default_sink_name")
            found.extend(
                Device(
                    id=entry["name"],
                    name=entry.get("description") or entry["name"],
                    records=records,
                    plays=not records,
                    default=entry["name"] == chosen,
                )
                for entry in json.loads(pactl("--format=json", "list", kind))
            )
        return found

    def capture(self, device: Device) -> PulseCapture:
        """Open a source."""
        return PulseCapture(device)

    def playback(self, device: Device, ahead_s: float) -> PulsePlayback:
        """Open a sink."""
        return PulsePlayback(device, ahead_s)


class PulseCapture:
    """parec's end of a pipe."""

    rate_hz = RATE

    def __init__(self, device: Device) -> None:
        command = ["parec", f"--device={device.id}", f"--latency-msec={CAPTURE_MS}", *FORM]
        self._child = _start(command, subprocess.PIPE, None)
        assert self._child.stdout is not None
        self._pipe = self._child.stdout.fileno()
        self._notices = _notices(self._child)
        self._rest = b""
        self._moves = Moves(self._child.pid, records=True, device=device.id)

    @property
    def lost(self) -> int:
        """Overruns at the server."""
        return self._notices.overruns

    def read(self, timeout_s: float) -> Float | None:
        """What has come, at least a sample."""
        if self._moves.moved:
            raise DeviceGone("the server went on with another microphone")
        if not select.select([self._pipe], [], [], timeout_s)[0]:
            return None
        got = os.read(self._pipe, 16 * BLOCK_BYTES)
        if not got:
            raise DeviceGone("parec ended")
        whole = self._rest + got
        count = len(whole) // 4
        self._rest = whole[count * 4 :]
        return np.frombuffer(whole, "<f4", count).astype(np.float32)

    def close(self) -> None:
        """End parec."""
        self._moves.close()
        _end(self._child)
        self._notices.close(ANSWER_S)


class PulsePlayback:
    """pacat's end of a pipe."""

    rate_hz = RATE

    def __init__(self, device: Device, ahead_s: float) -> None:
        self._ahead_s = ahead_s
        latency = f"--latency-msec={round(ahead_s * 1000) - IN_PIPE_MS}"
        command = ["pacat", "--playback", f"--device={device.id}", latency, *FORM]
        self._child = _start(command, None, subprocess.PIPE)
        assert self._child.stdin is not None
        self._pipe = self._child.stdin.fileno()
        self._notices = _notices(self._child)
        os.set_blocking(self._pipe, False)
        fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._moves = Moves(self._child.pid, records=False, device=device.id)

    def write(self, samples: Float) -> int:
        """What fits into the pipe; it takes up to 4096 bytes as one, or not at all."""
        if self._moves.moved:
            raise DeviceGone("the server went on with another loudspeaker")
        try:
            return os.write(self._pipe, samples.astype("<f4", copy=False).tobytes()) // 4
        except BlockingIOError:
            return 0
        except (BrokenPipeError, OSError) as error:
            raise DeviceGone("pacat ended") from error

    def unfit(self, ahead_s: float) -> bool:
        """When it is twice or half as much. The server plays from what it holds itself, and takes no more than it was asked
        to hold: where pacat comes to its turn too seldom, sound in the pipe is of no use.
        """
        return not self._ahead_s / 2 < ahead_s < self._ahead_s * 2

    @property
    def dry(self) -> int:
        """Underruns at the server."""
        return self._notices.underruns

    @property
    def waiting(self) -> int:
        """Samples in the pipe."""
        held = array.array("i", [0])
        try:
            fcntl.ioctl(self._pipe, termios.FIONREAD, held)
        except OSError:
            return 0
        return held[0] // 4

    def close(self) -> None:
        """End pacat."""
        self._moves.close()
        _end(self._child)
        self._notices.close(ANSWER_S)


class VirtualMicrophone:
    """A sink to play into, and a microphone that other programs find and that hears it. Gone when it is closed."""

    def __init__(self, name: str = "callsvc_quiet", title: str = "callsvc-quiet") -> None:
        taken = {device.id for device in Pulse().devices()}
        if name in taken:
            raise DeviceGone(f"{name} is there already")
        self.sink = name
        self.source = f"{name}_microphone"
        self._modules: list[str] = []
        try:
            self._load(
                "module-null-sink",
                f"sink_name={name}",
                f"rate={RATE}",
                "channels=1",
                f"sink_properties=device.description={title}-cable",
            )
            self._load(
                "module-remap-source",
                f"master={name}.monitor",
                f"source_name={self.source}",
                f"source_properties=device.description={title}-microphone",
            )
        except DeviceGone:
            self.close()
            raise

    def _load(self, *words: str) -> None:
        self._modules.append(pactl("load-module", *words).strip())

    def close(self) -> None:
        """Take away what was made, and nothing else."""
        for module in reversed(self._modules):
            try:
                pactl("unload-module", module)
            except DeviceGone:
                continue
        self._modules.clear()

    def __enter__(self) -> VirtualMicrophone:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def _start(command: list[str], out: int | None, into: int | None) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=into if into is not None else subprocess.DEVNULL,
            stdout=out if out is not None else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            env=plain(),
        )
    except OSError as error:
        raise DeviceGone(f"{command[0]}: {error.strerror}") from error


def _notices(child: subprocess.Popen[bytes]) -> Notices:
    assert child.stderr is not None
    return Notices(child.stderr)


def _end(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    child.terminate()
    try:
        child.wait(ANSWER_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
