"""The media node as a process: what it answers, what it refuses, how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audio import codecs, rtp
from callsvc.clock import SystemClock
from callsvc.http_door import Door
from callsvc.telephony import client, sdp, token_keys, tokens
from callsvc.telephony.plain import RtpConnection
from callsvc.types import Leg, Profile
from tests.support.node import Node, running_node
from tests.support.packets import FRAME_S, babble, payloads

pytestmark = pytest.mark.call

HOST = "127.0.0.1"


class Ear:
    """A client that keeps what it hears."""

    def __init__(self) -> None:
        self.packets: list[rtp.Packet] = []
        self.left = asyncio.Event()
        self.cause = ""

    def on_ready(self) -> None: ...

    def on_channel(self) -> None: ...

    def on_packet(self, packet: rtp.Packet, now: float) -> None:
        self.packets.append(packet)

    def on_message(self, message: object) -> None: ...

    def on_left(self, cause: str) -> None:
        self.cause = cause
        self.left.set()


class Telephones:
    """Joins calls by plain RTP, and lets go of everything at the end."""

    def __init__(self) -> None:
        self._connections: list[RtpConnection] = []

    async def __call__(
        self, node: Node, call: str, leg: Leg, token: str | None = None
    ) -> tuple[RtpConnection, Ear]:
        connection = await client.join_rtp(
            node.leg_url(call, leg), token or node.token(call, leg), SystemClock(), [codecs.PCMA], HOST
        )
        self._connections.append(connection)
        ear = Ear()
        connection.listen(ear)
        return connection, ear

    async def close(self) -> None:
        for connection in self._connections:
            await connection.close()
        # The loop closes sockets in its next turn.
        await asyncio.sleep(0)


@pytest.fixture
async def join() -> AsyncIterator[Telephones]:
    telephones = Telephones()
    yield telephones
    await telephones.close()


async def speak(connection: RtpConnection, frames: list[bytes]) -> None:
    for frame in frames:
        connection.send_frame(codecs.PCMA, frame)
        await asyncio.sleep(FRAME_S)


def reason(refused: pytest.ExceptionInfo[client.NodeRefused]) -> dict[str, object]:
    return refused.value.answer


def test_it_is_alive_and_ready_and_counts(node: Node) -> None:
    token_keys.private_key(node.data_dir / "keys")

    assert node.get("/healthz") == (200, '{"status":"ok"}')
    assert node.get("/readyz")[1].startswith('{"ready":true,"reasons":{},"degraded":[],"in_force":{"line-pro')
    status, text = node.get("/metrics")
    assert status == 200
    assert "callsvc_tick_lateness_seconds_bucket" in text
    assert "callsvc_outbox_waiting" in text


def test_it_is_not_ready_before_it_has_the_key_for_tokens(tmp_path: Path) -> None:
    with running_node(tmp_path) as node:
        status, text = node.get("/readyz")
        assert status == 503
        assert "token_key" in text

        token_keys.private_key(node.data_dir / "keys")
        assert node.get("/readyz")[0] == 200


async def test_two_telephones_talk_payload_for_payload(node: Node, join: Telephones) -> None:
    call = str(uuid4())
    caller, _ = await join(node, call, Leg.CALLER)
    operator, heard = await join(node, call, Leg.OPERATOR)
    frames = payloads(babble(8000, 1.0))
    await asyncio.gather(speak(caller, frames), speak(operator, frames))
    await asyncio.sleep(0.1)

    assert [packet.payload for packet in heard.packets] == frames
    await operator.close()
    await caller.close()
    assert node.wait_for("call.ended", call)["cause"] == "hangup"


async def test_hanging_up_ends_the_other_leg_too(node: Node, join: Telephones) -> None:
    call = str(uuid4())
    caller, at_caller = await join(node, call, Leg.CALLER)
    operator, _ = await join(node, call, Leg.OPERATOR)
    await operator.close()

    await asyncio.wait_for(at_caller.left.wait(), 10)
    assert at_caller.cause == "hangup"
    await caller.close()


async def test_a_leg_hangs_up_over_http_with_the_token_that_joined(node: Node, join: Telephones) -> None:
    call = str(uuid4())
    token = node.token(call, Leg.CALLER)
    url = node.leg_url(call, Leg.CALLER)
    caller, _ = await join(node, call, Leg.CALLER, token)
    await client.hang_up(url, token)

    assert node.wait_for("call.ended", call)["cause"] == "hangup"
    await caller.close()
    with pytest.raises(client.NodeRefused) as refused:
        await client.hang_up(url, token)
    assert reason(refused)["status"] == 404


async def test_a_token_joins_once_and_a_call_that_is_over_stays_over(node: Node, join: Telephones) -> None:
    call = str(uuid4())
    token = node.token(call, Leg.CALLER)
    caller, _ = await join(node, call, Leg.CALLER, token)
    with pytest.raises(client.NodeRefused) as refused:
        await join(node, call, Leg.CALLER, token)
    assert reason(refused)["status"] == 401

    await caller.close()
    node.wait_for("call.ended", call)
    with pytest.raises(client.NodeRefused) as refused:
        await join(node, call, Leg.CALLER)
    assert reason(refused)["code"] == "call_over"


async def test_a_token_is_not_replayed_for_a_call_that_goes_on(node: Node, join: Telephones) -> None:
    """The same token after its leg was refused for another reason is still good; after it joined it is not."""
    call = str(uuid4())
    token, url = node.token(call, Leg.CALLER), node.leg_url(call, Leg.CALLER)
    with pytest.raises(client.NodeRefused) as refused:
        await client.signal(url, token, "v=0\n")
    assert reason(refused)["code"] == "bad_offer"
    caller, _ = await join(node, call, Leg.CALLER, token)
    await caller.close()


@pytest.mark.parametrize(
    "kind", ["none", "garbage", "expired", "other call", "other leg", "other node", "stranger"]
)
async def test_whoever_has_no_right_token_is_refused_and_nothing_begins(node: Node, kind: str) -> None:
    call = str(uuid4())
    right = node.token(call, Leg.CALLER)
    key = token_keys.private_key(node.data_dir / "keys")
    stranger = Ed25519PrivateKey.generate()
    now = SystemClock().utc_now()
    token = {
        "none": "",
        "garbage": "a.b.c",
        "expired": tokens.issue(
            key, now - 2 * tokens.LIFETIME, call=call, leg=Leg.CALLER, profile=Profile.REPORT, subject="x"
        ),
        "other call": node.token(str(uuid4()), Leg.CALLER),
        "other leg": node.token(call, Leg.OPERATOR),
        "other node": node.token(call, Leg.CALLER, node="node-2"),
        "stranger": tokens.issue(
            stranger, now, call=call, leg=Leg.CALLER, profile=Profile.REPORT, subject="x"
        ),
    }[kind]
    offer = sdp.plain(HOST, 5004, {8: codecs.PCMA}, 1)

    with pytest.raises(client.NodeRefused) as refused:
        await client.signal(node.leg_url(call, Leg.CALLER), token, offer)
    assert reason(refused)["status"] == 401
    assert reason(refused)["code"] == "token_refused"
    assert right not in str(reason(refused))
    assert not [event for event in node.events() if event["call"] == call]


@pytest.mark.parametrize(
    "offer",
    [
        pytest.param("", id="nothing"),
        pytest.param("v=0\n" + "a=x\n" * 5000, id="endless"),
        pytest.param("\x00\xff\xfe", id="bytes"),
        pytest.param(
            "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\na=group:BUNDLE 0 0 0\nm=audio 9 UDP/TLS/RTP/SAVPF 111\n"
            "c=IN IP4 0.0.0.0\na=rtpmap:111 opus/48000/2\na=ice-ufrag:x\na=ice-pwd:y\na=setup:actpass\n"
            "a=fingerprint:sha-256 nonsense\na=candidate:garbage\n",
            id="WebRTC that makes no sense",
        ),
        pytest.param(
            "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\nm=audio 9 UDP/TLS/RTP/SAVPF 111\nc=IN IP4 0.0.0.0\n"
            "a=rtpmap:111 opus/48000/2\na=ice-ufrag:x\na=ice-pwd:y\na=setup:actpass\na=fingerprint:sha-256 00\n"
            "m=application 9 UDP/DTLS/SCTP x\na=sctp-port:notaport\n",
            id="a data channel that makes no sense",
        ),
    ],
)
async def test_an_absurd_offer_is_refused_with_a_reason(node: Node, offer: str) -> None:
    call = str(uuid4())
    with pytest.raises(client.NodeRefused) as refused:
        await client.signal(node.leg_url(call, Leg.OPERATOR), node.token(call, Leg.OPERATOR), offer)

    assert reason(refused)["code"] == "bad_offer"
    assert node.get("/healthz")[0] == 200


async def test_garbage_on_every_port_does_not_touch_a_running_call(node: Node, join: Telephones) -> None:
    call = str(uuid4())
    caller, _ = await join(node, call, Leg.CALLER)
    operator, heard = await join(node, call, Leg.OPERATOR)
    frames = payloads(babble(8000, 1.5))
    speaking = asyncio.gather(speak(caller, frames), speak(operator, frames))
    target = caller._peer
    # The call runs; before its first packet, who is the peer is an open question.
    while len(heard.packets) < 5:
        await asyncio.sleep(0.01)

    def throw() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for size in range(300):
                stranger.sendto(os.urandom(size), target)
                stranger.sendto(rtp.build(rtp.Packet(8, size, size * 160, 1, b"\xd5" * 160)), target)
        for _ in range(20):
            with socket.create_connection((node.host, node.port)) as stranger:
                stranger.sendall(os.urandom(2000) + b"\r\n\r\n")

    await asyncio.to_thread(throw)
    # Garbage from the caller's own address, too; of its first byte the version is right.
    for size in range(0, 200, 7):
        caller._port.send(b"\x80\x08" + os.urandom(size), target)
    await speaking
    await asyncio.sleep(0.1)

    assert [packet.payload for packet in heard.packets if len(packet.payload) == 160][: len(frames)] == frames
    assert node.get("/healthz")[0] == 200
    await operator.close()
    await caller.close()
    assert node.wait_for("call.ended", call)["cause"] == "hangup"


def test_a_crowd_that_connects_and_says_nothing_keeps_nobody_out(node: Node) -> None:
    with contextlib.ExitStack() as crowd:
        for number in range(Door.most + 100):
            stranger = crowd.enter_context(socket.create_connection((node.host, node.port)))
            if number % 2:
                with contextlib.suppress(ConnectionError):
                    stranger.sendall(b"POST /whip/x/caller HTTP/1.1\r\nHost: x\r\n")
            if number % 50 == 0:
                assert node.get("/healthz")[0] == 200

        assert node.get("/healthz")[0] == 200


async def test_a_client_that_vanishes_ends_its_call_after_the_silence_that_is_set(
    tmp_path: Path, join: Telephones
) -> None:
    with running_node(tmp_path, CALLSVC_MEDIA__VANISH_AFTER_S="1") as node:
        call = str(uuid4())
        caller, at_caller = await join(node, call, Leg.CALLER)
        operator, _ = await join(node, call, Leg.OPERATOR)
        operator._port.close()
        frames = payloads(babble(8000, 6.0))
        speaking = asyncio.create_task(speak(caller, frames))
        await asyncio.wait_for(at_caller.left.wait(), 10)
        speaking.cancel()
        await caller.close()

        assert node.wait_for("call.ended", call)["cause"] == "vanished"
        assert node.wait_for("recording.sealed", call)["outcome"] == "complete"


async def test_asked_to_stop_it_lets_calls_end_and_takes_no_new_ones(
    tmp_path: Path, join: Telephones
) -> None:
    with running_node(tmp_path) as node:
        call = str(uuid4())
        caller, _ = await join(node, call, Leg.CALLER)
        operator, heard = await join(node, call, Leg.OPERATOR)
        node.process.send_signal(signal.SIGTERM)
        while node.get("/readyz")[0] == 200:
            await asyncio.sleep(0.02)

        with pytest.raises(client.NodeRefused) as refused:
            await join(node, str(uuid4()), Leg.CALLER)
        assert reason(refused)["status"] == 503
        frames = payloads(babble(8000, 0.5))
        await speak(caller, frames)
        assert [packet.payload for packet in heard.packets][:20] == frames[:20]
        await operator.close()
        await caller.close()

        assert await asyncio.to_thread(node.process.wait, 20) == 0
        assert node.wait_for("recording.sealed", call)["outcome"] == "complete"


async def test_told_to_stop_at_once_it_ends_its_calls_and_seals_them(
    tmp_path: Path, join: Telephones
) -> None:
    with running_node(tmp_path) as node:
        call = str(uuid4())
        caller, at_caller = await join(node, call, Leg.CALLER)
        operator, _ = await join(node, call, Leg.OPERATOR)
        await speak(caller, payloads(babble(8000, 0.3)))
        node.process.send_signal(signal.SIGINT)
        await asyncio.wait_for(at_caller.left.wait(), 10)
        assert await asyncio.to_thread(node.process.wait, 20) == 0
        await operator.close()
        await caller.close()

        assert node.wait_for("call.ended", call)["cause"] == "node_stopped"
        assert node.wait_for("recording.sealed", call)["outcome"] == "complete"


async def test_killed_in_the_middle_it_seals_and_tells_at_the_next_start(
    tmp_path: Path, join: Telephones
) -> None:
    with running_node(tmp_path) as node:
        call = str(uuid4())
        caller, _ = await join(node, call, Leg.CALLER)
        operator, _ = await join(node, call, Leg.OPERATOR)
        frames = payloads(babble(8000, 3.0))
        await asyncio.gather(speak(caller, frames), speak(operator, frames))
        node.process.kill()
        node.process.wait()
        await operator.close()
        await caller.close()

    with running_node(tmp_path) as node:
        sealed = node.wait_for("recording.sealed", call)
        assert sealed["outcome"] == "ended_by_failure"
        ended = node.wait_for("call.ended", call)
        assert ended["cause"] == "failure"
        length_ms = ended["length_ms"]
        assert isinstance(length_ms, int)
        assert length_ms > 1800


def run_media(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "callsvc", "media", *arguments], capture_output=True, text=True, timeout=60
    )


def test_a_taken_port_is_said_so_and_ends_with_status_3(tmp_path: Path, node: Node) -> None:
    done = run_media("--data-dir", str(tmp_path), "--port", str(node.port))

    assert done.returncode == 3
    assert str(node.port) in done.stderr


def test_a_second_node_on_the_same_data_directory_is_refused(node: Node) -> None:
    done = run_media("--data-dir", str(node.data_dir), "--port", "0")
    assert done.returncode == 3
    assert "redan igång" in done.stderr


def test_a_node_without_its_suppressor_is_ready_and_says_what_is_lost(tmp_path: Path) -> None:
    with running_node(tmp_path, CALLSVC_SUPPRESSOR__ENABLED="false") as node:
        token_keys.private_key(node.data_dir / "keys")
        status, text = node.get("/readyz")

    assert status == 200
    assert json.loads(text)["degraded"] == ["suppressor"]
