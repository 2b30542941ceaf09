"""The desk agent: keeps a microphone, the suppressor and a virtual cable together, whatever is unplugged.

    microphone ─► 16 kHz ─► suppressor ─► slip ─► cushion ─► the cable's rate ─► virtual cable
        │ watched: silent, or gone? opened again                                    │ watched, too

Two devices have two clocks. When the cable falls behind for good, two blocks are faded into one, and counted. Where it runs
ahead, or sound comes too late for it, there is a gap: it is counted, and the cushion is filled again, to a little more than
before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soxr

from audio.devices import Capture, Device, DeviceGone, Float, Host, Playback
from audio.resample import Resampler
from audio.suppressor import BLOCK, RATE, Engine, Proof, StrokeInfo
from callsvc.desk.cushion import Cushion

READ_S = 0.1
SILENT_S = 2.0
"""A microphone that gives nothing for this long is opened again, and a cable that takes nothing."""
RETRY_S = 1.0
WATCH_S = 1.0
"""When more than the cushion has waited for the cable for this long, two blocks become one."""
SILENCE = 0.1
"""Probability of a voice below which a cable may be opened anew: nobody hears it."""
Change = Callable[[Float], Float]
FADE = np.linspace(0, 1, BLOCK, dtype=np.float32)


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
    """Runs in the caller's thread until it is told to stop."""

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
        self._stream = engine.open(self._heard, hints=hints)
        self._stream.bypass = bypass
        self._bypass = bypass
        self._capture: Capture | None = None
        self._playback: Playback | None = None
        self._names = ["", ""]
        self._lock = threading.Lock()
        self._lost: list[Playback] = []
        self._took_at = self._watched_at = 0.0
        self._least = np.inf
        self._to_cable: Change = _unchanged
        self._held: Float | None = None
        self._restarts = self._slips = 0
        self._cushion = Cushion(monotonic())
        self._dry = self._underruns = self._overruns = 0
        self._paused = True
        """Sound has stopped for a reason that more of it ahead would not have helped against."""
        self._opened = [False, False]
        self._next_try = [0.0, 0.0]
        self._peak_in = self._peak_out = 0.0
        self._pushed = 0

    def run(self, stop: threading.Event) -> Proof:
        """Carry sound until `stop`; gives the proof of the whole run."""
        heard_at = self._now()
        to_us: Change = _unchanged
        try:
            while not stop.is_set():
                self._open_playback()
                if self._capture is None:
                    if not self._open_capture():
                        stop.wait(READ_S)
                        continue
                    assert self._capture is not None
                    heard_at = self._now()
                    to_us = _change(self._capture.rate_hz, RATE)
                try:
                    samples = self._capture.read(READ_S)
                except DeviceGone:
                    self._lose_capture()
                    continue
                if samples is None:
                    if self._now() - heard_at > SILENT_S:
                        self._lose_capture()
                    continue
                heard_at = self._now()
                self._take(to_us(samples))
        finally:
            proof = self._stream.close()
            for device in (self._capture, self._playback, *self._lost):
                if device is not None:
                    device.close()
        return proof

    def key(self) -> None:
        """A key was pressed just now: its sound is what the microphone gives next."""
        self._stream.hint(self._pushed + BLOCK)

    def status(self) -> Status:
        """How it goes; levels are those since the last time that this was asked."""
        capture, overruns = self._capture, self._overruns
        if capture is None:
            state = "no_microphone"
        elif self._playback is None:
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
            microphone=self._names[0],
            cable=self._names[1],
            restarts=self._restarts,
            slips=self._slips,
            underruns=self._underruns,
            overruns=overruns + (capture.lost if capture is not None else 0),
            cushion_ms=round(self._cushion.target_s * 1000),
            cushion_grown=self._cushion.grown,
            cushion_shrunk=self._cushion.shrunk,
            proof=self._stream.proof(),
        )

    def _take(self, samples: Float) -> None:
        if len(samples):
            self._peak_in = max(self._peak_in, float(np.mean(samples * samples)))
            self._pushed += len(samples)
            self._stream.push(samples)

    def _heard(self, out: Float, info: StrokeInfo) -> None:
        """In the engine's thread."""
        self._peak_out = max(self._peak_out, float(np.mean(out * out)))
        with self._lock:
            playback = self._playback
            if playback is None:
                return
            try:
                gap = self._refill(playback)
                if (gap or info.voice < SILENCE) and playback.unfit(self._cushion.target_s):
                    self._anew(playback)
                    return
                ready = self._slip(playback, out)
                if ready is not None:
                    sound = self._to_cable(ready)
                    if playback.write(sound) >= len(sound):
                        self._took_at = self._now()
                    else:
                        self._overruns += 1
                        if self._now() - self._took_at > SILENT_S:
                            raise DeviceGone
            except DeviceGone:
                self._playback = None
                self._lost.append(playback)

    def _anew(self, playback: Playback) -> None:
        """Have the cable opened again, for what is to be ahead of it now."""
        self._playback = None
        self._lost.append(playback)
        self._opened[1] = False
        self._next_try[1] = self._now()

    def _refill(self, playback: Playback) -> bool:
        """After a gap, begin again with a cushion; whether there was one."""
        dry, paused, self._paused = playback.dry, self._paused, False
        gap = dry > self._dry
        if gap:
            if not paused:
                self._underruns += dry - self._dry
                self._cushion.ran_dry(self._now())
            self._dry = dry
            missing = int(self._cushion.target_s * playback.rate_hz) - playback.waiting
            if missing > 0:
                playback.write(np.zeros(missing, np.float32))
        return gap

    def _slip(self, playback: Playback, out: Float) -> Float | None:
        """The block, or what it is faded into when the cable has too much; None while that is being made."""
        if self._held is not None:
            merged: Float = self._held * (1 - FADE) + out * FADE
            self._held = None
            self._slips += 1
            return merged
        self._least = min(self._least, playback.waiting / playback.rate_hz)
        if self._now() - self._watched_at < WATCH_S:
            return out
        self._cushion.look(self._now())
        much = self._least > self._cushion.target_s
        self._least, self._watched_at = np.inf, self._now()
        if much:
            self._held = out
            return None
        return out

    def _open_capture(self) -> bool:
        if self._now() < self._next_try[0]:
            return False
        self._next_try[0] = self._now() + RETRY_S
        try:
            device = self._find(True)
            self._capture = self._host.capture(device)
        except DeviceGone:
            return False
        self._names[0] = device.name
        self._count(0)
        return True

    def _open_playback(self) -> None:
        while self._lost:
            self._lost.pop().close()
        if self._playback is not None or self._now() < self._next_try[1]:
            return
        self._next_try[1] = self._now() + RETRY_S
        try:
            device = self._find(False)
            playback = self._host.playback(device, self._cushion.target_s)
            playback.write(np.zeros(int(self._cushion.target_s * playback.rate_hz), np.float32))
        except DeviceGone:
            return
        self._names[1] = device.name
        self._count(1)
        with self._lock:
            self._held = None
            self._to_cable = _change(RATE, playback.rate_hz)
            self._took_at = self._watched_at = self._now()
            self._least = np.inf
            self._dry, self._paused = 0, True
            self._playback = playback

    def _count(self, which: int) -> None:
        if self._opened[which]:
            self._restarts += 1
        self._opened[which] = True

    def _lose_capture(self) -> None:
        assert self._capture is not None
        self._overruns += self._capture.lost
        self._capture.close()
        self._capture = None
        self._paused = True
        self._next_try[0] = self._now()


def _unchanged(samples: Float) -> Float:
    return samples


def _change(from_hz: int, to_hz: int) -> Change:
    """From one rate to another, as sound comes: quickly between multiples, by soxr between others."""
    if from_hz == to_hz:
        return _unchanged
    if max(from_hz, to_hz) % min(from_hz, to_hz) == 0:
        return Resampler(from_hz, to_hz).process
    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="LQ")
    return lambda samples: stream.resample_chunk(samples)


def _db(power: float) -> float:
    return float(10 * np.log10(max(power, 1e-10)))
