from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate

from audio.codecs import G722, OPUS, PCMA, PCMU, Codec, at_rate
from audio.codecs.opus import OpusEncoder, corrects
from audio.jitter import Depth
from audio.receive import Heard, Receiver
from audio.rtp import Packet
from audio.taps import Continuous, GapCause, Samples
from tests.support.packets import Arrival, Notebook, babble, delayed, payloads, play, stream, tone

pytestmark = pytest.mark.media

NUMBERS: dict[int, Codec] = {8: PCMA, 0: PCMU, 9: G722, 96: OPUS}


def record(heard: list[Heard], tap: Notebook) -> Continuous:
    track = Continuous(tap)
    for one in heard:
        if one.start is None:
            continue
        if one.cause is None:
            track.write(one.start, one.samples)
        else:
            track.gap(one.start, len(one.samples), one.cause)
    return track


def receive(
    arrivals: list[Arrival], rate_hz: int = 8000, *, start_s: float = 0.0
) -> tuple[Receiver, list[Heard]]:
    receiver = Receiver(NUMBERS, rate_hz)
    receiver.start(start_s)
    return receiver, list(play(receiver, arrivals))


def test_one_lost_packet_leaves_no_lasting_delay() -> None:
    sound = babble(8000, 2.0)
    undisturbed, whole = receive(stream(payloads(sound)))
    disturbed, holed = receive(stream(payloads(sound), lost=[50]))

    assert [index for index, one in enumerate(holed) if one.cause is not None] == [50]
    assert [one.start for one in holed] == [one.start for one in whole]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(holed[51:], whole[51:], strict=True))
    assert disturbed.depth_s == pytest.approx(undisturbed.depth_s, abs=1e-6)


def test_what_is_recorded_is_what_was_sent_and_the_loss_is_a_gap_in_its_place() -> None:
    sound = babble(8000, 2.0)
    frames = payloads(sound)
    tap = Notebook()
    _, heard = receive(stream(frames, lost=[30, 31], transit_s=0.0))
    record(heard, tap)

    sent = np.concatenate([PCMA.decoder().decode(frame) for frame in frames])
    sent[30 * 160 : 32 * 160] = 0
    assert tap.whole
    assert tap.gaps == [(30 * 160, 160, GapCause.LOSS), (31 * 160, 160, GapCause.LOSS)]
    assert np.array_equal(tap.sound, sent[: len(tap.sound)])


def test_a_leg_that_begins_late_has_its_place_on_the_clock_of_the_call() -> None:
    tap = Notebook()
    _, heard = receive(stream(payloads(babble(8000, 1.0)), start_s=0.5, transit_s=0.0))
    track = record(heard, tap)

    assert tap.gaps == [(0, 4000, GapCause.ABSENT)]
    assert track.position == 4000 + 8000


def test_what_came_before_the_call_began_is_not_part_of_it() -> None:
    sound = babble(8000, 2.0)
    receiver = Receiver(NUMBERS, 8000)
    arrivals = stream(payloads(sound), transit_s=0.0)
    before = [one for one in arrivals if one.at < 1.0]
    for _ in play(receiver, before):
        pass
    receiver.start(1.0)
    tap = Notebook()
    heard: list[Heard] = []
    for one in arrivals[len(before) :]:
        receiver.put(one.packet, one.at)
        heard += receiver.pop(one.at)
    record(heard + receiver.drain(), tap)

    sent = np.concatenate([PCMA.decoder().decode(frame) for frame in payloads(sound)])
    assert tap.whole
    assert np.array_equal(tap.sound, sent[8000:])


@pytest.mark.parametrize(
    ("number", "codec", "rate_hz"),
    [(8, PCMA, 8000), (0, PCMU, 16000), (9, G722, 16000), (96, OPUS, 16000), (96, OPUS, 48000)],
)
def test_any_codec_is_heard_in_its_place_at_the_rate_that_was_asked_for(
    number: int, codec: Codec, rate_hz: int
) -> None:
    sound = babble(codec.rate_hz, 2.0)
    tap = Notebook()
    arrivals = stream(payloads(sound, codec), codec=codec, payload_type=number, transit_s=0.0)
    _, heard = receive(arrivals, rate_hz)
    record(heard, tap)

    step = max(codec.rate_hz // rate_hz, 1), max(rate_hz // codec.rate_hz, 1)
    part = sound[:: step[0]].astype(float)
    track = tap.sound.astype(float)[:: step[1]]
    low = min(codec.rate_hz, rate_hz)
    lag = int(correlate(track[low // 2 : low], part[low // 2 + 1000 : low - 1000], "valid").argmax()) - 1000
    assert abs(lag / low - codec.latency / codec.rate_hz) < 0.0005
    assert len(tap.sound) == pytest.approx(2.0 * rate_hz, abs=rate_hz // 50)


def test_a_stream_that_changes_its_source_is_recorded_as_it_came_with_what_lay_between() -> None:
    first = stream(payloads(babble(8000, 1.0)), transit_s=0.0)
    second = stream(
        payloads(babble(8000, 1.0, seed=2)),
        transit_s=0.0,
        start_s=1.5,
        ssrc=77,
        first_sequence=5,
        first_timestamp=9,
    )
    tap = Notebook()
    _, heard = receive([*first, *second])
    track = record(heard, tap)

    assert tap.whole
    # The first packet of a new source only announces it.
    assert sum(length for _, length, _ in tap.gaps) == pytest.approx(4000 + 160, abs=160)
    assert track.position == pytest.approx(2.5 * 8000, abs=160)


def test_a_sender_may_change_the_codec_in_the_middle() -> None:
    wide = stream(payloads(babble(48000, 1.0), OPUS), codec=OPUS, payload_type=96, transit_s=0.0)
    narrow = stream(payloads(babble(8000, 1.0)), start_s=1.0, transit_s=0.0, first_sequence=65_530 + 50)
    tap = Notebook()
    _, heard = receive([*wide, *narrow], 16000)
    record(heard, tap)

    assert tap.whole
    assert len(tap.sound) == pytest.approx(2.0 * 16000, abs=500)
    assert np.abs(tap.sound[-4000:]).max() > 3000
    # What waited in the buffer of the one is played before the other, and nothing was lost between them.
    assert {cause for _, _, cause in tap.gaps} <= {GapCause.SILENCE}
    assert sum(length for _, length, _ in tap.gaps) < 16000 * 0.01


def test_a_payload_that_cannot_be_decoded_is_a_loss_of_its_length() -> None:
    arrivals = stream(payloads(babble(48000, 1.0), OPUS), codec=OPUS, payload_type=96)
    broken = [
        Arrival(one.at, Packet(96, one.packet.sequence, one.packet.timestamp, one.packet.ssrc, b"\xfd\x01"))
        if index == 20
        else one
        for index, one in enumerate(arrivals)
    ]
    receiver, heard = receive(broken, 48000)

    assert receiver.undecodable + receiver.counts.lost >= 1
    assert [one.cause for one in heard].count(GapCause.LOSS) >= 1


def test_a_payload_type_that_was_not_agreed_is_no_sound_and_no_loss() -> None:
    arrivals = stream(payloads(babble(8000, 1.0)))
    event = [
        Arrival(
            one.at,
            Packet(101, one.packet.sequence, one.packet.timestamp, one.packet.ssrc, b"\x01\x0a\x00\xa0"),
        )
        if index in (20, 21)
        else one
        for index, one in enumerate(arrivals)
    ]
    receiver, heard = receive(event)

    assert [one.cause for one in heard[20:22]] == [GapCause.SILENCE, GapCause.SILENCE]
    assert receiver.counts.lost == 0


def test_time_put_in_to_wait_for_late_packets_has_no_place_in_the_recording() -> None:
    sound = babble(8000, 8.0)
    rough = {index: 0.110 * (index % 3 == 0) for index in range(400)}
    receiver = Receiver(NUMBERS, 8000, Depth())
    receiver.start(0.0)
    heard = list(play(receiver, delayed(stream(payloads(sound), transit_s=0.0), rough)))
    tap = Notebook()
    track = record(heard, tap)

    assert receiver.counts.inserted > 0
    assert tap.whole
    assert track.position == 64000
    assert sum(length for _, length, _ in tap.gaps) < 64000 * 0.1


def test_a_frame_that_is_left_out_to_catch_up_is_still_recorded() -> None:
    quiet = np.zeros(8000 * 15, np.int16)
    arrivals = delayed(
        stream(payloads(quiet), transit_s=0.0), {index: 0.1 * (index % 3 == 0) for index in range(150)}
    )
    receiver, heard = receive(arrivals)
    tap = Notebook()
    track = record(heard, tap)

    assert receiver.counts.skipped > 0
    assert [one.played for one in heard].count(False) == receiver.counts.skipped
    assert track.position == len(quiet)


def drifting(frames: list[bytes], ppm: float) -> list[Arrival]:
    """The frames from a sender whose clock runs so many millionths too fast."""
    return [Arrival(one.at / (1 + ppm / 1e6), one.packet) for one in stream(frames, transit_s=0.0)]


def spoken_with_pauses(rate_hz: int, seconds: float) -> Samples:
    """A second of sound, a second of nothing, and so on."""
    sound = babble(rate_hz, seconds)
    at = np.arange(len(sound)) // rate_hz
    sound[at % 2 == 1] = 0
    return sound


@pytest.mark.parametrize("ppm", [1500.0, -1500.0])
def test_a_sender_whose_clock_is_wrong_stays_in_step_with_ours(ppm: float) -> None:
    """As much drift in a minute as 100 ppm make in a quarter of an hour."""
    seconds = 60.0
    sound = spoken_with_pauses(8000, seconds)
    arrivals = drifting(payloads(sound), ppm)
    tap = Notebook()
    receiver, heard = receive(arrivals)
    track = record(heard, tap)
    truth_s = arrivals[-1].at + 0.02

    assert tap.whole
    assert track.position / 8000 == pytest.approx(truth_s, abs=0.015)
    assert receiver.moves > 10
    assert not [gap for gap in tap.gaps if gap[2] is GapCause.LOSS]
    # Nothing that was said is missing: what was left out or put in lies in the pauses.
    last = sound[56 * 8000 + 800 : 56 * 8000 + 7200].astype(float)
    found = np.correlate(tap.sound.astype(float)[54 * 8000 :], last, "valid")
    assert found.max() > 0.95 * float((last**2).sum())
    place = 54 * 8000 + int(found.argmax())
    assert place / 8000 == pytest.approx(56.1 / (1 + ppm / 1e6), abs=0.016)
    # The delay does not grow with it, nor does the buffer run dry.
    assert receiver.depth_s == pytest.approx(0.040, abs=0.021)
    assert receiver.counts.late == 0


def test_correction_that_the_next_packet_holds_is_used_and_is_no_gap() -> None:
    rate_hz = 16000
    codec = at_rate(OPUS, rate_hz)
    encoder = OpusEncoder(rate_hz)
    encoder.expect_loss(0.1)
    sound = babble(rate_hz, 2.0)
    frames = [encoder.encode(sound[at : at + 320]) for at in range(0, len(sound), 320)]
    lost = [n for n in range(20, 90, 7) if corrects(frames[n + 1])]
    assert lost
    receiver, heard = receive(stream(frames, codec=codec, payload_type=96, lost=lost, transit_s=0.0), rate_hz)

    assert receiver.recovered == len(lost)
    assert not [one for one in heard if one.cause is GapCause.LOSS]


def test_frames_taken_by_the_ten_are_what_they_are_one_by_one() -> None:
    arrivals = stream(payloads(babble(8000, 4.0)), lost=[30, 31, 90])
    arrivals += stream(
        payloads(babble(8000, 1.0, seed=2), PCMU), payload_type=0, first_sequence=65_530 + 200,
        first_timestamp=0xFFFFFF00 + 200 * 160, start_s=4.0,
    )  # fmt: skip
    deep = Depth(start=0.3, least=0.3, most=0.3)
    tracks = []
    for step_s in (0.010, 0.200):
        receiver, tap, together = Receiver(NUMBERS, 8000, deep), Notebook(), step_s > 0.1
        receiver.start(0.0)
        heard = []
        for tick in range(1, round(6.0 / step_s)):
            for one in arrivals:
                if (tick - 1) * step_s < one.at <= tick * step_s:
                    receiver.put(one.packet, one.at)
            heard += receiver.pop(tick * step_s, together=together)
        record(heard, tap)
        tracks.append((tap, len(heard)))

    (one_by_one, calls), (by_the_ten, fewer) = tracks
    end = 5 * 8000  # what was sent; the hole after it is as long as it was waited for
    assert np.array_equal(by_the_ten.sound[:end], one_by_one.sound[:end])
    gaps = [[gap for gap in tap.gaps if gap[0] < end] for tap in (by_the_ten, one_by_one)]
    assert gaps[0] == gaps[1]
    assert [cause for _, _, cause in gaps[0]].count(GapCause.LOSS) == 3
    assert fewer < calls / 2


@pytest.mark.parametrize("frame_ms", [10, 20, 60])
def test_what_was_made_up_fades_at_the_pace_of_the_sound_whatever_a_packet_holds(frame_ms: int) -> None:
    size, hz = 8 * frame_ms, 400.0
    sound = PCMA.encoder().encode(tone(8000, 1.2, hz))
    receiver = Receiver({8: PCMA}, 16_000)
    leads: list[Samples] = []
    for number in range(1000 // frame_ms):
        at = number * frame_ms / 1000
        if number != 5:
            packet = Packet(8, number, number * size, 1, sound[number * size : (number + 1) * size])
            receiver.put(packet, at)
        leads += [one.lead for one in receiver.pop(at) if one.lead is not None]

    (lead,) = leads
    # At 16 kHz: what is under way in the resampler, and 5 ms.
    assert len(lead) == 48 + 80
