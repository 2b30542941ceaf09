"""Signing in and out over HTTP: what the cookie is, when it ends, and what happens to whoever guesses."""

from __future__ import annotations

import pytest

from callsvc.access import attempts, sessions
from callsvc.access.rights import table
from callsvc.clock import FixedClock
from callsvc.types import Role
from callsvc.web.door import PLAIN_COOKIE
from tests.support.web import PASSWORD, Served

pytestmark = pytest.mark.screens


def clock(site: Served) -> FixedClock:
    assert isinstance(site.clock, FixedClock)
    return site.clock


def test_who_signs_in_gets_a_cookie_that_scripts_cannot_read(site: Served) -> None:
    site.person("anna", Role.QA)
    with site.client() as client:
        answer = client.post("/api/login", json={"name": "Anna", "password": PASSWORD})
        assert answer.status_code == 200
        assert answer.json()["rights"] == sorted(table()[Role.QA])
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "path=/" in cookie
        assert client.get("/api/me").json()["name"] == "anna"


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(site: Served) -> None:
    site.person("anna", Role.QA)
    with site.client() as client:
        wrong = client.post("/api/login", json={"name": "anna", "password": "something else"})
        unknown = client.post("/api/login", json={"name": "nobody", "password": "something else"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["code"] == "wrong_password"


def test_guessing_is_stopped_with_how_long_to_wait_and_others_get_in(site: Served) -> None:
    site.person("anna", Role.QA)
    site.person("omar", Role.OPERATOR)
    with site.client() as client:
        for _ in range(attempts.PER_NAME_AND_ADDRESS):
            assert client.post("/api/login", json={"name": "anna", "password": "guess"}).status_code == 401
        stopped = client.post("/api/login", json={"name": "anna", "password": PASSWORD})
        assert stopped.status_code == 429
        assert int(stopped.headers["retry-after"]) > 0
        assert client.post("/api/login", json={"name": "omar", "password": PASSWORD}).status_code == 200


def test_after_signing_out_the_old_cookie_opens_nothing(site: Served) -> None:
    with site.signed_in("anna", Role.QA) as client, site.client() as thief:
        stolen = client.cookies[PLAIN_COOKIE]
        assert client.post("/api/logout").json() == {"next": None}
        thief.cookies.set(PLAIN_COOKIE, stolen)
        assert thief.get("/api/me").status_code == 401
        assert PLAIN_COOKIE not in client.cookies


def test_a_session_ends_after_a_shift_even_when_it_is_used(still_site: Served) -> None:
    with still_site.signed_in("anna", Role.QA) as client:
        for _ in range(int(sessions.LIFETIME / sessions.IDLE * 2) - 1):
            clock(still_site).advance(sessions.IDLE.total_seconds() / 2)
            assert client.get("/api/calls?state=live").status_code == 200
        clock(still_site).advance(sessions.IDLE.total_seconds() / 2 + 1)
        answer = client.get("/api/calls?state=live")
    assert answer.status_code == 401
    assert answer.json()["code"] == "signed_out"


def test_a_session_that_nobody_uses_ends_sooner(still_site: Served) -> None:
    with still_site.signed_in("anna", Role.QA) as client:
        clock(still_site).advance(sessions.IDLE.total_seconds() + 1)
        assert client.get("/api/me").status_code == 401


def test_with_a_one_time_password_only_the_change_is_open(site: Served) -> None:
    site.person("noor", Role.QA, Role.ADMIN, must_change=True)
    with site.client() as client:
        me = client.post("/api/login", json={"name": "noor", "password": PASSWORD}).json()
        assert me["must_change_password"] is True
        assert me["rights"] == []
        for path in (
            "/api/calls?state=live",
            "/api/users",
            "/api/access-events",
            "/api/health",
            "/api/events",
        ):
            refused = client.get(path)
            assert (refused.status_code, refused.json()["code"]) == (403, "password_change_required"), path
        changed = client.post(
            "/api/me/password", json={"current": PASSWORD, "wanted": "sju blå valar simmar"}
        )
        assert changed.status_code == 200
        assert client.get("/api/users").status_code == 200


def test_a_new_password_ends_the_other_sessions(site: Served) -> None:
    with site.signed_in("anna", Role.QA) as here, site.client() as there:
        there.post("/api/login", json={"name": "anna", "password": PASSWORD})
        wanted = "sju blå valar simmar"
        assert here.post("/api/me/password", json={"current": PASSWORD, "wanted": wanted}).status_code == 200
        assert here.get("/api/me").status_code == 200
        assert there.get("/api/me").status_code == 401


@pytest.mark.parametrize(
    ("current", "wanted", "code"),
    [
        ("not the one", "sju blå valar simmar", "wrong_present_password"),
        (PASSWORD, "kort", "weak_password"),
        (PASSWORD, PASSWORD, "weak_password"),
    ],
)
def test_a_password_is_not_changed_without_the_present_one_or_to_a_weak_one(
    site: Served, current: str, wanted: str, code: str
) -> None:
    with site.signed_in("anna", Role.QA) as client:
        answer = client.post("/api/me/password", json={"current": current, "wanted": wanted})
        assert answer.json()["code"] == code
        assert client.get("/api/me").status_code == 200  # nobody is thrown out for a slip
