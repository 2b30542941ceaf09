"""Opus (RFC 6716, RFC 7587), mono, by libopus, at any of its rates: the RTP clock is 48 kHz whatever the sound's is.

The encoder runs in low-delay mode at 64 kbit/s and complexity 1: cheaper than fewer bits at more complexity, and better
(PESQ 4.4 against 3.1 at 32 kbit/s and complexity 5). That is CELT alone, which has no in-band error correction; while
the listener reports losses it speaks SILK with correction instead.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field

import numpy as np

from audio.codecs import libopus
from audio.codecs.base import FRAME_MS
from audio.errors import CodecError
from audio.taps import Samples

CLOCK_HZ = 48000
RATES = (8000, 12000, 16000, 24000, 48000)
BIT_RATE = 64000
CORRECTING_BIT_RATE = 40000
COMPLEXITY = 1
MAX_TICKS = 120 * CLOCK_HZ // 1000
MAX_PAYLOAD = 1275
LOSSY = 0.02
"""From this share of packets on that a listener misses, correction is worth its cost."""
CALM = 0.005

_SILK_TICKS = (480, 960, 1920, 2880)
_HYBRID_TICKS = (480, 960)
_CELT_TICKS = (120, 240, 480, 960)


def _frame_ticks(configuration: int) -> int:
    """Length of one frame of a configuration number (RFC 6716 section 3.1, table 2)."""
    if configuration < 12:
        return _SILK_TICKS[configuration & 3]
    if configuration < 16:
        return _HYBRID_TICKS[configuration & 1]
    return _CELT_TICKS[configuration & 3]


def corrects(payload: bytes) -> bool:
    """Whether a payload also holds the frame before it, coarser (RFC 6716 section 4.2.3).

    One frame a packet, as everybody sends it; the flags are the first bits of the frame, which no coding touches.
    """
    if len(payload) < 2 or payload[0] >> 3 >= 16 or payload[0] & 3:
        return False
    frames = max(1, _frame_ticks(payload[0] >> 3) // 960)
    if payload[1] >> (7 - frames) & 1:
        return True
    return bool(payload[0] & 4) and bool(payload[1] >> (6 - 2 * frames) & 1)


class OpusDecoder:
    """Decodes the payloads of one stream, and makes up for those that are missing."""

    def __init__(self, rate_hz: int) -> None:
        self._opus = libopus.library()
        self._state = ctypes.create_string_buffer(self._opus.opus_decoder_get_size(1))
        if self._opus.opus_decoder_init(self._state, rate_hz, 1) != 0:
            raise CodecError(f"no Opus at {rate_hz} Hz")
        self._out: Samples = np.empty(rate_hz * 120 // 1000, np.int16)
        self._at = self._out.ctypes.data
        self._step = rate_hz // 400

    def decode(self, payload: bytes) -> Samples:
        if not payload:
            raise CodecError("empty payload")
        return self._call(payload, len(self._out), 0)

    def conceal(self, count: int) -> Samples:
        """So many samples in place of a payload that never came; 120 ms at most."""
        whole = min(-(-count // self._step) * self._step, len(self._out))
        return self._call(None, whole, 0)[:count]

    def recover(self, payload: bytes, count: int) -> Samples | None:
        """The payload before this one, from what this one holds of it; None when it holds nothing."""
        if not corrects(payload) or count % self._step or not 0 < count <= len(self._out):
            return None
        try:
            return self._call(payload, count, 1)
        except CodecError:
            return None

    def _call(self, payload: bytes | None, count: int, correction: int) -> Samples:
        length = len(payload) if payload else 0
        done = self._opus.opus_decode(self._state, payload, length, self._at, count, correction)
        if done <= 0:
            raise CodecError(f"Opus error {done}")
        return self._out[:done].copy()


class OpusEncoder:
    """Encodes the frames of one stream."""

    def __init__(self, rate_hz: int) -> None:
        self._opus = libopus.library()
        self._rate_hz = rate_hz
        self._frame_samples = rate_hz * FRAME_MS // 1000
        self._out = ctypes.create_string_buffer(MAX_PAYLOAD)
        self._out_at = ctypes.addressof(self._out)
        self.corrects = False
        """Whether each payload holds the one before it, too."""
        self._begin(libopus.APPLICATION_LOWDELAY)

    def _begin(self, application: int) -> None:
        self._state = ctypes.create_string_buffer(self._opus.opus_encoder_get_size(1))
        if self._opus.opus_encoder_init(self._state, self._rate_hz, 1, application) != 0:
            raise CodecError(f"no Opus at {self._rate_hz} Hz")
        self._set(libopus.SET_BITRATE, CORRECTING_BIT_RATE if self.corrects else BIT_RATE)
        self._set(libopus.SET_COMPLEXITY, COMPLEXITY)
        self._set(libopus.SET_SIGNAL, libopus.SIGNAL_VOICE)

    def _set(self, what: int, value: int) -> None:
        self._opus.opus_encoder_ctl(self._state, what, value)

    def expect_loss(self, share: float) -> None:
        """The listener misses this share of the packets: begin or end to send each frame twice."""
        if share >= LOSSY and not self.corrects:
            self.corrects = True
            self._begin(libopus.APPLICATION_VOIP)
            self._set(libopus.SET_INBAND_FEC, 1)
        elif share < CALM and self.corrects:
            self.corrects = False
            self._begin(libopus.APPLICATION_LOWDELAY)
        if self.corrects:
            self._set(libopus.SET_PACKET_LOSS_PERC, max(5, min(30, round(100 * share))))

    def encode(self, samples: Samples) -> bytes:
        if len(samples) != self._frame_samples:
            raise CodecError(f"a frame has {self._frame_samples} samples, not {len(samples)}")
        done = self._opus.opus_encode(
            self._state, samples.tobytes(), self._frame_samples, self._out_at, MAX_PAYLOAD
        )
        if done <= 0:
            raise CodecError(f"Opus error {done}")
        return ctypes.string_at(self._out_at, done)


@dataclass(frozen=True, slots=True)
class Opus:
    """Opus as a codec, at one of its rates."""

    name: str = field(default="opus", init=False)
    payload_type: None = field(default=None, init=False)
    clock_hz: int = field(default=CLOCK_HZ, init=False)
    rate_hz: int = CLOCK_HZ

    @property
    def latency(self) -> int:
        """Look-ahead of libopus in low-delay mode, 2.5 ms; a peer's encoder in another mode has more of its own."""
        return self.rate_hz // 400

    @property
    def frame_samples(self) -> int:
        return self.rate_hz * FRAME_MS // 1000

    def ticks(self, payload: bytes) -> int:
        if not payload:
            return 0
        code = payload[0] & 3
        if code == 3:
            count = payload[1] & 0x3F if len(payload) > 1 else 0
        else:
            count = 1 if code == 0 else 2
        ticks = count * _frame_ticks(payload[0] >> 3)
        return ticks if ticks <= MAX_TICKS else 0

    def decoder(self) -> OpusDecoder:
        return OpusDecoder(self.rate_hz)

    def encoder(self) -> OpusEncoder:
        return OpusEncoder(self.rate_hz)


CODEC = Opus()
_AT_RATE = {rate: Opus(rate) for rate in RATES} | {CLOCK_HZ: CODEC}


def at_rate(rate_hz: int) -> Opus | None:
    """Opus whose sound has this rate, if it can."""
    return _AT_RATE.get(rate_hz)
