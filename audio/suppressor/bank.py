"""All streams' state in fixed arrays, and the step that takes one block of some of them further.

    gather ─► compute ─► commit          a block that is made quiet; `compute` needs no lock
    skip                                 a block that goes through as it is

A stream is a row ("slot") in every array. A block that is skipped is overlap-added like any other, with all gains one:
going over from quiet to unprocessed sound and back is therefore a cross-fade of 10 ms. A block may be skipped even
while it is being computed; its result is then left out of `commit`.
"""

from __future__ import annotations

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

DC_RATE = np.float32(0.01)
"""Share of the newest block in what is taken for a constant offset: one second."""
DC_LEAST = np.float32(5e-4)
"""Offsets up to here are left alone, so that sound without one is not touched."""
RISE = (window() ** 2)[:BLOCK]
FALL = (window() ** 2)[BLOCK:]
RAMP = (np.arange(1, BLOCK + 1) / BLOCK).astype(np.float32)


class Found:
    """What a committed step says: rows are those of `commit`."""

    def __init__(self, out: Float, voice: Float, strokes: list[tuple[int, int, float]]) -> None:
        self.out = out
        self.voice = voice
        self.strokes = strokes


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
        self._history = np.zeros((capacity, WINDOW), np.float32)
        self._before = np.zeros((capacity, BINS), np.complex64)
        self._state = np.zeros((capacity, size), np.float32)
        self._tail = np.zeros((capacity, BLOCK), np.float32)
        self._offset = np.zeros(capacity, np.float32)
        self._stale = np.zeros(capacity, bool)
        self._w_frames = np.zeros((capacity, WINDOW), np.float32)
        self._w_windowed = np.zeros((capacity, WINDOW), np.float32)
        self._w_history = np.zeros((capacity, WINDOW), np.float32)
        self._w_now = np.zeros((capacity, BINS), np.complex64)
        self._w_before = np.zeros((capacity, BINS), np.complex64)
        self._w_state = np.zeros((capacity, size), np.float32)
        self._w_after = np.zeros((capacity, size), np.float32)
        self._w_tail = np.zeros((capacity, BLOCK), np.float32)
        self._w_offset = np.zeros(capacity, np.float32)
        self._w_features = np.zeros((capacity, FEATURES), np.float32)
        self._w_bins = np.zeros((capacity, BINS), np.float32)
        self._w_levels = np.zeros((capacity, BINS), np.float32)
        self._w_gains = np.zeros((capacity, BINS), np.float32)
        self._w_keys = np.zeros(capacity, np.float32)
        self._w_voice = np.zeros(capacity, np.float32)
        self._w_wave = np.zeros((capacity, WINDOW), np.float32)
        self._w_out = np.zeros((capacity, BLOCK), np.float32)
        self._w_parts_in = np.zeros((capacity, PARTS), np.float32)
        self._w_parts_out = np.zeros((capacity, PARTS), np.float32)

    def reset(self, slot: int, comfort: bool = True, hints: bool = False) -> None:
        """A new stream has this slot."""
        for array in (self._history, self._before, self._state, self._tail, self._offset):
            array[slot] = 0
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
        history = np.take(self._history, slots, axis=0, out=self._w_history[:n], mode="clip")
        frames = self._w_frames[:n]
        frames[:, :BLOCK] = history[:, BLOCK:]
        frames[:, BLOCK:] = blocks
        self._level(slots, frames[:, BLOCK:])
        np.take(self._before, slots, axis=0, out=self._w_before[:n], mode="clip")
        np.take(self._state, slots, axis=0, out=self._w_state[:n], mode="clip")
        np.take(self._tail, slots, axis=0, out=self._w_tail[:n], mode="clip")
        if self._stale.any():
            for row in np.flatnonzero(self._stale[slots]):
                self._w_before[row] = spectrum(history[row])

    def compute(self, slots: Slots) -> None:
        """Make the blocks on the bench quiet. Raises what the network raises."""
        assert self.network is not None
        n = len(slots)
        clock = self.meter.blocks[slots]
        frames, before = self._w_frames[:n], self._w_before[:n]
        now = spectrum(frames, self._w_now[:n], self._w_windowed[:n])
        step = self.network.step(
            features(frames, now, self._w_features[:n], self._w_bins[:n]), self._w_state[:n]
        )
        gains, keys, voice, after = self._w_gains[:n], self._w_keys[:n], self._w_voice[:n], self._w_after[:n]
        gains[:], keys[:], voice[:], after[:] = step.gains, step.keys, step.voice, step.state
        self._mend(gains, keys, voice, after)
        if self.stages or self.comfort:
            levels = power(before, self._w_levels[:n], self._w_bins[:n])
            for stage in self.stages:
                stage.apply(slots, clock, gains, levels, keys, voice)
        if self.bypass.any():
            gains[self.bypass[slots]] = 1.0
        before *= gains
        if self.comfort:
            self._ease(slots, clock, gains, levels, keys, voice, before)
        wave = synthesis(before, self._w_wave[:n])
        np.add(self._w_tail[:n], wave[:, :BLOCK], out=self._w_out[:n])
        parts(frames[:, BLOCK:], self._w_parts_in[:n])
        parts(self._w_out[:n], self._w_parts_out[:n])

    def commit(self, slots: Slots, rows: Slots | None = None) -> Found:
        """Put the bench back; with `rows`, only those of its rows, the others having been skipped meanwhile."""
        n = len(slots)
        pick: slice | Slots = slice(0, n)
        if rows is not None:
            slots, pick = slots[rows], rows
        self._history[slots] = self._w_frames[pick]
        self._before[slots] = self._w_now[pick]
        self._state[slots] = self._w_after[pick]
        self._tail[slots] = self._w_wave[pick, BLOCK:]
        self._offset[slots] = self._w_offset[pick]
        self._stale[slots] = False
        voice = self._w_voice[pick]
        strokes = self.meter.take(
            slots, self._w_parts_in[pick], self._w_parts_out[pick], self._w_keys[pick], voice
        )
        return Found(self._w_out[pick], voice, strokes)

    def gains(self, row: int) -> Float:
        """The gains (161,) that made a row of the newest step."""
        gains: Float = self._w_gains[row]
        return gains

    def skip(self, slots: Slots, blocks: Float) -> Float:
        """Let blocks (streams, 160) go through as they are, as late as any; gives (streams, 160)."""
        history = self._history[slots]
        block = blocks.copy()
        offset = self._offset[slots]
        self._steady(block, offset, block.mean(axis=1, dtype=np.float32), offset)
        out: Float = self._tail[slots] + RISE * history[:, :BLOCK]
        self._tail[slots] = FALL * history[:, BLOCK:]
        self._history[slots, :BLOCK] = history[:, BLOCK:]
        self._history[slots, BLOCK:] = block
        self._offset[slots] = offset
        self._stale[slots] = True
        self.meter.skip(slots, _parts(block), _parts(out))
        return out

    def _level(self, slots: Slots, blocks: Float) -> None:
        """Take constant offsets out of the blocks on the bench."""
        n = len(slots)
        offset = np.take(self._offset, slots, out=self._w_offset[:n], mode="clip")
        self._steady(blocks, offset, np.add.reduce(blocks, axis=1) * np.float32(1 / BLOCK), offset)

    @staticmethod
    def _steady(blocks: Float, offset: Float, means: Float, out: Float) -> None:
        """Follow each stream's offset, and take it out along a straight line from the last estimate to the new one."""
        old = _soft(offset)
        np.add(offset, (means - offset) * DC_RATE, out=out)
        new = _soft(out)
        for row in np.flatnonzero((old != 0) | (new != 0)):
            blocks[row] -= old[row] + (new[row] - old[row]) * RAMP

    def _mend(self, gains: Float, keys: Float, voice: Float, after: Float) -> None:
        """What is no number becomes: gain one, no key, no voice, a stream that has heard nothing."""
        sound = np.isfinite(np.add.reduce(after, axis=1) + np.add.reduce(gains, axis=1) + keys + voice)
        if sound.all():
            return
        bad = np.flatnonzero(~sound)
        self.faults += len(bad)
        gains[bad] = 1.0
        after[bad] = 0.0
        keys[bad] = 0.0
        voice[bad] = 0.0

    def _ease(
        self,
        slots: Slots,
        clock: NDArray[np.int64],
        gains: Float,
        levels: Float,
        keys: Float,
        voice: Float,
        spectra: Spectrum,
    ) -> None:
        """Comfort noise for the streams that asked for it."""
        assert self.comfort is not None
        asked = self._comfortable[slots]
        if asked.all():
            self.comfort.learn(slots, clock, levels, keys, voice)
            self.comfort.add(slots, clock, gains, spectra)
        elif asked.any():
            rows = np.flatnonzero(asked)
            where, then, part = slots[rows], clock[rows], spectra[rows]
            self.comfort.learn(where, then, levels[rows], keys[rows], voice[rows])
            self.comfort.add(where, then, gains[rows], part)
            spectra[rows] = part


def _parts(blocks: Float) -> Float:
    return parts(blocks, np.empty((len(blocks), PARTS), np.float32))


def _soft(offset: Float) -> Float:
    """The part of an offset beyond what is left alone."""
    return np.sign(offset) * np.maximum(np.abs(offset) - DC_LEAST, np.float32(0))
