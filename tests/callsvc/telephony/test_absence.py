"""What the caller hears while the operator is gone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

from audio.codecs import PCMA
from audio.taps import GapCause
from callsvc.telephony import announcements
from callsvc.telephony.announcements import RATE_HZ, Announcement, Catalogue, Playing
from callsvc.telephony.policies import LinePolicy
from callsvc.types import CallState, EventKind, Leg
from tests.callsvc.telephony.test_commands import gaps, likeness, noted
from tests.support.calls import TwoLegs
from tests.support.legs import PipedConnection
from tests.support.packets import babble, payloads

pytestmark = pytest.mark.call

RAW = LinePolicy(record=True, keep_raw=True)


@cache
def spoken() -> Catalogue:
    return announcements.load()


def called(policy: LinePolicy = RAW, **kind: object) -> TwoLegs:
    return TwoLegs(policy=policy, announcements=spoken(), **kind).join()  # type: ignore[arg-type]


async def alone(legs: TwoLegs, seconds: float) -> None:
    """The caller speaks, and nothing comes from the operator."""
    await legs.talk(caller=payloads(babble(8000, seconds)), tail_s=0.0)


async def together(legs: TwoLegs, seconds: float) -> None:
    await legs.talk(
        caller=payloads(babble(8000, seconds)), operator=payloads(babble(8000, seconds, 3)), tail_s=0.0
    )


def played(legs: TwoLegs) -> list[tuple[float, str]]:
    """When each began, in whole seconds, and in which language."""
    return [
        (round(int(str(note["at_ms"])) / 1000), str(note["language"]))
        for note in noted(legs, "announcement")
        if note["state"] == "begun"
    ]


def wanted(language: str = "sv", rate_hz: int = 8000) -> np.ndarray:
    sound = spoken()["wait"][language].sound[:: RATE_HZ // rate_hz]
    return np.asarray(sound * 32767, np.int16)


async def test_a_caller_whose_operator_is_gone_is_asked_to_stay_and_asked_again() -> None:
    legs = called()
    await together(legs, 1.0)
    legs.operator.leave("failed")
    heard = len(legs.caller.sent)
    await alone(legs, 20.0)
    said_to_operator = legs.operator.sound(PCMA)
    legs.call.end("hangup")

    assert played(legs) == [(4, "sv"), (14, "sv")]
    notes = noted(legs, "announcement")
    assert {note["by"] for note in notes} == {"service"}
    assert [note["state"] for note in notes] == ["begun", "ended", "begun", "ended"]
    assert (notes[0]["announcement"], notes[0]["version"]) == ("wait", spoken()["wait"]["sv"].version)
    assert notes[0]["sha256"] == spoken()["wait"]["sv"].sha256
    to_caller = legs.caller.sound(PCMA)[heard * 160 :]
    assert likeness(to_caller[: 9 * 8000], wanted()) > 0.7
    assert likeness(to_caller[10 * 8000 :], wanted()) > 0.7
    # What the caller heard is kept as such; in the operator's microphone and ear there was nothing of it.
    assert likeness(legs.tapes.notebooks["operator.tx"].sound, wanted(rate_hz=RATE_HZ)) > 0.95
    assert likeness(legs.tapes.notebooks["operator.rx"].sound, wanted(rate_hz=RATE_HZ)) < 0.05
    assert likeness(said_to_operator, wanted()) < 0.1
    # What the caller said meanwhile is there.
    said = babble(8000, 20.0)[5 * 8000 : 9 * 8000]
    assert likeness(legs.tapes.notebooks["caller.rx"].sound, said) > 0.9


def come_back(legs: TwoLegs, *, ready: bool = True) -> None:
    """The operator's browser asks to be let in again."""
    legs.operator = PipedConnection({8: PCMA}, legs.clock, ready=ready)
    legs.call.join(Leg.OPERATOR, legs.operator, "again", "an operator")


async def test_a_reload_is_a_mere_pause() -> None:
    legs = called()
    await together(legs, 1.0)
    legs.operator.leave("closed")
    await alone(legs, 2.5)
    come_back(legs)
    await together(legs, 10.0)

    assert noted(legs, "announcement") == []


async def test_it_fades_as_soon_as_the_operator_is_on_the_way_back_and_the_operator_is_heard() -> None:
    legs = called()
    await together(legs, 1.0)
    legs.operator.leave("closed")
    await alone(legs, 4.0)
    # The browser has asked to be let in; its sound does not flow yet.
    come_back(legs, ready=False)
    before = len(legs.caller.sent)
    await alone(legs, 0.5)
    fading = np.abs(legs.caller.sound(PCMA)[before * 160 :].astype(int))
    legs.operator.connect()
    back = len(legs.caller.sent)
    await together(legs, 3.0)
    heard = legs.caller.sound(PCMA)[back * 160 :]

    begun, stopped = noted(legs, "announcement")
    assert (stopped["state"], stopped["by"]) == ("stopped", "service")
    assert stopped["played_ms"] == pytest.approx(4000 + 200 - 3000, abs=150)
    assert fading[:800].max() > 4 * fading[2400:].max()  # what is left is noise like the room's
    assert likeness(heard, babble(8000, 3.0, 3)[8000:16_000]) > 0.8
    assert played(legs) == [(4, begun["language"])]


async def test_sound_that_comes_again_over_the_same_connection_is_a_return() -> None:
    legs = called()
    await together(legs, 1.0)
    await alone(legs, 4.0)
    assert legs.live.playing is not None
    await together(legs, 1.0)

    assert legs.live.playing is None
    await alone(legs, 4.0)
    assert len(played(legs)) == 2  # gone anew: the few seconds are counted anew


async def test_hold_and_mute_are_no_absence() -> None:
    legs = called()
    for command in ("hold", "mute"):
        legs.command(command, on=True)
        await together(legs, 5.0)
        legs.command(command, on=False)

    assert noted(legs, "announcement") == []


async def test_who_is_gone_with_the_caller_on_hold_is_gone_all_the_same() -> None:
    legs = called()
    await together(legs, 1.0)
    legs.command("hold", on=True)
    before = len(legs.caller.sent)
    await alone(legs, 9.0)

    assert likeness(legs.caller.sound(PCMA)[before * 160 :], wanted()) > 0.7


async def test_the_operators_own_announcement_goes_first_and_its_language_is_the_callers() -> None:
    legs = called()
    await together(legs, 1.0)
    legs.command("announce", announcement="recording", language="ar")
    length_s = spoken()["recording"]["ar"].length_ms / 1000
    await alone(legs, 12.0)

    own, waiting = [note for note in noted(legs, "announcement") if note["state"] == "begun"]
    assert (own["by"], own["announcement"]) == ("operator", "recording")
    assert (waiting["by"], waiting["announcement"], waiting["language"]) == ("service", "wait", "ar")
    assert int(str(waiting["at_ms"])) >= 1000 + length_s * 1000 - 20


async def test_an_operator_who_is_back_does_not_wait_for_it_to_fade() -> None:
    legs = called()
    await together(legs, 1.0)
    await alone(legs, 4.0)
    answer = legs.command("announce", announcement="interpreter", language="en")

    assert answer["t"] == "done"
    states = [(note["announcement"], note["state"]) for note in noted(legs, "announcement")]
    assert states == [("wait", "begun"), ("wait", "stopped"), ("interpreter", "begun")]


@pytest.mark.parametrize(
    ("language", "there", "said"),
    [
        ("pl", ("ar", "pl", "sv"), "pl"),
        ("so", ("ar", "en", "sv"), "sv"),
        ("so", ("ar", "en"), "en"),
        ("so", ("ar",), "ar"),
    ],
)
async def test_it_is_said_in_the_lines_language_or_in_one_that_has_been_spoken(
    language: str, there: tuple[str, ...], said: str
) -> None:
    few: Mapping[str, Mapping[str, Announcement]] = {"wait": {one: spoken()["wait"][one] for one in there}}
    policy = LinePolicy(record=True, keep_raw=True, language=language)
    legs = TwoLegs(policy=policy, announcements=few).join()
    await together(legs, 1.0)
    await alone(legs, 4.0)

    assert played(legs) == [(4, said)]


@pytest.mark.parametrize(("setting", "catalogue"), [(0.0, spoken()), (3.0, {})], ids=["never", "not spoken"])
async def test_nothing_is_played_where_it_is_not_wished_or_not_there(
    setting: float, catalogue: Catalogue
) -> None:
    legs = TwoLegs(policy=RAW, announcements=catalogue, away_told_after_s=setting).join()
    await together(legs, 1.0)
    await alone(legs, 31.5)

    assert noted(legs, "announcement") == []
    assert legs.events.of(EventKind.CALL_ENDED)[0]["cause"] == "vanished"


async def test_a_telephone_that_is_merely_silent_is_given_the_time_of_a_report() -> None:
    legs = called()
    legs.operator.may_return = False  # type: ignore[misc]  # as no telephone may
    await together(legs, 1.0)
    await alone(legs, 6.0)
    assert noted(legs, "announcement") == []
    await alone(legs, 2.0)

    (begun,) = noted(legs, "announcement")
    assert begun["at_ms"] == pytest.approx(1000 + 6500, abs=50)


async def test_an_operator_of_whom_nothing_has_ever_come_leaves_no_dead_line() -> None:
    legs = called(LinePolicy(record=True, keep_raw=True, announcement=("recording", "sv")))
    await alone(legs, 12.0)
    await together(legs, 2.0)
    heard, sent = legs.caller.sound(PCMA), legs.caller.sent
    legs.call.end("hangup")

    recording = (spoken()["recording"]["sv"].sound[::2] * 32767).astype(np.int16)
    assert likeness(heard, recording) > 0.7  # the line's own announcement
    assert likeness(heard, wanted()) > 0.7
    assert likeness(heard, babble(8000, 2.0, 3)[4000:12_000]) > 0.8
    assert len(sent) == pytest.approx(14.0 / 0.020, abs=6)
    assert [one.sequence for one in sent] == list(range(100, 100 + len(sent)))
    for track in ("operator.rx", "operator.tx"):
        assert legs.tapes.notebooks[track].whole
        assert GapCause.LOSS not in [why for _, _, why in legs.tapes.notebooks[track].gaps]
    assert gaps(legs, "operator.rx", GapCause.ABSENT)[1] == pytest.approx(12.0, abs=0.1)


async def test_an_operator_whose_browser_is_back_without_sound_is_gone_still() -> None:
    legs = called()
    await together(legs, 1.0)
    legs.operator.leave("closed")
    await alone(legs, 1.0)
    come_back(legs)
    back = len(legs.caller.sent)
    await alone(legs, 8.0)

    assert likeness(legs.caller.sound(PCMA)[back * 160 :], wanted()) > 0.7


async def test_a_call_that_nobody_comes_back_to_ends_after_the_sentence_and_not_in_it() -> None:
    legs = called()
    legs.operator.may_return = False  # type: ignore[misc]
    await together(legs, 1.0)
    await alone(
        legs, 10.2
    )  # a telephone is waited for for ten seconds; the sentence began at 6.5 and lasts 4.5
    assert legs.call.state is CallState.LIVE
    await alone(legs, 5.0)

    assert [note["state"] for note in noted(legs, "announcement")] == ["begun", "ended"]
    assert legs.events.of(EventKind.CALL_ENDED)[0]["cause"] == "vanished"


def test_a_fade_ends_in_silence_without_a_step() -> None:
    one = Announcement("wait", "1", "sv", "", np.ones(RATE_HZ, np.float32))
    playing = Playing(one, 0, "service")
    playing.take(160)
    playing.fade()
    rest = np.concatenate([playing.take(160) for _ in range(40)])

    assert rest[0] == pytest.approx(1.0)
    assert np.abs(np.diff(rest)).max() < 0.001
    assert not rest[RATE_HZ // 5 :].any()
    assert playing.over
    assert playing.played_ms == 210
