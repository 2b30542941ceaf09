"""Settings that cannot be used are refused when they are read, by name, with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from callsvc.config import load
from callsvc.errors import ConfigurationError

pytestmark = pytest.mark.house


@pytest.mark.parametrize(
    ("group", "named"),
    [
        ({"store": {"url": "ftp://somewhere"}}, "store.url"),
        ({"store": {"keys_url": "/srv/keys"}}, "store.keys_url"),
        ({"mqtt": {"url": "http://broker"}}, "mqtt.url"),
        ({"mqtt": {"url": "mqtt://broker:many"}}, "mqtt.url"),
        ({"database": {"url": "mysql://app:canary@db"}}, "database.url"),
        ({"web": {"port": 99999}}, "web.port"),
        ({"media": {"port": -1}}, "media.port"),
    ],
)
def test_an_address_or_port_of_another_kind_is_named_and_no_secret_with_it(
    group: dict[str, dict[str, object]], named: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(**group)
    assert named in refused.value.message
    assert "canary" not in refused.value.message


def test_a_flag_goes_before_the_environment_and_leaves_its_group_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSVC_WEB__PORT", "1111")
    monkeypatch.setenv("CALLSVC_WEB__HOST", "127.0.0.9")
    assert load(data_dir=tmp_path, web={"port": 2222, "host": None}).web.port == 2222
    assert load(data_dir=tmp_path, web={"port": 2222, "host": None}).web.host == "127.0.0.9"
    assert load(data_dir=tmp_path, web={"port": None}).web.port == 1111


def test_a_list_that_is_no_json_is_said_to_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSVC_SIP__PEERS", "192.0.2.1,192.0.2.2")
    with pytest.raises(ConfigurationError) as refused:
        load()
    assert "environment" in refused.value.message
    assert "sip" in refused.value.message
    assert "JSON" in refused.value.hint


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["serve", "--port", "99999"], 3, "web.port"),
        (["web", "--port", "-1"], 3, "web.port"),
        (["web", "--host", "999.1.1.1", "--port", "0"], 3, "999.1.1.1"),
        (["media", "--port", "70000"], 3, "media.port"),
        (["broker", "--port", "70000"], 3, "mqtt.port"),
        (["demo", "--out", "/dev/null"], 2, "/dev/null"),
        (["mask", "holder", "/nowhere/at/all"], 2, "/nowhere/at"),
        (["mask", "open", "0190c8a0-0000-7000-8000-000000000000", "{dir}/new", "--reason", "en prövning"]
         + ["--holder", "/nowhere"] * 2, 2, "/nowhere"),
    ],
    ids=lambda value: "-".join(value[:3]) if isinstance(value, list) else None,
)  # fmt: skip
def test_a_command_that_cannot_work_says_why_in_a_line_and_asks_for_nothing_first(
    tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "callsvc", *(word.replace("{dir}", str(tmp_path)) for word in words)],
        env=os.environ | {"CALLSVC_DATA_DIR": str(tmp_path / "data")},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
