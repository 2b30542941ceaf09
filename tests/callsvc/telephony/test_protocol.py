from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsvc.clock import FixedClock
from callsvc.telephony import protocol
from callsvc.telephony.commands import Commands
from callsvc.telephony.protocol import Command, Do, Hello, MarkerKind, MaskReason, Refused, State, Why

pytestmark = pytest.mark.call

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["on", "reason", "kind", "text", "back_ms", "announcement", "language"]


def read(**message: object) -> Command:
    return protocol.command(message)


def why(**message: object) -> Why:
    with pytest.raises(Refused) as refused:
        protocol.command(message)
    return refused.value.why


def test_every_command_is_read_with_what_belongs_to_it() -> None:
    assert read(id="a", do="mask", on=True, reason="private").reason is MaskReason.PRIVATE
    assert read(id="a", do="mask", on=False) == Command("a", Do.MASK)
    assert read(id="a", do="marker") == Command("a", Do.MARKER, kind=MarkerKind.IMPORTANT)
    assert read(id="a", do="marker", kind="threat", text="på trappan").text == "på trappan"
    assert read(id="a", do="recall").back_ms == 10_000
    assert read(id="a", do="announce", announcement="wait", language="sv").language == "sv"
    assert read(id="a", do="hold", on=True).on
    assert read(id="a", do="hangup").do is Do.HANG_UP


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"id": "a"},
        {"id": "", "do": "mask", "on": False},
        {"id": "å", "do": "mask", "on": False},
        {"id": "a" * 65, "do": "mask", "on": False},
        {"id": "a", "do": "mask"},
        {"id": "a", "do": "mask", "on": True},
        {"id": "a", "do": "mask", "on": 1, "reason": "other"},
        {"id": "a", "do": "mask", "on": True, "reason": "because"},
        {"id": "a", "do": "marker", "text": "x" * 201},
        {"id": "a", "do": "marker", "text": "\ud800"},
        {"id": "a", "do": "marker", "text": "\n"},
        {"id": "a", "do": "recall", "back_ms": 999},
        {"id": "a", "do": "recall", "back_ms": 60_001},
        {"id": "a", "do": "recall", "back_ms": True},
        {"id": "a", "do": "announce", "announcement": "../etc", "language": "sv"},
        {"id": "a", "do": "announce", "announcement": "wait"},
        {"id": "a", "do": ["mask"]},
    ],
)
def test_what_is_not_whole_or_out_of_range_is_malformed(message: dict[str, object]) -> None:
    assert why(**message) is Why.MALFORMED


def test_a_command_that_nobody_knows_is_told_apart_from_one_that_is_broken() -> None:
    assert why(id="a", do="sing") is Why.UNKNOWN


@pytest.mark.parametrize("at_ms", [None, "5", True, -1, 1 << 60, float("nan"), float("inf")])
def test_a_key_time_is_a_time(at_ms: object) -> None:
    assert protocol.key({"t": "key", "at_ms": at_ms}) is None


def test_the_nodes_own_words_are_json_with_the_fields_of_the_reference() -> None:
    hello = Hello("c", "operator", "report").message()
    state = State("live", 5, protocol.RecordingNow("recording")).message()

    assert (hello["t"], hello["v"]) == ("hello", protocol.VERSION)
    assert json.loads(json.dumps(state))["recording"] == {
        "condition": "recording",
        "safe_ms": 0,
        "masked_ms": 0,
        "why": "",
    }


def test_the_reference_names_every_command_refusal_and_field() -> None:
    from pathlib import Path

    page = (Path(__file__).parents[3] / "docs" / "reference" / "operator-channel.md").read_text(
        encoding="utf-8"
    )
    words = [*Do, *Why, *State("live", 0, protocol.RecordingNow("off")).message()]
    words += list(Hello("", "", "").message())
    assert [word for word in words if f"`{word}`" not in page] == []


@given(
    st.dictionaries(st.sampled_from(["id", "do", "t", *NAMES]), JSON, max_size=8)
    | st.fixed_dictionaries(
        {"id": st.text("abc", min_size=1, max_size=5), "do": st.sampled_from([one.value for one in Do])},
        optional=dict.fromkeys(NAMES, JSON),
    )
)
def test_whatever_comes_is_answered_and_changes_nothing_before_the_call_is_live(
    message: dict[str, object],
) -> None:
    commands = Commands(FixedClock(), tuple(Do))
    answer = commands.do(message)

    assert answer["t"] in ("done", "refused")
    if answer["t"] == "done":
        assert message["do"] == "hangup"
    else:
        assert answer["why"] in {one.value for one in Why}
    json.dumps(answer)
    protocol.key(message)
