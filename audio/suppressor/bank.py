"""All streams' state in fixed arrays, and the step that takes one block of some of them further.

    gather ─► compute ─► commit          a block that is made quiet; `compute` needs no lock
    skip                                 a block that goes through as it is

A stream is a row ("slot") in every array; steps name the slots that they concern, in rising order. A block that is skipped is overlap-added like any other, with all gains one:
going over from quiet to unprocessed sound and back is therefore a cross-fade of 10 ms. A block may be skipped even
while it is being computed; its result is then left out of `commit`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audio.suppressor.comfort import Comfort
from audio.suppressor.frames import (
    BINS,
    BLOCK,
    FEATURES,
    WINDOW,
    Float,
    Spectrum,
    features,
    power,
    spectrum,
    synthesis,
    window,
)
from audio.suppressor.hints import GainStage, Slots
from audio.suppressor.meter import PARTS, Meter, parts
from audio.suppressor.network import Network

LIMIT = np.float32(4.0)
"""Samples beyond four times full scale are no sound."""
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
        self.bypass = np.zeros(capacity, bool)
        self.meter = Meter(capacity)
        self.comfort = Comfort(capacity) if comfort else None
        self._comfortable = np.zeros(capacity, bool)
        size = network.state_size if network else 1
        self._ones = np.ones(size, np.float32)
        self._record = np.zeros((capacity, RECORD), np.float32)
        self._state = np.zeros((capacity, size), np.float32)
        self._offset = np.zeros(capacity, np.float32)
        self._stale = np.zeros(capacity, bool)
        self._w_record = np.zeros((capacity, RECORD), np.float32)
        self._w_next = np.zeros((capacity, RECORD), np.float32)
        self._w_state = np.zeros((capacity, size), np.float32)
        self._w_offset = np.zeros(capacity, np.float32)
        self._b_record, self._b_state = self._w_record[:0], self._w_state[:0]
        self._w_windowed = np.zeros((capacity, WINDOW), np.float32)
        self._w_features = np.zeros((capacity, FEATURES), np.float32)
        self._w_bins = np.zeros((capacity, BINS), np.float32)
        self._w_levels = np.zeros((capacity, BINS), np.float32)
        self._w_quiet = np.zeros((capacity, BINS), np.complex64)
        self._w_wave = np.zeros((capacity, WINDOW), np.float32)
        self._w_out = np.zeros((capacity, BLOCK), np.float32)
        self._w_parts_in = np.zeros((capacity, PARTS), np.float32)
        self._w_parts_out = np.zeros((capacity, PARTS), np.float32)
        none = np.zeros((0, BINS), np.float32)
        self._said = Said(none, none[:, 0], none[:, 0], none)

    def reset(self, slot: int, comfort: bool = True, hints: bool = False) -> None:
        """A new stream has this slot."""
        self._record[slot] = 0
        self._state[slot] = 0
        self._offset[slot] = 0
        self._stale[slot] = self.bypass[slot] = False
        self._comfortable[slot] = comfort
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
        if self._stale.any():
            for row in self._stale[slots].nonzero()[0]:
                record[row, BEFORE].view(np.complex64)[:] = spectrum(record[row, HISTORY])

    def compute(self, slots: Slots) -> None:
        """Make the blocks on the bench quiet. Raises what the network raises."""
        assert self.network is not None
        n = len(slots)
        clock = self.meter.blocks[slots]
        frames = self._w_next[:n, HISTORY]
        now = spectrum(frames, self._w_next[:n, BEFORE].view(np.complex64), self._w_windowed[:n])
        step = self.network.step(features(frames, now, self._w_features[:n], self._w_bins[:n]), self._b_state)
        said = self._said = self._mend(Said(step.gains, step.keys, step.voice, step.state))
        before = self._b_record[:, BEFORE].view(np.complex64)
        stages = [stage for stage in self.stages if stage.wanted]
        if stages or self.comfort:
            levels = power(before, self._w_levels[:n], self._w_bins[:n])
            for stage in stages:
                stage.apply(slots, clock, said.gains, levels, said.keys, said.voice)
        if self.bypass.any():
            said.gains[self.bypass[slots]] = 1.0
        quiet = np.multiply(before, said.gains, out=self._w_quiet[:n])
        if self.comfort:
            self._ease(self.comfort, slots, clock, levels, quiet)
        wave = synthesis(quiet, self._w_wave[:n])
        np.add(self._b_record[:, TAIL], wave[:, :BLOCK], out=self._w_out[:n])
        self._w_next[:n, TAIL] = wave[:, BLOCK:]
        parts(frames[:, BLOCK:], self._w_parts_in[:n])
        parts(self._w_out[:n], self._w_parts_out[:n])

    def commit(self, slots: Slots, rows: Slots | None = None) -> Found:
        """Put the bench back; with `rows`, only those of its rows, the others having been skipped meanwhile."""
        pick: slice | Slots = slice(0, len(slots))
        if rows is not None:
            slots, pick = slots[rows], rows
        where = _run(slots)
        self._record[slots if where is None else where] = self._w_next[pick]
        self._state[slots if where is None else where] = self._said.state[pick]
        self._offset[slots] = self._w_offset[pick]
        self._stale[slots] = False
        voice = self._said.voice[pick]
        strokes = self.meter.take(
            slots, self._w_parts_in[pick], self._w_parts_out[pick], self._said.keys[pick], voice
        )
        return Found(self._w_out[pick], voice, strokes)

    def gains(self, row: int) -> Float:
        """The gains (161,) that made a row of the newest step."""
        gains: Float = self._said.gains[row]
        return gains

    def skip(self, slots: Slots, blocks: Float) -> Float:
        """Let blocks (streams, 160) go through as they are, as late as any; gives (streams, 160)."""
        record = self._record[slots]
        block = np.clip(blocks, -LIMIT, LIMIT)
        offset = self._offset[slots]
        self._steady(block, offset)
        out: Float = record[:, TAIL] + RISE * record[:, :BLOCK]
        record[:, TAIL] = FALL * record[:, BLOCK:WINDOW]
        record[:, :BLOCK] = record[:, BLOCK:WINDOW]
        record[:, BLOCK:WINDOW] = block
        self._record[slots] = record
        self._offset[slots] = offset
        self._stale[slots] = True
        self.meter.skip(slots, _parts(block), _parts(out))
        return out

    @staticmethod
    def _steady(blocks: Float, offset: Float) -> None:
        """Make silence of what is no number, and take out each stream's constant offset.

        The offset is followed slowly, and taken out along a straight line from the last estimate to the new one.
        """
        means = np.add.reduce(blocks, axis=1)
        if np.isnan(np.add.reduce(means)):
            np.nan_to_num(blocks, copy=False, nan=0.0)
            means = np.add.reduce(blocks, axis=1)
        means *= np.float32(1 / BLOCK)
        means -= offset
        np.minimum(np.maximum(means, -DC_STEP, out=means), DC_STEP, out=means)
        means *= DC_RATE
        new = offset + means
        most = np.maximum(np.abs(offset), np.abs(new))
        if np.maximum.reduce(most) > DC_LEAST:
            for row in (most > DC_LEAST).nonzero()[0]:
                start, end = _soft(offset[row]), _soft(new[row])
                blocks[row] -= start + (end - start) * RAMP
        offset[:] = new

    def _mend(self, said: Said) -> Said:
        """What is no number becomes: gain one, no key, no voice, a stream that has heard nothing."""
        sums = said.state @ self._ones + np.add.reduce(said.gains, axis=1) + said.keys + said.voice
        if np.isfinite(np.add.reduce(sums)):
            return said
        bad = (~np.isfinite(sums)).nonzero()[0]
        self.faults += len(bad)
        said = Said(*(array.copy() for array in said))
        said.gains[bad] = 1.0
        said.keys[bad] = said.voice[bad] = 0.0
        said.state[bad] = 0.0
        return said

    def _ease(
        self, comfort: Comfort, slots: Slots, clock: NDArray[np.int64], levels: Float, spectra: Spectrum
    ) -> None:
        """Comfort noise for the streams that asked for it."""
        gains, keys, voice = self._said.gains, self._said.keys, self._said.voice
        asked = self._comfortable[slots]
        if asked.all():
            comfort.learn(slots, clock, levels, keys, voice)
            comfort.add(slots, clock, gains, levels, spectra)
        elif asked.any():
            rows = asked.nonzero()[0]
            where, then, part = slots[rows], clock[rows], spectra[rows]
            comfort.learn(where, then, levels[rows], keys[rows], voice[rows])
            comfort.add(where, then, gains[rows], levels[rows], part)
            spectra[rows] = part


def _run(slots: Slots) -> slice | None:
    """Slots that lie side by side, as a slice; they are in rising order."""
    first, last = int(slots[0]), int(slots[-1])
    return slice(first, last + 1) if last - first + 1 == len(slots) else None


def _parts(blocks: Float) -> Float:
    return parts(blocks, np.empty((len(blocks), PARTS), np.float32))


def _soft(offset: np.float32) -> np.float32:
    """The part of an offset beyond what is left alone."""
    return np.float32(np.sign(offset) * max(abs(offset) - DC_LEAST, np.float32(0)))
