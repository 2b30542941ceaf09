from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.rtp import Packet
from callsvc.telephony.out import OutStream

pytestmark = pytest.mark.call


def source(sequence: int, timestamp: int, ssrc: int = 5, payload: bytes = b"sound") -> Packet:
    return Packet(8, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, payload)


def test_frames_follow_one_another_and_the_first_is_marked() -> None:
    out = OutStream(7, 65_535, 0xFFFFFFFF)
    packets = [out.frame(8, b"a", 160, now=0.0) for _ in range(3)]

    assert [packet.sequence for packet in packets] == [65_535, 0, 1]
    assert [packet.timestamp for packet in packets] == [0xFFFFFFFF, 159, 319]
    assert [packet.marker for packet in packets] == [True, False, False]
    assert {packet.ssrc for packet in packets} == {7}


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.binary(min_size=1, max_size=20)), min_size=1, max_size=40),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
)
def test_what_is_passed_on_keeps_its_payload_and_its_place(
    steps: list[tuple[int, bytes]], first_sequence: int, first_timestamp: int
) -> None:
    out = OutStream(7, 1000, 5000)
    sent = [source(first_sequence, first_timestamp)]
    got = [out.forward(sent[0], 0, 8000, 160, 0.0)]
    for step, payload in steps:
        last = sent[-1]
        sent.append(source(last.sequence + step, last.timestamp + 160 * step, payload=payload))
        got.append(out.forward(sent[-1], 0, 8000, 160, 0.0))

    assert [packet.payload for packet in got] == [packet.payload for packet in sent]
    assert len({(a.sequence - b.sequence) & 0xFFFF for a, b in zip(got, sent, strict=True)}) == 1
    assert len({(a.timestamp - b.timestamp) & 0xFFFFFFFF for a, b in zip(got, sent, strict=True)}) == 1
    assert {packet.ssrc for packet in got} == {7}
    assert {packet.payload_type for packet in got} == {0}


def test_another_source_goes_on_where_the_last_one_stopped_as_much_later_as_it_is() -> None:
    out = OutStream(7, 10, 0)
    first = out.forward(source(500, 9000), 8, 8000, 160, 1.0)
    second = out.forward(source(3, 77, ssrc=6), 8, 8000, 160, 1.5)

    assert (second.sequence - first.sequence, second.timestamp - first.timestamp) == (1, 4000)


def test_what_stays_behind_leaves_no_hole() -> None:
    out = OutStream(7, 10, 0)
    before = out.forward(source(1, 0), 8, 8000, 160, 0.0)
    out.omit(source(2, 160))
    after = out.forward(source(3, 320), 8, 8000, 160, 0.04)

    assert after.sequence == before.sequence + 1
    assert after.timestamp == before.timestamp + 320
