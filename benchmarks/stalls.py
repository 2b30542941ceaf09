"""Times at which a machine stood still by itself, so that they are not taken for lateness of what is measured on it.

A process of its own, above everything measured, does nothing but sleep for a millisecond, on the same core. When it wakes
late, nothing on that core could have run: the machine's host, or its kernel, had it.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from callsvc.media.realtime import PRIORITY

TICK_S = 0.001
STALL_S = 0.001
"""A sleeper that wakes later than this was kept from it."""
LOOKS = 100
"""Ticks between looks at whether to end."""
Times = NDArray[np.float64]


def _sleeper(core: int, pipe: Connection) -> None:
    os.sched_setaffinity(0, {core})
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY + 1))
        above = True
    except OSError:
        above = False
    woke: list[tuple[float, float]] = []
    pipe.send(above)
    while not pipe.poll():
        for _ in range(LOOKS):
            due = time.perf_counter() + TICK_S
            time.sleep(TICK_S)
            woke.append((due, time.perf_counter()))
    pipe.recv()
    pipe.send(np.array(woke))


class Stalls:
    """Watches one core while it is entered; `above` says whether it stood above real-time threads."""

    def __init__(self, core: int) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_sleeper, args=(core, there), daemon=True)
        self.due: Times = np.zeros(0)
        self.woke: Times = np.zeros(0)

    def __enter__(self) -> Stalls:
        self._process.start()
        self.above = bool(self._pipe.recv())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._pipe.send(None)
        self.due, self.woke = self._pipe.recv().T
        self._process.join()

    @property
    def late_ms(self) -> Times:
        """Of every tick."""
        return (self.woke - self.due) * 1000

    def touch(self, start: Times, end: Times) -> NDArray[np.bool_]:
        """Which of these stretches of time a stall falls into."""
        long = self.woke - self.due > STALL_S
        due, woke = np.append(self.due[long], np.inf), np.append(self.woke[long], np.inf)
        found: NDArray[np.bool_] = due[np.searchsorted(woke[:-1], start, side="right")] < end
        return found
