"""One thread that makes any number of streams quiet.

    push ─► inbox (a ring per stream) ─► [ batch of what waits ─► network ] ─► callback or pull
                     └──── waits too long ────► goes through as it is, just as late, counted ───┘

Whatever waits is taken as one batch, one block from each stream. A stream alone waits for nobody; with many open, a
batch waits a moment until it is complete, which costs far less in all. If the thread itself is held up, the pushing
side lets the stream's overdue blocks through.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from types import TracebackType

import numpy as np

from audio.errors import EngineFull
from audio.suppressor.bank import Bank
from audio.suppressor.frames import BLOCK, LATENCY, Float
from audio.suppressor.hints import KeyTimes, Slots
from audio.suppressor.network import Network
from audio.suppressor.place import RING, Place
from audio.suppressor.proof import Proof, StrokeInfo
from audio.suppressor.stream import OnBlock, Stream

FEW = 4
"""Open streams up to which a batch is taken as it is."""
GATHER_S = 0.0006
"""With more, the longest that the oldest block of a batch waits for the streams that are not in it yet."""
SWITCH_S = 0.0005
"""How long another Python thread may keep this one waiting."""
TRIES = 3
"""Failures in a row after which the network is given up."""
EDGES_MS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 50.0)
"""Bounds of the histogram of a block's time in the engine."""
_EDGES_S = np.array(EDGES_MS) / 1000
_slot = attrgetter("slot")


@dataclass(frozen=True)
class Counters:
    """What the engine has done so far."""

    streams: int
    blocks: int
    batches: int
    passed: int
    """Blocks that went through unprocessed."""
    faults: int
    """Results that were no numbers, callbacks that raised, network failures."""
    held_ms: tuple[int, ...]
    """Processed blocks by their time in the engine: up to each of `EDGES_MS`, and above the last."""


class Engine:
    """Quiet for up to `streams` streams at once. `network` None, or one that fails: sound goes through, degraded."""

    latency_samples = LATENCY

    def __init__(
        self,
        network: Network | None,
        *,
        streams: int = 256,
        comfort: bool = True,
        patience_ms: float = 30.0,
        on_degraded: Callable[[str], None] | None = None,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.network = network
        self._keys = KeyTimes(streams)
        self._bank = Bank(network, streams, comfort, (self._keys,))
        self._patience_s = patience_ms / 1000
        self._on_degraded = on_degraded
        self.on_batch: Callable[[bool], None] | None = None
        """Told by the engine's thread before a batch is delivered (True) and after it (False)."""
        self._now = monotonic
        self._failures = 0
        self._told = False
        self._lost = "no network" if network is None else ""
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._idle = self._gathering = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._inbox = np.zeros((streams, RING, BLOCK), np.float32)
        self._flat = self._inbox.reshape(-1, BLOCK)
        self._capacity = streams
        self._free = list(range(streams - 1, -1, -1))
        self._waiting: list[Place] = []
        self._flying: list[Place] = []
        self._w_blocks = np.zeros((streams, BLOCK), np.float32)
        self._blocks = self._batches = self._passed = self._faults = 0
        self._held = np.zeros(len(EDGES_MS) + 1, np.int64)

    # -- life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the engine's thread. Other Python threads may from now on keep it waiting for 0.5 ms at most."""
        if self._thread is None:
            sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_S))
            self._thread = threading.Thread(target=self._run, name="suppressor", daemon=True)
            self._thread.start()
        if self._lost:
            self._tell(self._lost)

    def close(self) -> None:
        """Stop the thread. Blocks pushed afterwards go through as they are once they have waited long enough."""
        self._stopping.set()
        with self._work:
            self._work.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def __enter__(self) -> Engine:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    @property
    def degraded(self) -> bool:
        """Sound goes through unprocessed: the network is missing, failing or given up."""
        return bool(self._lost) or self._failures > 0

    @property
    def counters(self) -> Counters:
        """What the engine has done so far."""
        with self._lock:
            return Counters(
                streams=self._open(),
                blocks=self._blocks,
                batches=self._batches,
                passed=self._passed,
                faults=self._faults + self._bank.faults,
                held_ms=tuple(self._held.tolist()),
            )

    # -- streams ------------------------------------------------------------------------------------------------

    def open(self, on_block: OnBlock | None = None, *, comfort: bool = True, hints: bool = False) -> Stream:
        """A new stream. `on_block(out, info)` is called once for each block, in order, and must not wait.

        Raises EngineFull when every place is taken.
        """
        with self._lock:
            if not self._free:
                raise EngineFull
            slot = self._free.pop()
            self._bank.reset(slot, comfort, hints)
            place = Place(slot, self._inbox[slot])
            place.stream = Stream(self, place, on_block)
        return place.stream

    def release(self, place: Place) -> Proof:
        """The stream leaves; its place is free when the batch it may be in has come home."""
        with self._lock:
            proof = self._proof(place.slot)
            if place.stream is not None:
                place.stream = None
                place.done = place.pushed
                if not place.flying:
                    self._free.append(place.slot)
        return proof

    def accept(self, place: Place, block: Float) -> None:
        """The stream's next block."""
        now = self._now()
        with self._lock:
            stream = place.stream
            if stream is None:
                return
            count = place.pushed
            ring = count % RING
            place.inbox[ring][:] = block
            place.pushed_at[ring] = now
            place.pushed = count + 1
            skipped = place.done < count and self._skip_overdue(stream, place, now)
            if not place.listed:
                place.listed = True
                self._waiting.append(place)
            if self._idle:
                if place.done <= count:
                    self._idle = False
                    self._work.notify()
            elif self._gathering and len(self._waiting) >= self._open():
                self._gathering = False
                self._work.notify()
        if skipped:
            stream.deliver()

    def hint(self, place: Place, at_samples: int) -> bool:
        """A key time of this stream."""
        with self._lock:
            return self._keys.hint(place.slot, at_samples, place.pushed * BLOCK)

    def bypassed(self, place: Place) -> bool:
        """Whether this stream goes through as it is."""
        return place.slot in self._bank.bypassed

    def set_bypass(self, place: Place, on: bool) -> None:
        """Let this stream through as it is, or no longer."""
        (self._bank.bypassed.add if on else self._bank.bypassed.discard)(place.slot)

    def proof(self, place: Place) -> Proof:
        """What became of the typing in this stream."""
        with self._lock:
            return self._proof(place.slot)

    def fault(self) -> None:
        """Something that was handed to us failed."""
        self._faults += 1

    def _proof(self, slot: int) -> Proof:
        name, sha256 = (self.network.name, self.network.sha256) if self.network else ("", "")
        return self._bank.meter.proof(slot, name, sha256, self.degraded)

    def _skip_overdue(self, stream: Stream, place: Place, now: float) -> bool:
        """Let through what has waited too long, or what no room is left for; under the lock."""
        first = place.done
        while place.done < place.pushed and (
            now - place.pushed_at[place.done % RING] > self._patience_s
            or place.pushed - place.done > RING - 2
        ):
            self._skip(stream, place)
        return place.done > first

    def _skip(self, stream: Stream, place: Place) -> None:
        """Let one block through as it is; under the lock."""
        out = self._bank.skip(place.slot, place.inbox[place.done % RING])
        place.done += 1
        self._blocks += 1
        self._passed += 1
        stream.put(out, StrokeInfo(False, -1, -100.0, 0.0, True))

    # -- the thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._serve()
        except Exception as error:  # ours, then; those who push let their own blocks through from now on
            with self._lock:
                self._lost = f"the engine failed: {type(error).__name__}"
                self._faults += 1
                for place in self._flying:
                    self._settle(place)
            self._tell(self._lost)

    def _serve(self) -> None:
        while True:
            with self._lock:
                while not self._stopping.is_set() and not self._tidy():
                    self._idle = True
                    self._work.wait()
                if self._stopping.is_set():
                    return
                if self._open() > FEW:
                    self._gather()
                batch = self._take()
            self._carry(*batch)

    def _gather(self) -> None:
        """Wait for the streams that have no block in yet, but none longer than GATHER_S after the first that has."""
        oldest = min(place.pushed_at[place.done % RING] for place in self._waiting)
        left = oldest + GATHER_S - self._now()
        if left > 0 and len(self._waiting) < self._open():
            self._gathering = True
            self._work.wait(min(left, GATHER_S))
            self._gathering = False

    def turn(self) -> int:
        """Take one batch in the caller's thread, in place of the engine's own; gives its size. For measurements."""
        with self._lock:
            batch = self._take()
        if len(batch[0]):
            self._carry(*batch)
        return len(batch[0])

    def _open(self) -> int:
        return self._capacity - len(self._free)

    def _tidy(self) -> bool:
        """Forget the places whose blocks have gone through meanwhile; whether any are left."""
        for place in self._waiting:
            place.listed = place.done < place.pushed
        if not all(place.listed for place in self._waiting):
            self._waiting = [place for place in self._waiting if place.listed]
        return bool(self._waiting)

    def _take(self) -> tuple[Slots, list[int], list[Place]]:
        """Put the next block of each stream that has one on the bench; under the lock.

        Gives the streams' slots, the number of each one's block, and their places.
        """
        self._tidy()
        members, self._waiting = sorted(self._waiting, key=_slot), []
        self._flying = members
        slots = np.array([place.slot for place in members], np.intp)
        turns = [place.done for place in members]
        if members:
            for place in members:
                place.flying = True
            rows = [place.slot * RING + place.done % RING for place in members]
            self._bank.gather(slots, self._flat[rows])
        return slots, turns, members

    def _carry(self, slots: Slots, turns: list[int], members: list[Place]) -> None:
        """One batch, all the way."""
        computed = self._compute(slots)
        with self._lock:
            streams = self._land(slots, turns, members, computed)
        told = self.on_batch
        if told:
            told(True)
        try:
            for stream in streams:
                stream.deliver()
        finally:
            if told:
                told(False)

    def _compute(self, slots: Slots) -> bool:
        if self._lost:
            return False
        try:
            self._bank.compute(slots)
        except Exception as error:  # whatever a network does, the sound goes on
            self._faults += 1
            self._failures += 1
            if self._failures >= TRIES:
                self._lost = f"the network failed: {type(error).__name__}"
            self._tell(f"the network failed: {type(error).__name__}")
            return False
        self._failures = 0
        return True

    def _land(self, slots: Slots, turns: list[int], members: list[Place], computed: bool) -> list[Stream]:
        """Put results where they belong, but for streams that have left or been let through; under the lock."""
        now = self._now()
        rows, here, streams = [], [], []
        for row, place in enumerate(members):
            if place.stream is not None and place.done == turns[row]:
                rows.append(row)
                here.append(place)
                streams.append(place.stream)
        if not computed:
            for stream, place in zip(streams, here, strict=True):
                self._skip(stream, place)
        elif rows:
            whole = len(rows) == len(members)
            found = self._bank.commit(slots, None if whole else np.array(rows, np.intp))
            infos = [StrokeInfo(False, -1, -100.0, voice, False) for voice in found.voice.tolist()]
            for row, at, level in found.strokes:
                infos[row] = infos[row]._replace(stroke=True, at_samples=at, level_db=level)
            held = []
            for stream, place, out, info in zip(streams, here, found.out.copy(), infos, strict=True):
                held.append(now - place.pushed_at[place.done % RING])
                place.done += 1
                stream.put(out, info)
            self._held += np.bincount(np.searchsorted(_EDGES_S, held), minlength=len(self._held))
            self._blocks += len(rows)
            self._batches += 1
        for place in members:
            self._settle(place)
        self._flying = []
        return streams

    def _settle(self, place: Place) -> None:
        """A place is home again; under the lock."""
        place.flying = False
        place.listed = place.done < place.pushed
        if place.listed:
            self._waiting.append(place)
        if place.stream is None:
            self._free.append(place.slot)

    def _tell(self, what: str) -> None:
        """Say once that the sound goes through unprocessed."""
        if not self._told:
            self._told = True
            if self._on_degraded is not None:
                self._on_degraded(what)
