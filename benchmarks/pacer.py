"""Hands blocks of sound over at real pace, from a process of its own, as a network does.

A pacer in the process that is measured shares its interpreter: what holds the process up holds the pacer up, which then
counts from too late a moment and makes up for it all at once. This one has its own interpreter and, where there are two,
its own core. It writes a block and the time into shared memory and rings; how late it was itself is on record.
"""

from __future__ import annotations

import mmap
import multiprocessing
import os
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from audio.suppressor import BLOCK, RATE
from audio.suppressor.frames import Float
from callsvc.media.realtime import PRIORITY

BLOCK_S = 0.01
AHEAD = 64
"""Blocks of each stream that the shared memory holds: who takes them later than 640 ms takes others."""
BEGIN_S = 0.1
Times = NDArray[np.float64]


def sound(seconds: float, seed: int) -> Float:
    """Like a voice and a keyboard in loudness: bursts of noise over a quiet room."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    loud = np.repeat(rng.choice([0.0005, 0.05, 0.1], count // 1600 + 1), 1600)[:count]
    made: Float = (rng.standard_normal(count) * loud).astype(np.float32)
    return made


class Pacer:
    """So many streams, each with a phase of its own within 10 ms; block k is the (k // streams)-th of its stream
    k % streams. Entered, it is ready; `start` lets it go.
    """

    def __init__(self, streams: int, blocks: int, core: int) -> None:
        self.streams, self.count, self.core = streams, streams * blocks, core
        self.bell = os.eventfd(0)
        """Rung with each block; others may ring it, too."""
        self._given: NDArray[np.int64] = _shared(1, np.int64)
        self.handed: Times = _shared(self.count, np.float64)
        """When each block was handed over."""
        self.due: Times = _shared(self.count, np.float64)
        """When it should have been."""
        self._ring: Float = _shared(streams * AHEAD * BLOCK, np.float32).reshape(-1, BLOCK)
        context = multiprocessing.get_context("fork")
        self._go, there = context.Pipe()
        self._process = context.Process(target=self._run, args=(there,), daemon=True)

    def __enter__(self) -> Pacer:
        self._process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.terminate()
        self._process.join()
        os.close(self.bell)

    def start(self) -> None:
        """Begin."""
        self._go.send(None)

    @property
    def given(self) -> int:
        """Blocks handed over so far."""
        return int(self._given[0])

    def block(self, k: int) -> Float:
        """The k-th block handed over."""
        block: Float = self._ring[k % len(self._ring)]
        return block

    @property
    def late_ms(self) -> Times:
        """How late each block was handed over."""
        late: Times = (self.handed - self.due) * 1000
        return late

    def _run(self, gate: Connection) -> None:
        os.sched_setaffinity(0, {self.core})
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY + 1))
        sounds = [sound(10.0, seed).reshape(-1, BLOCK) for seed in range(8)]
        phases = np.sort(np.random.default_rng(7).uniform(0, BLOCK_S, self.streams)).tolist()
        gate.recv()
        now, ring, given, handed, due = time.perf_counter, self._ring, self._given, self.handed, self.due
        start = now() + BEGIN_S
        for k in range(self.count):
            turn, n = divmod(k, self.streams)
            when = start + turn * BLOCK_S + phases[n]
            wait = when - now()
            if wait > 0:
                time.sleep(wait)
            ring[k % len(ring)] = sounds[n & 7][turn % 1000]
            due[k] = when
            handed[k] = now()
            given[0] = k + 1
            os.eventfd_write(self.bell, 1)


def _shared(count: int, kind: type[np.generic]) -> NDArray:  # type: ignore[type-arg]
    """Memory that a child made by a fork shares; touched, so that no page of it is missing later."""
    made = np.frombuffer(mmap.mmap(-1, count * np.dtype(kind).itemsize), kind)
    made[:] = 0
    return made
