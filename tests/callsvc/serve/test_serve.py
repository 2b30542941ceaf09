"""`callsvc serve`: starts everything, says where it is, brings back what dies, and leaves nothing running."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from callsvc import data_dir
from tests.support.house import ROOT
from tests.support.service import PARTS, Service, family, runs, service

pytestmark = [pytest.mark.call, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for the tests that kill its parts; each leaves it whole again."""
    with service(tmp_path_factory.mktemp("serve") / "data") as one:
        asyncio.run(one.until_said("Avsluta med Ctrl-C."))
        yield one


def test_it_says_in_swedish_where_it_is_and_how_to_sign_in(serve: Service) -> None:
    assert re.search(r"Tjänsten är igång: http://127\.0\.0\.1:\d+/", serve.said)
    assert re.search(r"Logga in som admin med engångslösenordet (\w{5}-){3}\w{5} ", serve.said)


def test_every_part_is_a_process_that_is_ready(serve: Service) -> None:
    assert set(serve.pids()) == set(PARTS)
    assert {part: serve.ready(part) for part in ("media", "web", "worker")} == dict.fromkeys(
        ("media", "web", "worker"), True
    )


def test_the_one_time_password_signs_in(serve: Service) -> None:
    found = re.search(r"engångslösenordet (\S+) ", serve.said)
    assert found is not None
    host, port = serve.address("web")
    request = urllib.request.Request(
        f"http://{host}:{port}/api/login",
        json.dumps({"name": "admin", "password": found[1]}).encode(),
        {"Content-Type": "application/json", "Origin": f"http://{host}:{port}"},
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status in (200, 204)


def test_the_addresses_hold_no_secret_and_are_for_the_owner(serve: Service) -> None:
    file = serve.directory / "run" / "ports.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(data_dir.addresses(serve.directory)) == {"media", "web", "worker", "mqtt", "database", "serve"}
    assert "password" not in file.read_text()


def test_whatever_lies_in_the_data_directory_is_in_the_reference(serve: Service) -> None:
    table = (ROOT / "docs/reference/files.md").read_text().partition("## Copies")[0]
    rows = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    named = {name.partition("/")[0] for row in rows for name in re.findall(r"`(.+?)`", row)}
    assert {file.name for file in serve.directory.iterdir()} <= named


@pytest.mark.fault
@pytest.mark.parametrize("part", ["database", "broker", "worker", "web"])
async def test_a_part_that_is_killed_comes_back_and_the_others_stay(serve: Service, part: str) -> None:
    before = serve.pids()
    os.kill(before[part], signal.SIGKILL)
    while serve.pids().get(part) in (None, before[part]):
        await asyncio.sleep(0.05)
    await serve.until_said(f"{part} är igång igen.")
    await serve.until_ready("media", "web", "worker")
    after = serve.pids()
    assert {name for name in PARTS if after[name] != before[name]} == {part}


@pytest.mark.fault
async def test_the_media_node_stays_when_all_others_are_killed_at_once(serve: Service) -> None:
    before = serve.pids()
    for part in PARTS:
        if part != "media":
            os.kill(before[part], signal.SIGKILL)
    assert await asyncio.to_thread(serve.ready, "media")
    while set(serve.pids()) != set(PARTS) or any(
        serve.pids().get(part) == before[part] for part in PARTS if part != "media"
    ):
        await asyncio.sleep(0.05)
    await serve.until_ready("media", "web", "worker")
    assert serve.pids()["media"] == before["media"]


@pytest.mark.fault
async def test_a_second_service_on_the_same_directory_is_refused(serve: Service) -> None:
    with service(serve.directory) as second:
        assert await second.ended() == 3
    assert f"En annan tjänst är redan igång på {serve.directory}" in serve.said
    await serve.until_ready("web")


@pytest.mark.fault
async def test_killed_itself_it_takes_its_parts_along_starts_cleanly_and_stops_without_a_trace(
    serve: Service,
) -> None:
    """The last of those that share the service."""
    everybody = family(serve.process.pid)
    assert len(everybody) > len(PARTS)
    os.kill(serve.process.pid, signal.SIGKILL)
    assert await serve.ended() == -signal.SIGKILL
    while any(runs(pid) for pid in everybody):
        await asyncio.sleep(0.05)
    with service(serve.directory) as again:
        while again.said.count("Avsluta med Ctrl-C.") < 2:
            assert again.process.poll() is None, again.said
            await asyncio.sleep(0.05)
        # Nobody has changed the first password, and whoever looks now has not seen the old terminal.
        assert len(set(re.findall(r"engångslösenordet (\S+) ", again.said))) == 2
        everybody = family(again.process.pid)
        os.kill(again.process.pid, signal.SIGINT)
        assert await again.ended() == 0
    assert "Allt är avstängt." in again.said
    assert [pid for pid in everybody if runs(pid)] == []
    assert data_dir.addresses(serve.directory) == {}


@pytest.mark.fault
@pytest.mark.parametrize("setting", ["web.port", "media.port", "worker.port", "mqtt.port"])
async def test_a_taken_port_is_named_with_its_setting_and_nothing_is_started(
    tmp_path: Path, setting: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        variable = "CALLSVC_" + setting.replace(".", "__").upper()
        with service(tmp_path / "data", **{variable: str(port)}) as one:
            assert await one.ended() == 3
    assert f"Port {port} ({setting}) används av ett annat program." in one.said
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.fault
async def test_a_data_directory_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    (directory / "VERSION").write_text("99\n")
    with service(directory) as one:
        assert await one.ended() == 3
    assert "har uppbyggnad 99" in one.said
    assert [p.name for p in directory.iterdir()] == ["VERSION"]


@pytest.mark.fault
async def test_a_database_of_another_major_version_is_refused_before_anything_starts(tmp_path: Path) -> None:
    directory = data_dir.prepare(tmp_path / "data")
    (directory / "postgres").mkdir()
    (directory / "postgres" / "PG_VERSION").write_text("11\n")
    with service(directory) as one:
        assert await one.ended() == 3
    assert "skapades av PostgreSQL 11" in one.said
    assert list((directory / "logs").glob("media*")) == []
