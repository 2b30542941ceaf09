from __future__ import annotations

import numpy as np
import pytest

from audio.codecs import OPUS, PCMA, at_rate, libopus
from audio.codecs.opus import OpusDecoder, OpusEncoder, corrects
from audio.conceal import FADE_MS, Concealer, joined
from audio.taps import Samples
from tests.support.packets import babble, tone

pytestmark = pytest.mark.media

FRAME = 160


def level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def voice(seconds: float, rate_hz: int = 8000, hz: float = 130.0) -> Samples:
    """Something with a pitch and formants, as a vowel has."""
    at = np.arange(round(rate_hz * seconds)) / rate_hz
    parts = [np.sin(2 * np.pi * hz * n * at) / n for n in range(1, 12)]
    return np.asarray(3000 * np.sum(parts, axis=0)).astype(np.int16)


def fed(sound: Samples, rate_hz: int = 8000) -> Concealer:
    concealer = Concealer(rate_hz)
    for at in range(0, len(sound), rate_hz // 50):
        concealer.good(sound[at : at + rate_hz // 50])
    return concealer


@pytest.mark.parametrize("hz", [80.0, 130.0, 220.0, 310.0])
def test_a_vowel_goes_on_in_step_over_a_lost_frame(hz: float) -> None:
    sound = voice(0.5, hz=hz)
    made = fed(sound[:3200]).hole(FRAME)
    missing = sound[3200 : 3200 + FRAME].astype(float)

    error = float(np.mean((made[:80] - missing[:80]) ** 2)) / float(np.mean(missing[:80] ** 2))
    assert error < 0.2


def test_what_is_made_up_fades_within_60_ms_and_never_goes_on_by_itself() -> None:
    concealer = fed(voice(0.5))
    levels = [level(concealer.hole(FRAME)) for _ in range(8)]

    assert levels[0] > 1000
    assert levels[0] > levels[1] > levels[2]
    assert max(levels[FADE_MS // 20 :]) < 150


def test_after_the_fade_the_room_is_heard_and_not_nothing() -> None:
    chance = np.random.default_rng(3)
    room = (chance.normal(0, 40, 8000)).astype(np.int16)
    sound = room.copy()
    sound[4000:] = np.clip(sound[4000:] + voice(0.5), -32768, 32767)
    concealer = fed(sound)
    tail = np.concatenate([concealer.hole(FRAME) for _ in range(60)])[800:]

    assert level(tail) == pytest.approx(40, rel=0.4)
    # It does not repeat itself.
    cut = tail.astype(float)
    overlap = np.correlate(cut[:2000], cut[:400], "valid")
    assert np.abs(overlap[100:]).max() < 0.5 * overlap[0]


def test_a_pause_of_the_sender_sounds_like_the_room_and_a_silent_room_like_nothing() -> None:
    noisy = fed(np.random.default_rng(3).normal(0, 60, 8000).astype(np.int16))
    assert level(np.concatenate([noisy.silence(FRAME) for _ in range(20)])) == pytest.approx(60, rel=0.4)
    silent = fed(np.zeros(8000, np.int16))
    assert not silent.silence(FRAME).any()
    assert not Concealer(8000).hole(FRAME).any()


def test_sound_begins_again_without_a_click() -> None:
    sound = voice(1.0)
    concealer = fed(sound[:3200])
    last = concealer.hole(FRAME)
    lead = concealer.good(sound[3200 + FRAME : 3200 + 2 * FRAME])
    again = joined(sound[3200 + FRAME : 3200 + 2 * FRAME], lead)

    steps = np.abs(np.diff(np.concatenate([last, again]).astype(int)))
    assert steps.max() <= 1.3 * np.abs(np.diff(sound.astype(int))).max()
    # Only the first milliseconds differ from what was sent, and what was sent is not touched.
    assert np.array_equal(again[concealer.join :], sound[3200 + FRAME + concealer.join : 3200 + 2 * FRAME])


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
def test_opus_makes_up_for_a_lost_frame_by_itself(rate_hz: int) -> None:
    codec = at_rate(OPUS, rate_hz)
    encoder, decoder = codec.encoder(), OpusDecoder(rate_hz)
    frame = codec.frame_samples
    sound = tone(rate_hz, 0.4, hz=300)
    for at in range(0, 10 * frame, frame):
        decoder.decode(encoder.encode(sound[at : at + frame]))
    made = decoder.conceal(frame)

    assert len(made) == frame
    assert level(made) > 0.5 * level(sound)
    # Odd lengths, as a stream that changes its frames leaves them, are no fault.
    assert [len(decoder.conceal(count)) for count in (1, frame - 1, rate_hz)] == [
        1,
        frame - 1,
        rate_hz * 120 // 1000,
    ]


def test_with_losses_reported_each_payload_holds_the_one_before_it() -> None:
    rate_hz = 16000
    encoder, decoder = OpusEncoder(rate_hz), OpusDecoder(rate_hz)
    sound = voice(1.0, rate_hz)
    frames = [sound[at : at + 320] for at in range(0, len(sound), 320)]
    plain = [encoder.encode(frame) for frame in frames[:10]]
    assert not any(corrects(payload) for payload in plain)
    encoder.expect_loss(0.10)
    sent = [encoder.encode(frame) for frame in frames[10:40]]
    assert sum(corrects(payload) for payload in sent) > 12

    whole = next(n for n in range(15, 30) if corrects(sent[n]))
    for payload in sent[: whole - 1]:
        decoder.decode(payload)
    found = decoder.recover(sent[whole], 320)
    assert found is not None
    assert level(found) == pytest.approx(level(frames[9 + whole]), rel=0.5)
    assert decoder.recover(plain[0], 320) is None
    encoder.expect_loss(0.01)
    assert encoder.corrects  # not at every flicker
    encoder.expect_loss(0.0)
    assert not encoder.corrects


def test_what_holds_a_correction_is_what_libopus_says() -> None:
    has = getattr(libopus.library(), "opus_packet_has_lbrr", None)
    if has is None:
        pytest.skip("this libopus does not say")
    encoder = OpusEncoder(16000)
    encoder.expect_loss(0.2)
    sound = voice(1.0, 16000)
    for at in range(0, len(sound), 320):
        payload = encoder.encode(sound[at : at + 320])
        assert corrects(payload) == bool(has(payload, len(payload)))


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\x03\xff", bytes(40), b"\xff" * 40])
def test_what_is_no_correction_is_none(payload: bytes) -> None:
    decoder = OpusDecoder(16000)
    found = decoder.recover(payload, 320)
    assert found is None or len(found) == 320


def test_opus_speaks_the_rate_it_is_asked_for_and_others_keep_their_own() -> None:
    assert at_rate(OPUS, 16000).rate_hz == 16000
    assert at_rate(OPUS, 44100) is OPUS
    assert at_rate(PCMA, 16000) is PCMA
    sound = babble(16000, 0.5)
    codec = at_rate(OPUS, 16000)
    heard = OPUS.decoder().decode(codec.encoder().encode(sound[:320]))
    assert len(heard) == 960
