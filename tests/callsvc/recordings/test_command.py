"""`callsvc verify` says in Swedish what is wrong and where, and ends with 5 when something is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from callsvc.config import load
from callsvc.recordings import archive
from callsvc.recordings.command import app
from callsvc.recordings.layout import SEGMENTS
from callsvc.recordings.manifest import load_manifest
from callsvc.recordings.objects import objects
from tests.support.house import ROOT
from tests.support.recordings import make_recording

pytestmark = pytest.mark.evidence


def test_a_whole_recording_ends_with_0_and_its_facts(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=2)
    done = CliRunner().invoke(app, [str(made.directory), "--data-dir", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "Hel och oförändrad" in done.output
    assert "00:02 ljud, fullständig" in done.output


def test_a_changed_recording_ends_with_5_and_says_where(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=2)
    with (made.directory / SEGMENTS).open("r+b") as file:
        file.seek(300)
        file.write(b"!!")
    done = CliRunner().invoke(app, [str(made.directory), "--data-dir", str(tmp_path)])
    assert done.exit_code == 5
    assert "INTE oförändrad" in done.output
    assert "Post 0 är ändrad (caller.rx 00:00)." in done.output


def test_json_holds_the_same_for_programs(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=1)
    (made.directory / "manifest.sig").unlink()
    done = CliRunner().invoke(app, [str(made.directory), "--json", "--data-dir", str(tmp_path)])
    (report,) = json.loads(done.output)
    assert done.exit_code == 5
    assert report["ok"] is False
    assert report["findings"][0]["code"] == "file_missing"
    assert report["findings"][0]["sentence"] == "Filen manifest.sig saknas."


def test_a_call_is_found_by_its_id_in_the_spool_and_in_the_store(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=1)
    arguments = [made.call, "--json", "--data-dir", str(tmp_path)]
    (in_spool,) = json.loads(CliRunner().invoke(app, arguments).output)
    archive.archive(made.directory, objects(load(data_dir=tmp_path)), made.keys)
    archive.free(made.directory)
    (in_store,) = json.loads(CliRunner().invoke(app, arguments).output)
    assert in_spool["ok"] is in_store["ok"] is True
    assert in_spool["chain"] == in_store["chain"]
    assert [note["code"] for note in in_store["notes"]] == ["database_away"]


def test_a_recording_is_compared_with_what_the_database_was_told(
    tmp_path: Path, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_recording(tmp_path, seconds=1)
    manifest = load_manifest((made.directory / "manifest.json").read_bytes())
    monkeypatch.setenv("CALLSVC_DATABASE__URL", conninfo)
    arguments = [made.call, "--json", "--data-dir", str(tmp_path)]

    def told(head: str, records: int, chain: str) -> list[str]:
        with psycopg.connect(conninfo, autocommit=True) as conn:
            conn.execute("delete from calls")
            conn.execute(
                "insert into calls (id, profile, state, created_at) values (%s, 'report', 'ended', now())",
                [made.call],
            )
            conn.execute(
                "insert into recordings (id, call_id, state, head, told_records, told_chain, started_at)"
                " values (%s, %s, 'sealed', %s, %s, %s, now())",
                [manifest.recording, made.call, head, records, chain],
            )
        done = CliRunner().invoke(app, arguments)
        (report,) = json.loads(done.output)
        assert done.exit_code == (0 if report["ok"] else 5)
        assert report["notes"] == []
        return [finding["code"] for finding in report["findings"]]

    assert told(manifest.chain, manifest.records, manifest.chain) == []
    assert told("0" * 64, manifest.records, manifest.chain) == ["chain_other"]
    assert told(manifest.chain, manifest.records + 5, "0" * 64) == ["head_missing"]


def test_on_a_machine_without_the_keys_the_seals_are_checked_and_no_keys_are_made(tmp_path: Path) -> None:
    made = make_recording(tmp_path / "one", seconds=1)
    (tmp_path / "two").mkdir()
    done = CliRunner().invoke(app, [str(made.directory), "--data-dir", str(tmp_path / "two")])
    assert done.exit_code == 0, done.output
    assert "nycklarna finns inte här" in done.output
    assert not (tmp_path / "two" / "keys").exists()


@pytest.mark.parametrize(
    ("what", "code"), [("no-such-thing", 2), ("00000000-0000-4000-8000-000000000000", 1)]
)
def test_what_is_not_there_is_said_with_what_to_do(tmp_path: Path, what: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "callsvc", "verify", what, "--data-dir", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert done.stderr.startswith("Fel: ")
    assert "Traceback" not in done.stderr
