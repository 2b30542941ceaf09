"""Frames of many calls, worked on together: each caller hears, and each record keeps, what would be made of it alone."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import numpy as np
import pytest

from audio.codecs import PCMA, PCMU, Codec
from audio.marks import Run
from audio.receive import Receiver
from audio.resample import Floats, Resampler, lowered
from audio.suppressor import BLOCK, RATE, Engine, StrokeInfo
from audio.taps import Continuous, GapCause
from callsvc.clock import SystemClock
from callsvc.telephony import outgoing
from callsvc.telephony.spans import Spans
from callsvc.telephony.uplink import Uplink
from callsvc.telephony.wakes import Wakes
from tests.support.legs import PipedConnection
from tests.support.packets import Notebook

pytestmark = pytest.mark.call

SAID = StrokeInfo(False, -1, -100.0, 0.0, False)


class Lent:
    """An engine whose only part is what takes blocks back."""

    latency_samples = 0

    def __init__(self) -> None:
        self.on_block: Any = None

    def open(self, on_block: Any, *, hints: bool) -> Lent:
        self.on_block = on_block
        return self


class Leg:
    """One call's way out, and what came of it."""

    def __init__(self, codec: Codec) -> None:
        self.engine = Lent()
        self.caller = PipedConnection({codec.payload_type or 0: codec}, SystemClock())
        self.kept = Notebook()
        self.spans = Spans()
        self.uplink = Uplink(
            Receiver({8: PCMA}, RATE), self.caller, cast(Engine, self.engine),
            Continuous(Notebook()), Continuous(self.kept), self.spans, lambda _: None,
            started=0.0,
        )  # fmt: skip
        self.place = 0

    def give(self, sound: Floats, cause: GapCause | None = None) -> None:
        """Blocks come back from the suppressor."""
        self.uplink._marks.put(Run(len(sound), self.place, cause))
        self.place += len(sound)
        for at in range(0, len(sound), BLOCK):
            self.engine.on_block(sound[at : at + BLOCK], SAID)


def fail(error: Exception) -> None:
    raise error


async def test_together_is_the_same_as_one_by_one() -> None:
    chance = np.random.default_rng(5)
    laws = [PCMA, PCMU, PCMA, PCMU, PCMA]
    together, alone = [Leg(law) for law in laws], [Leg(law) for law in laws]
    for turn in range(6):
        for n, pair in enumerate(zip(together, alone, strict=True)):
            # One is behind by a block for a while, one has a hole, one is on hold: each of them at its own time.
            length = (1 if turn == 2 else 3) if n == 1 and turn in (2, 3) else 2
            sound = chance.normal(0, 0.2, length * BLOCK).astype(np.float32)
            for leg in pair:
                if n == 3 and turn == 4:
                    leg.spans.begin(GapCause.HOLD, 0)
                leg.give(sound, GapCause.LOSS if n == 2 and turn == 3 else None)
        outgoing.send([leg.uplink for leg in together], fail)
        for leg in alone:
            outgoing.send([leg.uplink], fail)

    for one, other in zip(together, alone, strict=True):
        assert len(one.caller.sent) == 6
        assert one.caller.sent == other.caller.sent
        assert one.kept.gaps == other.kept.gaps
        assert np.array_equal(one.kept.sound, other.kept.sound)
    assert [bool(leg.kept.gaps) for leg in together] == [False, False, True, True, False]


def test_rows_are_lowered_as_streams_are() -> None:
    chance = np.random.default_rng(6)
    streams, rows = [Resampler(RATE, 8000) for _ in range(3)], [Resampler(RATE, 8000) for _ in range(3)]
    for _ in range(4):
        sound = chance.normal(0, 0.2, (3, 320)).astype(np.float32)
        one_by_one = [one.process(row) for one, row in zip(streams, sound, strict=True)]
        assert np.array_equal(lowered(rows, sound), np.stack(one_by_one))


async def test_a_call_that_fails_takes_no_other_along() -> None:
    good, bad = Leg(PCMA), Leg(PCMA)
    bad.caller.send_frame = fail  # type: ignore[method-assign,assignment]
    errors: list[Exception] = []
    for leg in (bad, good):
        leg.give(np.zeros(2 * BLOCK, np.float32))
    outgoing.send([bad.uplink, good.uplink], errors.append)

    assert len(errors) == 1
    assert len(good.caller.sent) == 1


async def test_a_batch_wakes_the_loop_at_its_end_and_once() -> None:
    loop = asyncio.get_running_loop()
    wakes, legs = Wakes.of(loop), [Leg(PCMA) for _ in range(3)]
    woken: list[int] = []
    wakes._wake = lambda: woken.append(len(wakes._due))  # type: ignore[method-assign]
    wakes.hold(True)
    for leg in legs:
        leg.give(np.zeros(2 * BLOCK, np.float32))
    assert woken == []
    wakes.hold(False)
    assert woken == [3]
