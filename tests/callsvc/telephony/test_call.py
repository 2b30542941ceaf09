from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from audio.codecs import G722, OPUS, PCMA, PCMU, Codec
from audio.rtp import Packet
from audio.suppressor import Engine
from audio.taps import GapCause
from callsvc.telephony.errors import LegTaken
from callsvc.telephony.policies import LinePolicy
from callsvc.types import CallState, EventKind, Leg
from tests.support.calls import TwoLegs
from tests.support.legs import PipedConnection, Status, Tapes
from tests.support.networks import Constant
from tests.support.packets import babble, payloads, tone

pytestmark = pytest.mark.call


async def test_what_the_caller_says_reaches_the_operator_byte_for_byte() -> None:
    legs = TwoLegs(operator={96: OPUS, 9: G722, 8: PCMA}).join()
    frames = payloads(babble(8000, 2.0))
    await legs.talk(caller=frames)

    assert [packet.payload for packet in legs.operator.sent] == frames
    assert {packet.payload_type for packet in legs.operator.sent} == {8}
    assert [packet.sequence for packet in legs.operator.sent] == list(range(100, 100 + len(frames)))


async def test_what_comes_too_late_to_be_in_step_but_was_heard_is_in_the_recording() -> None:
    legs = TwoLegs().join()
    frames = payloads(babble(8000, 1.0))
    await legs.talk(caller=frames[:20], tail_s=0.0)
    await legs.talk(tail_s=0.2)
    # The line stood still for 200 ms; then all that was under way comes at once.
    for index, frame in enumerate(frames[20:30]):
        legs.caller.hear(Packet(8, 20 + index, (20 + index) * 160, 0, frame))
    await legs.talk(tail_s=0.5)
    legs.call.end("hangup")

    coded = np.concatenate([PCMA.decoder().decode(frame) for frame in frames[:30]])
    recorded = legs.tapes.notebooks["caller.rx"].sound
    begin = len(recorded) - len(np.trim_zeros(recorded, "f"))
    assert np.array_equal(recorded[begin : begin + len(coded)], coded[: len(recorded) - begin])


async def test_a_loss_on_the_callers_side_is_seen_by_the_operator_as_a_loss() -> None:
    legs = TwoLegs().join()
    await legs.talk(caller=payloads(babble(8000, 1.0)), lost=(20,))

    sequences = [packet.sequence for packet in legs.operator.sent]
    assert sequences == [*range(100, 120), *range(121, 150)]


async def test_without_a_codec_in_common_the_operator_still_hears_the_caller() -> None:
    legs = TwoLegs(operator={96: OPUS}).join()
    sound = babble(8000, 2.0)
    await legs.talk(caller=payloads(sound))

    heard = legs.operator.sound(OPUS)[::6].astype(float)
    found = np.correlate(heard, sound[4000:8000].astype(float))
    assert found.max() > 0.7 * float((sound[4000:8000].astype(float) ** 2).sum())


@pytest.mark.parametrize(("codec", "number"), [(PCMA, 8), (PCMU, 0), (G722, 9), (OPUS, 96)])
async def test_the_operator_reaches_the_caller_in_the_callers_codec(codec: Codec, number: int) -> None:
    legs = TwoLegs(caller={number: codec}, operator={96: OPUS}).join()
    await legs.talk(operator=payloads(tone(48000, 2.0), OPUS))

    assert {packet.payload_type for packet in legs.caller.sent} == {number}
    heard = legs.caller.sound(codec)
    spectrum = np.abs(np.fft.rfft(heard[-len(heard) // 2 :].astype(float)))
    rate = codec.rate_hz
    assert abs(int(spectrum.argmax()) * rate / (len(heard) // 2) - 440) < 4


async def test_without_a_suppressor_sound_goes_past_it_and_everybody_sees_degraded() -> None:
    legs = TwoLegs(engine=None).join()
    sound = babble(8000, 2.0)
    await legs.talk(operator=payloads(sound))

    assert {"what": "suppressor"} in legs.events.of(EventKind.CALL_DEGRADED)
    assert legs.call.status()["degraded"] == ["suppressor"]
    assert [what for _, what in legs.tapes.notes] == [{"kind": "degraded", "what": "suppressor"}]
    heard = legs.caller.sound(PCMA).astype(float)
    found = np.correlate(heard, sound[4000:8000].astype(float))
    assert found.max() > 0.8 * float((sound[4000:8000].astype(float) ** 2).sum())


async def test_what_the_caller_hears_has_been_through_the_suppressor() -> None:
    with Engine(Constant(gain=0.0), comfort=False, patience_ms=10_000) as engine:
        legs = TwoLegs(engine).join()
        await until(lambda: len(legs.caller.sent) > 40, legs, payloads(babble(8000, 1.0)))
        legs.call.end("hangup")

    assert np.abs(legs.caller.sound(PCMA)).max() <= 8
    # The raw microphone is on its own track.
    assert np.abs(legs.tapes.notebooks["operator.rx"].sound).max() > 3000
    assert np.abs(legs.tapes.notebooks["operator.tx"].sound).max() <= 1
    assert legs.events.of(EventKind.CALL_PROOF)[-1]["model"] == "constant"


async def test_the_two_operator_tracks_lie_on_one_clock() -> None:
    with Engine(Constant(gain=1.0), comfort=False, patience_ms=10_000) as engine:
        legs = TwoLegs(engine).join()
        await until(lambda: len(legs.caller.sent) > 90, legs, payloads(babble(8000, 2.0)))
        legs.call.end("hangup")

    raw = legs.tapes.notebooks["operator.rx"].sound.astype(float)
    heard = legs.tapes.notebooks["operator.tx"].sound.astype(float)
    lag = int(np.correlate(heard[8000 - 400 : 16000 + 400], raw[8000:16000]).argmax()) - 400
    assert lag == 0


async def test_an_engine_that_never_answers_does_not_silence_the_operator() -> None:
    never_started = Engine(Constant(), patience_ms=10_000_000.0)
    legs = TwoLegs(never_started).join()
    sound = babble(8000, 2.0)
    await legs.talk(operator=payloads(sound))

    assert "suppressor" in legs.call.degraded
    heard = legs.caller.sound(PCMA).astype(float)
    found = np.correlate(heard, sound[8000:12000].astype(float))
    assert found.max() > 0.8 * float((sound[8000:12000].astype(float) ** 2).sum())
    assert legs.tapes.notebooks["operator.tx"].whole


async def test_every_track_is_whole_and_as_long_as_the_call() -> None:
    legs = TwoLegs().join()
    await legs.talk(caller=payloads(babble(8000, 2.0)), operator=payloads(babble(8000, 1.5)), lost=(30, 31))
    legs.call.end("hangup")

    assert legs.tapes.closed is not None
    lengths, cause = legs.tapes.closed
    assert cause == "hangup"
    assert {
        name: length * 1000 // legs.tapes.tracks[name] for name, length in lengths.items()
    } == dict.fromkeys(["caller.rx", "operator.rx", "operator.tx"], legs.call.length_ms)
    for name, notebook in legs.tapes.notebooks.items():
        assert notebook.whole, name
        assert sum(length for _, length in notebook.order) == lengths[name]
        assert (
            sum(n for _, n, why in notebook.gaps if why is GapCause.LOSS) >= 2 * legs.tapes.tracks[name] // 50
        )


async def test_a_call_tells_its_story_in_order() -> None:
    legs = TwoLegs().join()
    await legs.talk(caller=payloads(babble(8000, 0.5)), operator=payloads(babble(8000, 0.5)))
    legs.operator.say({"t": "hangup"})

    assert [kind for kind in legs.events.kinds if kind is not EventKind.CALL_DEGRADED] == [
        EventKind.LEG_JOINED,
        EventKind.LEG_JOINED,
        EventKind.CALL_STARTED,
        EventKind.LEG_LEFT,
        EventKind.LEG_LEFT,
        EventKind.CALL_ENDED,
    ]
    assert legs.events.of(EventKind.LEG_JOINED)[0] == {
        "leg": "caller", "profile": "report", "transport": "rtp", "codec": "PCMA",
    }  # fmt: skip
    left = {str(fields["leg"]): fields["cause"] for fields in legs.events.of(EventKind.LEG_LEFT)}
    assert left == {"operator": "hangup", "caller": "call_ended"}
    assert legs.events.of(EventKind.CALL_ENDED)[0]["cause"] == "hangup"
    assert legs.over == [legs.call]
    assert legs.caller.told[-1] == {"t": "bye", "cause": "hangup"}


async def test_a_call_goes_live_when_the_sound_of_both_can_flow() -> None:
    legs = TwoLegs()
    legs.operator.ready = False
    legs.join()
    assert legs.events.of(EventKind.CALL_STARTED) == []
    legs.operator.connect()

    assert legs.events.of(EventKind.CALL_STARTED) == [{"profile": "report"}]


@pytest.mark.parametrize("who", ["an operator", "another operator"])
async def test_a_caller_goes_on_waiting_when_the_connection_of_who_answers_never_comes_about(
    who: str,
) -> None:
    legs = TwoLegs()
    first = legs.operator
    first.ready = False
    legs.join()
    first.leave("failed")
    await legs.talk(caller=payloads(babble(8000, 20.0)))
    assert legs.call.state is CallState.SETTING_UP
    assert legs.discarded == [first]
    legs.operator = PipedConnection({8: PCMA}, legs.clock)
    legs.call.join(Leg.OPERATOR, legs.operator, "token-2", who)
    await legs.talk(operator=payloads(babble(8000, 1.0)))

    assert legs.events.of(EventKind.CALL_STARTED) == [{"profile": "report"}]
    assert np.abs(legs.caller.sound(PCMA)).max() > 1000


async def test_an_operator_who_hangs_up_before_the_sound_flows_has_hung_up() -> None:
    legs = TwoLegs()
    legs.operator.ready = False
    legs.join()
    legs.operator.leave("hangup")

    assert legs.events.of(EventKind.CALL_ENDED)[0]["cause"] == "hangup"


@pytest.mark.parametrize(
    ("silent", "after_s"), [("caller", 10.5), ("operator", 30.5)], ids=["caller", "operator in a browser"]
)
async def test_a_leg_that_goes_silent_has_vanished_an_operators_lid_may_be_closed_for_longer(
    silent: str, after_s: float
) -> None:
    legs = TwoLegs().join()
    said = {"caller": babble(8000, after_s + 1.5), "operator": babble(8000, after_s + 1.5)}
    said[silent] = babble(8000, 0.5)
    await legs.talk(caller=payloads(said["caller"]), operator=payloads(said["operator"]))

    assert legs.call.state is CallState.ENDED
    assert legs.events.of(EventKind.CALL_ENDED)[0]["cause"] == "vanished"
    left = {str(fields["leg"]): fields["cause"] for fields in legs.events.of(EventKind.LEG_LEFT)}
    assert left == {"operator": "call_ended", "caller": "call_ended", silent: "vanished"}
    lengths, _ = legs.tapes.closed or ({}, "")
    assert lengths["caller.rx"] / 8000 == pytest.approx(after_s, abs=1.1)


async def test_nobody_waits_for_ever_for_a_call_to_begin() -> None:
    legs = TwoLegs()
    legs.call.join(Leg.CALLER, legs.caller, "token")
    await legs.talk(caller=payloads(tone(8000, 122.0)))

    assert legs.events.of(EventKind.CALL_ENDED)[0]["cause"] == "nobody_came"


async def test_a_leg_is_taken_once() -> None:
    legs = TwoLegs().join()

    with pytest.raises(LegTaken):
        legs.call.join(Leg.CALLER, PipedConnection({8: PCMA}, legs.clock), "another")


async def test_a_full_disk_ends_no_call_and_is_seen() -> None:
    legs = TwoLegs(tapes=Tapes(full=True)).join()
    frames = payloads(babble(8000, 1.0))
    await legs.talk(caller=frames)

    assert {"what": "recording"} in legs.events.of(EventKind.CALL_DEGRADED)
    assert condition(legs) != "recording"
    assert [packet.payload for packet in legs.operator.sent] == frames


async def test_a_recording_in_trouble_is_seen_by_the_operator_until_it_writes_again() -> None:
    legs = TwoLegs().join()
    legs.tapes.status = Status("degraded", "disk_full")
    await legs.talk(operator=payloads(babble(8000, 1.2)))
    assert condition(legs) != "recording"

    legs.tapes.status = Status("recording")
    await legs.talk(operator=payloads(babble(8000, 1.2)))
    assert condition(legs) == "recording"


async def test_a_line_that_is_not_recorded_opens_no_recording() -> None:
    legs = TwoLegs(policy=LinePolicy(record=False, keep_raw=False)).join()
    await legs.talk(caller=payloads(babble(8000, 0.5)))

    assert legs.tapes.tracks == {}
    assert condition(legs) != "recording"
    assert {"what": "recording"} not in legs.events.of(EventKind.CALL_DEGRADED)


async def test_the_operator_is_told_each_second_how_the_call_is() -> None:
    legs = TwoLegs().join()
    await legs.talk(caller=payloads(babble(8000, 3.0)), operator=payloads(babble(8000, 3.0)))

    states = [message for message in legs.operator.told if message["t"] == "state"]
    assert len(states) == 4
    assert states[-1]["state"] == "live"
    assert states[-1]["recording"] == {
        "condition": "recording",
        "safe_ms": 0,
        "masked_ms": 0,
        "why": "",
    }


async def test_a_fault_of_ours_ends_its_call_with_a_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    legs = TwoLegs().join()
    await legs.talk(caller=payloads(babble(8000, 0.3)))

    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(legs.live.downlink, "packet", broken)
    await legs.talk(caller=payloads(babble(8000, 0.1)))

    assert legs.events.of(EventKind.CALL_ENDED)[0]["cause"] == "fault"


def condition(legs: TwoLegs) -> object:
    recording = legs.call.status()["recording"]
    assert isinstance(recording, dict)
    return recording["condition"]


async def until(done: Callable[[], bool], legs: TwoLegs, frames: list[bytes]) -> None:
    """Let the operator speak, in time with the engine's thread, until something has come of it."""
    while not done():
        await legs.talk(operator=frames[:5], tail_s=0.0)
        frames = frames[5:]
        uplink = legs.live.uplink
        async with asyncio.timeout(20):
            while uplink.blocks_inside:
                await asyncio.sleep(0.005)
        assert frames
