"""Power that goes at any moment: what had been synced is kept, nothing sealed is harmed, the next start seals the rest."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest

from callsvc.clock import SystemClock
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.layout import MANIFEST, REACHED
from callsvc.recordings.reader import open_recording
from callsvc.recordings.recorder import Recorder
from callsvc.recordings.recovery import recover
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify
from tests.support.doomed_node import call_of
from tests.support.power import Power
from tests.support.recordings import TRACKS, Sink, lengths, play, sound, wait_for

pytestmark = [pytest.mark.evidence, pytest.mark.fault]

SEED = 11
PART = 35
"""Frames between two flushes: 0.7 s, the recorder's own pace."""
PARTS = (2, 5)
"""How many of these each of two calls has, one after the other."""


def noted(base: Path) -> Power:
    """A node that starts on an empty disk and records two calls, with every step of its disk."""
    base.mkdir()
    power = Power(base)
    with power.noting():
        keys = FileKeyRing(base / "keys")
        recorder = Recorder(base / "spool", keys, node="node-1", sink=Sink(), sync=os.fdatasync)
        recorder.start()
        for n, parts in enumerate(PARTS):
            call = recorder.open(call_of(n), "report", TRACKS)
            for part in range(parts):
                until = (part + 1) * PART
                power.mark(f"heard {n}", until * 20)
                play(call, TRACKS, frames=range(part * PART, until))
                call.due = 0.0
                call.wake()
                wait_for(lambda until=until, call=call: call.writing.safe_ms >= until * 20)  # type: ignore[misc]
                power.mark(f"safe {n}", until * 20)
            call.close(lengths(TRACKS, parts * PART), "hangup")
            wait_for(lambda: not recorder.open_calls())
            power.mark(f"sealed {n}", 1)
        recorder.stop()
    return power


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name != REACHED}


def check(power: Power, cut: int, left: Path) -> None:
    """The next start, and what it makes of both calls."""
    spool, keys = left / "spool", FileKeyRing(left / "keys")
    before = {n: files(spool / call_of(n)) for n in range(len(PARTS)) if power.marked(f"sealed {n}", cut)}
    if spool.exists():
        recover(spool, keys, SystemClock(), Sink())
    for n, parts in enumerate(PARTS):
        directory = spool / call_of(n)
        heard, safe = power.marked(f"heard {n}", cut), power.marked(f"safe {n}", cut)
        if not (directory / MANIFEST).exists():
            assert safe == 0, f"cut {cut}: {safe} ms were safe and are gone"
            assert heard <= 1000, f"cut {cut}: {heard} ms were heard and there is no recording"
            assert not directory.exists(), f"cut {cut}: what never held sound lies there still"
            continue
        assert verify(DirectorySource(directory), keys=keys, call=call_of(n)).findings == [], f"cut {cut}"
        recording = open_recording(DirectorySource(directory), keys)
        for track in TRACKS:
            info = recording.tracks[track.name]
            kept = min([info.samples, *(gap.start for gap in info.gaps)])
            assert kept * 1000 // track.rate_hz >= max(safe, heard - 1000), f"cut {cut}"
            # What lacks is at the end, and what is said to be kept is what was heard.
            assert np.array_equal(recording.read(track.name, 0, kept), sound(track, 0, kept)), f"cut {cut}"
        if n in before:
            assert files(directory) == before[n], f"cut {cut}: a sealed recording was touched"
            assert info.samples == parts * PART * 320


def test_power_that_goes_at_any_step_costs_less_than_a_second_and_nothing_sealed(tmp_path: Path) -> None:
    power, rng = noted(tmp_path / "node"), random.Random(SEED)
    kinds = {type(step).__name__ for step in power.steps}
    assert kinds == {"Data", "Names", "Synced", "Mark"}
    for cut in range(len(power.steps) + 1):
        left = tmp_path / f"left{cut}"
        power.left(cut, rng, left)
        check(power, cut, left)


def test_power_that_goes_while_the_next_start_seals_costs_nothing_more(tmp_path: Path) -> None:
    power, rng = noted(tmp_path / "node"), random.Random(SEED + 1)
    during = [
        n for n in range(len(power.steps)) if power.marked("safe 1", n) and not power.marked("sealed 1", n)
    ]
    for number, cut in enumerate(rng.sample(during, 4)):
        first = tmp_path / f"first{number}"
        power.left(cut, rng, first)
        second = Power(first)
        with second.noting():
            begun = len(second.steps)
            recover(first / "spool", FileKeyRing(first / "keys"), SystemClock(), Sink())
        for n in rng.sample(range(begun, len(second.steps) + 1), min(8, len(second.steps) + 1 - begun)):
            left = tmp_path / f"second{number}-{n}"
            second.left(n, rng, left)
            check(power, cut, left)
