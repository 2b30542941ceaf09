"""Codecs of the telephone and the browser: PCMA, PCMU, G722 and opus, 20 ms frames of mono int16.

    codec = codecs.by_name("PCMA")
    decoder, encoder = codec.decoder(), codec.encoder()
    samples = decoder.decode(payload)         # int16 at codec.rate_hz
    payload = encoder.encode(samples)         # one frame: codec.frame_samples
    codec = codecs.at_rate(codec, 16_000)     # the same codec with sound at this rate, where it can do that itself

Decoders and encoders hold state: one of each a stream.
"""

from __future__ import annotations

from audio.codecs import opus
from audio.codecs.base import Codec, Decoder, Encoder
from audio.codecs.g711 import PCMA, PCMU
from audio.codecs.g722 import CODEC as G722
from audio.codecs.opus import CODEC as OPUS
from audio.errors import UnknownCodec


def at_rate(codec: Codec, rate_hz: int) -> Codec:
    """The codec with its sound at this rate, if it can do that by itself; else as it is."""
    return (opus.at_rate(rate_hz) or codec) if codec is OPUS else codec


ALL: tuple[Codec, ...] = (OPUS, G722, PCMA, PCMU)


def by_name(name: str) -> Codec:
    """The codec with this SDP encoding name, in any case; raises `UnknownCodec`."""
    for codec in ALL:
        if codec.name.lower() == name.lower():
            return codec
    raise UnknownCodec(name)


__all__ = ["ALL", "G722", "OPUS", "PCMA", "PCMU", "Codec", "Decoder", "Encoder", "at_rate", "by_name"]
