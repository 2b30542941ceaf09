"""The second factor at sign-in, and the list of one's own sessions."""

from __future__ import annotations

import base64
from datetime import timedelta

import httpx
import pytest

from callsvc.access import totp
from callsvc.clock import FixedClock
from callsvc.types import Role
from tests.support.web import PASSWORD, Served

pytestmark = pytest.mark.screens


def code(site: Served, secret: str) -> str:
    raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return totp.code(raw, totp.step_of(site.clock.utc_now()))


def pass_time(site: Served, seconds: float) -> None:
    assert isinstance(site.clock, FixedClock)
    site.clock.advance(seconds)


def connected(site: Served, client: httpx.Client) -> str:
    """The secret of an authenticator that counts from now on."""
    secret = str(client.post("/api/me/second-factor").json()["secret"])
    assert (
        client.post("/api/me/second-factor/confirmation", json={"code": code(site, secret)}).status_code
        == 204
    )
    pass_time(site, totp.STEP_S)
    return secret


def sign_in(client: httpx.Client, name: str, given: str | None = None) -> httpx.Response:
    return client.post("/api/login", json={"name": name, "password": PASSWORD, "code": given})


def test_with_a_second_factor_the_password_alone_opens_nothing(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.OPERATOR) as anna, site.client() as elsewhere:
        secret = connected(site, anna)
        assert anna.get("/api/me/second-factor").json() == {"on": True}
        refused = sign_in(elsewhere, "anna")
        assert (refused.status_code, refused.json()["code"]) == (401, "code_required")
        assert elsewhere.get("/api/me").status_code == 401
        wrong = sign_in(elsewhere, "anna", "000000")
        assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_code")
        right = code(site, secret)
        assert sign_in(elsewhere, "anna", right).status_code == 200
        # Who looked over a shoulder has a code that was used.
        assert sign_in(elsewhere, "anna", right).json()["code"] == "wrong_code"


def test_a_wrong_password_is_told_the_same_with_and_without_a_second_factor(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.OPERATOR) as anna, site.client() as elsewhere:
        connected(site, anna)
        for name in ("anna", "nobody"):
            answer = elsewhere.post("/api/login", json={"name": name, "password": "fel lösenord helt"})
            assert answer.json()["code"] == "wrong_password"


def test_guessing_codes_comes_to_an_end(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.OPERATOR) as anna, site.client() as elsewhere:
        connected(site, anna)
        told = [sign_in(elsewhere, "anna", f"{n:06}").json()["code"] for n in range(7)]
        assert told[-1] == "too_many_attempts"


def test_until_it_is_confirmed_a_second_factor_counts_for_nothing(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.OPERATOR) as anna, site.client() as elsewhere:
        anna.post("/api/me/second-factor")
        wrong = anna.post("/api/me/second-factor/confirmation", json={"code": "000000"})
        assert wrong.json()["code"] == "wrong_code"
        assert sign_in(elsewhere, "anna").status_code == 200


def test_it_is_removed_with_the_password_or_by_an_administrator_and_that_is_logged(
    still_site: Served,
) -> None:
    site = still_site
    with site.signed_in("anna", Role.OPERATOR) as anna, site.signed_in("vera", Role.ADMIN) as vera:
        connected(site, anna)
        assert anna.post("/api/me/second-factor").json()["code"] == "second_factor_on"
        wrong = anna.post("/api/me/second-factor/removal", json={"password": "fel lösenord helt"})
        assert wrong.json()["code"] == "wrong_present_password"
        assert anna.post("/api/me/second-factor/removal", json={"password": PASSWORD}).status_code == 204
        connected(site, anna)
        who = anna.get("/api/me").json()["id"]
        assert vera.post(f"/api/users/{who}/second-factor/removal").status_code == 204
        assert anna.get("/api/me/second-factor").json() == {"on": False}
        actions = [event["action"] for event in vera.get("/api/access-events").json()["events"]]
        assert actions.count("user.second_factor_on") == 2
        assert actions.count("user.second_factor_off") == 2


def test_one_sees_where_one_is_signed_in_and_can_sign_out_there(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna") as anna, site.client(**{"User-Agent": "Another browser"}) as elsewhere:
        pass_time(site, timedelta(minutes=5).total_seconds())
        sign_in(elsewhere, "anna")
        told = anna.get("/api/me/sessions").json()["sessions"]
        assert [one["current"] for one in told] == [False, True]
        assert told[0]["browser"] == "Another browser"
        assert told[0]["address"] == "127.0.0.1"
        assert anna.post(f"/api/me/sessions/{told[0]['id']}/end").status_code == 204
        assert elsewhere.get("/api/me").status_code == 401
        assert anna.get("/api/me").status_code == 200


def test_anothers_session_is_not_there_to_be_ended(still_site: Served) -> None:
    with still_site.signed_in("anna") as anna, still_site.signed_in("omar") as omar:
        mine = anna.get("/api/me/sessions").json()["sessions"][0]["id"]
        assert omar.post(f"/api/me/sessions/{mine}/end").status_code == 404
        assert anna.get("/api/me").status_code == 200
