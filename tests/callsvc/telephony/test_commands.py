"""What the operator commands, and what becomes of it for the caller, the operator and the recording."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from audio.codecs import G722, OPUS, PCMA, Codec
from audio.suppressor import RATE
from audio.taps import GapCause, Samples
from callsvc.telephony import announcements
from callsvc.telephony.policies import LinePolicy
from callsvc.types import CallState, EventKind
from tests.support.calls import TwoLegs
from tests.support.packets import babble, payloads, tone

pytestmark = pytest.mark.call


def level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2))) if len(samples) else 0.0


def likeness(heard: Samples, part: Samples) -> float:
    """How much of `part` is found anywhere in what was heard: 1 is all of it, 0 is none."""
    wide, narrow = heard.astype(float), part.astype(float)
    size = len(wide) + len(narrow)
    cross = np.fft.irfft(np.fft.rfft(wide, size) * np.conj(np.fft.rfft(narrow, size)), size)
    return float(np.abs(cross).max() / (narrow**2).sum())


def gaps(legs: TwoLegs, track: str, cause: GapCause) -> tuple[float, float]:
    """Where the stretches of a cause begin and how long they are together, in seconds."""
    rate = legs.tapes.tracks[track]
    found = [(start, length) for start, length, why in legs.tapes.notebooks[track].gaps if why is cause]
    return (found[0][0] / rate if found else -1.0), sum(length for _, length in found) / rate


def noted(legs: TwoLegs, kind: str) -> list[Mapping[str, object]]:
    return [fields for fields in legs.events.of(EventKind.CALL_NOTED) if fields["note"] == kind]


async def both(legs: TwoLegs, seconds: float, seed: int = 1) -> tuple[list[bytes], list[bytes]]:
    """Both speak for a while."""
    frames = (
        payloads(babble(legs.caller.codec.rate_hz, seconds, seed), legs.caller.codec),
        payloads(babble(legs.operator.codec.rate_hz, seconds, seed + 50), legs.operator.codec),
    )
    await legs.talk(caller=frames[0], operator=frames[1], tail_s=0.0)
    return frames


async def test_a_command_is_answered_with_its_number_and_its_time_and_the_state_follows() -> None:
    legs = TwoLegs().join()
    await both(legs, 1.0)
    told = len(legs.operator.told)
    legs.operator.say({"t": "command", "id": "x1", "do": "marker", "kind": "threat", "text": "dörren"})
    legs.operator.say({"t": "command", "id": "x2", "do": "mute", "on": True})

    answers = legs.operator.told[told:]
    assert [one["t"] for one in answers] == ["done", "state", "done", "state"]
    assert answers[0] == {"t": "done", "id": "x1", "n": 1, "at_ms": 1000}
    assert answers[2]["n"] == 2
    assert answers[3]["muted"] is True
    assert (1000, {"kind": "marker", "marker": "threat", "text": "dörren"}) in legs.tapes.notes
    # What a person wrote stays in the sealed recording.
    assert "dörren" not in str(legs.events.all)


async def test_a_command_that_is_sent_again_is_answered_again_and_not_done_again() -> None:
    legs = TwoLegs().join()
    await both(legs, 0.2)
    message = {"t": "command", "id": "x1", "do": "marker"}
    for _ in range(3):
        legs.operator.say(message)

    answers = [one for one in legs.operator.told if one["t"] == "done"]
    assert answers == [answers[0]] * 3
    assert len(noted(legs, "marker")) == 1


async def test_what_is_refused_says_why() -> None:
    legs = TwoLegs(policy=LinePolicy(record=False, keep_raw=False, recall_ms=0)).join()
    await both(legs, 0.2)

    assert legs.command("mask", on=True, reason="other")["why"] == "unknown"
    assert legs.command("recall")["why"] == "unknown"
    assert legs.command("announce", announcement="wait", language="xx")["why"] == "nothing_there"
    assert legs.command("announce_stop")["why"] == "nothing_there"
    assert legs.command("hold")["why"] == "malformed"
    legs.caller.say({"t": "command", "id": "c", "do": "marker"})
    assert legs.caller.told[-1] == {"t": "refused", "id": "c", "why": "not_yours"}


async def test_commands_before_the_call_begins_are_refused_and_may_be_sent_again() -> None:
    legs = TwoLegs()
    legs.operator.ready = False
    legs.join()
    message = {"t": "command", "id": "x1", "do": "marker"}
    legs.operator.say(message)
    assert legs.operator.told[-2]["why"] == "not_live"
    legs.operator.connect()
    legs.operator.say(message)

    assert legs.operator.told[-2]["t"] == "done"


async def test_a_flood_of_commands_is_refused_in_part_and_ends_nothing() -> None:
    legs = TwoLegs().join()
    await both(legs, 0.2)
    answers = [legs.command("marker") for _ in range(50)]

    assert [one["t"] for one in answers].count("done") == 20
    assert answers[-1]["why"] == "too_many"
    await legs.talk(tail_s=1.1)
    assert legs.command("marker")["t"] == "done"


async def test_a_hang_up_is_answered_before_the_goodbye() -> None:
    legs = TwoLegs().join()
    await both(legs, 0.2)
    legs.operator.say({"t": "command", "id": "x", "do": "hangup"})

    assert [one["t"] for one in legs.operator.told[-2:]] == ["done", "bye"]
    assert legs.call.state is CallState.ENDED


async def test_what_is_masked_is_on_no_track_for_as_long_as_it_was_masked() -> None:
    legs = TwoLegs().join()
    await both(legs, 1.0)
    on = legs.command("mask", on=True, reason="payment")
    await both(legs, 1.0, seed=7)
    off = legs.command("mask", on=False)
    await both(legs, 1.0, seed=9)
    await legs.talk(tail_s=0.5)
    heard = legs.operator.sound(PCMA)
    legs.call.end("hangup")

    assert (on["at_ms"], off["at_ms"]) == (1000, 2000)
    assert legs.tapes.masks == ["payment", None]
    for track in ("caller.rx", "operator.rx", "operator.tx"):
        start, length = gaps(legs, track, GapCause.MASK)
        assert start == pytest.approx(1.0, abs=0.041), track
        assert length == pytest.approx(1.0, abs=0.041), track
        rate = legs.tapes.tracks[track]
        masked = legs.tapes.notebooks[track].sound[round(1.04 * rate) : round(1.96 * rate)]
        assert not masked.any(), track
        assert level(legs.tapes.notebooks[track].sound[round(2.1 * rate) : round(2.8 * rate)]) > 1000
    # Both went on hearing each other.
    assert level(heard[8000:16000]) > 1000
    assert [fields["on"] for fields in noted(legs, "mask")] == [True, False]


async def test_on_hold_neither_hears_the_other_and_the_recording_has_the_length_alone() -> None:
    legs = TwoLegs().join()
    await both(legs, 1.0)
    legs.command("hold", on=True)
    before = len(legs.operator.sent), len(legs.caller.sent)
    frames, _ = await both(legs, 1.0, seed=7)
    at_operator, at_caller = legs.operator.sent[before[0] :], legs.caller.sent[before[1] :]
    legs.command("hold", on=False)
    after, _ = await both(legs, 1.0, seed=9)
    legs.call.end("hangup")

    # Packets flow on, so that no exchange takes the line for dead; nothing is in them.
    assert len(at_operator) == pytest.approx(50, abs=3)
    assert not {packet.payload for packet in at_operator} & set(frames)
    quiet = PCMA.decoder().decode(b"".join(packet.payload for packet in at_caller[10:]))
    assert np.abs(quiet).max() <= 8
    assert [packet.payload for packet in legs.operator.sent[-40:]] == after[-40:]
    sequences = [packet.sequence for packet in legs.operator.sent]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    for track in ("caller.rx", "operator.tx"):
        start, length = gaps(legs, track, GapCause.HOLD)
        assert start == pytest.approx(1.0, abs=0.041), track
        assert length == pytest.approx(1.0, abs=0.041), track


async def test_a_muted_operator_is_not_heard_and_hears() -> None:
    legs = TwoLegs().join()
    await both(legs, 1.0)
    legs.command("mute", on=True)
    frames, _ = await both(legs, 1.0, seed=7)
    legs.command("mute", on=False)
    await both(legs, 1.0, seed=9)
    legs.call.end("hangup")

    assert frames[10] in {packet.payload for packet in legs.operator.sent}
    assert not legs.tapes.notebooks["operator.tx"].sound[round(1.04 * RATE) : round(1.96 * RATE)].any()
    assert gaps(legs, "operator.tx", GapCause.MUTE)[1] == pytest.approx(1.0, abs=0.041)
    assert gaps(legs, "caller.rx", GapCause.MUTE)[1] == 0


@pytest.mark.parametrize(
    ("caller", "operator"),
    [({8: PCMA}, {8: PCMA}), ({9: G722}, {9: G722}), ({8: PCMA}, {96: OPUS})],
    ids=["forwarded", "forwarded wideband", "decoded"],
)
async def test_the_last_seconds_are_heard_by_the_operator_alone_while_the_call_goes_on(
    caller: dict[int, Codec], operator: dict[int, Codec]
) -> None:
    legs = TwoLegs(caller=caller, operator=operator).join()
    rate = next(iter(caller.values())).rate_hz
    said = babble(rate, 2.0, seed=3)
    own = babble(legs.operator.codec.rate_hz, 2.0, seed=4)
    await legs.talk(
        caller=payloads(said, legs.caller.codec), operator=payloads(own, legs.operator.codec), tail_s=0.4
    )
    answer = legs.command("recall", back_ms=2400)
    from_operator, from_caller = len(legs.operator.sent), len(legs.caller.sent)
    now = babble(rate, 2.5, seed=8)
    await legs.talk(caller=payloads(now, legs.caller.codec), tail_s=0.3)
    live = len(legs.operator.sent)
    await legs.talk(caller=payloads(said[: rate // 2], legs.caller.codec), tail_s=0.2)

    assert (answer["from_ms"], answer["to_ms"]) == (0, 2400)
    codec = legs.downlink_codec
    decoder = codec.decoder()
    heard = np.concatenate(
        [decoder.decode(packet.payload) for packet in legs.operator.sent[from_operator:live]]
    )[:: codec.rate_hz // rate]
    part = said[rate // 2 : rate * 3 // 2]
    assert likeness(heard, part) > 0.35  # at half its loudness
    assert likeness(heard, now[rate // 2 : rate * 3 // 2]) > 0.6  # who speaks now is heard as before
    # Own words are in it, too, and not one sample of either goes to the caller.
    memory = own[:: legs.operator.codec.rate_hz // rate]
    assert likeness(heard, memory[rate // 2 : rate * 3 // 2]) > 0.2
    decoder = legs.caller.codec.decoder()
    at_caller = np.concatenate(
        [decoder.decode(packet.payload) for packet in legs.caller.sent[from_caller + 10 :]]
    )
    assert likeness(at_caller, part) < 0.02
    assert level(at_caller) < 150  # noise like the room's, as long as the operator sends nothing
    assert legs.call.status()["recall"] is None
    assert noted(legs, "recall")[0]["from_ms"] == 0


async def test_recall_steps_back_stops_and_leaves_the_stream_whole() -> None:
    legs = TwoLegs().join()
    await both(legs, 4.0)
    first = legs.command("recall", back_ms=2000)
    await both(legs, 1.0)
    second = legs.command("recall", back_ms=2000)
    state = legs.call.status()["recall"]
    stopped = legs.command("recall_stop")
    frames, _ = await both(legs, 1.0, seed=9)

    assert (first["from_ms"], first["to_ms"]) == (2000, 4000)
    assert (second["from_ms"], second["to_ms"]) == (pytest.approx(1000, abs=60), 5000)
    assert isinstance(state, dict)
    assert state["to_ms"] == 5000
    assert stopped["t"] == "done"
    assert legs.command("recall_stop")["why"] == "nothing_there"
    assert [packet.payload for packet in legs.operator.sent[-49:]] == frames[-49:]
    steps = np.diff([packet.sequence for packet in legs.operator.sent])
    assert set(steps.tolist()) == {1}
    times = np.diff([packet.timestamp for packet in legs.operator.sent])
    assert times.min() > 0
    assert times.max() <= 800


async def test_more_than_a_minute_is_not_remembered_and_nothing_of_what_was_masked() -> None:
    legs = TwoLegs().join()
    await both(legs, 1.0)
    legs.command("mask", on=True, reason="private")
    secret = babble(8000, 1.0, seed=77)
    await legs.talk(caller=payloads(secret), tail_s=0.0)
    legs.command("mask", on=False)
    await both(legs, 1.0, seed=9)
    sent = len(legs.operator.sent)
    legs.command("recall", back_ms=60_000)
    await legs.talk(tail_s=3.5)

    heard = legs.operator.sound(PCMA)[sent * 160 :]
    assert likeness(heard, babble(8000, 1.0)[2000:6000]) > 0.3
    assert likeness(heard, secret[1000:7000]) < 0.12


async def test_an_announcement_is_heard_by_the_caller_kept_as_heard_and_noted() -> None:
    spoken = announcements.load()
    legs = TwoLegs(announcements=spoken).join()
    await both(legs, 0.5)
    said = len(legs.operator.sent)
    answer = legs.command("announce", announcement="wait", language="sv")
    assert legs.command("announce", announcement="wait", language="sv")["why"] == "busy"
    quiet = payloads(np.zeros(8000 * 6, np.int16))
    await legs.talk(operator=quiet, tail_s=0.2)
    heard = legs.caller.sound(PCMA)
    to_operator = legs.operator.sound(PCMA)[said * 160 :]
    legs.call.end("hangup")

    one = spoken["wait"]["sv"]
    assert answer["version"] == one.version
    assert answer["length_ms"] == one.length_ms
    wanted = (one.sound[::2] * 32767).astype(np.int16)
    assert likeness(heard, wanted) > 0.7
    assert likeness(legs.tapes.notebooks["operator.tx"].sound, (one.sound * 32767).astype(np.int16)) > 0.95
    assert len(to_operator) == 0 or likeness(to_operator, wanted) < 0.05
    assert [note["state"] for note in noted(legs, "announcement")] == ["begun", "ended"]
    assert {note["by"] for note in noted(legs, "announcement")} == {"operator"}
    kept = [content for _, content in legs.tapes.notes if content["kind"] == "announcement"]
    assert kept[0]["sha256"] == one.sha256
    assert kept[0]["version"] == one.version


async def test_the_operator_can_speak_over_an_announcement_and_stop_it() -> None:
    legs = TwoLegs(announcements=announcements.load()).join()
    legs.command("announce", announcement="recording", language="en")
    voice = tone(8000, 1.0, hz=1000)
    await legs.talk(operator=payloads(voice), tail_s=0.0)
    assert legs.command("announce_stop")["t"] == "done"
    await legs.talk(operator=payloads(np.zeros(8000, np.int16)), tail_s=0.0)

    heard = legs.caller.sound(PCMA)
    spectrum = np.abs(np.fft.rfft(heard[2000:7000].astype(float)))
    assert abs(int(spectrum.argmax()) * 8000 / 5000 - 1000) < 5
    assert level(heard[-4000:]) < 10
    assert noted(legs, "announcement")[-1]["state"] == "stopped"


async def test_a_page_beside_a_telephone_is_told_the_same_and_commands_in_the_same_order() -> None:
    legs = TwoLegs().join()
    await both(legs, 0.2)
    page: list[Mapping[str, object]] = []
    stop = legs.call.watch(page.append)
    answers: list[Mapping[str, object]] = []
    legs.call.command({"id": "p1", "do": "mute", "on": True}, answers.append)
    legs.operator.say({"t": "command", "id": "p1", "do": "mute", "on": True})

    assert [one["t"] for one in page[:3]] == ["hello", "state", "state"]
    assert page[2]["muted"] is True
    assert answers == [{"t": "done", "id": "p1", "n": 1, "at_ms": 200}]
    assert answers[0] in legs.operator.told
    stop()
    told = len(page)
    legs.call.tell_state()
    assert len(page) == told
