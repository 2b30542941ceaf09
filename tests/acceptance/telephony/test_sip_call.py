"""A real telephone and an operator in the browser: who heard what, by correlation."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from audio import files
from callsvc.demo.composition import Scene, compose
from callsvc.demo.peer import Task
from callsvc.demo.placing import party
from callsvc.types import Leg, Profile
from tests.support import hearing
from tests.support.node import Node, in_the_background, running_node
from tests.support.sip import HOST, Baresip, settings, sip_port, until

pytestmark = [pytest.mark.call, pytest.mark.acceptance]

PART_S = (11.9, 16.4)
TAIL_S = 60.0


@pytest.fixture(scope="module")
def scene() -> Scene:
    return hearing.piece(compose(), *PART_S)


def heard_by(phone: Baresip, which: int = -1) -> NDArray[np.float64]:
    files_ = until(phone.heard, f"what {phone.name} heard")
    return np.asarray(files.read(files_[which], hearing.RATE), np.float64) / 32768


def press(node: Node, call: str, digit: str) -> None:
    """The operator's page has the caller's end hear a digit."""
    token = node.token(call, Leg.OPERATOR, Profile.INTERVIEW)
    asked = urllib.request.Request(
        f"{node.url}/calls/{call}/commands",
        json.dumps({"id": "digit", "do": "digit", "digit": digit}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert json.load(answer)["t"] == "done"


async def test_a_caller_by_sip_and_an_operator_in_the_browser_hear_each_other(
    tmp_path: Path, scene: Scene
) -> None:
    telephone, rate_hz, browser = "G722", 16_000, "opus"
    say = hearing.wav(tmp_path / "caller.wav", scene.caller, rate_hz, TAIL_S)
    microphone = hearing.wav(tmp_path / "operator.wav", scene.operator, 48_000)
    heard = tmp_path / "operator-heard.wav"
    async with in_the_background(running_node(tmp_path, **settings("", profile="interview"))) as node:
        async with in_the_background(
            Baresip(tmp_path, "caller", say, codec=f"{telephone}/{rate_hz}/1", rate_hz=rate_hz)
        ) as caller:
            caller.do("dial", f"sip:114@{HOST}:{sip_port(node)}")
            await asyncio.to_thread(caller.wait, "CALL_RINGING")
            (call,) = {str(event["call"]) for event in node.events()}
            task = Task(
                node.leg_url(call, Leg.OPERATOR),
                node.token(call, Leg.OPERATOR, Profile.INTERVIEW),
                "webrtc",
                browser,
                str(microphone),
                str(heard),
                str(tmp_path / "notes.json"),
            )
            async with party(Leg.OPERATOR, task, tmp_path / "operator.log") as operator:
                await operator.until("ready", 60)
                await asyncio.to_thread(caller.wait, "CALL_ESTABLISHED")
                await asyncio.to_thread(press, node, call, "7")
                pressed = await asyncio.to_thread(caller.wait, "CALL_DTMF_START")
                assert pressed["param"] == "7"
                caller.do("sndcode", "5")
                operator.order("go")
                await operator.until("played", 60)
                operator.order("bye")
                await operator.until("end", 60)
            await asyncio.to_thread(caller.wait, "CALL_CLOSED")
        joined = [event["fields"] for event in node.events() if event["kind"] == "leg.joined"]
        legs = {(leg["transport"], leg["codec"]) for leg in joined if isinstance(leg, dict)}
        assert legs == {("sip", telephone), ("webrtc", browser)}
        noted = [event["fields"] for event in node.events() if event["kind"] == "call.noted"]
        assert [one["by"] for one in noted if isinstance(one, dict) and one["note"] == "digit"] == [
            "operator",
            "caller",
        ]
        started = await asyncio.to_thread(node.wait_for, "call.started", call)
        assert started["profile"] == "interview"
    at_caller = hearing.judge(scene, scene.operator, heard_by(caller))
    assert at_caller.words > 0.6
    assert at_caller.strokes > 10
    assert at_caller.audible_pct <= 10 or hearing.let_through(node, call)
    at_operator = np.asarray(files.read(heard, hearing.RATE), np.float64) / 32768
    assert hearing.likeness(scene.caller, at_operator) > 0.6
