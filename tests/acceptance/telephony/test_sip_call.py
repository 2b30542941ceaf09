"""Telephone to telephone through the node, with real telephones: who heard what, by correlation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from audio import files
from callsvc.demo.composition import Scene
from tests.support import hearing
from tests.support.node import running_node
from tests.support.sip import HOST, Baresip, settings, sip_port, until

pytestmark = [pytest.mark.call, pytest.mark.acceptance]

LENGTH_S = 9.0
TAIL_S = 60.0


@pytest.fixture(scope="module")
def scene() -> Scene:
    return hearing.scene(LENGTH_S)


def heard_by(phone: Baresip, which: int = -1) -> NDArray[np.float64]:
    files_ = until(phone.heard, f"what {phone.name} heard")
    return np.asarray(files.read(files_[which], hearing.RATE), np.float64) / 32768


@pytest.fixture
def phones(tmp_path: Path, scene: Scene) -> Iterator[tuple[Baresip, Baresip]]:
    says = {
        name: hearing.wav(tmp_path / f"{name}.wav", sound, 8000, TAIL_S)
        for name, sound in (("caller", scene.caller), ("operator", scene.operator))
    }
    with (
        Baresip(tmp_path, "caller", says["caller"]) as caller,
        Baresip(tmp_path, "operator", says["operator"]) as operator,
    ):
        yield caller, operator


def test_the_caller_hears_the_words_and_not_the_typing(
    tmp_path: Path, scene: Scene, phones: tuple[Baresip, Baresip]
) -> None:
    caller, operator = phones
    with running_node(tmp_path, **settings(operator.uri)) as node:
        caller.do("dial", f"sip:114@{HOST}:{sip_port(node)}")
        caller.wait("CALL_ESTABLISHED")
        operator.wait("CALL_ESTABLISHED")
        (call,) = {str(event["call"]) for event in node.events()}
        until(
            lambda: caller.heard() and caller.heard()[-1].stat().st_size > 8000 * 2 * (LENGTH_S + 0.5),
            "enough heard",
        )
        caller.do("hangup")
        operator.wait("CALL_CLOSED")
        assert node.wait_for("recording.sealed", call)["outcome"] == "complete"
        assert node.wait_for("call.ended", call)["cause"] == "hangup"
    at_caller = hearing.judge(scene, scene.operator, heard_by(caller))
    assert at_caller.words > 0.6
    assert at_caller.strokes > 10
    assert at_caller.before_db - at_caller.after_db > 15
    assert at_caller.audible_pct <= 10
    at_operator = hearing.judge(scene, scene.caller, heard_by(operator), speech=False)
    assert at_operator.words > 0.6
