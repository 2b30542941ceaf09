"""A transfer after a word with the third, on real telephones: two of Twinkle, and baresip, which rings once more; or baresip
behind an Asterisk, which has the new call take the old one's place.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from callsvc.demo.composition import compose
from callsvc.demo.sound import Samples
from tests.support import hearing, pulse
from tests.support.ear import Ear, Mouth
from tests.support.node import Node, running_node
from tests.support.real_asterisk import MISSING, RealAsterisk, installed
from tests.support.sip import HOST, Baresip, settings, sip_port, until
from tests.support.twinkle import Twinkle

pytestmark = [pytest.mark.call, pytest.mark.acceptance]

NAMES = ("caller", "operator", "third")
NUMBER = "115"
PART_S = (11.9, 16.3)
WORD_S = (16.6, 18.9)
"""What the operator says to the third, in the demonstration."""
ALIKE, NOT_ALIKE = 0.4, 0.3
"""Twinkle leaves out and repeats sound more than other telephones on a machine that is busy; what was never said is at 0.2."""


def calls(node: Node) -> list[str]:
    return [str(event["call"]) for event in node.events() if event["kind"] == "call.started"]


@pytest.mark.parametrize(
    "exchange",
    [
        pytest.param(False, id="a_telephone_that_rings_once_more"),
        pytest.param(
            True,
            id="an_asterisk_that_replaces",
            marks=pytest.mark.skipif(installed() is None, reason=MISSING),
        ),
    ],
)
def test_the_caller_goes_over_to_the_third_with_whom_the_operator_has_spoken(
    tmp_path: Path, exchange: bool
) -> None:
    scene, word = hearing.piece(compose(), *PART_S), hearing.piece(compose(), *WORD_S)
    with ExitStack() as stack:
        sounds = stack.enter_context(pulse.server(*NAMES))
        ears = {name: stack.enter_context(Ear(tmp_path, name, sounds)) for name in NAMES}
        mouths = {name: stack.enter_context(Mouth(tmp_path, name, sounds)) for name in NAMES}
        caller, operator = (Twinkle(tmp_path, ears[name]) for name in NAMES[:2])
        third = stack.enter_context(Baresip(tmp_path, "third", None, ear=ears["third"]))
        reached = third.uri
        if exchange:
            # It looks for the number before it looks at what is to be replaced.
            rings = "exten => third,1,Dial(PJSIP/operator,60)\n"
            dial = f"[from-operator]\n{rings}[from-trunk](+)\n{rings}"
            pbx = stack.enter_context(RealAsterisk(tmp_path, third.uri, extensions=dial))
            reached = pbx.uri("third")
        line = {"number": NUMBER, "profile": "report", "operator": reached}
        node = stack.enter_context(running_node(tmp_path, **settings(operator.uri, lines=[line])))
        for phone in (caller, operator):
            stack.enter_context(phone)

        def say(*said: tuple[str, Samples]) -> dict[str, hearing.Sound]:
            """What each heard while this was said."""
            since = {name: ear.now_s for name, ear in ears.items()}
            for name, sound in said:
                mouths[name].say(hearing.at(sound, hearing.RATE))
            end_s = len(said[0][1]) / 48_000 + 0.8
            until(lambda: all(ear.now_s > since[name] + end_s for name, ear in ears.items()), "what is said")
            return {name: ear.heard(since[name]) for name, ear in ears.items()}

        caller.do(f"call sip:114@{HOST}:{sip_port(node)}")
        # Asked for the next thing before it is through with the last, Twinkle may wait for itself for ever.
        operator.wait("call established")
        caller.wait("far end answered")
        until(lambda: len(calls(node)) == 1, "the first call")
        operator.do(f"transfer -c sip:{NUMBER}@{HOST}:{sip_port(node)}")
        third.wait("CALL_ESTABLISHED")
        until(lambda: len(calls(node)) == 2, "the word with the third")
        operator.wait("re-INVITE successful")
        operator.wait("far end answered")
        third.wait("CALL_RTPESTAB")
        heard = say(("operator", word.operator))
        assert hearing.likeness(word.operator, heard["third"]) > ALIKE
        assert hearing.likeness(word.operator, heard["caller"]) < NOT_ALIKE
        assert hearing.loudness_db(heard["caller"]) < -55

        operator.do("transfer -c")
        until(lambda: len(calls(node)) == 3, "the call of those who are left")
        if not exchange:
            third.wait("CALL_ESTABLISHED")
        first, asked, last = calls(node)
        assert node.wait_for("call.ended", asked)["cause"] == "hangup"
        assert node.wait_for("call.ended", first)["cause"] == "hangup"
        heard = say(("third", scene.operator), ("caller", scene.caller))
        at_caller = hearing.judge(scene, scene.operator, heard["caller"])
        assert hearing.gone(at_caller, ALIKE) or hearing.let_through(node, last), at_caller
        assert hearing.likeness(scene.caller, heard["third"]) > ALIKE
        assert hearing.likeness(scene.caller, heard["operator"]) < NOT_ALIKE
        assert hearing.loudness_db(heard["operator"]) < -55
        caller.do("bye")
        third.wait("CALL_CLOSED")
        assert node.wait_for("recording.sealed", last)["outcome"] == "complete"
