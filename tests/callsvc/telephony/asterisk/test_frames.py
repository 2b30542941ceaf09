from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.codecs.linear import Linear
from audio.errors import CodecError
from callsvc.telephony.asterisk.frames import Kind, Message, Reader, build

pytestmark = pytest.mark.call

MESSAGES = st.lists(st.builds(Message, st.integers(0, 255), st.binary(max_size=2000)), max_size=12)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(place, len(data)) for place in cuts})
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


@given(MESSAGES, st.lists(st.integers(0, 5000), max_size=40))
def test_messages_come_out_as_they_went_in_wherever_the_stream_is_cut(
    messages: list[Message], cuts: list[int]
) -> None:
    reader = Reader()
    data = b"".join(build(message.kind, message.payload) for message in messages)
    read = [message for part in cut(data, cuts) for message in reader.feed(part)]
    assert read == messages
    assert reader.unfinished == 0


@given(st.lists(st.binary(max_size=3000), max_size=60))
def test_rubbish_is_read_without_a_fault_and_kept_no_longer_than_one_message(parts: list[bytes]) -> None:
    reader = Reader()
    for part in parts:
        for message in reader.feed(part):
            assert len(message.payload) <= 65_535
        assert reader.unfinished <= 65_535 + 2


def test_a_message_on_the_wire_is_kind_length_and_payload() -> None:
    assert build(Kind.SOUND_16K, bytes(640)) == b"\x12\x02\x80" + bytes(640)
    assert build(Kind.HANGUP) == b"\x00\x00\x00"


def test_plain_samples_are_little_endian_and_whole() -> None:
    codec = Linear(8000)
    assert codec.decode(b"\x01\x00\xff\x7f\x00\x80").tolist() == [1, 32767, -32768]
    assert codec.encode(codec.decode(b"\x01\x00\xff\x7f")) == b"\x01\x00\xff\x7f"
    for payload in (b"", b"\x00\x01\x02"):
        with pytest.raises(CodecError):
            codec.decode(payload)
