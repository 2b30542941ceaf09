"""Finds the strokes in what the network says, and judges by ear's measure what became of each.

The measure is that of the listening pool: 8-ms levels (four steps of 2 ms) in [-5, +60] ms around the press, cut short
at the next press, against max(noise floor + 6 dB, -60 dBFS). The floor is learned from the input as it comes.

Two things would flatter. A network that takes a stroke for a voice lets it through: so only a voice that goes on for
LONG is one, and a shorter one is judged. And what it does not call a key is in no count: so a peak that is too low for
a stroke is held against it where it is heard in what goes out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from audio.suppressor.frames import BLOCK, LATENCY, Float
from audio.suppressor.proof import Proof
from audio.suppressor.strokes import SUSPICION, THRESHOLD, Rule

Slots = NDArray[np.intp]

PARTS = 5
"""Steps of 2 ms in a block."""
STEP = BLOCK // PARTS
SPAN = 4
"""Steps in the 8 ms that are judged at once."""
RING = 32
DELAY = LATENCY // BLOCK
IN, OUT = slice(0, PARTS), slice(PARTS, 2 * PARTS)
VOICE, KEYS = 2 * PARTS, 2 * PARTS + 1
ROW = 2 * PARTS + 2
"""What is kept of a block: energies that came in, energies that went out with it, and what the network said with it."""

LEAD = 3
"""Steps before the onset that belong to a stroke's window (6 ms); TRAIL, after it (60 ms)."""
TRAIL = 30
SPOKEN = np.float32(0.5)
LONG = 8
"""Blocks for which a voice goes on; a shorter one is a stroke that was taken for one."""
DUE = 6 + DELAY + LONG
"""Blocks after a stroke's own until its window is over, and a voice that touches it has proved long or short."""

QUIET_VOICE = np.float32(0.3)
QUIET_KEYS = np.float32(0.2)
HOLD = 15
EVERY = 4
"""Blocks of which one is learned from: room changes slowly."""
RISE = np.float32(0.03)
"""Share of a learned block in a floor that it is above; and FALL, in one that it is below: what gets into a floor besides
the room is always above it, and a floor that is too high would call strokes inaudible that are not."""
FALL = np.float32(0.12)
FLOOR_JUMP = np.float32(4.0)
ABOVE_FLOOR = 10 ** (6 / 10)
LEAST = 10 ** (-60 / 10)


def decibels(power: float) -> float:
    """Power as dBFS, no lower than -100."""
    return 10 * math.log10(max(power, 1e-10))


def parts(blocks: Float, out: Float) -> Float:
    """Energy of each 2 ms of blocks (streams, 160), as (streams, 5)."""
    cut = blocks.reshape(len(blocks), PARTS, STEP)
    return np.einsum("npk,npk->np", cut, cut, out=out)


def loudest(energy: Float) -> float:
    """Power of the loudest 8 ms in a run of 2-ms energies."""
    if len(energy) < SPAN:
        return float(energy.sum()) / (STEP * max(1, len(energy)))
    total = np.concatenate(([0.0], np.cumsum(energy, dtype=np.float64)))
    return max(0.0, float((total[SPAN:] - total[:-SPAN]).max())) / (STEP * SPAN)


def onset(energy: Float) -> int:
    """Where in a run of 2-ms energies a stroke begins: the first steep rise to a tenth of its peak."""
    peak = float(energy.max())
    for i in range(1, len(energy)):
        if energy[i] >= 0.1 * peak and energy[i] > 2 * energy[i - 1]:
            return i
    return int(energy.argmax())


class Meter:
    """Counts for every stream. One thread at a time."""

    def __init__(self, capacity: int) -> None:
        self.blocks = np.zeros(capacity, np.int64)
        self.passed = np.zeros(capacity, np.int64)
        self.strokes = [0] * capacity
        self.floor = np.zeros(capacity, np.float32)
        """Power of the room's noise in each stream."""
        self._ring = np.zeros((capacity, RING, ROW), np.float32)
        self._newest = np.zeros(capacity, np.float32)
        self._rules = [Rule() for _ in range(capacity)]
        self._pending: dict[int, list[tuple[int, bool]]] = {}
        """For each stream with some: onsets in steps, and whether it is a stroke or a suspicion."""
        self._sums = np.zeros((capacity, 5))
        """Judged; audible before; audible after; sum of dB before; sum of dB after."""

    def reset(self, slot: int) -> None:
        """A new stream has this slot."""
        for count in (self.blocks, self.passed, self.floor, self._ring, self._newest, self._sums):
            count[slot] = 0
        self.strokes[slot] = 0
        self._rules[slot] = Rule()
        self._pending.pop(slot, None)

    def take(self, slots: Slots, now: NDArray[np.int64], rows: Float) -> list[tuple[int, int, float]]:
        """One processed block of each stream, the `now`-th, as rows of the ring (streams, ROW).

        Gives (row, onset in samples, dBFS) for each stroke that was found.
        """
        newest, keys = self._newest[slots], rows[:, KEYS]
        self._ring[slots, now % RING] = rows
        self._newest[slots] = keys
        found = []
        hot = newest >= SUSPICION
        if np.logical_or.reduce(hot):
            for row in hot.nonzero()[0].tolist():
                told = self._look(int(slots[row]), int(now[row]), float(newest[row]), float(keys[row]))
                if told is not None:
                    found.append((row, *told))
        due = now % EVERY == 0
        if np.logical_or.reduce(due):
            self._listen(slots[due], now[due], rows[due], newest[due])
        self.blocks[slots] = now + 1
        if self._pending:
            self._settle()
        return found

    def skip(self, slot: int, before: Float, after: Float) -> None:
        """One block of a stream that went through unprocessed; strokes under way are judged with it."""
        now = int(self.blocks[slot])
        row = self._ring[slot, now % RING]
        row[IN], row[OUT], row[VOICE], row[KEYS] = before, after, 0, 0
        self._newest[slot] = 0
        self.blocks[slot] = now + 1
        self.passed[slot] += 1
        if self._pending:
            self._settle()

    def proof(self, slot: int, model: str, sha256: str, degraded: bool) -> Proof:
        """What became of the typing in one stream so far."""
        judged, heard_before, heard_after, before, after = self._sums[slot].tolist()
        some = judged > 0
        return Proof(
            strokes=self.strokes[slot],
            judged=int(judged),
            audible_before_pct=round(100 * heard_before / judged, 2) if some else None,
            audible_after_pct=round(100 * heard_after / judged, 2) if some else None,
            level_before_db=round(before / judged, 1) if some else None,
            level_after_db=round(after / judged, 1) if some else None,
            blocks=int(self.blocks[slot]),
            blocks_passed=int(self.passed[slot]),
            model=model,
            model_sha256=sha256,
            latency_samples=LATENCY,
            degraded=degraded or bool(self.passed[slot]),
        )

    def _look(self, slot: int, now: int, newest: float, keys: float) -> tuple[int, float] | None:
        """Onset in samples and dBFS, if the network told of a stroke in the block before `now`."""
        before = float(self._ring[slot, (now - 2) % RING, KEYS])
        sure = self._rules[slot].peak(now - 1, before, newest, keys)
        if not sure:
            return None
        first = max(0, (now - 1 - DELAY - 1) * PARTS)
        energy = self._run(slot, IN, first, 3 * PARTS)
        if self._ring[slot, (now - 1) % RING, VOICE] < SPOKEN:
            at = first + onset(energy)
        else:  # the steepest rise may be the voice's: the middle of what the network heard
            at = max(0, (now - 1) * PARTS - PARTS // 2)
        self._pending.setdefault(slot, []).append((at, sure >= THRESHOLD))
        if sure < THRESHOLD:
            return None
        self.strokes[slot] += 1
        return at * STEP, decibels(loudest(energy))

    def _listen(self, slots: Slots, now: NDArray[np.int64], rows: Float, newest: Float) -> None:
        """Learn the floor where nothing sounds but the room."""
        quiet = (rows[:, VOICE] < QUIET_VOICE) & (rows[:, KEYS] < QUIET_KEYS) & (newest < QUIET_KEYS)
        quiet &= now >= DELAY
        for row in quiet.nonzero()[0].tolist():
            slot, block = int(slots[row]), int(now[row])
            if block - self._rules[slot].last < HOLD:
                continue
            heard = np.add.reduce(self._ring[slot, (block - DELAY) % RING, IN]) / np.float32(BLOCK)
            floor = self.floor[slot]
            rate = FALL if heard < floor else RISE
            self.floor[slot] = floor + rate * (min(heard, floor * FLOOR_JUMP) - floor) if floor > 0 else heard

    def _run(self, slot: int, which: slice, first: int, count: int) -> Float:
        """Energies of `count` steps from step `first` of a stream: what came in then, or what goes out instead of it."""
        late = DELAY if which is OUT else 0
        blocks = np.arange(first // PARTS + late, (first + count - 1) // PARTS + late + 1) % RING
        start = first % PARTS
        return self._ring[slot, blocks, which].reshape(-1)[start : start + count]

    def _settle(self) -> None:
        """Judge the strokes whose time has come."""
        for slot in tuple(self._pending):
            pending, now = self._pending[slot], int(self.blocks[slot])
            while pending and pending[0][0] // PARTS + DUE < now:
                self._judge(slot, *pending.pop(0), next((at for at, sure in pending if sure), None))
            if not pending:
                del self._pending[slot]

    def _judge(self, slot: int, at: int, sure: bool, following: int | None) -> None:
        first, end = max(0, at - LEAD), at + TRAIL
        if following is not None:
            end = min(end, following - LEAD)
        if self._spoken(slot, first // PARTS + DELAY, end // PARTS + DELAY):
            return
        before = loudest(self._run(slot, IN, first, end - first))
        after = loudest(self._run(slot, OUT, first, end - first))
        limit = max(float(self.floor[slot]) * ABOVE_FLOOR, LEAST)
        if sure or after > limit:
            self._sums[slot] += (1, before > limit, after > limit, decibels(before), decibels(after))

    def _spoken(self, slot: int, first: int, last: int) -> bool:
        """Whether a voice that goes on for LONG touches these blocks."""
        blocks = np.arange(first - LONG + 1, last + LONG)
        voice = self._ring[slot, blocks % RING, VOICE] >= SPOKEN
        run = 0
        for said in voice.tolist():
            run = run + 1 if said else 0
            if run >= LONG:
                return True
        return False
