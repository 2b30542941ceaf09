"""Finds the strokes in what the network says, and judges by ear's measure what became of each.

The measure is that of the listening pool: 8-ms levels (four steps of 2 ms) in [-5, +60] ms around the press, cut short
at the next press, against max(noise floor + 6 dB, -60 dBFS). The floor is learned from the input as it comes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from audio.suppressor.frames import BLOCK, LATENCY, Float
from audio.suppressor.proof import Proof

Slots = NDArray[np.intp]

PARTS = 5
"""Steps of 2 ms in a block."""
STEP = BLOCK // PARTS
SPAN = 4
"""Steps in the 8 ms that are judged at once."""
RING = 16
DELAY = LATENCY // BLOCK

KEY = np.float32(0.5)
REFRACTORY = 5
"""Blocks within which one stroke is not counted twice."""
LEAD = 3
"""Steps before the onset that belong to a stroke's window (6 ms); TRAIL, after it (60 ms)."""
TRAIL = 30
DUE = 11
"""Blocks after a stroke's own until its window, and the next stroke within it, are known."""

VOICE = np.float32(0.5)
QUIET_VOICE = np.float32(0.3)
QUIET_KEYS = np.float32(0.2)
HOLD = 15
FLOOR_RATE = np.float32(0.02)
FLOOR_JUMP = np.float32(4.0)
ABOVE_FLOOR = 10 ** (6 / 10)
LEAST = 10 ** (-60 / 10)
NEVER = np.iinfo(np.int64).max


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
        self.strokes = np.zeros(capacity, np.int64)
        self.floor = np.zeros(capacity, np.float32)
        """Power of the room's noise in each stream."""
        self._before = np.zeros((capacity, RING, PARTS), np.float32)
        self._after = np.zeros((capacity, RING, PARTS), np.float32)
        self._voice = np.zeros((capacity, RING), np.float32)
        self._keys = np.zeros((capacity, 2), np.float32)
        self._struck = np.zeros(capacity, np.int64)
        self._pending: list[list[int]] = [[] for _ in range(capacity)]
        self._due = np.full(capacity, NEVER)
        self._sums = np.zeros((capacity, 5))
        """Judged; audible before; audible after; sum of dB before; sum of dB after."""

    def reset(self, slot: int) -> None:
        """A new stream has this slot."""
        for count in (self.blocks, self.passed, self.strokes):
            count[slot] = 0
        for level in (self.floor, self._before, self._after, self._voice, self._keys):
            level[slot] = 0
        self._sums[slot] = 0
        self._struck[slot] = -REFRACTORY
        self._pending[slot].clear()
        self._due[slot] = NEVER

    def take(
        self, slots: Slots, before: Float, after: Float, keys: Float, voice: Float
    ) -> list[tuple[int, int, float]]:
        """One processed block of each stream: energies in and out (streams, 5), and what the network said.

        Gives (row, onset in samples, dBFS) for each stroke that was found.
        """
        now = self.blocks[slots]
        last = self._keys[slots]
        newest = last[:, 0]
        self._write(slots, now, before, after, voice)
        self._keys[slots, 1] = newest
        self._keys[slots, 0] = keys
        hit = (newest >= KEY) & (newest >= last[:, 1]) & (newest >= keys)
        hit &= now - self._struck[slots] >= REFRACTORY
        found = []
        for row in hit.nonzero()[0]:
            slot = int(slots[row])
            self._struck[slot] = now[row]
            self.strokes[slot] += 1
            at, level = self._locate(slot, int(now[row]))
            found.append((int(row), at * STEP, decibels(level)))
        self._listen(slots, now, keys, newest, voice)
        for row in (self._due[slots] <= now).nonzero()[0]:
            self._judge(int(slots[row]), int(now[row]))
        self.blocks[slots] = now + 1
        return found

    def skip(self, slots: Slots, before: Float, after: Float) -> None:
        """One block of each stream that went through unprocessed; strokes under way are judged with it."""
        now = self.blocks[slots]
        self._write(slots, now, before, after, np.float32(0))
        self._keys[slots] = 0
        for row in (self._due[slots] <= now).nonzero()[0]:
            self._judge(int(slots[row]), int(now[row]))
        self.blocks[slots] = now + 1
        self.passed[slots] += 1

    def proof(self, slot: int, model: str, sha256: str, degraded: bool) -> Proof:
        """What became of the typing in one stream so far."""
        judged, heard_before, heard_after, before, after = self._sums[slot].tolist()
        some = judged > 0
        return Proof(
            strokes=int(self.strokes[slot]),
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

    def _write(
        self, slots: Slots, now: NDArray[np.int64], before: Float, after: Float, voice: Float | np.float32
    ) -> None:
        past = (now - DELAY) % RING
        self._before[slots, now % RING] = before
        self._after[slots, past] = after
        self._voice[slots, past] = voice

    def _listen(self, slots: Slots, now: NDArray[np.int64], keys: Float, newest: Float, voice: Float) -> None:
        """Learn the floor where nothing sounds but the room."""
        quiet = (voice < QUIET_VOICE) & (keys < QUIET_KEYS) & (newest < QUIET_KEYS) & (now >= DELAY)
        quiet &= now - self._struck[slots] >= HOLD
        rows = quiet.nonzero()[0]
        if not len(rows):
            return
        where = slots[rows]
        heard = self._before[where, (now[rows] - DELAY) % RING].sum(axis=1) / np.float32(BLOCK)
        floor = self.floor[where]
        bounded = np.minimum(heard, floor * FLOOR_JUMP)
        self.floor[where] = np.where(floor > 0, floor + FLOOR_RATE * (bounded - floor), heard)

    def _run(self, ring: Float, first: int, count: int) -> Float:
        """Energies of `count` steps from step `first` of a stream, out of its ring (16, 5)."""
        return ring.reshape(-1).take(np.arange(first, first + count), mode="wrap")

    def _locate(self, slot: int, now: int) -> tuple[int, float]:
        """Step at which the stroke that the network told of in the block before `now` begins, and its power."""
        first = max(0, (now - 1 - DELAY - 1) * PARTS)
        energy = self._run(self._before[slot], first, 3 * PARTS)
        at = first + onset(energy)
        self._pending[slot].append(at)
        self._due[slot] = min(self._due[slot], at // PARTS + DUE)
        return at, loudest(energy)

    def _judge(self, slot: int, now: int) -> None:
        pending = self._pending[slot]
        at = pending.pop(0)
        self._due[slot] = pending[0] // PARTS + DUE if pending else NEVER
        first = max(0, at - LEAD)
        end = min(at + TRAIL, pending[0] - LEAD) if pending else at + TRAIL
        blocks = np.arange(first // PARTS, end // PARTS + 1)
        if (self._voice[slot].take(blocks, mode="wrap") >= VOICE).any():
            return
        before = loudest(self._run(self._before[slot], first, end - first))
        after = loudest(self._run(self._after[slot], first, end - first))
        limit = max(float(self.floor[slot]) * ABOVE_FLOOR, LEAST)
        self._sums[slot] += (1, before > limit, after > limit, decibels(before), decibels(after))
