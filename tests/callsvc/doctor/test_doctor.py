"""`callsvc doctor` finds what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from callsvc import data_dir
from callsvc.config import load
from callsvc.doctor import State, machine, parts, service
from callsvc.doctor.command import report
from callsvc.doctor.finding import Finding
from callsvc.locale import LANGUAGES, catalogue

pytestmark = pytest.mark.house

FREE = {group: {"port": 0} for group in ("web", "media", "mqtt", "worker")}


def doctor(directory: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    free = {f"CALLSVC_{group.upper()}__PORT": "0" for group in FREE}
    return subprocess.run(
        [sys.executable, "-m", "callsvc", "doctor", "--data-dir", directory, *words],
        env={**os.environ, **free, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_on_a_machine_in_order_it_ends_with_zero_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = doctor(tmp_path / "data", "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 0, said
    assert said["ok"] is True
    assert {one["check"] for one in said["findings"]} >= {
        "python",
        "disk",
        "ports",
        "database",
        "suppressor",
        "screens",
    }
    assert list(tmp_path.iterdir()) == []


def test_it_speaks_swedish_and_says_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = doctor(tmp_path, CALLSVC_WEB__PORT=str(port))
    assert done.returncode == 4
    assert f"Port {port} på 127.0.0.1 används av ett annat program (web.port)." in done.stdout
    assert "sätt web.port till en annan port" in done.stdout


def test_settings_that_cannot_be_used_are_named_and_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--json", CALLSVC_WORKER__CONCURRENCY="many")
    findings = {one["check"]: one for one in json.loads(done.stdout)["findings"]}
    assert done.returncode == 4
    assert findings["settings"]["state"] == "fault"
    assert "worker.concurrency" in findings["settings"]["says"]
    assert findings["python"]["state"] == "good"


def test_every_finding_has_its_words_and_every_bad_one_says_what_to_do() -> None:
    for lang in LANGUAGES:
        keys = {key for key in catalogue(lang) if key.startswith("doctor.")}
        outcomes = {
            key for key in keys if key.split(".")[1] not in ("state", "sum") and not key.endswith("_todo")
        }
        harmless = {"good", "later", "answers", "running", "local"}
        assert {f"{key}_todo" for key in outcomes if key.split(".")[2] not in harmless} <= keys


@pytest.mark.parametrize(
    ("version", "state"), [((3, 11, 2), State.GOOD), ((3, 10, 9), State.FAULT), ((3, 14), State.FAULT)]
)
def test_a_python_that_is_too_old_or_too_new_is_a_fault(version: tuple[int, ...], state: State) -> None:
    assert machine.python(version).state is state


def test_room_on_the_disk_is_judged_where_the_data_will_lie(tmp_path: Path) -> None:
    place = tmp_path / "not" / "there" / "yet"
    assert machine.disk(place, least_mb=0).outcome in ("good", "tight")
    assert machine.disk(place, least_mb=10**9).outcome == "full"


def test_a_clock_that_nobody_sets_right_is_reported() -> None:
    assert machine.clock(machine.TIME_ERROR).outcome == "adrift"
    assert machine.clock(0).outcome == "good"
    assert machine.clock().outcome in ("good", "adrift")


def test_asking_for_real_time_leaves_the_scheduling_as_it_was() -> None:
    before = os.sched_getscheduler(0)
    machine.scheduling()
    assert os.sched_getscheduler(0) == before


def test_memory_that_may_not_be_locked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for allowed, outcome in ((True, "good"), (False, "denied")):
        monkeypatch.setattr(machine, "may_lock", lambda allowed=allowed: allowed)
        found = machine.memory()
        assert found.outcome == outcome
        assert all(found.says(lang) for lang in ("sv", "en"))


def test_a_data_directory_of_a_newer_version_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text(f"{data_dir.LAYOUT + 1}\n")
    assert service.directory(tmp_path).outcome == "too_new"
    assert [file.name for file in tmp_path.iterdir()] == ["VERSION"]


def test_a_version_that_is_no_number_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text("one\n")
    assert service.directory(tmp_path).outcome == "no_version"


def test_keys_that_others_can_read_are_a_fault(tmp_path: Path) -> None:
    path = data_dir.prepare(tmp_path / "data")
    data_dir.secret(path, "token")
    (path / "keys" / "token.pub").touch(0o644)
    assert service.directory(path).outcome == "good"
    (path / "keys" / "token").chmod(0o644)
    assert service.directory(path) == Finding(
        "directory", "open_keys", State.FAULT, {"path": path / "keys", "names": "token"}
    )


def test_a_data_directory_in_which_others_can_write_is_a_fault(tmp_path: Path) -> None:
    path = data_dir.prepare(tmp_path / "data")
    path.chmod(0o770)
    found = service.directory(path)
    assert (found.outcome, found.state) == ("open", State.FAULT)
    assert "chmod go-w" in found.to_do("sv")


def test_a_running_service_is_not_taken_for_another_program(tmp_path: Path) -> None:
    path = data_dir.prepare(tmp_path / "data")
    held = data_dir.lock(path)
    with socket.create_server(("127.0.0.1", 0)) as own:
        settings = load(data_dir=path, web={"port": own.getsockname()[1]})
        assert [finding.outcome for finding in service.ports(settings)] == ["running"]
        os.close(held)
        assert "taken" in [finding.outcome for finding in service.ports(settings)]


def test_an_address_that_the_machine_does_not_have_cannot_be_listened_on() -> None:
    assert service.bindable("192.0.2.1", 0) == "unusable"
    assert service.bindable("127.0.0.1", 0) == "good"


def test_a_database_that_does_not_answer_is_a_fault_and_its_password_stays_secret(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, database={"url": "postgresql://app:canary@127.0.0.1:1/app"})
    finding = service.database(settings)
    assert finding.outcome == "silent"
    assert "canary" not in str(report([finding], "sv"))


def test_a_database_of_a_version_that_is_not_here_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9\n")
    assert service.database(load(data_dir=tmp_path)).outcome == "other_version"


def test_a_broker_that_cannot_be_reached_is_a_fault_and_one_that_can_is_not(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"mqtt://127.0.0.1:{listener.getsockname()[1]}"
        assert service.broker(load(data_dir=tmp_path, mqtt={"url": url})).outcome == "answers"
    assert service.broker(load(data_dir=tmp_path, mqtt={"url": url})).outcome == "silent"


def test_changed_weights_of_the_suppressor_are_a_fault_and_switching_it_off_is_seen(tmp_path: Path) -> None:
    wrong = tmp_path / "weights.onnx"
    wrong.write_bytes(b"not a network")
    assert parts.suppressor(load(data_dir=tmp_path), wrong).outcome == "weights"
    assert parts.suppressor(load(data_dir=tmp_path, suppressor={"enabled": False})).outcome == "off"
    assert parts.suppressor(load(data_dir=tmp_path)).outcome == "good"


def test_without_a_recogniser_transcripts_wait_and_a_broken_one_is_a_fault(tmp_path: Path) -> None:
    assert parts.recogniser(load(data_dir=tmp_path)).state is State.DEGRADED
    broken = load(data_dir=tmp_path, transcripts={"model_dir": str(tmp_path)})
    assert parts.recogniser(broken).outcome == "unusable"


def test_pages_that_were_not_built_are_a_fault(tmp_path: Path) -> None:
    assert parts.screens(tmp_path).outcome == "missing"
    (tmp_path / "index.html").write_text("")
    assert parts.screens(tmp_path).outcome == "good"
