"""One stream's door to the engine: blocks in, as many blocks out, 320 samples later."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from audio.suppressor.frames import BLOCK, Float
from audio.suppressor.proof import Proof, StrokeInfo

if TYPE_CHECKING:
    from audio.suppressor.engine import Engine
    from audio.suppressor.place import Place

OnBlock = Callable[[Float, StrokeInfo], None]

WAITING = 64
"""Blocks that wait to be pulled; older ones are dropped and counted."""


def samples(block: Any) -> Float | None:
    """Any block as a flat run of float32 samples, or None when it is no sound at all."""
    try:
        array = np.asarray(block)
        scale = array.dtype == np.int16
        with np.errstate(over="ignore", invalid="ignore"):
            array = array.astype(np.float32, copy=False).ravel()
    except (TypeError, ValueError, OverflowError):
        return None
    scaled: Float = array * np.float32(1 / 32768) if scale else array
    return scaled


class Stream:
    """A party's sound on its way through the engine. Made by `Engine.open`."""

    def __init__(self, engine: Engine, place: Place, on_block: OnBlock | None) -> None:
        self._engine = engine
        self._place = place
        self._on_block = on_block
        self._rest: Float = np.zeros(0, np.float32)
        self._ready: deque[tuple[Float, StrokeInfo]] = deque(maxlen=None if on_block else WAITING)
        self._delivering = threading.Lock()
        self._closed: Proof | None = None
        self.latency_samples = engine.latency_samples
        self.dropped = 0
        """Blocks that nobody pulled in time."""
        self.odd = 0
        """Pushes that were no block of 160 float32 samples, and were made one."""

    def push(self, block: Any) -> None:
        """Hand in the next samples: never waits, never raises.

        160 float32 samples are meant. Other lengths are cut into blocks as they fill up, 16-bit integers are scaled,
        what is no number is silence, and what is no sound at all counts as a block of silence.
        """
        if self._closed is not None:
            return
        if (
            not len(self._rest)
            and isinstance(block, np.ndarray)
            and block.shape == (BLOCK,)
            and block.dtype == np.float32
        ):
            self._engine.accept(self._place, block)
            return
        self.odd += 1
        whole = samples(block)
        if whole is None:
            whole = np.zeros(BLOCK, np.float32)
        if len(self._rest):
            whole = np.concatenate((self._rest, whole))
        count = len(whole) // BLOCK
        self._rest = whole[count * BLOCK :]
        for n in range(count):
            self._engine.accept(self._place, whole[n * BLOCK : (n + 1) * BLOCK])

    def pull(self) -> tuple[Float, StrokeInfo] | None:
        """The next block that is ready, for a stream that was opened without `on_block`."""
        try:
            return self._ready.popleft()
        except IndexError:
            return None

    def hint(self, at_samples: int) -> bool:
        """A key was pressed at this sample of the stream's input. False when the hint cannot help, or isn't wanted."""
        return self._closed is None and self._engine.hint(self._place, at_samples)

    @property
    def bypass(self) -> bool:
        """Whether the sound goes through as it is, at the same latency."""
        return self._closed is None and self._engine.bypassed(self._place)

    @bypass.setter
    def bypass(self, on: bool) -> None:
        if self._closed is None:
            self._engine.set_bypass(self._place, on)

    def proof(self) -> Proof:
        """What became of the typing so far; any time, from any thread."""
        return self._closed or self._engine.proof(self._place)

    def close(self) -> Proof:
        """Leave. What is still inside is not delivered: push two blocks of silence first to have it."""
        if self._closed is None:
            self._closed = self._engine.release(self._place)
        return self._closed

    def put(self, out: Float, info: StrokeInfo) -> None:
        """Called by the engine, under its lock, in the order of the blocks."""
        if len(self._ready) == self._ready.maxlen:
            self.dropped += 1
        self._ready.append((out, info))

    def deliver(self) -> None:
        """Called by the engine, without its lock: hand over what is ready, in order, from one thread at a time."""
        if self._on_block is None:
            return
        while self._ready and self._delivering.acquire(blocking=False):
            try:
                while self._ready:
                    out, info = self._ready.popleft()
                    try:
                        self._on_block(out, info)
                    except Exception:  # the caller's fault must not become every caller's
                        self._engine.fault()
            finally:
                self._delivering.release()
