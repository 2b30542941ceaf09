"""The way to the virtual cable: opened whenever it can be, kept ahead by a cushion and in step by slips.

    blocks, 16 kHz ─► slip ─► cushion ─► the cable's rate ─► virtual cable
                      │ waits too much?   │ ran dry?          │ takes nothing, or gone? opened again

Two devices have two clocks. When the cable falls behind for good, two blocks are faded into one, and counted. Where it runs
ahead, or sound comes too late for it, there is a gap: it is counted, and the cushion is filled again, to a little more than
before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from audio.devices import Device, DeviceGone, Float, Host, Playback
from audio.suppressor import BLOCK, RATE
from callsvc.desk.cushion import Cushion
from callsvc.desk.rate import Change, change, unchanged

SILENT_S = 2.0
"""A cable that takes nothing for this long is opened again."""
RETRY_S = 1.0
WATCH_S = 1.0
"""When more than the cushion has waited for the cable for this long, two blocks become one."""
SILENCE = 0.1
"""Probability of a voice below which a cable may be opened anew: nobody hears it."""
FADE = np.linspace(0, 1, BLOCK, dtype=np.float32)


class Cable:
    """One thread opens and closes it, another plays. `find` gives the device, or raises `DeviceGone`."""

    def __init__(self, host: Host, find: Callable[[], Device], now: Callable[[], float]) -> None:
        self.name = ""
        self.cushion = Cushion(now())
        self.restarts = 0
        """Times that it was lost and opened again."""
        self.slips = 0
        self.underruns = 0
        self.overruns = 0
        self._host = host
        self._find = find
        self._now = now
        self._lock = threading.Lock()
        self._playback: Playback | None = None
        self._lost: list[Playback] = []
        self._was_open = False
        self._next_try = 0.0
        self._took_at = self._watched_at = 0.0
        self._least = np.inf
        self._to_rate: Change = unchanged
        self._held: Float | None = None
        self._dry = 0
        self._paused = True

    @property
    def there(self) -> bool:
        return self._playback is not None

    def pause(self) -> None:
        """Sound has stopped for a reason that more of it ahead would not have helped against."""
        self._paused = True

    def open(self) -> None:
        """See to it that it is open, if it is there and was not tried just now; close what was lost."""
        while self._lost:
            self._lost.pop().close()
        if self._playback is not None or self._now() < self._next_try:
            return
        self._next_try = self._now() + RETRY_S
        try:
            device = self._find()
            playback = self._host.playback(device, self.cushion.target_s)
            playback.write(np.zeros(int(self.cushion.target_s * playback.rate_hz), np.float32))
        except DeviceGone:
            return
        self.name = device.name
        self.restarts += self._was_open
        self._was_open = True
        with self._lock:
            self._held = None
            self._to_rate = change(RATE, playback.rate_hz)
            self._took_at = self._watched_at = self._now()
            self._least = np.inf
            self._dry, self._paused = 0, True
            self._playback = playback

    def close(self) -> None:
        for device in (self._playback, *self._lost):
            if device is not None:
                device.close()

    def play(self, block: Float, voice: float) -> None:
        """A block of 10 ms at 16 kHz; `voice` is the probability that one is in it. Never raises, never waits."""
        with self._lock:
            playback = self._playback
            if playback is None:
                return
            try:
                self._play(playback, block, voice)
            except DeviceGone:
                self._playback = None
                self._lost.append(playback)

    def _play(self, playback: Playback, block: Float, voice: float) -> None:
        gap = self._refill(playback)
        if (gap or voice < SILENCE) and playback.unfit(self.cushion.target_s):
            self._anew(playback)
            return
        ready = self._slip(playback, block)
        if ready is None:
            return
        sound = self._to_rate(ready)
        if playback.write(sound) >= len(sound):
            self._took_at = self._now()
            return
        self.overruns += 1
        if self._now() - self._took_at > SILENT_S:
            raise DeviceGone

    def _anew(self, playback: Playback) -> None:
        """Have it opened again, for what is to be ahead of it now; nothing was lost."""
        self._playback = None
        self._lost.append(playback)
        self._was_open = False
        self._next_try = self._now()

    def _refill(self, playback: Playback) -> bool:
        """After a gap, begin again with a cushion; whether there was one."""
        dry, paused, self._paused = playback.dry, self._paused, False
        gap = dry > self._dry
        if gap:
            if not paused:
                self.underruns += dry - self._dry
                self.cushion.ran_dry(self._now())
            self._dry = dry
            missing = int(self.cushion.target_s * playback.rate_hz) - playback.waiting
            if missing > 0:
                playback.write(np.zeros(missing, np.float32))
        return gap

    def _slip(self, playback: Playback, block: Float) -> Float | None:
        """The block, or what it is faded into when the cable has too much; None while that is being made."""
        if self._held is not None:
            merged: Float = self._held * (1 - FADE) + block * FADE
            self._held = None
            self.slips += 1
            return merged
        self._least = min(self._least, playback.waiting / playback.rate_hz)
        if self._now() - self._watched_at < WATCH_S:
            return block
        self.cushion.look(self._now())
        much = self._least > self.cushion.target_s
        self._least, self._watched_at = np.inf, self._now()
        if much:
            self._held = block
            return None
        return block
