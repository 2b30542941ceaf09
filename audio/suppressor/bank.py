"""All streams' state in fixed arrays, and the step that takes one block of some of them further.

    gather ─► compute ─► commit          a block that is made quiet; `compute` needs no lock
    skip                                 a block that goes through as it is

A stream is a row ("slot") in every array; steps name the slots that they concern, in rising order. A block that is
skipped is overlap-added like any other, with all gains one: going over from quiet to unprocessed sound and back is
therefore a cross-fade of 10 ms. A block may be skipped even while it is being computed; its result is then left out of
`commit`. No step uses a matrix product of NumPy's: those may use threads, and round a row by how many are beside it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from audio.suppressor.comfort import Comfort
from audio.suppressor.frames import (
    BINS,
    BLOCK,
    FEATURES,
    WINDOW,
    Float,
    features,
    power,
    spectrum,
    synthesis,
    window,
)
from audio.suppressor.hints import GainStage, Slots
from audio.suppressor.meter import IN, KEYS, OUT, PARTS, ROW, VOICE, Meter, parts
from audio.suppressor.network import Network

LIMIT = np.float32(4.0)
"""Samples beyond four times full scale are no sound."""
SHARE = np.float32(1 / BLOCK)
DC_RATE = np.float32(0.01)
"""Share of the newest block in what is taken for a constant offset: one second."""
DC_STEP = np.float32(0.2)
"""What a single block counts for at most: a crash is no offset."""
DC_LEAST = np.float32(2e-3)
"""Offsets up to here are left alone, so that sound without one is not touched."""
RISE = (window() ** 2)[:BLOCK]
FALL = (window() ** 2)[BLOCK:]
RAMP = (np.arange(1, BLOCK + 1) / BLOCK).astype(np.float32)

# What a stream carries from block to block, in one row of floats beside the network's own state: the last two blocks,
# the spectrum of the frame that they are, and the half of the output that is not yet out.
HISTORY = slice(0, WINDOW)
BEFORE = slice(WINDOW, WINDOW + 2 * BINS)
TAIL = slice(WINDOW + 2 * BINS, WINDOW + 2 * BINS + BLOCK)
RECORD = TAIL.stop


class Said(NamedTuple):
    """What the network said of a batch; the arrays are ours to change."""

    gains: Float
    keys: Float
    voice: Float
    state: Float


class Found(NamedTuple):
    """What a committed step gives; rows are those of `commit`."""

    out: Float
    voice: Float
    strokes: list[tuple[int, int, float]]
    """(row, onset in samples, dBFS)."""


class Bank:
    """State and arithmetic of up to `capacity` streams. Not safe for threads by itself: see `Engine`."""

    def __init__(
        self, network: Network | None, capacity: int, comfort: bool = True, stages: tuple[GainStage, ...] = ()
    ) -> None:
        self.capacity = capacity
        self.network = network
        self.stages = stages
        self.faults = 0
        """Results of the network that were no numbers."""
        self.meter = Meter(capacity)
        self.comfort = Comfort(capacity) if comfort else None
        self.bypassed: set[int] = set()
        """Slots whose sound goes through as it is."""
        self._bare: set[int] = set()  # those that asked for no comfort noise
        self._stale: set[int] = set()  # those whose last spectrum was not made
        size = network.state_size if network else 1
        self._record = np.zeros((capacity, RECORD), np.float32)
        self._state = np.zeros((capacity, size), np.float32)
        self._offset = np.zeros(capacity, np.float32)
        self._w_record = np.zeros((capacity, RECORD), np.float32)
        self._w_next = np.zeros((capacity, RECORD), np.float32)
        self._w_state = np.zeros((capacity, size), np.float32)
        self._w_offset = np.zeros(capacity, np.float32)
        self._b_record, self._b_state = self._w_record[:0], self._w_state[:0]
        self._clock = np.zeros(0, np.int64)
        self._w_windowed = np.zeros((capacity, WINDOW), np.float32)
        self._w_features = np.zeros((capacity, FEATURES), np.float32)
        self._w_sides = np.zeros((capacity, 2 * BINS), np.float32)
        self._w_levels = np.zeros((capacity, BINS), np.float32)
        self._w_quiet = np.zeros((capacity, BINS), np.complex64)
        self._w_wave = np.zeros((capacity, WINDOW), np.float32)
        self._w_out = np.zeros((capacity, BLOCK), np.float32)
        self._w_rows = np.zeros((capacity, ROW), np.float32)
        none = np.zeros((0, BINS), np.float32)
        self._said = Said(none, none[:, 0], none[:, 0], none)

    def reset(self, slot: int, comfort: bool = True, hints: bool = False) -> None:
        """A new stream has this slot."""
        self._record[slot] = 0
        self._state[slot] = 0
        self._offset[slot] = 0
        self._stale.discard(slot)
        self.bypassed.discard(slot)
        (self._bare.discard if comfort else self._bare.add)(slot)
        self.meter.reset(slot)
        if self.comfort:
            self.comfort.reset(slot)
        for stage in self.stages:
            stage.reset(slot, hints)

    def gather(self, slots: Slots, blocks: Float) -> None:
        """Take the state of these streams, and their next blocks (streams, 160), to the bench."""
        n = len(slots)
        pick = _run(slots)
        if pick is not None:  # the usual case of a full house: no copies
            self._b_record, self._b_state = self._record[pick], self._state[pick]
        else:
            self._b_record = np.take(self._record, slots, axis=0, out=self._w_record[:n], mode="clip")
            self._b_state = np.take(self._state, slots, axis=0, out=self._w_state[:n], mode="clip")
        record = self._b_record
        frames = self._w_next[:n, HISTORY]
        frames[:, :BLOCK] = record[:, BLOCK:WINDOW]
        newest = np.minimum(blocks, LIMIT, out=frames[:, BLOCK:])
        np.maximum(newest, -LIMIT, out=newest)
        offset = np.take(self._offset, slots, out=self._w_offset[:n], mode="clip")
        self._steady(newest, offset)
        self._clock = self.meter.blocks[slots]
        if self._stale:
            for row, slot in enumerate(slots.tolist()):
                if slot in self._stale:
                    record[row, BEFORE].view(np.complex64)[:] = spectrum(record[None, row, HISTORY])[0]

    def compute(self, slots: Slots) -> None:
        """Make the blocks on the bench quiet. Raises what the network raises."""
        assert self.network is not None
        n = len(slots)
        frames, sides = self._w_next[:n, HISTORY], self._w_sides[:n]
        now = spectrum(frames, self._w_next[:n, BEFORE].view(np.complex64), self._w_windowed[:n])
        step = self.network.step(features(frames, now, self._w_features[:n], sides), self._b_state)
        said = self._said = self._mend(Said(step.gains, step.keys, step.voice, step.state))
        before = self._b_record[:, BEFORE].view(np.complex64)
        stages = [stage for stage in self.stages if stage.wanted]
        if stages or self.comfort:
            levels = power(before, self._w_levels[:n], sides)
            for stage in stages:
                stage.apply(slots, self._clock, said.gains, levels, said.keys, said.voice)
        if self.bypassed:
            for row, slot in enumerate(slots.tolist()):
                if slot in self.bypassed:
                    said.gains[row] = 1.0
        quiet = np.multiply(before, said.gains, out=self._w_quiet[:n])
        if self.comfort:
            self._ease(self.comfort, slots, levels)
        wave = synthesis(quiet, self._w_wave[:n])
        out = np.add(self._b_record[:, TAIL], wave[:, :BLOCK], out=self._w_out[:n])
        self._w_next[:n, TAIL] = wave[:, BLOCK:]
        rows = self._w_rows[:n]
        parts(frames[:, BLOCK:], rows[:, IN])
        parts(out, rows[:, OUT])
        rows[:, VOICE], rows[:, KEYS] = said.voice, said.keys

    def commit(self, slots: Slots, rows: Slots | None = None) -> Found:
        """Put the bench back; with `rows`, only those of its rows, the others having been skipped meanwhile."""
        pick: slice | Slots = slice(0, len(slots))
        if rows is not None:
            slots, pick = slots[rows], rows
        run = _run(slots)
        where = slots if run is None else run
        self._record[where] = self._w_next[pick]
        self._state[where] = self._said.state[pick]
        self._offset[where] = self._w_offset[pick]
        if self._stale:
            self._stale.difference_update(slots.tolist())
        strokes = self.meter.take(slots, self._clock[pick], self._w_rows[pick])
        return Found(self._w_out[pick], self._said.voice[pick], strokes)

    def gains(self, row: int) -> Float:
        """The gains (161,) that made a row of the newest step."""
        gains: Float = self._said.gains[row]
        return gains

    def skip(self, slot: int, block: Float) -> Float:
        """Let a block (160,) of a stream go through as it is, as late as any; gives (160,)."""
        record = self._record[slot]
        whole = np.clip(block, -LIMIT, LIMIT)[None]
        self._steady(whole, self._offset[slot : slot + 1])
        out: Float = record[TAIL] + RISE * record[:BLOCK]
        record[TAIL] = FALL * record[BLOCK:WINDOW]
        record[:BLOCK] = record[BLOCK:WINDOW]
        record[BLOCK:WINDOW] = whole[0]
        self._stale.add(slot)
        self.meter.skip(slot, _parts(whole), _parts(out[None]))
        return out

    @staticmethod
    def _steady(blocks: Float, offset: Float) -> None:
        """Make silence of what is no number, and take out each stream's constant offset.

        The offset is followed slowly, and taken out along a straight line from the last estimate to the new one.
        """
        new = np.add.reduce(blocks, axis=1)
        if math.isnan(np.add.reduce(new)):
            np.nan_to_num(blocks, copy=False, nan=0.0)
            new = np.add.reduce(blocks, axis=1)
        new *= SHARE
        new -= offset
        np.minimum(new, DC_STEP, out=new)
        np.maximum(new, -DC_STEP, out=new)
        new *= DC_RATE
        new += offset
        most = np.maximum(np.abs(offset), np.abs(new))
        if np.maximum.reduce(most) > DC_LEAST:
            for row in (most > DC_LEAST).nonzero()[0]:
                start, end = _soft(offset[row]), _soft(new[row])
                blocks[row] -= start + (end - start) * RAMP
        offset[:] = new

    def _mend(self, said: Said) -> Said:
        """What is no number becomes: gain one, no key, no voice, a stream that has heard nothing."""
        if math.isfinite(sum(float(np.add.reduce(array, axis=None)) for array in said)):
            return said
        sums = sum(np.add.reduce(array.reshape(len(array), -1), axis=1) for array in said)
        bad = (~np.isfinite(sums)).nonzero()[0]
        self.faults += len(bad)
        said = Said(*(array.copy() for array in said))
        said.gains[bad] = 1.0
        said.keys[bad] = said.voice[bad] = 0.0
        said.state[bad] = 0.0
        return said

    def _ease(self, comfort: Comfort, slots: Slots, levels: Float) -> None:
        """Comfort noise for the streams that asked for it."""
        gains, keys, voice, _ = self._said
        n, clock = len(slots), self._clock
        spectra = self._w_quiet[:n]
        asked = (
            [row for row, slot in enumerate(slots.tolist()) if slot not in self._bare] if self._bare else None
        )
        if asked is None or len(asked) == n:
            comfort.ease(slots, clock, gains, levels, keys, voice, spectra)
        elif asked:
            rows = np.array(asked, np.intp)
            part = spectra[rows]
            comfort.ease(slots[rows], clock[rows], gains[rows], levels[rows], keys[rows], voice[rows], part)
            spectra[rows] = part


def _run(slots: Slots) -> slice | None:
    """Slots that lie side by side, as a slice; they are in rising order."""
    first, last = int(slots[0]), int(slots[-1])
    return slice(first, last + 1) if last - first + 1 == len(slots) else None


def _parts(blocks: Float) -> Float:
    """Energy of each 2 ms of one block."""
    energies: Float = parts(blocks, np.empty((1, PARTS), np.float32))[0]
    return energies


def _soft(offset: np.float32) -> np.float32:
    """The part of an offset beyond what is left alone."""
    return np.float32(np.sign(offset) * max(abs(offset) - DC_LEAST, np.float32(0)))
