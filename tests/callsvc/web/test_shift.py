"""Being available, being offered a call, answering it once, and keeping it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from callsvc.clock import FixedClock
from callsvc.ids import new_id
from callsvc.shift import availability, queue
from callsvc.shift.queue import JOINS, SETS_UP
from callsvc.store import calls
from callsvc.telephony import tokens
from callsvc.types import Leg, Profile, Role
from tests.support.web import Served, serving

pytestmark = pytest.mark.screens


def ringing(site: Served, node: str = "node-1", profile: Profile = Profile.REPORT) -> UUID:
    """Somebody is on the line at this node, and nobody has answered."""
    call_id = new_id()
    now = site.clock.utc_now()
    site.run(lambda conn: calls.create(conn, call_id, profile, at=now))
    site.run(lambda conn: calls.leg_joined(conn, call_id, Leg.CALLER, transport="rtp", codec="PCMA", at=now))
    site.run(lambda conn: calls.stands_at(conn, call_id, node))
    return call_id


def joined(site: Served, call_id: UUID) -> None:
    now = site.clock.utc_now()
    site.run(
        lambda conn: calls.leg_joined(conn, call_id, Leg.OPERATOR, transport="webrtc", codec="opus", at=now)
    )
    site.run(lambda conn: calls.start(conn, call_id, profile=Profile.REPORT, node="node-1", at=now))


def ended(site: Served, call_id: UUID) -> None:
    now = site.clock.utc_now()
    site.run(lambda conn: calls.end(conn, call_id, cause="hangup", length_ms=1000, at=now))


def come(client: httpx.Client) -> dict[str, object]:
    answer = client.put("/api/shift", json={"available": True})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def pass_time(site: Served, by: timedelta) -> None:
    assert isinstance(site.clock, FixedClock)
    site.clock.advance(by.total_seconds())


def test_a_waiting_call_is_offered_answered_once_and_then_in_hand(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.OPERATOR) as anna, site.signed_in("omar", Role.OPERATOR) as omar:
        come(anna)
        pass_time(site, timedelta(seconds=5))
        come(omar)
        call = ringing(site)
        assert anna.get("/api/shift").json()["offer"]["call_id"] == str(call)
        assert omar.get("/api/shift").json()["offer"] is None
        assert omar.get("/api/shift").json()["waiting"] == 1

        leg = anna.post(f"/api/calls/{call}/answer").json()
        refused = omar.post(f"/api/calls/{call}/answer")
        assert (refused.status_code, refused.json()["code"]) == (409, "call_taken")
        told = anna.get("/api/shift").json()
        assert told["in_hand"]["call_id"] == str(call)
        assert told["offer"] is None
        assert told["waiting"] == 0
        key = site.site.token_key.public_key()
        claims = tokens.verify(key, site.clock.utc_now(), leg["token"], call=str(call), leg=Leg.OPERATOR)
        assert claims.profile is Profile.REPORT
        assert claims.subject == anna.get("/api/me").json()["id"]


def test_a_call_is_answered_at_the_node_that_has_it(
    conninfo: str, tmp_path: Path, quick_passwords: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSVC_MEDIA__PUBLIC_URL", "https://media.example")
    monkeypatch.setenv("CALLSVC_MEDIA__NODES", '{"node-2": "https://media-2.example:8443"}')
    with serving(conninfo, tmp_path / "data") as site, site.signed_in("anna", Role.OPERATOR) as anna:
        policy = anna.get("/").headers["content-security-policy"]
        assert "connect-src 'self' https://media.example https://media-2.example:8443;" in policy
        for node, address in (
            ("node-2", "https://media-2.example:8443"),
            ("node-7", "https://media.example"),
        ):
            call = ringing(site, node)
            leg = anna.post(f"/api/calls/{call}/answer").json()
            assert leg["media_url"] == address
            key = site.site.token_key.public_key()
            now = site.clock.utc_now()
            claims = tokens.verify(key, now, leg["token"], call=str(call), leg=Leg.OPERATOR)
            assert claims.node == node, "it is good there alone"
            joined(site, call)
            ended(site, call)


def test_the_same_person_takes_the_call_up_again_with_a_fresh_token(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.OPERATOR) as anna:
        come(anna)
        call = ringing(site)
        first = anna.post(f"/api/calls/{call}/answer").json()["token"]
        joined(site, call)
        pass_time(site, timedelta(minutes=40))
        again = anna.post(f"/api/calls/{call}/answer")
        assert again.status_code == 200
        assert again.json()["token"] != first
        ended(site, call)
        over = anna.post(f"/api/calls/{call}/answer")
        assert (over.status_code, over.json()["code"]) == (410, "call_over")
        assert anna.get("/api/shift").json()["in_hand"] is None


def test_nobody_is_offered_a_second_call_or_may_take_one(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.OPERATOR) as anna:
        come(anna)
        first = ringing(site)
        anna.post(f"/api/calls/{first}/answer")
        joined(site, first)
        second = ringing(site)
        assert anna.get("/api/shift").json()["offer"] is None
        refused = anna.post(f"/api/calls/{second}/answer")
        assert (refused.status_code, refused.json()["code"]) == (409, "one_call_at_a_time")


def test_who_answers_and_never_joins_loses_the_call_to_the_next(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.OPERATOR) as anna, site.signed_in("omar", Role.OPERATOR) as omar:
        call = ringing(site)
        anna.post(f"/api/calls/{call}/answer")
        pass_time(site, JOINS)
        come(omar)
        assert omar.get("/api/shift").json()["offer"]["call_id"] == str(call)
        assert omar.post(f"/api/calls/{call}/answer").status_code == 200
        assert anna.get("/api/shift").json()["in_hand"] is None


def test_a_caller_who_hangs_up_is_offered_to_nobody(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.OPERATOR) as anna:
        come(anna)
        call = ringing(site)
        ended(site, call)
        told = anna.get("/api/shift").json()
        assert (told["offer"], told["waiting"]) == (None, 0)
        assert anna.post(f"/api/calls/{call}/answer").json()["code"] == "call_over"


def test_screens_are_told_of_a_line_that_becomes_known_while_the_call_waits(site: Served) -> None:
    call = ringing(site)
    before = site.run(queue.fingerprint)
    assert site.run(queue.fingerprint) == before
    site.run(lambda conn: calls.came_in_on(conn, call, "pkc", at=site.clock.utc_now()))
    assert site.run(queue.fingerprint) != before


def test_a_screen_that_falls_silent_is_not_available_any_more(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.OPERATOR) as anna:
        since = come(anna)["available_since"]
        pass_time(site, availability.LAPSES / 2)
        assert come(anna)["available_since"] == since
        pass_time(site, availability.LAPSES)
        ringing(site)
        told = anna.get("/api/shift").json()
        assert (told["available_since"], told["offer"], told["waiting"]) == (None, None, 1)
        assert come(anna)["offer"] is not None
        anna.put("/api/shift", json={"available": False})
        assert anna.get("/api/shift").json()["available_since"] is None


def test_a_call_that_one_places_oneself_is_in_ones_hand_until_its_tokens_have_expired(
    still_site: Served,
) -> None:
    site = still_site
    with site.signed_in("anna", Role.OPERATOR) as anna, site.signed_in("omar", Role.OPERATOR) as omar:
        come(omar)
        call = anna.post("/api/calls", json={"profile": "report"}).json()["call_id"]
        assert anna.get("/api/shift").json()["in_hand"]["call_id"] == call
        assert omar.get("/api/shift").json()["waiting"] == 0
        pass_time(site, SETS_UP)
        assert anna.get("/api/shift").json()["in_hand"] is None


def test_answering_is_written_in_the_access_log(site: Served) -> None:
    with site.signed_in("anna", Role.OPERATOR) as anna, site.signed_in("vera", Role.ADMIN) as vera:
        call = ringing(site)
        anna.post(f"/api/calls/{call}/answer")
        anna.post(f"/api/calls/{call}/answer")
        events = vera.get("/api/access-events").json()["events"]
        assert [event["call_id"] for event in events if event["action"] == "call.answer"] == [str(call)]
