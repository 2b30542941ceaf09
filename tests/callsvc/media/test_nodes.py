"""Several nodes on one host: a process for each core, and nothing between them."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
from pathlib import Path
from uuid import uuid4

import pytest

from audio.codecs import PCMA
from callsvc.clock import SystemClock
from callsvc.telephony import client
from callsvc.telephony.client import NodeRefused
from callsvc.telephony.plain import RtpConnection
from callsvc.types import Leg
from tests.callsvc.media.test_desk import Ear
from tests.support.node import Node, running_node
from tests.support.packets import FRAME_S, babble, payloads

pytestmark = pytest.mark.call

HOST = "127.0.0.1"


async def join(node: Node, call: str, leg: Leg, token: str | None = None) -> tuple[RtpConnection, Ear]:
    url = node.leg_url(call, leg)
    connection = await client.join_rtp(url, token or node.token(call, leg), SystemClock(), [PCMA], HOST)
    ear = Ear()
    connection.listen(ear)
    return connection, ear


async def speak(connection: RtpConnection, frames: list[bytes]) -> None:
    for frame in frames:
        connection.send_frame(PCMA, frame)
        await asyncio.sleep(FRAME_S)


async def test_several_nodes_on_one_host_share_nothing_and_the_death_of_one_is_not_felt_by_the_other(
    node: Node, tmp_path: Path
) -> None:
    with running_node(tmp_path, CALLSVC_MEDIA__NODE_ID="node-2") as other:
        call = str(uuid4())
        with pytest.raises(NodeRefused) as refused:
            await join(other, call, Leg.CALLER, node.token(call, Leg.CALLER))
        assert refused.value.answer["status"] in (401, 500, 503)  # it has keys of its own
        caller, _ = await join(node, call, Leg.CALLER)
        operator, heard = await join(node, call, Leg.OPERATOR)
        elsewhere = str(uuid4())
        doomed, _ = await join(other, elsewhere, Leg.CALLER)
        frames = payloads(babble(8000, 1.0))
        speaking = asyncio.create_task(speak(caller, frames))
        other.process.kill()
        await asyncio.to_thread(other.process.wait)
        await speaking
        await asyncio.sleep(0.1)

        assert [packet.payload for packet in heard.packets] == frames
        assert node.get("/healthz")[0] == 200
        for connection in (operator, caller, doomed):
            await connection.close()


@pytest.mark.parametrize("method", ["PATCH", "PUT", "GET"])
def test_who_asks_for_what_is_not_done_with_a_leg_is_told_what_is(node: Node, method: str) -> None:
    call = str(uuid4())
    line = http.client.HTTPConnection(node.host, node.port, timeout=30)
    with contextlib.closing(line):
        line.request(
            method,
            f"/whip/{call}/caller",
            b"a=candidate:1",
            {"Authorization": f"Bearer {node.token(call, Leg.CALLER)}"},
        )
        answer = line.getresponse()
        assert answer.status == 405
        assert set(str(answer.getheader("Allow")).split(", ")) == {"POST", "DELETE", "OPTIONS"}
