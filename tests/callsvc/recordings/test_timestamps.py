"""A time-stamping authority says when a recording existed; while it is away nothing waits for it."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.errors import ConfigurationError, Unavailable
from callsvc.jobs import Work
from callsvc.recordings.bundle import export
from callsvc.recordings.command import app
from callsvc.recordings.errors import Damaged
from callsvc.recordings.jobs import (
    archive_recording,
    stamp_directory,
    stamp_recording,
    stamps_that_are_missing,
)
from callsvc.recordings.layout import SIGNATURE, TIMESTAMP
from callsvc.recordings.objects import StoredSource, objects, prefix_of
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.timestamps import Authority, authority
from callsvc.recordings.verify import verify
from callsvc.recordings.whole_call import check_call
from callsvc.store import Database
from tests.support.authority import StampingAuthority
from tests.support.house import ROOT
from tests.support.recordings import Made, booked, make_recording

pytestmark = pytest.mark.evidence

MESSAGE = b"what was signed"


@pytest.fixture(scope="module")
def stamping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StampingAuthority]:
    with StampingAuthority(tmp_path_factory.mktemp("authority")) as running:
        yield running


@pytest.fixture(autouse=True)
def there(stamping: StampingAuthority) -> None:
    stamping.away = False


def settings_for(base: Path, stamping: StampingAuthority) -> Settings:
    return load(data_dir=base, timestamp={"url": stamping.url, "certificate": stamping.certificate})


def stamped(base: Path, stamping: StampingAuthority) -> tuple[Made, Authority]:
    """A recording with the stamp of that authority beside it."""
    made, stamps = make_recording(base, seconds=1), authority(settings_for(base, stamping))
    assert stamps is not None
    stamp_directory(made.directory, stamps)
    return made, stamps


def checker(bundle: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["python3", "-I", ROOT / "deploy" / "check_bundle.py", bundle, *words],
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_answer_says_when_a_message_was_there(tmp_path: Path, stamping: StampingAuthority) -> None:
    stamps = authority(settings_for(tmp_path, stamping))
    assert stamps is not None
    answer = stamps.stamp(MESSAGE)
    said = stamps.check(answer, MESSAGE)
    assert abs(said - datetime.now(UTC)) < timedelta(minutes=5)
    for wrong_answer, wrong_message in (
        (answer, b"another"),
        (answer[:-1], MESSAGE),
        (b"", MESSAGE),
        (b"\x30\x03\x02\x01\x02", MESSAGE),
    ):
        with pytest.raises(Damaged):
            stamps.check(wrong_answer, wrong_message)


def test_an_answer_of_somebody_else_is_none(tmp_path: Path, stamping: StampingAuthority) -> None:
    with StampingAuthority(tmp_path / "stranger") as stranger:
        mine = authority(settings_for(tmp_path, stamping))
        assert mine is not None
        theirs = authority(settings_for(tmp_path, stranger))
        assert theirs is not None
        with pytest.raises(Damaged):
            mine.check(theirs.stamp(MESSAGE), MESSAGE)
        url = {"url": stranger.url, "certificate": stamping.certificate}
        impostor = authority(load(data_dir=tmp_path, timestamp=url))
        assert impostor is not None
        with pytest.raises(Unavailable, match="no token"):
            impostor.stamp(MESSAGE)


def test_settings_that_cannot_work_are_refused(tmp_path: Path, stamping: StampingAuthority) -> None:
    assert authority(load(data_dir=tmp_path)) is None
    (tmp_path / "no.pem").write_text("nothing")
    for wrong in (
        {"url": stamping.url},
        {"url": "ftp://x", "certificate": stamping.certificate},
        {"url": stamping.url, "certificate": tmp_path / "no.pem"},
        {"url": stamping.url, "certificate": tmp_path / "missing.pem"},
    ):
        with pytest.raises(ConfigurationError):
            authority(load(data_dir=tmp_path, timestamp=wrong))


def test_verify_names_the_time_and_finds_a_token_of_something_else(
    tmp_path: Path, stamping: StampingAuthority
) -> None:
    made = make_recording(tmp_path, seconds=1)
    stamps = authority(settings_for(tmp_path, stamping))
    assert stamps is not None
    source = DirectorySource(made.directory)
    report = verify(source, keys=made.keys, authority=stamps)
    assert [note.code for note in report.notes] == ["not_stamped"]
    assert stamp_directory(made.directory, stamps)
    report = verify(source, keys=made.keys, authority=stamps)
    assert (report.findings, report.notes) == ([], [])
    assert report.stamped_at.endswith("Z")
    assert [note.code for note in verify(source, keys=made.keys).notes] == ["timestamp_not_checked"]
    (made.directory / TIMESTAMP).write_bytes(stamps.stamp(b"another"))
    report = verify(source, keys=made.keys, authority=stamps)
    assert [finding.code for finding in report.findings] == ["timestamp_wrong"]
    assert "tidsst" in report.findings[0].sentence().lower()


def test_the_command_says_the_time(
    tmp_path: Path, stamping: StampingAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_recording(tmp_path, seconds=1)
    monkeypatch.setenv("CALLSVC_TIMESTAMP__URL", stamping.url)
    monkeypatch.setenv("CALLSVC_TIMESTAMP__CERTIFICATE", str(stamping.certificate))
    said = CliRunner().invoke(app, [str(made.directory), "--data-dir", str(tmp_path)])
    assert said.exit_code == 0
    assert "ingen tidsstämpel" in said.output
    stamps = authority(settings_for(tmp_path, stamping))
    assert stamps is not None
    assert stamp_directory(made.directory, stamps)
    said = CliRunner().invoke(app, [str(made.directory), "--data-dir", str(tmp_path)])
    assert said.exit_code == 0
    assert "Tidsstämplad" in said.output


async def test_the_worker_has_a_recording_stamped_before_it_is_archived(
    tmp_path: Path, database: Database, stamping: StampingAuthority
) -> None:
    made, settings = make_recording(tmp_path, seconds=1), settings_for(tmp_path, stamping)
    recording = await booked(database, made)
    await archive_recording(Work(settings, database, SystemClock(), 1, 1), recording)
    source = StoredSource(objects(settings), prefix_of(recording))
    assert TIMESTAMP in source.names()
    report = verify(source, keys=made.keys, authority=authority(settings))
    assert (report.findings, report.notes) == ([], [])


async def test_while_the_authority_is_away_it_is_archived_without_and_stamped_later(
    tmp_path: Path, database: Database, stamping: StampingAuthority
) -> None:
    made, settings = make_recording(tmp_path, seconds=1), settings_for(tmp_path, stamping)
    recording = await booked(database, made)
    stamping.away = True
    work = Work(settings, database, SystemClock(), 1, 1)
    await archive_recording(work, recording)
    source = StoredSource(objects(settings), prefix_of(recording))
    report = verify(source, keys=made.keys, authority=authority(settings))
    assert report.ok
    assert [note.code for note in report.notes] == ["not_stamped"]
    async with database.transaction() as conn:
        cursor = await conn.execute("select task_name, args from procrastinate_jobs")
        assert await cursor.fetchall() == [{"task_name": "stamp_recording", "args": {"recording": recording}}]
    with pytest.raises(Unavailable):
        await stamp_recording(work, recording)
    stamping.away = False
    await stamp_recording(work, recording)
    before = stamping.asked
    await stamp_recording(work, recording)  # told twice it stays one
    assert stamping.asked == before
    report = verify(
        StoredSource(objects(settings), prefix_of(recording)), keys=made.keys, authority=authority(settings)
    )
    assert (report.findings, report.notes) == ([], [])


async def test_what_was_archived_before_there_was_an_authority_is_stamped_later_and_once(
    tmp_path: Path, conninfo: str, database: Database, stamping: StampingAuthority
) -> None:
    made = make_recording(tmp_path, seconds=1)
    recording, without = await booked(database, made), load(data_dir=tmp_path)
    await archive_recording(Work(without, database, SystemClock(), 1, 1), recording)
    assert await stamps_that_are_missing(without, database) == 0
    settings = settings_for(tmp_path, stamping)
    assert await stamps_that_are_missing(settings, database) == 1
    assert await stamps_that_are_missing(settings, database) == 1  # it waits in the queue, once
    async with database.transaction() as conn:
        cursor = await conn.execute("select args from procrastinate_jobs where task_name = 'stamp_recording'")
        assert await cursor.fetchall() == [{"args": {"recording": recording}}]
    stamping.away = True
    with pytest.raises(Unavailable):
        await stamp_recording(Work(settings, database, SystemClock(), 1, 1), recording)
    assert await stamps_that_are_missing(settings, database) == 1
    stamping.away = False
    await stamp_recording(Work(settings, database, SystemClock(), 1, 2), recording)
    asked = stamping.asked
    assert await stamps_that_are_missing(settings, database) == 0
    await stamp_recording(Work(settings, database, SystemClock(), 1, 1), recording)
    assert stamping.asked == asked
    stamped = load(
        data_dir=tmp_path,
        timestamp={"url": stamping.url, "certificate": stamping.certificate},
        database={"url": conninfo},
    )
    (report,) = await asyncio.to_thread(check_call, stamped, made.call, made.keys)
    assert report.stamped_at
    assert [note.code for note in report.notes] == []
    # From now on the books know that there was one.
    (tmp_path / "objects" / prefix_of(recording) / TIMESTAMP).unlink()
    (report,) = await asyncio.to_thread(check_call, stamped, made.call, made.keys)
    assert "timestamp_gone" in [finding.code for finding in report.findings]


def test_a_token_is_tied_to_the_manifest_by_the_signature_alone(
    tmp_path: Path, stamping: StampingAuthority
) -> None:
    """What the format says of it, followed with openssl: imprint = SHA-256 of manifest.sig."""
    made, _ = stamped(tmp_path, stamping)
    shown = subprocess.run(
        ["openssl", "ts", "-reply", "-in", made.directory / TIMESTAMP, "-text"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "Hash Algorithm: sha256" in shown
    imprint = "".join(re.findall(r"^    [0-9a-f]{4} - ([0-9a-f -]{47})", shown, re.MULTILINE))
    assert (
        re.sub(r"[^0-9a-f]", "", imprint)
        == hashlib.sha256((made.directory / SIGNATURE).read_bytes()).hexdigest()
    )


def test_a_bundle_carries_both_timestamps_and_others_can_check_them(
    tmp_path: Path, stamping: StampingAuthority
) -> None:
    made, stamps = stamped(tmp_path, stamping)
    bundle = tmp_path / "paket"
    about = export(DirectorySource(made.directory), bundle, made.keys, SystemClock(), stamps=stamps)
    assert about["original"]["stamped_at"]
    text = (bundle / "LÄSMIG.txt").read_text()
    commands = [line.strip() for line in text.splitlines() if line.strip().startswith("openssl ts")]
    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(command.split(), cwd=bundle, capture_output=True, text=True, check=False)
        assert "Verification: OK" in done.stdout + done.stderr, command
    good = checker(bundle, "--authority", stamping.certificate)
    assert good.returncode == 0, good.stdout
    assert good.stdout.count("has a timestamp of this authority") == 2
    (bundle / "SHA256SUMS.tsr").write_bytes((made.directory / TIMESTAMP).read_bytes())
    wrong = checker(bundle, "--authority", stamping.certificate)
    assert wrong.returncode == 1
    assert "The timestamp is not of the bundle" in wrong.stdout


def test_a_bundle_made_while_the_authority_is_away_says_that_there_is_no_timestamp(
    tmp_path: Path, stamping: StampingAuthority
) -> None:
    made = make_recording(tmp_path, seconds=1)
    stamping.away = True
    bundle = tmp_path / "paket"
    export(
        DirectorySource(made.directory), bundle, made.keys, SystemClock(),
        stamps=authority(settings_for(tmp_path, stamping)),
    )  # fmt: skip
    assert "ingen tidsstämpel" in (bundle / "LÄSMIG.txt").read_text()
    assert checker(bundle, "--authority", stamping.certificate).returncode == 0


def test_a_timestamp_that_was_taken_out_of_the_original_is_missed(
    tmp_path: Path, stamping: StampingAuthority
) -> None:
    made, stamps = stamped(tmp_path, stamping)
    bundle = tmp_path / "paket"
    export(DirectorySource(made.directory), bundle, made.keys, SystemClock(), stamps=stamps)
    copy = shutil.copytree(bundle, tmp_path / "copy")
    (copy / "original" / TIMESTAMP).unlink()
    assert checker(copy).returncode == 1
    assert (copy / "original" / SIGNATURE).exists()
