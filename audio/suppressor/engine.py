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
from types import TracebackType

import numpy as np

from audio.errors import EngineFull
from audio.suppressor.bank import Bank
from audio.suppressor.frames import BLOCK, LATENCY, Float
from audio.suppressor.hints import KeyTimes, Slots
from audio.suppressor.network import Network
from audio.suppressor.proof import Proof, StrokeInfo
from audio.suppressor.stream import OnBlock, Stream

RING = 16
"""Blocks a stream's inbox holds."""
FEW = 4
"""Open streams up to which a batch is taken as it is."""
GATHER_S = 0.0015
"""With more, the longest that a batch waits for the streams that are not in it yet."""
SWITCH_S = 0.0005
"""How long another Python thread may keep this one waiting."""
TRIES = 3
"""Failures in a row after which the network is given up."""
EDGES_MS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 50.0)
"""Bounds of the histogram of a block's time in the engine."""
_EDGES = np.array(EDGES_MS)


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
        self._pushed_at = np.zeros((streams, RING))
        self._pushed = np.zeros(streams, np.int64)
        self._done = np.zeros(streams, np.int64)
        self._flying = np.zeros(streams, bool)
        self._streams: list[Stream | None] = [None] * streams
        self._free = list(range(streams - 1, -1, -1))
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
            self._pushed[slot] = self._done[slot] = 0
            stream = self._streams[slot] = Stream(self, slot, on_block)
        return stream

    def release(self, stream: Stream, slot: int) -> Proof:
        """The stream leaves; its place is free when the batch it may be in has come home."""
        with self._lock:
            proof = self._proof(slot)
            if self._streams[slot] is stream:
                self._streams[slot] = None
                self._done[slot] = self._pushed[slot]
                if not self._flying[slot]:
                    self._free.append(slot)
        return proof

    def accept(self, stream: Stream, slot: int, block: Float) -> None:
        """The stream's next block."""
        now = self._now()
        with self._work:
            if self._streams[slot] is not stream:
                return
            count = int(self._pushed[slot])
            place = count % RING
            self._inbox[slot, place] = block
            self._pushed_at[slot, place] = now
            self._pushed[slot] = count + 1
            done = overdue = int(self._done[slot])
            if done < count:
                overdue = self._overdue(slot, done, count + 1, now)
                for n in range(done, overdue):
                    self._skip(stream, slot, n)
            if (self._idle and overdue <= count) or (self._gathering and self._gathered()):
                self._idle = False
                self._work.notify()
        if overdue > done:
            stream.deliver()

    def hint(self, slot: int, at_samples: int) -> bool:
        """A key time of this stream."""
        with self._lock:
            return self._keys.hint(slot, at_samples, int(self._pushed[slot]) * BLOCK)

    def bypassed(self, slot: int) -> bool:
        """Whether this stream goes through as it is."""
        return bool(self._bank.bypass[slot])

    def set_bypass(self, slot: int, on: bool) -> None:
        """Let this stream through as it is, or no longer."""
        self._bank.bypass[slot] = on

    def proof(self, slot: int) -> Proof:
        """What became of the typing in this stream."""
        with self._lock:
            return self._proof(slot)

    def fault(self) -> None:
        """Something that was handed to us failed."""
        self._faults += 1

    def _proof(self, slot: int) -> Proof:
        name, sha256 = (self.network.name, self.network.sha256) if self.network else ("", "")
        return self._bank.meter.proof(slot, name, sha256, self.degraded)

    def _overdue(self, slot: int, done: int, pushed: int, now: float) -> int:
        """The first block of this stream that need not go through unprocessed yet."""
        n = done
        while n < pushed and (
            now - self._pushed_at[slot, n % RING] > self._patience_s or pushed - n > RING - 2
        ):
            n += 1
        return n

    def _skip(self, stream: Stream, slot: int, n: int) -> None:
        """Let one block through as it is; under the lock."""
        out = self._bank.skip(np.array([slot]), self._inbox[slot, n % RING][None])[0]
        self._done[slot] = n + 1
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
                for slot in self._flying.nonzero()[0].tolist():
                    self._flying[slot] = False
                    if self._streams[slot] is None:
                        self._free.append(slot)
            self._tell(self._lost)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            with self._work:
                while not (self._pushed > self._done).any():
                    if self._stopping.is_set():
                        return
                    self._idle = True
                    self._work.wait()
                if self._open() > FEW:
                    self._gathering = True
                    self._work.wait_for(self._gathered, GATHER_S)
                    self._gathering = False
                batch = self._take()
            self._carry(*batch)

    def turn(self) -> int:
        """Take one batch in the caller's thread, in place of the engine's own; gives its size. For measurements."""
        with self._lock:
            batch = self._take()
        if len(batch[0]):
            self._carry(*batch)
        return len(batch[0])

    def _open(self) -> int:
        return len(self._streams) - len(self._free)

    def _gathered(self) -> bool:
        """Every stream has a block that waits."""
        return self._stopping.is_set() or int(np.count_nonzero(self._pushed > self._done)) >= self._open()

    def _take(self) -> tuple[Slots, Slots, list[Stream | None]]:
        """Put the next block of each stream that has one on the bench; under the lock.

        Gives the streams' slots, the number of each one's block, and the streams themselves.
        """
        slots = (self._pushed > self._done).nonzero()[0]
        turn = self._done[slots]
        n = len(slots)
        blocks = np.take(
            self._inbox.reshape(-1, BLOCK),
            slots * RING + turn % RING,
            axis=0,
            out=self._w_blocks[:n],
            mode="clip",
        )
        self._flying[slots] = True
        self._bank.gather(slots, blocks)
        return slots, turn, [self._streams[slot] for slot in slots.tolist()]

    def _carry(self, slots: Slots, taken: Slots, members: list[Stream | None]) -> None:
        """One batch, all the way."""
        computed = self._compute(slots)
        with self._lock:
            self._land(slots, taken, members, computed)
        for stream in members:
            if stream is not None:
                stream.deliver()

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

    def _land(self, slots: Slots, taken: Slots, members: list[Stream | None], computed: bool) -> None:
        """Put results where they belong, but for streams that have left or been let through; under the lock."""
        now = self._now()
        self._flying[slots] = False
        here = np.array(
            [m is not None and self._streams[s] is m for s, m in zip(slots.tolist(), members, strict=True)],
            bool,
        )
        for slot in slots[~here].tolist():
            self._free.append(slot)
        valid = here & (self._done[slots] == taken)
        rows = valid.nonzero()[0]
        if not computed:
            for row in rows.tolist():
                stream = members[row]
                assert stream is not None
                self._skip(stream, int(slots[row]), int(taken[row]))
            return
        if not len(rows):
            return
        found = self._bank.commit(slots, None if valid.all() else rows)
        where, turn = slots[rows], taken[rows]
        self._done[where] = turn + 1
        held = (now - self._pushed_at[where, turn % RING]) * 1000
        self._held += np.bincount(np.searchsorted(_EDGES, held), minlength=len(self._held))
        self._blocks += len(rows)
        self._batches += 1
        infos = [StrokeInfo(False, -1, -100.0, voice, False) for voice in found.voice.tolist()]
        for row, at, level in found.strokes:
            infos[row] = infos[row]._replace(stroke=True, at_samples=at, level_db=level)
        for row, out, info in zip(rows.tolist(), found.out.copy(), infos, strict=True):
            stream = members[row]
            assert stream is not None
            stream.put(out, info)

    def _tell(self, what: str) -> None:
        """Say once that the sound goes through unprocessed."""
        if not self._told:
            self._told = True
            if self._on_degraded is not None:
                self._on_degraded(what)
