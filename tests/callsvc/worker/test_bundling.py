"""The signed copy of a disclosure: made by the worker of exactly what was decided, and checked by who shares no code with it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from callsvc.access import trail
from callsvc.disclosures import bundles
from callsvc.jobs import Work
from callsvc.recordings.objects import objects
from callsvc.store import Connection
from callsvc.types import Role
from callsvc.worker import bundling
from tests.support import past_calls as calls
from tests.support.house import ROOT
from tests.support.recordings import Made
from tests.support.web import Served

pytestmark = pytest.mark.screens

ANSWERS = {"need": "Bedöma skyddsbehov.", "harm": "Adressen kan röja henne.", "less": "Datum räcker inte."}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return calls.record(tmp_path_factory.mktemp("bundled"))


def decided(inga: httpx.Client, call: str, **fields: Any) -> str:
    asked: dict[str, Any] = {
        "basis": "balance", "answers": ANSWERS, "recipient": "Socialtjänsten", "granted": True,
        "motive": "Skyddsbedömning.", "copy_id": None,
    }  # fmt: skip
    answer = inga.post(f"/api/calls/{call}/disclosures", json=asked | fields)
    assert answer.status_code == 201, answer.text
    return f"/api/calls/{call}/disclosures/{answer.json()['id']}/bundle"


def work(site: Served, address: str, attempt: int = 1) -> None:
    """What the worker does with the job."""
    job = Work(site.settings, site.site.database, site.clock, job_id=1, attempt=attempt)
    site.wait(bundling.bundle_disclosure(job, disclosure=address.split("/")[-2]))


def test_what_was_granted_leaves_as_a_bundle_that_its_receiver_can_check_without_what_was_taken_out(
    site: Served, call: str, tmp_path: Path
) -> None:
    with site.signed_in("inga", Role.INVESTIGATOR) as inga:
        inga.post(f"/api/calls/{call}/access", json={"reason": "Begäran om utlämnande"})
        chosen = [{"n": 3, "version": 0, "first": 0, "last": 4, "reason": "adress"}]
        copy = inga.post(
            f"/api/calls/{call}/redactions", json={"title": "Utan adress", "chosen": chosen}
        ).json()
        address = decided(inga, call, copy_id=copy["id"])
        assert inga.get(address).json()["state"] == "none"
        assert inga.get(f"{address}.zip").json()["code"] == "missing"
        for _ in range(2):
            assert inga.post(address).json()["state"] == "queued"
        work(site, address)
        told = inga.get(address).json()
        fetched = inga.get(f"{address}.zip")
        assert (told["state"], told["size"]) == ("done", len(fetched.content))
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as archive:
        archive.extractall(tmp_path / "out")
    folder = tmp_path / "out" / f"samtal-{call}"
    checked = subprocess.run(
        [sys.executable, ROOT / "deploy/check_bundle.py", folder], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (gone,) = copy["stretches"]
    assert json.loads((folder / "paket.json").read_text())["silenced"] == [
        {"from_ms": gone["start_ms"], "to_ms": gone["end_ms"]}
    ]
    assert "Han stod utanför" not in (folder / "transkript.txt").read_text()
    assert "[…]" in (folder / "transkript.txt").read_text()
    for name in ("caller.rx", "operator.tx"):
        sound, rate = soundfile.read(folder / "ljud" / f"{name}.flac", dtype="int16")
        part = sound[gone["start_ms"] * rate // 1000 : gone["end_ms"] * rate // 1000]
        assert len(part) > 1000
        assert not np.any(part), name
        assert np.any(sound)

    async def log(conn: Connection) -> list[str]:
        return [
            one.object_id.split()[0] for one in await trail.events(conn) if one.object_id.startswith("bundle")
        ]

    assert site.run(log) == ["bundle.zip", "bundle", "bundle", "bundle.zip"]
    # At rest it is unreadable, and nothing of it lies about in the clear.
    place = bundles.place(address.split("/")[-2])
    store = objects(site.settings)
    assert store.read(place, 12, 2, store.size(place)) != b"PK"
    assert not list(site.settings.data_dir.glob(".bundle-*"))


def test_of_what_was_refused_or_is_another_calls_nothing_leaves(site: Served, call: str) -> None:
    other = site.run(calls.finished)
    with site.signed_in("inga", Role.INVESTIGATOR) as inga:
        for one in (call, other):
            inga.post(f"/api/calls/{one}/access", json={"reason": "Begäran om utlämnande"})
        refused = decided(inga, call, granted=False)
        granted = decided(inga, call).replace(call, str(other))
        for address in (refused, granted):
            assert inga.post(address).json()["code"] == "missing"
            assert inga.get(address).json()["code"] == "missing"
            assert inga.get(f"{address}.zip").json()["code"] == "missing"


def test_a_recording_that_is_not_as_sealed_makes_no_bundle_and_says_so(site: Served, call: str) -> None:
    for path in (site.settings.data_dir / "spool" / call).rglob("segments"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    with site.signed_in("inga", Role.INVESTIGATOR) as inga:
        inga.post(f"/api/calls/{call}/access", json={"reason": "Begäran om utlämnande"})
        address = decided(inga, call)
        inga.post(address)
        work(site, address)
        told = inga.get(address).json()
        assert (told["state"], told["error"]) == ("failed", "not_as_sealed")
        assert inga.post(address).json()["state"] == "queued"
