from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.jitter import Depth, JitterBuffer, Slot
from audio.rtp import Packet
from audio.taps import GapCause
from tests.support.fuzz import examples
from tests.support.packets import Arrival, delayed, stream

pytestmark = pytest.mark.media

TICKS = 160


def run(arrivals: list[Arrival], until_s: float, buffer: JitterBuffer | None = None) -> list[Slot]:
    """What comes out of the buffer, asked every 10 ms."""
    buffer = buffer or JitterBuffer(8000)
    waiting = sorted(arrivals, key=lambda one: one.at)
    slots: list[Slot] = []
    for tick in range(round(until_s * 100)):
        while waiting and waiting[0].at <= tick / 100:
            arrival = waiting.pop(0)
            buffer.put(arrival.packet, TICKS, arrival.at)
        while (slot := buffer.pop(tick / 100)) is not None:
            slots.append(slot)
    return slots


def frames(count: int) -> list[bytes]:
    return [index.to_bytes(4, "big") for index in range(count)]


def heard(slots: list[Slot]) -> list[int | None]:
    return [int.from_bytes(slot.packet.payload, "big") if slot.packet else None for slot in slots]


def test_packets_come_out_in_order_40_ms_after_the_first_came() -> None:
    buffer = JitterBuffer(8000)
    for arrival in stream(frames(4)):
        buffer.put(arrival.packet, TICKS, arrival.at)

    assert buffer.pop(0.049) is None
    first = buffer.pop(0.051)
    assert first is not None
    assert first.packet is not None
    assert buffer.pop(0.051) is None
    assert buffer.pop(0.071) is not None


def test_both_counters_may_wrap() -> None:
    slots = run(stream(frames(30), first_sequence=65_520, first_timestamp=0xFFFFFF00), 0.6)

    assert heard(slots)[:25] == list(range(25))
    assert [slot.timestamp - slots[0].timestamp for slot in slots[:25]] == [TICKS * n for n in range(25)]


def test_a_lost_packet_is_one_hole_and_everything_after_it_is_in_time() -> None:
    buffer = JitterBuffer(8000)
    slots = run(stream(frames(50), lost=[20]), 1.0, buffer)

    assert heard(slots)[:40] == [*range(20), None, *range(21, 40)]
    assert slots[20].cause is GapCause.LOSS
    assert buffer.counts.lost == 1
    assert buffer.depth == pytest.approx(0.040)


def test_a_burst_of_losses_is_as_many_holes() -> None:
    slots = run(stream(frames(60), lost=range(20, 25)), 1.1)

    assert heard(slots)[18:28] == [18, 19, None, None, None, None, None, 25, 26, 27]


def test_packets_out_of_order_are_put_in_order() -> None:
    arrivals = delayed(stream(frames(40)), {10: 0.035, 21: 0.025, 22: 0.0, 30: 0.029})

    assert heard(run(arrivals, 0.8))[:36] == list(range(36))


def test_a_duplicate_is_played_once() -> None:
    arrivals = stream(frames(30))
    buffer = JitterBuffer(8000)
    slots = run([one for one in arrivals for _ in range(2)], 0.6, buffer)

    assert heard(slots)[:20] == list(range(20))
    assert buffer.counts.duplicate == 30


def test_a_packet_that_comes_after_its_turn_is_counted_and_left_out() -> None:
    buffer = JitterBuffer(8000)
    slots = run(delayed(stream(frames(40)), {10: 0.150}), 0.8, buffer)

    assert heard(slots)[8:13] == [8, 9, None, 11, 12]
    assert buffer.counts.late == 1


def test_a_pause_with_no_number_missing_is_silence_and_no_loss() -> None:
    spoken = stream(frames(20))
    paused = stream(
        frames(20), first_sequence=65_530 + 20, first_timestamp=0xFFFFFF00 + 25 * TICKS, start_s=0.5
    )
    buffer = JitterBuffer(8000)
    # The next packet is known in time: it came before its turn.
    slots = run([*spoken, Arrival(0.40, paused[0].packet), *paused[1:]], 0.9, buffer)

    assert [slot.cause for slot in slots[20:25]] == [GapCause.SILENCE] * 5
    assert buffer.counts.lost == 0


def test_nothing_after_comfort_noise_is_silence() -> None:
    arrivals = stream(frames(10))
    noise = Packet(
        13, (65_530 + 10) & 0xFFFF, (0xFFFFFF00 + 10 * TICKS) & 0xFFFFFFFF, arrivals[0].packet.ssrc, b"\x40"
    )
    buffer = JitterBuffer(8000)
    for arrival in arrivals:
        buffer.put(arrival.packet, TICKS, arrival.at)
    buffer.put(noise, 0, 0.21, silence=True)
    slots = [slot for tick in range(60) if (slot := buffer.pop(tick / 100))]

    assert heard(slots)[:10] == list(range(10))
    assert {slot.cause for slot in slots[10:]} == {GapCause.SILENCE}
    assert buffer.counts.lost == 0


def test_depth_grows_when_packets_come_late_and_shrinks_again_when_they_do_not() -> None:
    chance = random.Random(5)
    rough = {index: chance.uniform(0.0, 0.120) for index in range(300)}
    buffer = JitterBuffer(8000)
    arrivals = delayed(stream(frames(1200)), rough)
    waiting = list(arrivals)
    depths: list[float] = []
    for tick in range(2400):
        now = tick / 100
        while waiting and waiting[0].at <= now:
            arrival = waiting.pop(0)
            buffer.put(arrival.packet, TICKS, arrival.at)
        while (slot := buffer.pop(now)) is not None:
            if not slot.inserted and buffer.surplus() >= 0.020:
                buffer.skip()
        depths.append(buffer.depth)

    assert max(depths[:600]) > 0.110
    assert depths[-1] < 0.065
    # Of the 300 packets with a jitter of 120 ms; half of them would have been too late for 40 ms.
    assert buffer.counts.late < 25


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("seconds", [40, 180])
def test_on_a_rough_line_hardly_anything_is_missed_but_what_was_lost(seed: int, seconds: int) -> None:
    chance = random.Random(seed)
    count = seconds * 50
    lost = {index for index in range(count) if chance.random() < 0.05}
    sent = stream(frames(count), lost=lost)
    arrivals = delayed(sent, {index: min(0.060, chance.expovariate(1 / 0.008)) for index in range(len(sent))})
    buffer = JitterBuffer(8000)
    run(arrivals, seconds + 0.5, buffer)

    # It has to see the line to know it, and one more may come when chance was kind for ten seconds.
    assert buffer.counts.late <= 2
    assert buffer.depth < 0.120


def test_a_stall_now_and_then_is_not_waited_for() -> None:
    count = 3000
    stalled = {index: max(0.0, 0.150 - index % 500 * 0.020) for index in range(500, count)}
    lost = range(50, count, 100)
    buffer = JitterBuffer(8000)
    waiting = delayed(
        stream(frames(count), lost=lost), {i - len(range(50, i + 1, 100)): by for i, by in stalled.items()}
    )
    run(waiting, count / 50, buffer)

    assert buffer.counts.late > 0
    assert buffer.depth == pytest.approx(0.040)


def test_a_first_packet_that_was_slow_does_not_make_the_whole_call_wait() -> None:
    buffer = JitterBuffer(8000)
    for number in range(200):
        at = number * 0.02 + 0.013 * (number == 0)
        buffer.put(Packet(8, number, number * 160, 7, b"x" * 160), 160, at)
        while buffer.pop(at + 0.01):
            pass
        if number == 20:
            assert buffer.depth == pytest.approx(0.053)
    assert buffer.depth == pytest.approx(0.040)
    assert (buffer.counts.lost, buffer.counts.late, buffer.counts.skipped) == (0, 0, 0)


@pytest.mark.parametrize(
    ("slow_s", "spare_s"), [(0.0, 0.020), (0.012, 0.008), (0.019, 0.001), (0.025, 0.0)], ids=str
)
def test_a_calm_line_can_spare_what_its_slowest_packet_of_late_did_not_need(
    slow_s: float, spare_s: float
) -> None:
    buffer = JitterBuffer(8000)
    run(stream(frames(75)), 1.5, buffer)
    assert buffer.spare == 0.0, "a line that nobody knows yet"

    buffer = JitterBuffer(8000)
    run(delayed(stream(frames(200)), dict.fromkeys(range(30, 200, 40), slow_s)), 4.0, buffer)
    assert buffer.spare == pytest.approx(spare_s)


def test_after_a_packet_that_came_too_late_nothing_can_be_spared_for_a_minute() -> None:
    buffer = JitterBuffer(8000)
    waiting = delayed(stream(frames(3500)), {155: 0.070})
    run(waiting[:3100], 62.0, buffer)
    assert buffer.counts.late == 1
    assert buffer.spare == 0.0

    for arrival in waiting[3100:]:
        buffer.put(arrival.packet, TICKS, arrival.at)
    assert buffer.spare == pytest.approx(0.020)


@pytest.mark.parametrize("every_s", [5, 8, 20])
def test_what_can_be_spared_is_not_taken_from_a_packet_that_is_slow_now_and_then(every_s: int) -> None:
    count = 6000
    waiting = delayed(stream(frames(count)), dict.fromkeys(range(151, count, every_s * 50), 0.032))
    buffer = JitterBuffer(8000)
    for tick in range(count * 2):
        while waiting and waiting[0].at <= tick / 100:
            arrival = waiting.pop(0)
            buffer.put(arrival.packet, TICKS, arrival.at)
        while buffer.pop(tick / 100 + min(buffer.spare, 0.015)) is not None:
            pass

    assert buffer.counts.late <= 2, "of as many as 24 in two minutes, each in time for the whole depth"


def test_a_packet_that_claims_to_be_short_does_not_make_holes_without_number() -> None:
    buffer = JitterBuffer(8000)
    buffer.put(Packet(8, 1, 1, 7, b"x"), 1, 0.0)
    holes = 0
    for tick in range(100):
        while buffer.pop(tick / 100) is not None:
            holes += 1
    assert 0 < holes <= 400


def test_a_packet_from_before_the_first_number_is_no_duplicate() -> None:
    buffer = JitterBuffer(8000)
    second, first = Packet(8, 0, TICKS, 7, b"b"), Packet(8, 0xFFFF, 0, 7, b"a")
    buffer.put(second, TICKS, 0.020)
    buffer.put(first, TICKS, 0.021)

    slots = [slot for tick in range(10) if (slot := buffer.pop(tick / 100)) is not None and slot.packet]
    assert [slot.packet for slot in slots] == [first, second]
    assert buffer.counts.duplicate == 0


def test_a_long_stall_never_makes_the_depth_more_than_200_ms() -> None:
    buffer = JitterBuffer(8000)
    stalled = delayed(stream(frames(200)), {index: max(0.0, 3.0 - index * 0.02) for index in range(40, 150)})
    run(stalled, 4.2, buffer)

    assert buffer.depth <= 0.200 + 0.020


def test_a_new_source_takes_over_with_its_second_packet() -> None:
    old = stream(frames(20))
    new = stream(frames(20), ssrc=99, first_sequence=7, first_timestamp=1_000_000, start_s=0.4)
    buffer = JitterBuffer(8000)
    slots = run([*old, *new], 0.8, buffer)

    assert heard(slots)[-10:] == list(range(heard(slots)[-10] or 0, (heard(slots)[-1] or 0) + 1))
    assert buffer.counts.restarts == 1
    assert buffer.counts.stray == 1


def test_a_sequence_that_jumps_goes_on_from_where_it_is() -> None:
    before = stream(frames(20))
    after = stream(frames(20), first_sequence=30_000, first_timestamp=0x40000000, start_s=0.4)
    buffer = JitterBuffer(8000)
    slots = run([*before, *after], 0.8, buffer)

    assert buffer.counts.restarts == 1
    assert heard(slots)[-5:] == list(range(heard(slots)[-5] or 0, (heard(slots)[-5] or 0) + 5))


def test_single_strangers_change_nothing() -> None:
    arrivals = stream(frames(60))
    stray = [Arrival(0.2 + n / 10, Packet(8, 9999 * n, 77777 * n, 5 + n, b"stray")) for n in range(8)]
    buffer = JitterBuffer(8000)

    assert heard(run([*arrivals, *stray], 1.1, buffer))[:50] == list(range(50))
    assert buffer.counts.stray == 8
    assert buffer.counts.restarts == 0


def test_what_waits_at_the_end_can_be_had_at_once() -> None:
    buffer = JitterBuffer(8000)
    for arrival in stream(frames(5), lost=[2]):
        buffer.put(arrival.packet, TICKS, arrival.at)

    assert heard(buffer.drain()) == [0, 1, None, 3, 4]
    assert buffer.drain() == []


@examples(100)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFFFFFF),
            st.sampled_from([0, 80, 160, 960]),
        ),
        max_size=80,
    )
)
def test_any_packets_leave_slots_that_follow_one_another(packets: list[tuple[int, int, int, int]]) -> None:
    buffer = JitterBuffer(8000, Depth())
    now = 0.0
    for ssrc, sequence, timestamp, ticks in packets:
        now += 0.007
        buffer.put(Packet(8, sequence, timestamp, ssrc, b"x"), ticks, now)
        position = -1
        while (slot := buffer.pop(now)) is not None:
            assert slot.ticks > 0
            assert position in (-1, slot.timestamp)
            position = slot.timestamp if slot.inserted else slot.timestamp + slot.ticks
    assert buffer.counts.received == len(packets)
