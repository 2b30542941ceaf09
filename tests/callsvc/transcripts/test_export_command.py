"""`callsvc transcript export`: a file and a line in the trail, or neither."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from callsvc.access import trail
from callsvc.errors import NotFound, UsageError
from callsvc.store import Database
from callsvc.transcripts import export_command
from tests.callsvc.transcripts.test_search import LINES, spoke

pytestmark = pytest.mark.transcripts


@pytest.fixture
def call(conninfo: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> UUID:
    monkeypatch.setenv("CALLSVC_DATABASE__URL", conninfo)
    monkeypatch.setenv("CALLSVC_DATA_DIR", str(tmp_path / "data"))

    async def make() -> UUID:
        async with Database(conninfo) as database, database.transaction() as conn:
            return await spoke(conn, LINES)

    return asyncio.run(make())


def run(*words: object) -> str:
    done = CliRunner().invoke(export_command.app, ["export", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def events(conninfo: str) -> list[tuple[str, str]]:
    async def found() -> list[tuple[str, str]]:
        async with Database(conninfo) as database, database.transaction() as conn:
            return [(one.action, one.reason) for one in await trail.events(conn)]

    return asyncio.run(found())


def test_the_file_is_written_in_the_form_of_its_ending_and_the_trail_says_why(
    conninfo: str, call: UUID, tmp_path: Path
) -> None:
    target = tmp_path / "call.vtt"
    assert "rättad text" in run(call, target, "--reason", "Begäran från åklagare")
    assert target.read_text(encoding="utf-8").startswith("WEBVTT")
    assert events(conninfo) == [("transcript.export", "Begäran från åklagare")]


def test_without_a_reason_or_to_a_file_that_is_there_nothing_goes_out(
    conninfo: str, call: UUID, tmp_path: Path
) -> None:
    there = tmp_path / "there.txt"
    there.write_text("mine")
    for target, reason in ((tmp_path / "a.txt", " "), (there, "skäl nog"), (tmp_path / "a.odt", "skäl nog")):
        with pytest.raises(UsageError):
            run(call, target, "--reason", reason)
    assert there.read_text() == "mine"
    assert events(conninfo) == []


def test_a_call_without_a_transcript_leaves_no_file(conninfo: str, call: UUID, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        run("0d5e3e8e-7a0f-4b53-a51f-1c2f8e1f7a10", tmp_path / "a.txt", "--reason", "skäl nog")
    with pytest.raises(NotFound):
        run(call, tmp_path / "a.txt", "--reason", "skäl nog", "--layer", "redacted")
    assert list(tmp_path.glob("*a.txt*")) == []
