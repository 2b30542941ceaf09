"""Keys of telephones: read once each from a peer's packets, sent to it as RFC 4733 has them, shown and kept as the line says."""

from __future__ import annotations

import pytest

from audio.codecs import PCMA
from audio.rtp import Packet
from callsvc.telephony.digits import ENDS, MOST, PAUSE_STEPS, PER_SECOND, STEPS, Heard, ToPress
from callsvc.telephony.policies import LinePolicy
from callsvc.types import EventKind
from tests.support.calls import TwoLegs
from tests.support.legs import PipedConnection, Tapes
from tests.support.packets import key

pytestmark = pytest.mark.call


def test_a_press_is_told_once_whatever_is_lost_late_or_repeated_of_it() -> None:
    heard = Heard()
    packets = [
        key(5, 800),
        key(5, 800),
        key(5, 800, end=True),
        key(5, 2400, end=True),
        key(5, 800),
        key(11, 4000),
    ]
    assert [one for packet in packets if (one := heard.take(packet, 0.0))] == ["5", "5", "#"]
    nonsense = [
        Packet(101, 0, 9000, 9, payload) for payload in (b"", b"\x05\x0a", b"\x10\x0a\0\0", b"\xff" * 4)
    ]
    assert [heard.take(packet, 1.0) for packet in nonsense] == [None] * 4


def test_more_presses_than_a_finger_can_do_are_left_out() -> None:
    heard = Heard()
    assert sum(heard.take(key(1, 160 * n), 0.001 * n) is not None for n in range(1, 100)) == PER_SECOND
    assert heard.take(key(1, 160_000), 2.0) == "1"


def test_a_digit_grows_ends_three_times_and_leaves_a_pause_before_the_next() -> None:
    to_press = ToPress(8000)
    assert all(to_press.add("7") for _ in range(MOST))
    assert not to_press.add("7")
    steps = [to_press.next() for _ in range(STEPS - 1 + ENDS + PAUSE_STEPS)]
    sent = [step for step in steps if step]
    assert [step.begins for step in sent] == [True] + [False] * (STEPS - 2 + ENDS)
    assert [step.payload[0] for step in sent] == [7] * len(sent)
    assert [step.payload[1] >> 7 for step in sent] == [0] * (STEPS - 1) + [1] * ENDS
    assert [int.from_bytes(step.payload[2:]) for step in sent] == [160, 320, 480, 640] + [800] * ENDS
    assert steps[len(sent) :] == [None] * PAUSE_STEPS


class Keyed(PipedConnection):
    """A caller's end that takes digits."""

    def __init__(self, *, takes: bool = True) -> None:
        super().__init__({8: PCMA}, TwoLegs().clock)
        self.takes = takes
        self.keys = ""

    @property
    def takes_digits(self) -> bool:
        return self.takes

    def press(self, digit: str) -> bool:
        self.keys += digit
        return len(self.keys) < 4


def talking(*, keep: bool = True, takes: bool = True) -> tuple[TwoLegs, Keyed]:
    legs = TwoLegs(tapes=Tapes(), policy=LinePolicy(record=True, keep_raw=False, keep_digits=keep))
    caller = legs.caller = Keyed(takes=takes)
    legs.join()
    return legs, caller


async def test_what_a_caller_presses_is_shown_and_sealed_and_told_without_its_value() -> None:
    legs, caller = talking()
    caller._pressed("5")
    legs.command("mask", on=True, reason="private")
    caller._pressed("6")
    told = [one for one in legs.operator.told if one["t"] == "digit"]
    assert [(one["by"], one["digit"]) for one in told] == [("caller", "5"), ("caller", "6")]
    kept = [what for _, what in legs.tapes.notes if what["kind"] == "digit"]
    assert kept == [{"kind": "digit", "by": "caller", "digit": "5"}, {"kind": "digit", "by": "caller"}]
    noted = [one for one in legs.events.of(EventKind.CALL_NOTED) if one["note"] == "digit"]
    assert [set(one) for one in noted] == [{"note", "at_ms", "by"}] * 2


async def test_a_line_that_keeps_no_digits_says_that_one_was_pressed_and_not_which() -> None:
    legs, caller = talking(keep=False)
    caller._pressed("5")
    assert [one["digit"] for one in legs.operator.told if one["t"] == "digit"] == [None]
    assert {"kind": "digit", "by": "caller"} in [what for _, what in legs.tapes.notes]
    assert "'5'" not in str(legs.tapes.notes)


async def test_the_operator_presses_where_the_callers_end_takes_it() -> None:
    legs, caller = talking()
    assert legs.call.status()["digits"] is True
    assert [legs.command("digit", digit=one)["t"] for one in "1#A"] == ["done"] * 3
    assert caller.keys == "1#A"
    assert legs.command("digit", digit="2")["why"] == "busy"
    for wrong in ("", "12", "x", 5, None):
        assert legs.command("digit", digit=wrong)["why"] == "malformed"
    legs, _ = talking(takes=False)
    assert legs.call.status()["digits"] is False
    assert legs.command("digit", digit="1")["why"] == "nothing_there"
