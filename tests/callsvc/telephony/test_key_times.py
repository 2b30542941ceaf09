"""A key's time on the data channel, and where the sound of that moment lies."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import numpy as np
import pytest

from audio.codecs import PCMA
from audio.rtp import Packet
from audio.suppressor import RATE, Engine
from audio.taps import Samples
from callsvc.clock import FixedClock
from callsvc.telephony.connection import NTP_UNIX_S, SenderReport
from tests.support.calls import TwoLegs
from tests.support.legs import PipedConnection
from tests.support.networks import Constant
from tests.support.packets import FRAME_S, payloads

pytestmark = pytest.mark.call

UNIX_S = 1_767_225_600.0
"""The operator's own wall clock when the call begins."""


def note(hints: list[int]) -> Callable[[int], bool]:
    def hint(at: int) -> bool:
        hints.append(at)
        return True

    return hint


def clicks(seconds: float, at_s: list[float]) -> Samples:
    sound = np.zeros(round(8000 * seconds), np.int16)
    for at in at_s:
        sound[round(at * 8000) :][:40] = 12_000
    return sound


async def test_a_key_is_found_in_the_sound_within_10_ms_over_a_line_with_jitter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(3)
    presses = [1.0 + n * 0.31 + chance.uniform(0, 0.1) for n in range(20)]
    hints: list[int] = []
    with Engine(Constant(), comfort=False, patience_ms=10_000) as engine:
        legs = TwoLegs(engine).join()
        uplink = legs.live.uplink
        assert uplink._stream is not None
        monkeypatch.setattr(uplink._stream, "hint", note(hints))
        frames = payloads(clicks(8.0, presses))
        base = 1234
        # What each frame was late on the way; a key's message takes another way.
        late = [chance.uniform(0.0, 0.015) for _ in frames]
        arrivals = sorted((n * FRAME_S + FRAME_S + late[n], n) for n in range(len(frames)))
        keys = [(at + chance.uniform(0.002, 0.011), at) for at in presses]
        for tick in range(round(8.4 / 0.010)):
            now = (tick + 1) * 0.010
            while arrivals and arrivals[0][0] <= now:
                _, n = arrivals.pop(0)
                legs.operator.hear(Packet(8, n, base + n * 160, 7, frames[n]))
            if tick == 30:
                # The stream's first frame was spoken at UNIX_S; the report says so for a later one.
                legs.operator.sender_report = SenderReport(base + 10 * 160, UNIX_S + 10 * FRAME_S)
            while keys and keys[0][0] <= now:
                _, at = keys.pop(0)
                legs.operator.say({"t": "key", "at_ms": (UNIX_S + at) * 1000})
            legs.clock.advance(now - legs.clock.monotonic())
            legs.call.tick(legs.clock.monotonic())
            async with asyncio.timeout(20):
                while uplink.blocks_inside > 2:
                    await asyncio.sleep(0.001)
            await asyncio.sleep(0)
        legs.call.end("hangup")

    assert len(hints) == 20
    raw = np.abs(legs.tapes.notebooks["operator.rx"].sound.astype(int))
    onsets = np.flatnonzero((raw[1:] > 4000) & (raw[:-1] <= 4000)) / RATE
    starts = [onset for index, onset in enumerate(onsets) if index == 0 or onset - onsets[index - 1] > 0.05]
    assert len(starts) == 20
    # The stream's own clock began with the first block, the call's with the call.
    shift = legs.live.uplink._shift
    assert shift is not None
    errors = [(hint - shift) / RATE - start for hint, start in zip(hints, starts, strict=True)]
    assert max(abs(error) for error in errors) < 0.010


async def test_without_a_report_the_moment_of_the_message_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    hints: list[int] = []
    with Engine(Constant(), comfort=False, patience_ms=10_000) as engine:
        legs = TwoLegs(engine).join()
        uplink = legs.live.uplink
        assert uplink._stream is not None
        monkeypatch.setattr(uplink._stream, "hint", note(hints))
        # Fewer blocks than would make a slow machine go round the engine.
        await legs.talk(operator=payloads(clicks(0.2, [])), tail_s=0.0)
        legs.operator.say({"t": "key", "at_ms": 5.0})
        # A wall clock that was set wrong is not believed.
        legs.operator.sender_report = SenderReport(0, 99.0)
        legs.operator.say({"t": "key", "at_ms": 5.0})
        legs.operator.say({"t": "key", "at_ms": "now"})
        legs.call.end("hangup")

    assert len(hints) == 2
    assert abs(hints[0] - hints[1]) < RATE // 100
    assert legs.operator.malformed == 1


def test_a_report_places_any_time_of_the_peers_clock() -> None:
    peer = PipedConnection({8: PCMA}, FixedClock())
    assert peer.timestamp_at(0.0) is None
    peer.sender_report = SenderReport(0xFFFFFF00, 100.0)
    assert peer.timestamp_at(100_000.0) == 0xFFFFFF00
    assert peer.timestamp_at(101_000.0) == (0xFFFFFF00 + 8000) & 0xFFFFFFFF
    assert NTP_UNIX_S == 2_208_988_800
