"""Canary words in names, passwords and reasons: a whole call later they are in no log, metric or message."""

from __future__ import annotations

import asyncio
import contextlib
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest
import pytest_asyncio

from callsvc.access import people
from callsvc.bus.address import broker
from callsvc.demo.api import Api, Refused
from callsvc.types import Role
from tests.support.whole_service import CLOCK, WholeService, whole_service

pytestmark = [
    pytest.mark.call,
    pytest.mark.acceptance,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(240),
]

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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeService]:
    settings = {"CALLSVC_LOG__LEVEL": "debug"}
    async with whole_service(tmp_path_factory.mktemp("canary"), settings) as service:
        yield service


async def test_a_whole_call_leaves_no_personal_word_in_logs_metrics_or_messages(
    running: WholeService,
) -> None:
    async with running.database.transaction() as conn:
        await people.create(
            conn, name=NAME, display_name=SHOWN, roles=list(Role), password=PASSWORD, at=CLOCK.utc_now(),
            must_change_password=False,
        )  # fmt: skip
    listener = Listener()
    listening = asyncio.create_task(listener.listen(running))
    api = Api(running.url("web"))
    with pytest.raises(Refused):
        await api.sign_in(NAME, "kanariens glömda lösenord")
    await api.sign_in(NAME, PASSWORD)
    placed = await api.post("/api/demo-calls", {})
    demonstration = await _finished(api, placed["id"])
    assert demonstration["state"] == "done", demonstration
    call = str(demonstration["call_id"])

    path = f"/api/calls/{call}"
    with pytest.raises(Refused):
        await api.download(f"{path}/audio/operator.tx.wav")
    await api.post(f"{path}/access", {"reason": REASON})
    assert len(await api.download(f"{path}/audio/operator.tx.wav")) > 100_000
    for odd in (
        f"/api/calls/{urllib.parse.quote(NAME)}",
        f"/{urllib.parse.quote(REASON)}",
        f"/api/calls?state={NAME}",
    ):
        with contextlib.suppress(Refused):
            await api.download(odd)
    events = await api.get("/api/access-events")
    assert any(event["reason"] == REASON for event in events["events"])

    metrics = await asyncio.to_thread(_metrics, running)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    logs = {file: file.read_text(errors="replace") for file in _logs(running.directory)}

    assert any(call in said for said in listener.said)
    assert sum(call in content for content in logs.values()) >= 2
    assert {file.stem for file in logs} >= {"media", "web", "worker", "broker", "database", "serve"}
    assert len(metrics) == 3
    told = {"messages": "\n".join(listener.said), **metrics} | {
        str(file): said for file, said in logs.items()
    }
    for where, content in told.items():
        assert "eyJ" not in content, f"a token in {where}"
        for canary in CANARIES:
            assert canary not in content.lower(), f"{canary} in {where}"


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
