"""The desk agent: keeps a microphone, the suppressor and a virtual cable together, whatever is unplugged.

microphone ─► 16 kHz ─► suppressor ─► virtual cable
    │ silent, or gone? opened again     │ so is this one
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from audio.devices import Capture, Device, DeviceGone, Float, Host
from audio.suppressor import BLOCK, RATE, Engine, Proof, StrokeInfo
from callsvc.desk.cable import RETRY_S, Cable
from callsvc.desk.rate import Change, change, unchanged

READ_S = 0.1
SILENT_S = 2.0
"""A microphone that gives nothing for this long is opened again."""


@dataclass(frozen=True)
class Status:
    """The agent as a person sees it."""

    state: str
    """running, bypassed, degraded, no_microphone or no_cable."""
    level_in_db: float
    """Loudest block since the last status, dBFS."""
    level_out_db: float
    microphone: str
    cable: str
    restarts: int
    """Devices opened again."""
    slips: int
    """Blocks saved because two clocks differ, or the cushion became less."""
    underruns: int
    """Gaps: times that sound came too late for the cable."""
    overruns: int
    """Times that sound was lost because nobody took it soon enough: the microphone's here, ours at the cable."""
    cushion_ms: int
    """What is to be ahead of the cable; it grows with gaps."""
    cushion_grown: int
    cushion_shrunk: int
    proof: Proof


class Agent:
    """Runs in the caller's thread until it is told to stop. `find` gives the microphone, or (False) the cable."""

    def __init__(
        self,
        engine: Engine,
        host: Host,
        find: Callable[[bool], Device],
        *,
        bypass: bool = False,
        hints: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._host = host
        self._find = find
        self._now = monotonic
        self._cable = Cable(host, lambda: find(False), monotonic)
        self._stream = engine.open(self._heard, hints=hints)
        self._stream.bypass = bypass
        self._bypass = bypass
        self._capture: Capture | None = None
        self._microphone = ""
        self._to_us: Change = unchanged
        self._heard_at = 0.0
        self._restarts = self._overruns = 0
        self._was_open = False
        self._next_try = 0.0
        self._peak_in = self._peak_out = 0.0
        self._pushed = 0

    def run(self, stop: threading.Event) -> Proof:
        """Carry sound until `stop`; gives the proof of the whole run."""
        try:
            while not stop.is_set():
                self._cable.open()
                capture = self._capture or self._open()
                if capture is None:
                    stop.wait(READ_S)
                else:
                    self._carry(capture)
        finally:
            proof = self._stream.close()
            if self._capture is not None:
                self._capture.close()
            self._cable.close()
        return proof

    def key(self) -> None:
        """A key was pressed just now: its sound is what the microphone gives next."""
        self._stream.hint(self._pushed + BLOCK)

    def status(self) -> Status:
        """How it goes; levels are those since the last time that this was asked."""
        capture, overruns, cable = self._capture, self._overruns, self._cable
        if capture is None:
            state = "no_microphone"
        elif not cable.there:
            state = "no_cable"
        elif self._engine.degraded:
            state = "degraded"
        else:
            state = "bypassed" if self._bypass else "running"
        level_in, level_out = _db(self._peak_in), _db(self._peak_out)
        self._peak_in = self._peak_out = 0.0
        return Status(
            state=state,
            level_in_db=level_in,
            level_out_db=level_out,
            microphone=self._microphone,
            cable=cable.name,
            restarts=self._restarts + cable.restarts,
            slips=cable.slips,
            underruns=cable.underruns,
            overruns=overruns + cable.overruns + (capture.lost if capture is not None else 0),
            cushion_ms=round(cable.cushion.target_s * 1000),
            cushion_grown=cable.cushion.grown,
            cushion_shrunk=cable.cushion.shrunk,
            proof=self._stream.proof(),
        )

    def _open(self) -> Capture | None:
        """The microphone, if it is there and was not tried just now."""
        if self._now() < self._next_try:
            return None
        self._next_try = self._now() + RETRY_S
        try:
            device = self._find(True)
            capture = self._host.capture(device)
        except DeviceGone:
            return None
        self._microphone = device.name
        self._restarts += self._was_open
        self._was_open = True
        self._heard_at = self._now()
        self._to_us = change(capture.rate_hz, RATE)
        self._capture = capture
        return capture

    def _carry(self, capture: Capture) -> None:
        """What the microphone gives next, to the suppressor; away with one that is gone or gives nothing."""
        try:
            samples = capture.read(READ_S)
        except DeviceGone:
            self._lose(capture)
            return
        if samples is None:
            if self._now() - self._heard_at > SILENT_S:
                self._lose(capture)
            return
        self._heard_at = self._now()
        sound = self._to_us(samples)
        if len(sound):
            self._peak_in = max(self._peak_in, float(np.mean(sound * sound)))
            self._pushed += len(sound)
            self._stream.push(sound)

    def _lose(self, capture: Capture) -> None:
        self._overruns += capture.lost
        capture.close()
        self._capture = None
        self._cable.pause()
        self._next_try = self._now()

    def _heard(self, out: Float, info: StrokeInfo) -> None:
        """In the engine's thread."""
        self._peak_out = max(self._peak_out, float(np.mean(out * out)))
        self._cable.play(out, info.voice)


def _db(power: float) -> float:
    return float(10 * np.log10(max(power, 1e-10)))
