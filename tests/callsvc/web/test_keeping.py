"""Retention, models and health over HTTP: what an administrator sees and decides, and nothing of what was said."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest

from callsvc.store import Connection
from callsvc.types import Profile, Role
from callsvc.web import health
from tests.support import past_calls as calls
from tests.support.web import Served

pytestmark = pytest.mark.screens

OLD = calls.BEGAN - timedelta(days=900)


def test_a_hold_takes_a_call_out_of_what_goes_tonight_and_the_log_tells_who_and_why(site: Served) -> None:
    call = site.run(lambda conn: calls.finished(conn, at=OLD, profile=Profile.EMERGENCY))
    site.run(lambda conn: calls.transcribed(conn, call))
    with site.signed_in("vera", Role.ADMIN) as vera:
        tonight = vera.get("/api/retention").json()
        assert (tonight["due"], tonight["held"], tonight["waiting"], tonight["unruled"]) == (1, 0, 0, 0)
        assert [one["id"] for one in tonight["calls"]] == [str(call)]
        assert tonight["calls"][0]["last_day"] == "2024-12-31"
        # Neither a word that was said nor a person is in it.
        assert "dörren" not in str(tonight)

        order = {"call_id": str(call), "case_number": None, "reason": "Åtal  prövas"}
        assert vera.post("/api/retention/holds", json=order).status_code == 204
        for wrong in ({"case_number": "K1-26"}, {"call_id": None}, {"reason": "x"}):
            assert vera.post("/api/retention/holds", json=order | wrong).status_code == 422
        assert vera.get("/api/retention").json()["due"] == 0
        held = vera.get("/api/retention", params={"outcome": "held", "rule": "command_centre"}).json()
        assert [one["id"] for one in held["calls"]] == [str(call)]
        told = vera.get("/api/retention/holds").json()["holds"][0]
        assert (told["reason"], told["by"]["name"], told["calls"]) == ("Åtal prövas", "vera", 1)

        lifting = f"/api/retention/holds/{told['id']}/lifting"
        assert vera.post(lifting, json={"reason": "Domen har vunnit laga kraft"}).status_code == 204
        assert vera.post(lifting, json={"reason": "Domen har vunnit laga kraft"}).status_code == 409
        answer = vera.get("/api/retention/export.csv", params={"outcome": "due"})
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert [(one["call"], one["rule"], one["transcripts"]) for one in rows] == [
            (str(call), "command_centre", "1")
        ]
        log = vera.get("/api/access-events").json()["events"]
        done = [(one["action"], one["reason"]) for one in log if one["action"] != "session.open"]
        assert done == [
            ("retention.export", ""), ("hold.lift", "Domen har vunnit laga kraft"), ("hold.place", "Åtal prövas"),
        ]  # fmt: skip


def test_who_investigates_asks_that_a_call_be_kept_and_it_is_until_the_answer(site: Served) -> None:
    call = site.run(lambda conn: calls.finished(conn, at=OLD, profile=Profile.EMERGENCY))
    with site.signed_in("inga", Role.INVESTIGATOR) as inga, site.signed_in("vera", Role.ADMIN) as vera:
        asking, standing = f"/api/calls/{call}/hold-requests", f"/api/calls/{call}/hold"
        assert inga.get(standing).json() == {"held": False, "asked_at": None, "granted": None, "answer": ""}

        def ask() -> str:
            assert inga.post(asking, json={"reason": "Åtal prövas"}).status_code == 204
            assert inga.post(asking, json={"reason": "Igen"}).status_code == 409
            told = vera.get("/api/retention").json()
            assert (told["due"], told["held"]) == (0, 1)
            (one,) = vera.get("/api/retention/holds").json()["asked"]
            assert (one["reason"], one["by"]["name"], one["call_id"]) == ("Åtal prövas", "inga", str(call))
            return f"/api/retention/hold-requests/{one['id']}/answer"

        first = ask()
        assert vera.post(first, json={"granted": False, "words": " "}).status_code == 422
        assert vera.post(first, json={"granted": False, "words": "Redan avgjort"}).status_code == 204
        assert vera.post(first, json={"granted": True, "words": ""}).status_code == 409
        assert vera.get("/api/retention").json()["due"] == 1
        assert (inga.get(standing).json()["granted"], inga.get(standing).json()["answer"]) == (
            False,
            "Redan avgjort",
        )
        assert vera.post(ask(), json={"granted": True, "words": ""}).status_code == 204
        assert inga.get(standing).json()["held"]
        orders = vera.get("/api/retention/holds").json()
        assert orders["asked"] == []
        assert orders["holds"][0]["reason"] == "Åtal prövas"
        log = [one["action"] for one in vera.get("/api/access-events").json()["events"]]
        assert log[:4] == ["hold.place", "hold.ask", "hold.refuse", "hold.ask"]


def test_the_time_of_a_case_runs_from_its_closing_and_rules_that_are_saved_are_asked_at_once(
    site: Served,
) -> None:
    call = site.run(lambda conn: calls.finished(conn, at=OLD))
    with site.signed_in("vera", Role.ADMIN) as vera:
        me = vera.get("/api/me").json()["id"]

        async def written_up(conn: Connection) -> None:
            await conn.execute(
                "insert into wrap_ups (call_id, by_id, case_number, state, saved_at) values (%s, %s, 'K1-26', 'done', %s)",
                [call, me, OLD],
            )

        site.run(written_up)
        assert vera.get("/api/retention").json()["waiting"] == 1
        tomorrow = (site.clock.utc_now().date() + timedelta(days=2)).isoformat()
        closing = "/api/retention/closings/k1-26"
        assert vera.put(closing, json={"closed_on": tomorrow}).status_code == 422
        assert vera.put(closing, json={"closed_on": "2015-03-01"}).status_code == 204
        assert vera.get("/api/retention").json()["due"] == 1
        assert vera.post(f"{closing}/reopening").status_code == 204
        assert vera.get("/api/retention").json()["waiting"] == 1
        vera.put(closing, json={"closed_on": "2015-03-01"})
        body = vera.get("/api/catalogues/retention").json()["body"]
        longer = {"version": 0, "body": body.replace("years = 5", "years = 50"), "why": "Ny tolkning"}
        assert vera.put("/api/catalogues/retention", json=longer).json()["version"] == 1
        found = vera.get("/api/retention").json()
        assert (found["due"], found["waiting"]) == (0, 1)
        later = vera.get("/api/retention", params={"night": "2066-01-01"}).json()
        assert (later["night"], later["due"]) == ("2066-01-01", 1)


def test_a_model_that_lies_here_is_checked_and_chosen_and_one_that_is_damaged_is_not(site: Served) -> None:
    with site.signed_in("vera", Role.ADMIN) as vera:
        told = vera.get("/api/models").json()
        assert {one["found"]["state"] for one in told["uses"]} == {"none"}
        assert told["suppressor"]["found"]["known"]
        own = next(one for one in told["models"] if one["here"])
        found = vera.post(f"/api/models/{own['name']}/check").json()
        assert (found["state"], len(found["sha256"])) == ("whole", 64)
        assert vera.put("/api/models/uses/live", json={"name": own["name"]}).status_code == 204
        after = vera.get("/api/models").json()
        assert {one["purpose"]: one["name"] for one in after["uses"]} == {"final": None, "live": own["name"]}
        event = vera.get("/api/access-events").json()["events"][0]
        assert (event["action"], event["object"]) == ("model.use", own["name"])

        broken = site.settings.data_dir / "models" / "kb-whisper-tiny"
        broken.mkdir(parents=True)
        assert vera.post("/api/models/kb-whisper-tiny/check").json()["state"] == "damaged"
        answer = vera.put("/api/models/uses/final", json={"name": "kb-whisper-tiny"})
        assert (answer.status_code, answer.json()["code"]) == (409, "model_damaged")
        for wrong in ("kb-whisper-base", "..", "%2e%2e%2fkeys"):
            assert vera.post(f"/api/models/{wrong}/check").status_code in (404, 405)
        assert vera.get("/api/models").json()["uses"][0]["name"] is None


def test_a_part_says_since_when_it_is_so_and_one_that_hangs_stops_nobody(
    still_site: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, probe = still_site, still_site.site.probe

    def part(name: str) -> dict[str, object]:
        told = site.wait(probe.look())
        return next(one for one in told.parts if one.part == name).model_dump()

    first = part("keys")
    assert (first["state"], first["at_least"]) == ("ok", True)
    site.clock.advance(60)  # type: ignore[union-attr]
    assert part("keys")["since"] == first["since"]
    key = Path(site.settings.data_dir) / "keys" / "loose"
    key.write_text("secret")
    key.chmod(0o644)
    worse = part("keys")
    assert (worse["state"], worse["code"], worse["values"]) == ("degraded", "open", {"names": "loose"})
    assert (worse["since"], worse["at_least"]) == (site.clock.utc_now(), False)

    monkeypatch.setattr(health, "PATIENCE_S", 0.05)
    asked = 0

    async def hangs() -> health.Code:
        nonlocal asked
        asked += 1
        await asyncio.sleep(30)
        return "ok", "ok", {}

    monkeypatch.setattr(probe, "_of_store", hangs)
    assert (part("store")["code"], part("store")["code"], asked) == ("slow", "slow", 1)
    site.wait(_end(probe))


async def _end(probe: health.Probe) -> None:
    for one in probe._asking.values():
        one.cancel()
