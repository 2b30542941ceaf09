"""What is installed on a server: units that systemd accepts, settings that the service accepts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from callsvc.cli import COMMANDS
from callsvc.config import load
from tests.support.house import ROOT, run

pytestmark = pytest.mark.house

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
INSTALLED = "/opt/callsvc/bin/callsvc"


def directives(unit: Path) -> dict[str, str]:
    lines = [
        line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line and line[:1].isalpha()
    ]
    return dict(lines)


def test_systemd_accepts_every_unit(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("callsvc")
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace(INSTALLED, str(program)))
    done = run("systemd-analyze", "verify", *sorted(tmp_path.iterdir()))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_every_unit_starts_a_command_that_there_is_as_a_user_without_rights(unit: Path) -> None:
    said = directives(unit)
    program, command = said["ExecStart"].split()
    assert program == INSTALLED
    assert command in COMMANDS
    assert said["User"] == "callsvc"
    assert said["NoNewPrivileges"] == "yes"


def test_only_what_carries_sound_may_have_real_time() -> None:
    may = {unit.stem for unit in UNITS if directives(unit).get("LimitRTPRIO")}
    assert may == {"callsvc", "callsvc-media"}
    assert not any("RestrictRealtime" in directives(unit) for unit in UNITS if unit.stem in may)


def test_a_media_node_that_is_asked_to_stop_is_given_the_time_that_calls_take() -> None:
    media = next(unit for unit in UNITS if unit.stem == "callsvc-media")
    assert directives(media)["TimeoutStopSec"] == "1h"


def test_no_unit_asks_for_what_the_recogniser_cannot_live_with() -> None:
    assert not any("MemoryDenyWriteExecute" in directives(unit) for unit in UNITS)


def test_the_settings_of_a_server_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSVC_CONFIG", str(ROOT / "deploy" / "callsvc.toml"))
    settings = load()
    assert settings.data_dir == Path("/var/lib/callsvc")
    assert settings.media.rtp_ports == (20000, 20999)
