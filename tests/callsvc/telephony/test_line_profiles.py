from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from audio.codecs import G722, OPUS, PCMA
from callsvc.telephony import sdp
from callsvc.telephony.announcements import Catalogue, load
from callsvc.telephony.errors import BadOffer
from callsvc.telephony.line_profiles import CACHE, SAFEST, LineProfile, Lines, packaged
from callsvc.telephony.policies import LinePolicy, policy_of
from callsvc.telephony.protocol import Do
from callsvc.types import EventKind, Profile
from tests.support.calls import TwoLegs
from tests.support.packets import babble, payloads

pytestmark = pytest.mark.call

GOOD = """
version = 1
[emergency]
record = true
codecs = ["G722", "PCMA"]
[report]
record = true
recall_s = 30
number = "keep"
announce = "recording"
[interview]
record = true
[anonymous]
record = false
recall_s = 0
"""


@cache
def spoken() -> Catalogue:
    """The announcements that come with the service, read once."""
    return load()


def written(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    # A second change within the clock's grain is one, too.
    status = file.stat()
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1 + len(text)))
    return file


def test_the_packaged_set_knows_every_line_and_the_anonymous_one_keeps_nothing() -> None:
    anonymous = packaged().of(Profile.ANONYMOUS)

    assert (anonymous.record, anonymous.number, anonymous.recall_s) == (False, "drop", 0)
    assert all(packaged().of(profile).record for profile in Profile if profile is not Profile.ANONYMOUS)


def test_a_file_is_in_force_and_a_change_of_it_from_the_next_call_on(tmp_path: Path) -> None:
    file = written(tmp_path / "lines.toml", GOOD)
    lines = Lines(file, tmp_path)
    assert lines.of(Profile.REPORT).recall_s == 30
    written(file, GOOD.replace("recall_s = 30", "recall_s = 20"))

    assert lines.of(Profile.REPORT).recall_s == 20


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "version = 2",
        "not toml [",
        GOOD.replace("[interview]", "[interviews]"),
        GOOD.replace("record = false", "record = true"),
        GOOD.replace('announce = "recording"', 'announce = "../secret"'),
        GOOD.replace('"G722", "PCMA"', '"G722", "G722"'),
        GOOD.replace('"G722", "PCMA"', '"G729"'),
        GOOD + "surprise = 1\n",
        GOOD.replace("[anonymous]\nrecord = false", '[anonymous]\nrecord = false\nnumber = "keep"'),
        "# " + "x" * 70_000,
    ],
)
def test_a_file_that_makes_no_sense_changes_nothing_and_is_told(tmp_path: Path, broken: str) -> None:
    file = written(tmp_path / "lines.toml", GOOD)
    lines = Lines(file, tmp_path)
    written(file, broken)

    assert lines.of(Profile.REPORT).recall_s == 30
    assert lines.fault
    # A node that starts now has the last good set from its own disk.
    again = Lines(file, tmp_path)
    assert again.of(Profile.REPORT).recall_s == 30
    written(file, GOOD)
    again.of(Profile.REPORT)
    assert again.fault == ""


def test_without_a_file_and_with_a_broken_memory_there_are_still_lines(tmp_path: Path) -> None:
    (tmp_path / CACHE).write_text("{", encoding="utf-8")

    lines = Lines(tmp_path / "gone.toml", tmp_path)
    assert lines.fault
    assert all(lines.of(one) == SAFEST.of(one) for one in Profile)
    assert lines.of(Profile.EMERGENCY).record
    assert {lines.of(one).number for one in Profile} == {lines.of(one).digits for one in Profile} == {"drop"}
    assert not lines.of(Profile.ANONYMOUS).record
    # Where nobody has said anything the set that comes with the service is in force.
    assert Lines().of(Profile.EMERGENCY) == packaged().of(Profile.EMERGENCY)


def test_a_policy_follows_from_the_line() -> None:
    policy = policy_of(Profile.ANONYMOUS, demonstration=True, keep_raw="always")

    assert policy.tracks == ()
    assert not policy.keep_number
    assert not {Do.MASK, Do.MARKER, Do.RECALL} & set(policy.commands)


def test_a_line_chooses_and_orders_what_may_be_spoken() -> None:
    offer = sdp.Offer("RTP/AVP", "127.0.0.1", 4000, {96: OPUS, 9: G722, 8: PCMA})

    assert list(sdp.preferring(offer, ("PCMA", "G722", "PCMU")).codecs) == [8, 9]
    assert sdp.preferring(offer, ()) is offer
    with pytest.raises(BadOffer):
        sdp.preferring(offer, ("PCMU",))


async def test_a_line_that_tells_callers_of_the_recording_does_so_as_the_call_begins() -> None:
    policy = LinePolicy(record=True, keep_raw=False, announcement=("recording", "sv"))
    legs = TwoLegs(policy=policy, announcements=spoken()).join()
    await legs.talk(operator=payloads(babble(8000, 0.5)))

    told = [one for one in legs.events.of(EventKind.CALL_NOTED) if one["note"] == "announcement"]
    assert (told[0]["state"], told[0]["by"]) == ("begun", "line")


async def test_a_line_whose_announcement_is_not_there_is_degraded_and_the_call_goes_on() -> None:
    policy = LinePolicy(record=True, keep_raw=False, announcement=("recording", "xx"))
    legs = TwoLegs(policy=policy, announcements=spoken()).join()
    frames = payloads(babble(8000, 0.5))
    await legs.talk(caller=frames)

    assert "announcement" in legs.call.degraded
    assert [packet.payload for packet in legs.operator.sent] == frames


def test_the_reference_explains_every_field() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "line-profiles.md").read_text(encoding="utf-8")

    for name, field in LineProfile.model_fields.items():
        assert f"| `{name}` |" in page
        assert (field.description or "?") in page
