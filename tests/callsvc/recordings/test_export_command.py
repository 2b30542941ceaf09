"""`callsvc export` hands out a bundle and leaves a line in the trail, or does neither."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from callsvc.access import trail
from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.errors import NotFound, Unavailable, UsageError
from callsvc.recordings.export_command import hand_out, milliseconds
from callsvc.recordings.manifest import load_manifest
from callsvc.store import Database, recordings, transcripts
from tests.support.recordings import Made, make_recording

pytestmark = pytest.mark.evidence


def settings_for(base: Path, conninfo: str) -> Settings:
    return load(data_dir=base, database={"url": conninfo})


async def booked(database: Database, made: Made) -> None:
    manifest = load_manifest((made.directory / "manifest.json").read_bytes())
    at, transcript = SystemClock().utc_now(), uuid4()
    async with database.transaction() as conn:
        await recordings.seal(
            conn,
            UUID(manifest.recording),
            UUID(made.call),
            outcome="complete",
            head=manifest.chain,
            tracks=[],
            at=at,
        )
        await transcripts.create(conn, transcript, UUID(made.call), language="sv", at=at)
        spoken = [transcripts.Utterance(0, "caller", 100, 900, "Hjälp mig.", [])]
        await transcripts.replace_utterances(conn, transcript, spoken)


async def lines(database: Database) -> list[tuple[str, str, str]]:
    async with database.transaction() as conn:
        return [(e.action, e.reason, str(e.call_id)) for e in await trail.events(conn)]


async def test_a_bundle_and_its_line_in_the_trail_come_together(
    tmp_path: Path, conninfo: str, database: Database
) -> None:
    made = make_recording(tmp_path, seconds=2)
    await booked(database, made)
    target = tmp_path / "paket"
    about = await hand_out(
        settings_for(tmp_path, conninfo), UUID(made.call), target, "dnr 1-26", "0:00.5", "0:01.5"
    )
    assert about["stretch"] == {"from_ms": 500, "to_ms": 1500, "whole": False}
    assert "Hjälp mig." in (target / "transkript.txt").read_text(encoding="utf-8")
    assert await lines(database) == [("call.export", "dnr 1-26", made.call)]


async def test_a_bundle_that_cannot_be_made_leaves_no_line(
    tmp_path: Path, conninfo: str, database: Database
) -> None:
    made = make_recording(tmp_path, seconds=1)
    await booked(database, made)
    (tmp_path / "paket").mkdir()
    settings = settings_for(tmp_path, conninfo)
    with pytest.raises(UsageError):
        await hand_out(settings, UUID(made.call), tmp_path / "paket", "dnr 1-26")
    with pytest.raises(NotFound):
        await hand_out(settings, uuid4(), tmp_path / "other", "dnr 1-26")
    assert await lines(database) == []


async def test_without_the_database_nothing_is_handed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callsvc.store.database.WAIT_S", 0.5)
    made = make_recording(tmp_path, seconds=1)
    settings = settings_for(tmp_path, f"host={tmp_path} dbname=none")
    with pytest.raises(Unavailable):
        await hand_out(settings, UUID(made.call), tmp_path / "paket", "dnr 1-26")
    assert not (tmp_path / "paket").exists()


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("0", 0), ("75", 75_000), ("1:15", 75_000), ("1:02:03.5", 3_723_500), ("0:00.25", 250)],
)
def test_a_time_of_the_call_is_written_as_people_write_it(moment: str, expected: int) -> None:
    assert milliseconds(moment) == expected


@pytest.mark.parametrize("moment", ["", "1:", "-1", "1:2:3:4", "ett", "1.2345", "½"])
def test_what_is_no_time_is_refused(moment: str) -> None:
    with pytest.raises(UsageError):
        milliseconds(moment)
