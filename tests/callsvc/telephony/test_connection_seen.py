"""What the operator's browser says of its connection is told on, with its place in the call: checked, and not too often."""

from __future__ import annotations

import pytest

from audio.codecs import PCMA
from callsvc.types import EventKind
from tests.support.calls import TwoLegs
from tests.support.packets import payloads, tone

pytestmark = pytest.mark.call

FOUND = {
    "received": 498, "lost": 2, "made_up_ms": 40, "jitter_ms": 7, "buffer_ms": 61,
    "trip_ms": 38, "sent_lost_pct": 1, "sent_jitter_ms": 4,
}  # fmt: skip
AT_FIRST = FOUND | {"trip_ms": None, "sent_lost_pct": None, "sent_jitter_ms": None}


def speech(seconds: float) -> list[bytes]:
    return payloads(tone(PCMA.rate_hz, seconds))


async def test_it_is_told_where_it_was_and_no_more_often_than_it_is_of_use() -> None:
    call = TwoLegs().join()
    for _ in range(4):
        await call.talk(operator=speech(2.0), tail_s=0.0)
        call.operator.say({"t": "connection", **FOUND})
    told = call.events.of(EventKind.LEG_CONNECTION)
    assert [{**one, "at_ms": round(int(str(one["at_ms"])), -3)} for one in told] == [
        {"leg": "operator", "at_ms": 2000, **FOUND},
        {"leg": "operator", "at_ms": 8000, **FOUND},
    ]


async def test_what_nobody_can_tell_yet_is_left_open() -> None:
    call = TwoLegs().join()
    await call.talk(operator=speech(0.2))
    call.operator.say({"t": "connection", **AT_FIRST, "whatever": "a later page may add"})
    (told,) = call.events.of(EventKind.LEG_CONNECTION)
    assert {name: told[name] for name in AT_FIRST} == AT_FIRST
    assert "whatever" not in told


@pytest.mark.parametrize(
    "wrong",
    [
        {"lost": -1},
        {"lost": None},
        {"jitter_ms": 1.5},
        {"received": True},
        {"trip_ms": "38"},
        {"buffer_ms": 1 << 40},
    ],
)
async def test_what_is_no_figure_is_counted_and_not_told(wrong: dict[str, object]) -> None:
    call = TwoLegs().join()
    await call.talk(operator=speech(0.2))
    call.operator.say({"t": "connection", **FOUND, **wrong})
    assert call.events.of(EventKind.LEG_CONNECTION) == []
    assert call.operator.malformed == 1


async def test_the_callers_end_is_not_asked() -> None:
    call = TwoLegs().join()
    await call.talk(operator=speech(0.2))
    call.caller.say({"t": "connection", **FOUND})
    assert call.events.of(EventKind.LEG_CONNECTION) == []
