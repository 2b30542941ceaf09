"""One whole service and calls in it, while garbage comes, a client vanishes and parts are killed: each call goes on, is
recorded whole, and what was missed catches up. And canary words in names, passwords and reasons: after all of it they are
in no log, metric or message.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest
import pytest_asyncio

from callsvc.access import people
from callsvc.bus.address import broker
from callsvc.demo import composition
from callsvc.demo.api import Api, ServiceRefused
from callsvc.ids import parse_id
from callsvc.store import calls
from callsvc.types import Leg, Role, Track
from tests.support.whole_service import CLOCK, WholeService, whole_service

pytestmark = [
    pytest.mark.call,
    pytest.mark.acceptance,
    pytest.mark.fault,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(240),
]

VANISH_S = 3.0
KILLED_S = 14.0
"""Of conversation, in which four parts die."""
NAME, SHOWN, PASSWORD = "kanariegul", "Kanarie Fågelsson", "kanariens hemliga visslande"
REASON = "kanariefågeln sjöng om målet"
CANARIES = ("kanarie", "fågelsson", "visslande", "sjöng")


class Listener:
    """Somebody at the broker who takes down every message."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def listen(self, service: WholeService) -> None:
        at = broker(service.settings)
        async with aiomqtt.Client(at.host, at.port, username=at.user, password=at.password) as client:
            for topic in ("call/#", "node/#"):
                await client.subscribe(topic, qos=1)
            async for message in client.messages:
                self.said.append(f"{message.topic} {message.payload!r}")


@dataclass(frozen=True)
class Canary:
    """Somebody with such a name, signed in, and the demonstration call that they have asked for."""

    api: Api
    demonstration: str
    listener: Listener


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeService]:
    settings = {"CALLSVC_MEDIA__VANISH_AFTER_S": str(VANISH_S), "CALLSVC_LOG__LEVEL": "debug"}
    async with whole_service(tmp_path_factory.mktemp("whole"), settings) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def canary(running: WholeService) -> AsyncIterator[Canary]:
    async with running.database.transaction() as conn:
        await people.create(
            conn, name=NAME, display_name=SHOWN, roles=list(Role), password=PASSWORD, at=CLOCK.utc_now(),
            must_change_password=False,
        )  # fmt: skip
    listener = Listener()
    listening = asyncio.create_task(listener.listen(running))
    api = Api(running.url("web"))
    with pytest.raises(ServiceRefused):
        await api.sign_in(NAME, "kanariens glömda lösenord")
    await api.sign_in(NAME, PASSWORD)
    placed = await api.post("/api/demo-calls", {})
    yield Canary(api, placed["id"], listener)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


@pytest.mark.usefixtures("canary")
async def test_garbage_on_every_port_harms_neither_the_call_nor_a_part(running: WholeService) -> None:
    parts = ("media", "web", "worker", "broker", "database")
    before = {part: running.pid(part) for part in parts}
    hit: list[int] = []

    async def throw() -> None:
        hit.append(await asyncio.to_thread(_throw_garbage, running))

    placed = await running.call(during=throw)
    assert hit[0] >= 4
    measured = placed.measured
    assert measured.caller_unchanged
    assert measured.similarity > 0.8
    found = await running.books(placed.id)
    assert running.whole(placed.id, found)
    assert {part: running.pid(part) for part in parts} == before


@pytest.mark.usefixtures("canary")
async def test_a_client_that_vanishes_ends_the_call_and_leaves_it_recorded(running: WholeService) -> None:
    invitation = await running.invite()
    async with running.parties(invitation, 20.0) as parties:
        for one in parties.values():
            one.order("go")
        await asyncio.sleep(3.0)
        os.kill(parties[Leg.CALLER].pid, signal.SIGKILL)
        await parties[Leg.OPERATOR].until("left", VANISH_S + 15)
    call_id = parse_id(invitation.call_id)
    found = await running.books(call_id)
    async with running.database.transaction() as conn:
        legs = {leg.leg: leg for leg in await calls.legs(conn, call_id)}
    assert legs[Leg.CALLER].cause == "vanished"
    assert found.recording.outcome == "complete"
    assert found.length_ms >= 3000
    assert running.whole(call_id, found)


async def test_a_whole_call_leaves_no_personal_word_in_logs_metrics_or_messages(
    running: WholeService, canary: Canary
) -> None:
    api = canary.api
    demonstration = await _finished(api, canary.demonstration)
    assert demonstration["state"] == "done", demonstration
    call = str(demonstration["call_id"])

    path = f"/api/calls/{call}"
    with pytest.raises(ServiceRefused):
        await api.download(f"{path}/audio/operator.tx.wav")
    await api.post(f"{path}/access", {"reason": REASON})
    assert len(await api.download(f"{path}/audio/operator.tx.wav")) > 100_000
    for odd in (
        f"/api/calls/{urllib.parse.quote(NAME)}",
        f"/{urllib.parse.quote(REASON)}",
        f"/api/calls?state={NAME}",
    ):
        with contextlib.suppress(ServiceRefused):
            await api.download(odd)
    events = await api.get("/api/access-events")
    assert any(event["reason"] == REASON for event in events["events"])

    metrics = await asyncio.to_thread(_metrics, running)
    logs = {file: file.read_text(errors="replace") for file in _logs(running.directory)}

    assert any(call in said for said in canary.listener.said)
    assert sum(call in content for content in logs.values()) >= 2
    assert {file.stem for file in logs} >= {"media", "web", "worker", "broker", "database", "serve"}
    assert len(metrics) == 3
    told = {"messages": "\n".join(canary.listener.said), **metrics} | {
        str(file): said for file, said in logs.items()
    }
    for where, content in told.items():
        assert "eyJ" not in content, f"a token in {where}"
        for word in CANARIES:
            assert word not in content.lower(), f"{word} in {where}"


async def test_parts_are_killed_one_after_the_other_and_the_call_never_notices(running: WholeService) -> None:
    killed: list[float] = []

    async def kill() -> None:
        for part in ("database", "broker", "worker", "web"):
            await running.kill(part)
            killed.append(CLOCK.monotonic())
            while not await running.database.ready():
                await asyncio.sleep(0.1)

    placed = await running.call(composition.compose().cut(KILLED_S), during=kill)
    begun = placed.sides[Leg.CALLER].notes.played_at
    assert begun is not None
    assert begun < killed[0] < killed[-1] < begun + KILLED_S
    measured = placed.measured
    assert measured.caller_unchanged
    assert measured.similarity > 0.8
    # The node closed both lines when one hung up; neither was lost.
    assert {side.notes.left for side in placed.sides.values()} == {"closed"}

    found = await running.books(placed.id)
    assert found.recording.outcome == "complete"
    assert set(found.tracks) == set(Track)
    assert abs(found.length_ms - 1000 * placed.scene.length_s) < 4000
    assert running.whole(placed.id, found)
    async with running.database.transaction() as conn:
        legs = await calls.legs(conn, placed.id)
    assert {leg.leg for leg in legs if leg.joined_at and leg.left_at} == set(Leg)


def _throw_garbage(running: WholeService) -> int:
    """Bytes that mean nothing, to every port that the service listens on; how many ports that were."""
    rng = random.Random(7)
    found = {int(str(one["port"])) for one in running.addresses.values() if "port" in one}
    for port in found:
        for start in (
            b"",
            b"GET / HTTP/1.1\r\n",
            b"POST /whip/x HTTP/1.1\r\nContent-Length: 99999\r\n\r\n",
            b"\x10\xff",
        ):
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=2) as peer:
                    peer.sendall(start + rng.randbytes(3000))
            except OSError:
                pass  # being hung up on is an answer, too
    for port in _udp_ports(running.pid("media")):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            for length in (0, 1, 11, 12, 20, 200, 1400):
                for first in (0x00, 0x14, 0x80, 0xFF):
                    peer.sendto(
                        (bytes([first]) + rng.randbytes(length))[: max(1, length)], ("127.0.0.1", port)
                    )
        found.add(port)
    return len(found)


def _udp_ports(pid: int) -> set[int]:
    """UDP ports that a process has open, by the kernel's own list."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[9] in inodes}


async def _finished(api: Api, demonstration: str) -> dict[str, object]:
    seen = -1.0
    async with asyncio.timeout(150):
        while True:
            found: dict[str, object] = await api.get(f"/api/demo-calls/{demonstration}")
            progress = float(str(found["progress"]))
            assert progress >= seen
            seen = progress
            if found["state"] in ("done", "failed"):
                return found
            await asyncio.sleep(0.5)


def _metrics(running: WholeService) -> dict[str, str]:
    found = {}
    for part in ("media", "web", "worker"):
        with urllib.request.urlopen(f"{running.url(part)}/metrics", timeout=5) as answer:
            found[part] = answer.read().decode()
    return found


def _logs(directory: Path) -> list[Path]:
    return [*sorted((directory / "logs").iterdir()), directory / "serve.log"]
