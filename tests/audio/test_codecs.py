from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio import codecs
from audio.codecs import OPUS, PCMA, PCMU, Codec
from audio.errors import CodecError, UnknownCodec
from tests.support.packets import babble, payloads, tone

pytestmark = pytest.mark.media

every_codec = pytest.mark.parametrize("codec", codecs.ALL, ids=lambda codec: codec.name)


@every_codec
def test_a_frame_of_20_ms_comes_back_as_20_ms(codec: Codec) -> None:
    decoder = codec.decoder()
    for payload in payloads(tone(codec.rate_hz, 0.2), codec):
        assert len(decoder.decode(payload)) == codec.frame_samples
        assert codec.ticks(payload) == codec.clock_hz // 50


@every_codec
def test_sound_comes_back_after_the_declared_latency(codec: Codec) -> None:
    sound = babble(codec.rate_hz, 1.0)
    decoder = codec.decoder()
    heard = np.concatenate([decoder.decode(payload) for payload in payloads(sound, codec)]).astype(float)
    part = sound[4000:8000].astype(float)
    around = heard[4000 - 500 : 8000 + 500]

    assert int(np.correlate(around, part).argmax()) - 500 == codec.latency


@pytest.mark.parametrize("codec", [PCMA, PCMU], ids=lambda codec: codec.name)
def test_every_g711_code_stands_for_a_value_that_is_coded_by_it(codec: Codec) -> None:
    values = codec.decoder().decode(bytes(range(256)))
    again = codec.decoder().decode(codec.encoder().encode(values))

    # The two codes for nothing in mu-law have one value.
    assert np.array_equal(again, values)
    assert len(set(values.tolist())) == (256 if codec is PCMA else 255)


def test_g711_agrees_with_values_of_the_recommendation() -> None:
    assert PCMA.decoder().decode(bytes([0xD5, 0x55, 0xAA, 0x2A])).tolist() == [8, -8, 32256, -32256]
    assert PCMU.decoder().decode(bytes([0xFF, 0x7F, 0x80, 0x00])).tolist() == [0, 0, 32124, -32124]


@pytest.mark.parametrize("codec", [PCMA, PCMU], ids=lambda codec: codec.name)
@given(st.integers(-32768, 32767))
def test_g711_picks_the_nearest_value(codec: Codec, sample: int) -> None:
    values = codec.decoder().decode(bytes(range(256))).astype(int)
    coded = int(codec.decoder().decode(codec.encoder().encode(np.array([sample], np.int16)))[0])

    assert abs(coded - sample) == np.abs(values - sample).min()


@given(st.binary(max_size=6))
def test_an_opus_packet_never_claims_more_than_120_ms(payload: bytes) -> None:
    assert 0 <= OPUS.ticks(payload) <= 5760


@pytest.mark.parametrize(
    ("first", "rest", "milliseconds"),
    [
        pytest.param(0b00000_0_00, b"", 10, id="silk 10"),
        pytest.param(0b00011_0_00, b"", 60, id="silk 60"),
        pytest.param(0b01101_0_01, b"", 40, id="hybrid 20, two of them"),
        pytest.param(0b11100_0_00, b"", 2.5, id="celt 2.5"),
        pytest.param(0b11111_0_11, bytes([3]), 60, id="celt 20, three of them"),
        pytest.param(0b11111_0_11, b"", 0, id="no count"),
        pytest.param(0b00011_0_11, bytes([3]), 0, id="180 ms are not allowed"),
    ],
)
def test_the_length_of_an_opus_packet_is_read_from_its_first_bytes(
    first: int, rest: bytes, milliseconds: float
) -> None:
    assert OPUS.ticks(bytes([first]) + rest) == milliseconds * 48


@every_codec
def test_an_empty_payload_is_no_sound(codec: Codec) -> None:
    with pytest.raises(CodecError):
        codec.decoder().decode(b"")
    assert codec.ticks(b"") == 0


@given(st.binary(min_size=1, max_size=80))
def test_an_opus_decoder_takes_or_refuses_any_bytes(payload: bytes) -> None:
    try:
        samples = OPUS.decoder().decode(payload)
    except CodecError:
        return
    assert samples.dtype == np.int16


@pytest.mark.parametrize("codec", [codecs.G722, OPUS], ids=lambda codec: codec.name)
def test_an_encoder_with_frames_refuses_anything_else(codec: Codec) -> None:
    with pytest.raises(CodecError):
        codec.encoder().encode(np.zeros(codec.frame_samples - 1, np.int16))


def test_codecs_are_found_by_their_sdp_names_in_any_case() -> None:
    assert codecs.by_name("pcma") is PCMA
    assert codecs.by_name("OPUS") is OPUS
    with pytest.raises(UnknownCodec, match="telephone-event"):
        codecs.by_name("telephone-event")
