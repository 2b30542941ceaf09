from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio import rtp
from audio.errors import BadPacket
from audio.rtp import Packet, Unwrapper

pytestmark = pytest.mark.media

packets = st.builds(
    Packet,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=400),
    marker=st.booleans(),
)


@given(packets)
def test_a_packet_that_was_built_reads_as_it_was(packet: Packet) -> None:
    assert rtp.parse(rtp.build(packet)) == packet


@given(st.binary(max_size=200))
def test_any_bytes_are_a_packet_or_are_refused(data: bytes) -> None:
    try:
        packet = rtp.parse(data)
    except BadPacket:
        return
    assert len(packet.payload) <= len(data) - rtp.HEADER.size


def test_header_extension_contributors_and_padding_are_no_payload() -> None:
    header = bytes([0x80 | 0x20 | 0x10 | 2, 8]) + bytes(10)
    contributors, extension = bytes(8), bytes([0xBE, 0xDE, 0, 1, 1, 2, 3, 4])
    data = header + contributors + extension + b"sound" + bytes([0, 0, 3])

    assert rtp.parse(data).payload == b"sound"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(bytes(11), id="shorter than a header"),
        pytest.param(bytes([0x40]) + bytes(20), id="version 1"),
        pytest.param(bytes([0x8F]) + bytes(20), id="more contributors than bytes"),
        pytest.param(bytes([0x90, 8]) + bytes(12), id="extension cut off"),
        pytest.param(
            bytes([0x90, 8]) + bytes(10) + bytes([0, 0, 0xFF, 0xFF]), id="extension longer than all"
        ),
        pytest.param(bytes([0xA0, 8]) + bytes(10) + bytes([200]), id="padding longer than all"),
        pytest.param(bytes([0xA0, 8]) + bytes(10) + bytes([0]), id="padding of nothing"),
    ],
)
def test_bytes_that_contradict_themselves_are_refused(data: bytes) -> None:
    with pytest.raises(BadPacket):
        rtp.parse(data)


def test_rtcp_on_the_same_port_is_told_apart() -> None:
    report = bytes([0x80, 201, 0, 1, 0, 0, 0, 1])

    assert rtp.is_rtcp(report)
    assert not rtp.is_rtcp(rtp.build(Packet(8, 1, 1, 1, b"sound", marker=True)))


def test_a_counter_goes_on_when_it_wraps_and_looks_back_over_the_wrap() -> None:
    counter = Unwrapper(16)

    assert [counter(value) for value in (65_534, 65_535, 1, 0, 2)] == [65_534, 65_535, 65_537, 65_536, 65_538]


@given(st.lists(st.integers(-20_000, 20_000), max_size=60))
def test_a_counter_follows_any_steps_shorter_than_half_its_range(steps: list[int]) -> None:
    counter, true, highest = Unwrapper(16), 40_000, 40_000
    counter(true)
    for step in steps:
        true = highest + step
        assert counter(true & 0xFFFF) == true
        highest = max(highest, true)
