"""One conversation on real telephones, with recorded voices and recorded typing: digits, hold, a transfer. Who heard what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from callsvc.demo.composition import Scene, compose
from callsvc.demo.sound import Samples
from tests.support import hearing, pulse
from tests.support.ear import Ear
from tests.support.node import Node, running_node
from tests.support.sip import HOST, Baresip, free_udp_port, settings, sip_port, until

pytestmark = [pytest.mark.call, pytest.mark.acceptance]

NAMES = ("caller", "operator", "third")
TAIL_S = 60.0
HELD_S, BACK_S, DIGITS_S, END_S = 4.5, 6.1, 8.1, 11.8
"""When the operator holds, comes back, digits are sent, and the caller is passed on, by what has been said until then."""
THIRD_S = 5.0
TALK_S = ((13.0, 16.1), (20.4, 23.5), (27.8, 30.1), (4.4, 8.4), (13.0, 16.1))
"""Where the caller speaks in the demonstration: here all the time, so that somebody who must not hear it could."""
DIGITS_HZ = {"5": (770.0, 1336.0), "8": (852.0, 1336.0)}


@dataclass
class Table:
    """Three telephones and a node; what is said before the transfer and after it."""

    node: Node
    phones: dict[str, Baresip]
    ears: dict[str, Ear]
    first: Scene
    second: Scene
    began: dict[str, float] = field(default_factory=dict)
    """How much each had heard as the conversation began."""

    def begin(self) -> str:
        """From here on times count; the call that was begun last."""
        self.began = {name: ear.now_s for name, ear in self.ears.items()}
        return str([event for event in self.node.events() if event["kind"] == "leg.joined"][-1]["call"])

    @property
    def now_s(self) -> float:
        return self.ears["caller"].now_s - self.began["caller"]

    def until(self, seconds: float) -> None:
        until(lambda: self.now_s > seconds, f"{seconds} s of conversation")

    def heard(self, name: str, start_s: float, end_s: float, around_s: float = 0.3) -> hearing.Sound:
        """What somebody heard while this was said, and a little before and after."""
        sound = self.ears[name].heard(max(0.0, self.began[name] + start_s - around_s))
        return sound[: int((end_s - start_s + 2 * around_s) * hearing.RATE)]

    def talk(self, call: str, scene: Scene, to: str, start_s: float, end_s: float) -> None:
        """The caller heard the words and no typing, and was heard."""
        said = hearing.piece(scene, start_s, end_s)
        at_caller = hearing.judge(said, said.operator, self.heard("caller", start_s, end_s))
        assert hearing.gone(at_caller) or hearing.let_through(self.node, call), at_caller
        assert hearing.likeness(said.caller, self.heard(to, start_s, end_s)) > 0.6

    def nothing(self, name: str, of: Samples, start_s: float, end_s: float) -> None:
        """Of what was said somebody heard nothing."""
        heard = self.heard(name, start_s, end_s, 0.0)
        assert hearing.loudness_db(heard) < -55
        assert hearing.likeness(of[int(start_s * 48_000) : int(end_s * 48_000)], heard) < 0.3

    def ended(self, call: str) -> None:
        assert self.node.wait_for("recording.sealed", call)["outcome"] == "complete"
        assert self.node.wait_for("call.ended", call)["cause"] == "hangup"


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    whole = compose()
    talk = np.concatenate([hearing.piece(whole, *part).caller for part in TALK_S])
    first = replace(hearing.piece(whole, 11.9, 24.0), caller=talk)
    second = replace(hearing.piece(whole, 18.6, 18.6 + THIRD_S), caller=talk)
    says = {"caller": talk, "operator": first.operator, "third": second.operator}
    ports = {name: free_udp_port(2) for name in NAMES}
    line = {"number": "115", "profile": "report", "operator": f"sip:third@{HOST}:{ports['third']}"}
    with ExitStack() as stack:
        sounds = stack.enter_context(pulse.server(*NAMES))
        ears = {name: stack.enter_context(Ear(tmp_path, name, sounds)) for name in NAMES}
        wished = settings(f"sip:operator@{HOST}:{ports['operator']}", lines=[line])
        node = stack.enter_context(running_node(tmp_path, **wished))
        phones = {
            name: stack.enter_context(
                Baresip(
                    tmp_path,
                    name,
                    hearing.wav(tmp_path / f"{name}.wav", says[name], 8000, TAIL_S),
                    port=ports[name],
                    ear=ears[name],
                )
            )
            for name in NAMES
        }
        yield Table(node, phones, ears, first, second)


def test_digits_hold_and_transfer_and_each_hears_who_is_there_and_no_typing(table: Table) -> None:
    caller, operator, third = (table.phones[name] for name in NAMES)
    first, second = table.first, table.second
    caller.do("dial", f"sip:114@{HOST}:{sip_port(table.node)}")
    caller.wait("CALL_ESTABLISHED")
    operator.wait("CALL_ESTABLISHED")
    call = table.begin()
    table.until(HELD_S)
    table.talk(call, first, "operator", 0.0, HELD_S)

    held_s = table.now_s
    operator.do("hold")
    table.until(max(BACK_S, held_s + 1.5))
    operator.do("resume")
    back_s = table.now_s

    table.until(DIGITS_S)
    caller.do("sndcode", "5")
    assert operator.wait("CALL_DTMF_START")["param"] == "5"
    operator.do("sndcode", "8")
    assert caller.wait("CALL_DTMF_START")["param"] == "8"
    table.until(END_S)
    table.nothing("caller", first.operator, held_s + 0.4, back_s)
    table.nothing("operator", first.caller, held_s + 0.4, back_s)
    table.talk(call, first, "operator", back_s + 0.3, END_S)
    for name, digit in (("operator", "5"), ("caller", "8")):
        heard = table.heard(name, back_s + 0.3, END_S)
        assert hearing.tones(heard, *DIGITS_HZ[digit]) < 0.5
        at_s = np.arange(len(heard)) / hearing.RATE
        pressed = sum(0.05 * np.sin(2 * np.pi * hz * at_s) for hz in DIGITS_HZ[digit])
        assert hearing.tones(heard + pressed, *DIGITS_HZ[digit]) > 0.8

    left_s, before = table.now_s, table.began
    operator.do("transfer", f"sip:115@{HOST}:{sip_port(table.node)}")
    third.wait("CALL_ESTABLISHED")
    other = table.begin()
    assert other != call
    table.until(THIRD_S + 0.5)
    table.talk(other, second, "third", 0.0, THIRD_S)
    table.ended(call)
    caller.do("hangup")
    table.ended(other)
    table.began = before
    table.nothing("operator", first.caller, left_s + 1.0, left_s + THIRD_S)
