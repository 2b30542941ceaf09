"""Giving up and declining, on real telephones; and what strangers and crowds get."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.node import Node, running_node
from tests.support.sip import HOST, Baresip, ByHand, free_udp_port, sdp, settings, sip_port, until
from tests.support.tones import hears, phone

pytestmark = [pytest.mark.call, pytest.mark.acceptance]

OPERATOR_PORT = free_udp_port(2)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    wished = settings(f"sip:operator@{HOST}:{OPERATOR_PORT}", calls_per_s=2.0, burst=4)
    # Tones are no voice: the suppressor may think of them what it likes.
    with running_node(
        tmp_path_factory.mktemp("node"), CALLSVC_SUPPRESSOR__ENABLED="false", **wished
    ) as running:
        yield running


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Baresip]:
    with phone(tmp_path, "caller") as one:
        yield one


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Baresip]:
    with phone(tmp_path, "operator", port=OPERATOR_PORT) as one:
        yield one


def a_call(node: Node, caller: Baresip, operator: Baresip) -> None:
    caller.do("dial", f"sip:114@{HOST}:{sip_port(node)}")
    caller.wait("CALL_ESTABLISHED")
    operator.wait("CALL_ESTABLISHED")
    until(lambda: hears(caller, "operator") and hears(operator, "caller"), "sound both ways")


def test_a_caller_who_gives_up_stops_the_ringing(node: Node, caller: Baresip, tmp_path: Path) -> None:
    with phone(tmp_path, "operator", answers=False, port=OPERATOR_PORT) as operator:
        caller.do("dial", f"sip:114@{HOST}:{sip_port(node)}")
        operator.wait("CALL_INCOMING")
        caller.wait("CALL_RINGING")
        caller.do("hangup")
        operator.wait("CALL_CLOSED")


def test_an_operator_who_declines_is_told_to_the_caller(node: Node, caller: Baresip, tmp_path: Path) -> None:
    with phone(tmp_path, "operator", answers=False, port=OPERATOR_PORT) as operator:
        caller.do("dial", f"sip:114@{HOST}:{sip_port(node)}")
        operator.wait("CALL_INCOMING")
        operator.do("hangup")
        caller.wait("CALL_CLOSED")


def test_options_are_answered_and_a_stranger_is_not(node: Node) -> None:
    with ByHand(sip_port(node)) as peer:
        peer.request("OPTIONS")
        answer = peer.answer()
        assert answer.startswith("SIP/2.0 200 OK\r\n")
        assert re.search(r"^allow: .*INVITE", answer, re.IGNORECASE | re.MULTILINE)
    with ByHand(sip_port(node), "127.0.0.2") as stranger:
        stranger.request("OPTIONS")
        stranger.request("INVITE", body=sdp(4000))
        assert stranger.answers(1.0) == []


def late(node: Node) -> tuple[float, float]:
    """Ticks of the media loop: all of them, and those that were more than 100 ms late."""
    text = node.get("/metrics")[1]
    found = dict(re.findall(r'callsvc_tick_lateness_seconds_bucket\{le="([^"]+)"\} (\S+)', text))
    return float(found["+Inf"]), float(found["+Inf"]) - float(found["0.1"])


def test_a_flood_of_calls_is_told_to_come_again_and_a_running_call_goes_on(
    node: Node, caller: Baresip, operator: Baresip
) -> None:
    time.sleep(2.0)  # the bucket of calls fills up
    a_call(node, caller, operator)
    before = late(node)
    with ByHand(sip_port(node)) as crowd:
        answers: list[str] = []
        for _ in range(40):
            for _ in range(25):
                crowd.request("INVITE", body=sdp(4000))
            answers += crowd.answers(0.05)
        answers += crowd.answers(1.0)
    ticks, behind = (after - earlier for after, earlier in zip(late(node), before, strict=True))
    refused = [answer for answer in answers if answer.startswith("SIP/2.0 503 ")]
    assert len(refused) > 300
    assert all("\r\nRetry-After: 5\r\n" in answer for answer in refused)
    assert ticks > 100
    assert behind / ticks < 0.05
    until(lambda: hears(caller, "operator") and hears(operator, "caller"), "sound both ways still")
    caller.do("hangup")
    operator.wait("CALL_CLOSED")
