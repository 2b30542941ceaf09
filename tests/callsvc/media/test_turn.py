"""A browser that cannot reach the node by itself comes in through coturn."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import re
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)

from audio.codecs import PCMA
from callsvc.clock import SystemClock
from callsvc.telephony import client, ice
from callsvc.telephony.turn import Turn
from callsvc.telephony.webrtc import CHANNEL, Quiet, WebRtcConnection
from callsvc.types import Leg
from tests.callsvc.media.test_desk import Ear
from tests.support.node import running_node
from tests.support.packets import FRAME_S, babble, payloads

pytestmark = pytest.mark.call

HOST = "127.0.0.1"
SECRET = "only for this test"


@contextlib.contextmanager
def coturn(directory: Path) -> Iterator[int]:
    """A TURN server of our own on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((HOST, 0))
        port = int(free.getsockname()[1])
    command = [
        *("turnserver", "-n", "-L", HOST, "-E", HOST, "-p", str(port), "--realm", "callsvc"),
        *(
            "--use-auth-secret",
            "--static-auth-secret",
            SECRET,
            "--allow-loopback-peers",
            "--no-cli",
            "--no-tls",
        ),
        *("--no-dtls", "--no-tcp", "--log-file", str(directory / "turn.log"), "--simple-log"),
        *("--pidfile", str(directory / "turn.pid"), "--userdb", str(directory / "turn.db")),
    ]
    with (directory / "turn.out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=directory)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(20)


def links(host: str, port: int, path: str, token: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, port, timeout=30)
    with contextlib.closing(connection):
        connection.request("OPTIONS", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Link", "")


def test_a_pass_is_what_coturn_works_out_from_the_shared_secret() -> None:
    given = Turn(("turn:x",), "north").issue(datetime(2026, 1, 1, tzinfo=UTC), "somebody")

    assert given.user == "1767268800:somebody"
    # echo -n 1767268800:somebody | openssl dgst -sha1 -hmac north -binary | base64
    made = subprocess.run(
        ["openssl", "dgst", "-sha1", "-hmac", "north", "-binary"],
        input=given.user.encode(),
        capture_output=True,
        check=True,
    )
    import base64

    assert base64.b64encode(made.stdout).decode() == given.password
    assert Turn((), "").links(datetime(2026, 1, 1, tzinfo=UTC), "x") == ""


async def test_an_operator_behind_a_wall_talks_through_the_turn_server(tmp_path: Path) -> None:
    with coturn(tmp_path) as turn_port:
        settings = {
            "CALLSVC_MEDIA__TURN_URLS": f'["turn:{HOST}:{turn_port}?transport=udp"]',
            "CALLSVC_MEDIA__TURN_SECRET": SECRET,
        }
        with running_node(tmp_path, **settings) as node:
            call = str(uuid4())
            token = node.token(call, Leg.OPERATOR)
            path = f"/whip/{call}/operator"
            assert links(node.host, node.port, path, "none")[0] == 401
            status, link = links(node.host, node.port, path, token)
            assert status == 204
            found = re.fullmatch(
                r'<(turn:[^>]+)>; rel="ice-server"; username="([^"]+)"; credential="([^"]+)"; credential-type="password"',
                link,
            )
            assert found, link
            phone = await client.join_rtp(
                node.leg_url(call, Leg.CALLER), node.token(call, Leg.CALLER), SystemClock(), [PCMA], HOST
            )
            phone.listen(Ear())
            # No address of its own: what it offers is the relay's alone.
            ice.use_only([])
            server = RTCIceServer(found[1], found[2], found[3])
            peer = RTCPeerConnection(RTCConfiguration(iceServers=[server]))
            transceiver = peer.addTransceiver(Quiet(), "sendrecv")
            channel = peer.createDataChannel(CHANNEL)
            await peer.setLocalDescription(await peer.createOffer())
            candidates = re.findall(r"a=candidate:.* typ (\w+)", peer.localDescription.sdp)
            assert set(candidates) == {"relay"}
            answer = await client.signal(node.leg_url(call, Leg.OPERATOR), token, peer.localDescription.sdp)
            await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            operator = WebRtcConnection(peer, transceiver, SystemClock())
            operator.use_channel(channel)
            ear = Ear()
            operator.listen(ear)
            await ear.told(t="state", state="live")
            frames = payloads(babble(8000, 1.0))
            for frame in frames:
                phone.send_frame(PCMA, frame)
                await asyncio.sleep(FRAME_S)
            await asyncio.sleep(0.2)
            heard = [packet.payload for packet in ear.packets]
            await asyncio.gather(operator.close(), phone.close())
            assert len([frame for frame in frames if frame in heard]) > 40
