"""When the operator's frames leave for the suppressor, seen from when they fall due in the jitter buffer."""

from __future__ import annotations

import pytest

from audio.codecs import PCMA
from audio.receive import Receiver
from audio.suppressor import RATE
from audio.taps import Continuous
from callsvc.clock import SystemClock
from callsvc.telephony.spans import Spans
from callsvc.telephony.uplink import Uplink
from tests.support.legs import PipedConnection
from tests.support.packets import Notebook, babble, delayed, payloads, stream

pytestmark = pytest.mark.call

DEPTH_S = 0.040
WAKES_S = 0.010
SECONDS = 6


async def leads(phase_s: float, slow: dict[int, float]) -> list[float]:
    """How long before its turn each frame left, on a line where these packets are slow by so much."""
    receiver = Receiver({8: PCMA}, RATE)
    caller = PipedConnection({8: PCMA}, SystemClock())
    uplink = Uplink(
        receiver,
        caller,
        None,
        Continuous(Notebook()),
        Continuous(Notebook()),
        Spans(),
        lambda _: None,
        started=0.0,
    )
    receiver.start(0.0)
    waiting = stream(payloads(babble(8000, SECONDS)), transit_s=phase_s)
    waiting = delayed(waiting, slow)
    found: list[float] = []
    for wake in range(round(SECONDS / WAKES_S)):
        now = wake * WAKES_S
        while waiting and waiting[0].at <= now:
            arrival = waiting.pop(0)
            receiver.put(arrival.packet, arrival.at)
        uplink.tick(now)
        while len(found) < len(caller.sent):
            found.append(phase_s + len(found) * 0.020 + DEPTH_S - now)
    return found


def every_fortieth(slow_s: float) -> dict[int, float]:
    return dict.fromkeys(range(20, 50 * SECONDS, 40), slow_s)


@pytest.mark.parametrize("phase_ms", [0.5, 3, 4.5, 5.5, 7, 9.5])
async def test_on_a_calm_line_no_frame_waits_for_a_wake_beyond_its_turn(phase_ms: float) -> None:
    found = await leads(phase_ms / 1000, every_fortieth(0.001))

    assert all(-0.0051 < lead < 0.0051 for lead in found[:50]), "a line that is not known yet"
    assert all(0.0049 < lead < 0.0151 for lead in found[-50:])


@pytest.mark.parametrize("phase_ms", [0.5, 3, 4.5, 5.5, 7, 9.5])
async def test_a_line_with_slow_packets_is_given_the_whole_depth(phase_ms: float) -> None:
    found = await leads(phase_ms / 1000, every_fortieth(0.018))

    assert all(-0.0051 < lead < 0.0051 for lead in found)


@pytest.mark.parametrize("phase_ms", [0.5, 3, 7])
async def test_packets_that_are_a_little_slow_make_no_steps_in_what_the_caller_hears(phase_ms: float) -> None:
    found = await leads(phase_ms / 1000, every_fortieth(0.003) | {180: 0.008, 215: 0.014, 250: 0.006})

    assert all(0.0049 < lead < 0.0151 for lead in found[-150:])
