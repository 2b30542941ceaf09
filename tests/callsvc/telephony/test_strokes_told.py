"""What a node tells of the typing while a call goes on: when and how loud, where the call is kept, and not under a mask."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from audio.codecs import PCMA
from audio.suppressor import BLOCK, RATE, Engine, Proof, StrokeInfo
from callsvc.telephony.policies import LinePolicy
from callsvc.types import EventKind
from tests.support.calls import TwoLegs
from tests.support.packets import payloads, tone

pytestmark = pytest.mark.call


class Told:
    """Gives each block back at once, and tells of a stroke in those that begin where it was told to."""

    latency_samples = 0

    def __init__(self, *at_s: float) -> None:
        self._at = {round(at * RATE) // BLOCK * BLOCK for at in at_s}
        self._pushed = 0
        self._on_block: Any = None

    def open(self, on_block: Any, *, hints: bool) -> Told:
        self._on_block = on_block
        return self

    def push(self, block: Any) -> None:
        struck = self._pushed in self._at
        at = self._pushed if struck else -1
        self._pushed += BLOCK
        self._on_block(block, StrokeInfo(struck, at, -31.4 if struck else -100.0, 0.0, False))

    def proof(self) -> Proof:
        return Proof(len(self._at), 0, None, None, None, None, 0, 0, "told", "0" * 64, 0, False)

    def close(self) -> Proof:
        return self.proof()


def legs(engine: Told, *, record: bool = True) -> TwoLegs:
    return TwoLegs(cast(Engine, engine), policy=LinePolicy(record=record, keep_raw=False)).join()


def speech(seconds: float) -> list[bytes]:
    return payloads(tone(PCMA.rate_hz, seconds))


async def test_strokes_are_told_by_time_and_level_but_for_those_under_a_mask() -> None:
    call = legs(Told(0.3, 0.6, 1.5))
    await call.talk(operator=speech(1.0), tail_s=0.2)
    call.command("mask", on=True, reason="private")
    await call.talk(operator=speech(1.0), tail_s=0.2)
    call.command("mask", on=False)
    call.call.end("hangup")

    (told,) = call.events.of(EventKind.CALL_STROKES)
    assert told["level_db"] == [-31, -31]
    at_ms = np.array(told["at_ms"])
    assert np.diff(at_ms) == [300]
    assert (at_ms % 10 == 0).all()
    # On the clock of what was spoken, not of when it came by.
    assert abs(at_ms[0] - 300) <= 20


@pytest.mark.parametrize(
    ("record", "at_s", "told"), [(True, (), [{"at_ms": [], "level_db": []}]), (False, (0.1, 0.2), [])]
)
async def test_a_call_without_typing_says_so_and_one_that_is_not_kept_says_nothing(
    record: bool, at_s: tuple[float, ...], told: list[dict[str, object]]
) -> None:
    call = legs(Told(*at_s), record=record)
    await call.talk(operator=speech(0.5), tail_s=0.1)
    call.call.end("hangup")

    assert call.events.of(EventKind.CALL_STROKES) == told
