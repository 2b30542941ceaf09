"""Calls that a real Asterisk hands to a real media node, from and to real telephones: who heard what, whatever happens."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from audio import files
from callsvc import data_dir
from callsvc.config import AsteriskSettings, Settings
from callsvc.doctor.finding import State
from callsvc.doctor.trunks import trunks
from tests.support import hearing
from tests.support.lossy_line import LossyLine
from tests.support.node import Node, running_node
from tests.support.real_asterisk import MISSING, PASSWORD, RealAsterisk, installed
from tests.support.sip import HOST, Baresip, free_udp_port, until
from tests.support.tones import Anew, hears, phone

pytestmark = [
    pytest.mark.call,
    pytest.mark.acceptance,
    pytest.mark.skipif(installed() is None, reason=MISSING),
]

LENGTH_S = 9.0
TAIL_S = 60.0
ATTEMPTS = 3
"""A machine that is too busy lets sound through unprocessed, and says so: then once more."""
OPERATOR_PORT, THIRD_PORT = free_udp_port(2), free_udp_port(2)
EXTENSIONS = """
exten => 22,1,Stasis(second,report,PJSIP/operator)
 same => n,Dial(PJSIP/operator,60)

[from-operator]
exten => 33,1,Dial(PJSIP/third,60)
"""
THIRD = f"""
[third]
type = endpoint
context = from-operator
aors = third
allow = !all,alaw
direct_media = no

[third]
type = aor
contact = sip:third@{HOST}:{THIRD_PORT}
"""


@pytest.fixture(scope="module")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAsterisk]:
    operator = f"sip:operator@{HOST}:{OPERATOR_PORT}"
    with RealAsterisk(
        tmp_path_factory.mktemp("pbx"), operator, extensions=EXTENSIONS, pjsip=THIRD
    ) as running:
        yield running


@pytest.fixture(scope="module")
def node(asterisk: RealAsterisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running_node(tmp_path_factory.mktemp("node"), **asterisk.settings) as running:
        connected(running)
        yield running


@pytest.fixture(autouse=True)
def nothing_is_left_behind(asterisk: RealAsterisk) -> Iterator[None]:
    yield
    until(lambda: not asterisk.channels and not asterisk.bridges, "channels and bridges are taken down")


def connected(node: Node) -> None:
    until(
        lambda: "asterisk" not in json.loads(node.get("/readyz")[1])["degraded"], "the node reaches Asterisk"
    )


@dataclass
class Talk:
    """Two telephones that hear each other."""

    caller: Baresip
    operator: Baresip


@pytest.fixture
def telephones(tmp_path: Path) -> Iterator[Talk]:
    with phone(tmp_path, "caller") as caller, phone(tmp_path, "operator", port=OPERATOR_PORT) as operator:
        yield Talk(caller, operator)


def a_call(asterisk: RealAsterisk, talk: Talk, dialled: str = "") -> None:
    caller, operator = Anew(talk.caller), Anew(talk.operator)
    talk.caller.do("dial", dialled or asterisk.uri("11414"))
    talk.caller.wait("CALL_ESTABLISHED")
    talk.operator.wait("CALL_ESTABLISHED")
    until(lambda: caller.hears("operator") and operator.hears("caller"), "sound both ways")


def through_us(asterisk: RealAsterisk) -> bool:
    """Whether the two sides of a call are each alone with an AudioSocket."""
    with_us = [members for members in asterisk.bridges if any("AudioSocket" in one for one in members)]
    return [len(members) for members in with_us] == [2, 2]


def directly(asterisk: RealAsterisk) -> bool:
    """Whether two telephones are on one bridge, and nobody else is anywhere."""
    bridges = [members for members in asterisk.bridges if members]
    return len(bridges) == 1 and len(bridges[0]) == 2 and all("PJSIP" in one for one in bridges[0])


def heard_by(phone: Baresip) -> NDArray[np.float64]:
    return np.asarray(files.read(phone.heard()[-1], hearing.RATE), np.float64) / 32768


def test_the_caller_hears_the_words_and_not_the_typing(
    asterisk: RealAsterisk, node: Node, tmp_path: Path
) -> None:
    scene = hearing.scene(LENGTH_S)
    says = {
        name: hearing.wav(tmp_path / f"{name}.wav", sound, 8000, TAIL_S)
        for name, sound in (("caller", scene.caller), ("operator", scene.operator))
    }
    with (
        Baresip(tmp_path, "caller", says["caller"]) as caller,
        Baresip(tmp_path, "operator", says["operator"], port=OPERATOR_PORT) as operator,
    ):
        for _ in range(ATTEMPTS):
            before = len(caller.heard())
            caller.do("dial", asterisk.uri("11414"))
            caller.wait("CALL_ESTABLISHED")
            operator.wait("CALL_ESTABLISHED")
            assert until(lambda: through_us(asterisk), "both on bridges of their own")
            until(
                lambda before=before: (  # type: ignore[misc]
                    len(caller.heard()) > before
                    and caller.heard()[-1].stat().st_size > 8000 * 2 * (LENGTH_S + 0.5)
                ),
                "enough heard",
            )
            caller.do("hangup")
            operator.wait("CALL_CLOSED")
            call = str(node.events()[-1]["call"])
            sealed = node.wait_for("recording.sealed", call)
            if not hearing.let_through(node, call):
                break
    assert sealed["outcome"] == "complete"
    assert isinstance(sealed["tracks"], list)
    assert {track["name"]: track["rate"] for track in sealed["tracks"]} == {
        "caller.rx": 16_000,
        "operator.tx": 16_000,
    }
    at_caller = hearing.judge(scene, scene.operator, heard_by(caller))
    assert at_caller.words > 0.6
    assert at_caller.strokes > 10
    assert at_caller.before_db - at_caller.after_db > 15
    assert at_caller.audible_pct <= 10
    assert hearing.likeness(scene.caller, heard_by(operator)) > 0.6


def test_digits_are_passed_on_and_a_caller_on_hold_hears_music(
    asterisk: RealAsterisk, node: Node, telephones: Talk
) -> None:
    caller, operator = telephones.caller, telephones.operator
    a_call(asterisk, telephones)
    caller.do("sndcode", "5")
    assert operator.wait("CALL_DTMF_START")["param"] == "5"
    operator.do("sndcode", "8")
    assert caller.wait("CALL_DTMF_START")["param"] == "8"
    operator.do("hold")
    until(lambda: hears(caller, "music"), "music for the caller")
    operator.do("resume")
    until(lambda: hears(caller, "operator"), "the operator again")
    operator.do("hangup")
    caller.wait("CALL_CLOSED")
    call = str(node.events()[-1]["call"])
    sealed = node.wait_for("recording.sealed", call)
    assert isinstance(sealed["tracks"], list)
    rested = {track["name"] for track in sealed["tracks"] for gap in track["gaps"] if gap[2] == "hold"}
    assert rested == {"operator.tx"}


def test_a_call_that_the_operator_transfers_goes_on_through_us(
    asterisk: RealAsterisk, node: Node, telephones: Talk, tmp_path: Path
) -> None:
    with phone(tmp_path, "third", port=THIRD_PORT) as third:
        a_call(asterisk, telephones)
        telephones.operator.do("transfer", asterisk.uri("33"))
        third.wait("CALL_ESTABLISHED")
        until(lambda: hears(telephones.caller, "third") and hears(third, "caller"), "the third is heard")
        assert through_us(asterisk)
        telephones.caller.do("hangup")
        third.wait("CALL_CLOSED")


def test_packets_that_are_lost_on_the_way_to_asterisk_are_noticed_though_it_says_nothing(
    asterisk: RealAsterisk, node: Node, telephones: Talk
) -> None:
    chance = random.Random(1)
    with LossyLine(asterisk.sip) as line:
        a_call(asterisk, telephones, f"sip:11414@{HOST}:{line.sip}")
        gone: list[int] = []

        def lose(to_peer: bool, number: int) -> bool:
            if to_peer and (lost := chance.random() < 0.15):
                gone.append(number)
                return lost
            return False

        line.lose = lose
        until(lambda: len(gone) > 20, "packets are lost")
        line.lose = lambda _to_peer, _number: False
        hears_again = Anew(telephones.operator)
        until(lambda: hears_again.hears("caller"), "the caller is heard")
        telephones.caller.do("hangup")
        telephones.operator.wait("CALL_CLOSED")
    call = str(node.events()[-1]["call"])
    sealed = node.wait_for("recording.sealed", call)
    assert isinstance(sealed["tracks"], list)
    (gaps,) = (track["gaps"] for track in sealed["tracks"] if track["name"] == "caller.rx")
    noticed_s = sum(gap[1] for gap in gaps if gap[2] == "loss") / 16_000
    assert noticed_s > len(gone) * 0.02 / 2


def test_a_call_that_the_operator_declines_goes_back_to_the_dial_plan(
    asterisk: RealAsterisk, node: Node, tmp_path: Path
) -> None:
    with (
        phone(tmp_path, "caller") as caller,
        phone(tmp_path, "operator", answers=False, port=OPERATOR_PORT) as operator,
    ):
        caller.do("dial", asterisk.uri("11414"))
        operator.wait("CALL_INCOMING")
        operator.do("hangup")
        operator.wait("CALL_CLOSED")
        # The next line of the dial plan rings again, without us.
        operator.wait("CALL_INCOMING")
        assert not asterisk.bridges
        caller.do("hangup")
        operator.wait("CALL_CLOSED")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_parties_whose_node_is_gone_talk_on_at_the_latest_when_it_is_back(
    asterisk: RealAsterisk, node: Node, telephones: Talk, tmp_path: Path, how: signal.Signals
) -> None:
    other = asterisk.settings | {"CALLSVC_ASTERISK__APP": "second", "CALLSVC_SUPPRESSOR__ENABLED": "false"}
    with running_node(tmp_path, **other) as second:
        connected(second)
        a_call(asterisk, telephones, asterisk.uri("22"))
        assert through_us(asterisk)
        second.process.send_signal(how)
        second.process.wait(60)
    if how is signal.SIGKILL:
        assert not directly(asterisk)
        data_dir.write_addresses(second.data_dir, {})
    with running_node(tmp_path, **other):
        until(lambda: directly(asterisk), "both on one bridge")
        caller, operator = Anew(telephones.caller), Anew(telephones.operator)
        until(lambda: caller.hears("operator") and operator.hears("caller"), "sound both ways again")
        telephones.caller.do("hangup")
        telephones.operator.wait("CALL_CLOSED")
        until(lambda: not asterisk.channels, "both are hung up")


def test_without_a_node_the_call_goes_straight_to_the_operator(
    asterisk: RealAsterisk, telephones: Talk
) -> None:
    a_call(asterisk, telephones, asterisk.uri("22"))
    assert directly(asterisk)
    telephones.operator.do("hangup")
    telephones.caller.wait("CALL_CLOSED")


def test_the_doctor_finds_it_well_and_says_what_is_not_loaded(asterisk: RealAsterisk) -> None:
    wanted = AsteriskSettings.model_validate(
        {"url": f"http://{HOST}:{asterisk.http}", "password": PASSWORD, "format": "slin16"}
    )
    (found,) = trunks(Settings.model_construct(asterisk=wanted))
    assert found.state is State.GOOD, found.says("en")
    asterisk.cli("module unload app_stasis.so")
    (found,) = trunks(Settings.model_construct(asterisk=wanted))
    asterisk.cli("module load app_stasis.so")
    assert found.outcome == "module"
