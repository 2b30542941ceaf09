"""Server-sent events: what changed arrives as topics, and the stream ends with the session and with the service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID

import pytest

from callsvc.access import people
from callsvc.access.sessions import IDLE
from callsvc.clock import FixedClock
from callsvc.store import calls as stored
from callsvc.types import Role
from callsvc.web import changes
from callsvc.web.routes import live
from tests.support import past_calls as calls
from tests.support.recordings import wait_for
from tests.support.web import Served

pytestmark = pytest.mark.screens


def topics(lines: Iterator[str], wanted: str) -> set[str]:
    """Read on until the topic is told; all that were told until then."""
    seen: set[str] = set()
    for line in lines:
        if line.startswith("data: ") and "topics" in line:
            seen |= set(json.loads(line[6:])["topics"])
            if wanted in seen:
                return seen
    raise AssertionError(f"the stream ended without {wanted}: {seen}")


def test_a_call_that_begins_and_ends_is_told_as_it_happens(site: Served) -> None:
    with site.signed_in("inga", Role.INVESTIGATOR) as client, client.stream("GET", "/api/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        call = site.run(lambda conn: calls.live(conn, at=site.clock.utc_now()))
        assert "calls" in topics(lines, f"call:{call}")
        site.run(lambda conn: stored.end(conn, call, cause="hangup", length_ms=1, at=site.clock.utc_now()))
        assert "calls" in topics(lines, f"call:{call}")


def test_a_correction_is_told_to_whoever_else_reads_the_call_and_to_no_operator(site: Served) -> None:
    call = site.run(calls.finished)
    site.run(lambda conn: calls.transcribed(conn, call))
    with site.signed_in("olle", Role.OPERATOR) as olle, olle.stream("GET", "/api/events") as to_olle:
        first = to_olle.iter_lines()
        topics(first, "shift")  # from now on a change alone is told, to one who comes later, too
        with site.signed_in("inga", Role.INVESTIGATOR) as inga, inga.stream("GET", "/api/events") as to_inga:
            second = to_inga.iter_lines()
            assert "event: hello" in (next(second), next(second))
            with site.signed_in("bo", Role.INVESTIGATOR) as bo:
                bo.post(f"/api/calls/{call}/access", json={"reason": "Utredning"})
                path = f"/api/calls/{call}/transcript/utterances/0"
                assert bo.put(path, json={"version": 0, "text": "Polisen."}).status_code == 200
            assert topics(second, f"text:{call}")
        # Nor that somebody looked at something: who reads the log may know when.
        site.run(lambda conn: calls.live(conn, at=site.clock.utc_now()))
        assert not any(topic.startswith(("text", "log", "health")) for topic in topics(first, "calls"))


def test_who_loses_a_role_is_told_no_more_of_it_by_a_stream_that_was_open(
    site: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "QUIET_S", 0.05)
    site.person("vera", Role.ADMIN)  # somebody is always left to administer
    with site.signed_in("inga", Role.INVESTIGATOR) as client, client.stream("GET", "/api/events") as stream:
        lines = stream.iter_lines()
        first = site.run(lambda conn: calls.live(conn, at=site.clock.utc_now()))
        topics(lines, f"call:{first}")
        inga = client.get("/api/me").json()["id"]
        site.run(lambda conn: people.set_roles(conn, UUID(inga), [Role.OPERATOR]))
        for _ in range(6):  # looked at anew meanwhile
            while next(lines) != "event: still":
                pass
        second = site.run(lambda conn: calls.live(conn, at=site.clock.utc_now()))
        assert f"call:{second}" not in topics(lines, "calls")


def test_what_is_told_holds_no_more_than_topics(site: Served) -> None:
    with site.signed_in("inga", Role.INVESTIGATOR) as client, client.stream("GET", "/api/events") as stream:
        lines = stream.iter_lines()
        call = site.run(lambda conn: calls.live(conn, at=site.clock.utc_now()))
        for topic in topics(lines, f"call:{call}"):
            assert topic.split(":")[0] in {
                "calls", "call", "text", "hand-overs", "shift", "demo", "log", "health",
            }  # fmt: skip


def test_the_stream_ends_with_the_session(still_site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "QUIET_S", 0.05)
    assert isinstance(still_site.clock, FixedClock)
    with still_site.signed_in("omar", Role.OPERATOR) as client, client.stream("GET", "/api/events") as stream:
        still_site.clock.advance(IDLE.total_seconds() + 1)
        assert all("changed" not in line for line in list(stream.iter_lines())[5:])
        assert client.get("/api/me").status_code == 401


def test_an_open_stream_keeps_no_idle_session_alive(
    still_site: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "QUIET_S", 0.05)
    assert isinstance(still_site.clock, FixedClock)
    with still_site.signed_in("omar", Role.OPERATOR) as client, client.stream("GET", "/api/events") as stream:
        still_site.clock.advance(IDLE.total_seconds() - 1)
        lines = stream.iter_lines()
        for _ in range(8):
            next(lines)
        still_site.clock.advance(2)
        list(lines)
        assert client.get("/api/me").status_code == 401


def test_the_service_stops_while_a_screen_watches(site: Served) -> None:
    with site.signed_in("omar", Role.OPERATOR) as client, client.stream("GET", "/api/events") as stream:
        lines = stream.iter_lines()
        next(lines)
        site.close()  # waits for the server, which waits for its answers
        list(lines)  # and the stream ends


def test_one_screen_too_many_is_told_to_poll(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MAX_WATCHERS", 1)
    monkeypatch.setattr(live, "QUIET_S", 0.05)
    with site.signed_in("omar", Role.OPERATOR) as client:
        with client.stream("GET", "/api/events") as stream:
            lines = stream.iter_lines()  # kept: the stream is closed with it
            next(lines)
            refused = client.get("/api/events")
            assert (refused.status_code, refused.json()["code"]) == (503, "too_many_watching")
        wait_for(lambda: site.site.changes.watching == 0)  # the place is given back
