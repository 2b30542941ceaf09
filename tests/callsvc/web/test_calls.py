"""Which calls there are, what is known of one, and the tokens of a new one."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from callsvc.store import Connection, demonstrations
from callsvc.store import calls as stored
from callsvc.telephony import token_keys, tokens
from callsvc.telephony.errors import TokenRefused
from callsvc.types import Leg, Profile, Role, TranscriptState
from tests.support import past_calls as calls
from tests.support.web import Served

pytestmark = pytest.mark.screens


def test_live_calls_say_since_when_they_are_recorded(site: Served) -> None:
    now = site.clock.utc_now()

    async def two(conn: Connection) -> None:
        await calls.live(conn, at=now - timedelta(minutes=4))
        await calls.live(conn, at=now, recording=False, degraded="suppressor", profile=Profile.EMERGENCY)
        await calls.finished(conn)

    site.run(two)
    with site.signed_in("inga", Role.INVESTIGATOR) as client:
        told = client.get("/api/calls?state=live").json()
    found = {call["profile"]: call for call in told["calls"]}
    assert found.keys() == {"report", "emergency"}
    assert found["report"]["recording"] == {"state": "recording", "outcome": None}
    assert told["now"] > found["report"]["started_at"]
    assert found["emergency"]["recording"] is None
    assert found["emergency"]["degraded"] == "suppressor"


def test_finished_calls_come_page_by_page_none_twice_none_missed(site: Served) -> None:
    async def many(conn: Connection) -> list[UUID]:
        # Several of the same instant: the page must go on in the midst of them.
        return [await calls.finished(conn, at=calls.BEGAN + timedelta(seconds=n // 4)) for n in range(23)]

    made = site.run(many)
    with site.signed_in("inga", Role.INVESTIGATOR) as client:
        seen: list[str] = []
        before = ""
        while before is not None:
            page = client.get(
                "/api/calls", params={"state": "finished", "limit": 5, "before": before or None}
            ).json()
            seen += [call["id"] for call in page["calls"]]
            before = page["next"]
        assert sorted(seen) == sorted(str(call) for call in made)
        assert client.get("/api/calls?state=finished&before=nonsense").json()["code"] == "invalid"
        assert client.get("/api/calls?state=other").json()["code"] == "invalid"


def test_one_call_tells_its_facts_and_its_proof_without_a_reason(site: Served) -> None:
    call = site.run(lambda conn: calls.finished(conn, degraded=True))
    site.run(lambda conn: calls.waiting(conn, call, TranscriptState.RUNNING, 0.5))
    site.run(
        lambda conn: conn.execute(
            "update transcripts set expected_at = %s where call_id = %s", [calls.BEGAN, call]
        )
    )
    with site.signed_in("inga", Role.INVESTIGATOR) as client:
        told = client.get(f"/api/calls/{call}").json()
    expected = datetime.fromisoformat(told["transcript"].pop("expected_at"))
    assert expected == calls.BEGAN
    assert told["proof"]["strokes"] == 214
    assert told["proof"]["audible_after_pct"] == 1.9
    assert told["proof"]["blocks_passed"] == 120
    assert told["transcript"] == {"state": "running", "progress": 0.5}
    assert [leg["codec"] for leg in told["legs"]] == ["PCMA", "opus"]
    assert (told["opened"], told["recording"], told["tracks"]) == (None, None, [])


def test_a_new_call_has_a_token_for_each_leg_that_a_media_node_accepts(site: Served) -> None:
    with site.signed_in("omar", Role.OPERATOR) as client:
        me = client.get("/api/me").json()["id"]
        made = client.post("/api/calls", json={"profile": "interview"}).json()
        assert client.post("/api/calls", json={"profile": "nonsense"}).status_code == 422
    key = token_keys.public_key(site.settings.data_dir / "keys")
    now = site.clock.utc_now()
    for leg in Leg:
        token = made[f"{leg}_token"]
        claims = tokens.verify(key, now, token, call=made["call_id"], leg=leg)
        assert (claims.profile, claims.subject) == (Profile.INTERVIEW, me)
    with pytest.raises(TokenRefused):
        tokens.verify(key, now, made["caller_token"], call=made["call_id"], leg=Leg.OPERATOR)
    call = site.run(lambda conn: stored.get(conn, UUID(made["call_id"])))
    assert (call.state, str(call.created_by)) == ("setting_up", me)


def test_one_demonstration_call_at_a_time_and_its_progress_is_seen(site: Served) -> None:
    with site.signed_in("omar", Role.OPERATOR) as client:
        assert client.get("/api/demo-calls").json() == {"latest": None}
        placed = client.post("/api/demo-calls")
        assert (placed.status_code, placed.json()["state"]) == (202, "queued")
        again = client.post("/api/demo-calls")
        assert (again.status_code, again.json()["code"]) == (409, "demo_running")
        demo = UUID(placed.json()["id"])
        now = site.clock.utc_now()
        site.run(
            lambda conn: demonstrations.update(conn, demo, "running", at=now, progress=0.4, step="calling")
        )
        told = client.get(f"/api/demo-calls/{demo}").json()
        assert (told["state"], told["step"]) == ("running", "calling")
        assert client.get("/api/demo-calls").json()["latest"]["id"] == str(demo)
