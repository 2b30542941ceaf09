"""A call that an Asterisk hands to a real media node: the caller hears the operator's words and not the typing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from callsvc import data_dir
from callsvc.demo.composition import Scene
from tests.support import hearing
from tests.support.asterisk import PASSWORD, FakeAsterisk, FakeChannel, running_asterisk
from tests.support.node import in_the_background, running_node

pytestmark = [pytest.mark.call, pytest.mark.acceptance]

LENGTH_S = 9.0
RATE = 16_000
FRAME = 320
PATIENCE_S = 60.0
ATTEMPTS = 3
"""A machine that is too busy lets sound through unprocessed, and says so: then once more."""


async def until(condition: object) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def say(asterisk: FakeAsterisk, channel: FakeChannel, sound: np.ndarray) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    for index in range(len(sound) // FRAME):
        await asyncio.sleep(max(0.0, began + index * 0.02 - loop.time()))
        await asterisk.say(channel, sound[index * FRAME : (index + 1) * FRAME].astype("<i2").tobytes())


def heard(channel: FakeChannel) -> np.ndarray:
    return np.frombuffer(b"".join(channel.heard), "<i2").astype(np.float64) / 32768


async def a_call(asterisk: FakeAsterisk, scene: Scene) -> tuple[FakeChannel, FakeChannel]:
    """Both say what the scene has them say; their telephones, with what they heard."""
    caller = await asterisk.call("report")
    await until(lambda: len(asterisk.bridges) == 2 and all(len(b) == 2 for b in asterisk.bridges.values()))
    operator = next(one for name, one in asterisk.channels.items() if name.endswith("-operator"))
    await asyncio.gather(
        say(asterisk, operator, hearing.at(scene.operator, RATE)),
        say(asterisk, caller, hearing.at(scene.caller, RATE)),
    )
    await asyncio.sleep(0.5)
    await asterisk.hang_up(caller)
    await until(lambda: not asterisk.channels)
    return caller, operator


async def test_the_caller_hears_the_words_and_not_the_typing(tmp_path: Path) -> None:
    scene = hearing.scene(LENGTH_S)
    async with running_asterisk() as asterisk:
        settings = {
            "CALLSVC_ASTERISK__URL": f"http://127.0.0.1:{asterisk.port}",
            "CALLSVC_ASTERISK__PASSWORD": PASSWORD,
            "CALLSVC_ASTERISK__PORT": "0",
            "CALLSVC_ASTERISK__OPERATOR": "PJSIP/operator",
        }
        async with in_the_background(running_node(tmp_path, **settings)) as node:
            await until(lambda: asterisk._lines)
            assert data_dir.addresses(node.data_dir)["audiosocket"]["port"]
            assert json.loads((await asyncio.to_thread(node.get, "/readyz"))[1])["degraded"] == []
            for _ in range(ATTEMPTS):
                caller, operator = await a_call(asterisk, scene)
                call = str(node.events()[-1]["call"])
                sealed = await asyncio.to_thread(node.wait_for, "recording.sealed", call)
                assert sealed["outcome"] == "complete"
                if not hearing.let_through(node, call):
                    break

    at_caller = hearing.judge(scene, scene.operator, heard(caller))
    assert at_caller.words > 0.6
    assert at_caller.strokes > 10
    assert at_caller.before_db - at_caller.after_db > 15
    assert at_caller.audible_pct <= 10
    # The caller's frames came to the operator as they were.
    spoken = hearing.at(scene.caller, RATE)
    there = np.frombuffer(b"".join(operator.heard), "<i2")
    assert spoken[: FRAME * 400].astype("<i2").tobytes() in there.tobytes()
