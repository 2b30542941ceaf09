"""Signing in by the organisation's provider, over HTTP and with a real one; and the ways in which one does not get in."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from callsvc.types import Role
from callsvc.web.door import PLAIN_COOKIE
from callsvc.web.routes.single_sign_on import RETURN
from tests.support.provider import Provider
from tests.support.web import PASSWORD, Served

pytestmark = pytest.mark.screens


def to_provider(client: httpx.Client, back: str = "/") -> str:
    """The provider's address that a browser is sent to."""
    gone = client.get("/api/sign-in/begin", params={"back": back})
    assert gone.status_code == 303, gone.text
    return gone.headers["location"]


def from_provider(there: str) -> str:
    """Where the provider sends a browser back to, with its code."""
    return httpx.get(there, timeout=60).headers["location"]


def refusal(answer: httpx.Response) -> str | None:
    found = parse_qs(urlsplit(answer.headers["location"]).query).get("sign-in")
    assert (PLAIN_COOKIE in answer.cookies) is (found is None)
    return found[0] if found else None


def test_who_the_provider_vouches_for_is_let_in_with_the_roles_of_today(
    sso: Served, provider: Provider
) -> None:
    provider.person("alma", "Alma Ek", "rlc")
    provider.sits("alma")
    with sso.client() as client:
        ways = client.get("/api/sign-in").json()
        assert (ways["provider"], ways["password"]) == ("Polisens konto", True)
        there = to_provider(client, "/arenden#t=4.0")
        back = client.get(from_provider(there))
        assert (back.status_code, back.headers["location"]) == (303, "/arenden#t=4.0")
        me = client.get("/api/me").json()
        assert (me["name"], me["display_name"], me["roles"]) == ("alma", "Alma Ek", ["operator"])
        assert me["external"] is True
        # There is no password to be guessed, set or changed here.
        assert client.post("/api/login", json={"name": "alma", "password": ""}).status_code == 422
        assert client.post("/api/login", json={"name": "alma", "password": "None"}).status_code == 401
        change = client.post("/api/me/password", json={"current": "x", "wanted": "sju blå valar simmar"})
        assert change.json()["code"] == "wrong_present_password"
        assert client.post("/api/me/second-factor").json()["code"] == "external_account"
        # Signing out leads to the provider's own way out, and from there back to our door.
        out = urlsplit(client.post("/api/logout").json()["next"])
        assert f"{out.scheme}://{out.netloc}" == provider.issuer.rstrip("/")
        assert parse_qs(out.query) == {
            "client_id": ["callsvc"],
            "post_logout_redirect_uri": [f"{sso.url}/"],
        }
        assert client.get("/api/me").status_code == 401
    with sso.signed_in("vera", Role.ADMIN) as vera:
        alma = next(one for one in vera.get("/api/users").json()["users"] if one["name"] == "alma")
        asked = vera.patch(f"/api/users/{alma['id']}", json={"roles": ["admin"]})
        assert asked.json()["code"] == "external_account"
        assert vera.post(f"/api/users/{alma['id']}/password").json()["code"] == "external_account"
        log = vera.get("/api/access-events").json()["events"]
        assert {"user.create", "session.open"} <= {one["action"] for one in log if one["object"]}
        assert vera.patch(f"/api/users/{alma['id']}", json={"disabled": True}).status_code == 200
    with sso.client() as client:
        assert refusal(client.get(from_provider(to_provider(client)))) == "closed"


def test_a_code_or_a_state_is_good_once_and_in_the_browser_where_it_began(
    sso: Served, provider: Provider
) -> None:
    provider.person("sara", "Sara Lind", "rlc")
    provider.sits("sara")
    with sso.client() as client, sso.client() as thief:
        back = from_provider(to_provider(client))
        # Somebody else's browser, to which the address was handed: neither without nor with a sign-in of its own.
        assert refusal(thief.get(back)) == "expired"
        to_provider(thief)
        assert refusal(thief.get(back)) == "expired"
        assert refusal(client.get(back)) is None
        client.cookies.delete(PLAIN_COOKIE)
        assert refusal(client.get(back)) == "expired"
        # The used code again, under a state that is good: the provider's refusal is ours.
        fresh = parse_qs(urlsplit(to_provider(client)).query)["state"][0]
        used = parse_qs(urlsplit(back).query)["code"][0]
        assert refusal(client.get(RETURN, params={"state": fresh, "code": used})) == "not_trusted"
        assert refusal(client.get(RETURN, params={"state": "made up", "code": "made up"})) == "expired"
        assert client.get("/api/me").status_code == 401


def test_what_goes_wrong_there_is_told_here(sso: Served, provider: Provider) -> None:
    provider.person("nils", "Nils Utan", "annat")
    sso.person("karin", Role.QA)
    provider.person("karin", "En annan Karin", "chef")
    with sso.client() as client:
        provider.sits("nils")
        assert refusal(client.get(from_provider(to_provider(client)))) == "no_role"
        # An account that only bears the same name stays its owner's.
        provider.sits("karin")
        assert refusal(client.get(from_provider(to_provider(client)))) == "name_taken"
        state = parse_qs(urlsplit(to_provider(client, "/drift")).query)["state"][0]
        declined = client.get(RETURN, params={"state": state, "error": "access_denied"})
        assert declined.headers["location"] == "/drift?sign-in=declined"
        state = parse_qs(urlsplit(to_provider(client)).query)["state"][0]
        other = client.get(RETURN, params={"state": state, "code": "c", "iss": "https://evil.example"})
        assert refusal(other) == "not_trusted"
        gone = client.get("/api/sign-in/begin", params={"back": "//evil.example"})
        assert gone.headers["location"].startswith(provider.issuer)
        assert client.post("/api/login", json={"name": "karin", "password": PASSWORD}).status_code == 200


def test_local_accounts_can_be_shut_out(sso: Served) -> None:
    settings = sso.settings.openid.model_copy(update={"local_accounts": False})
    sso.site.settings.__dict__["openid"] = settings
    sso.person("karin", Role.QA)
    with sso.client() as client:
        assert client.get("/api/sign-in").json()["password"] is False
        refused = client.post("/api/login", json={"name": "karin", "password": PASSWORD})
        assert (refused.status_code, refused.json()["code"]) == (403, "no_passwords_here")


def test_without_a_provider_there_is_no_way_to_one(site: Served) -> None:
    with site.client() as client:
        ways = client.get("/api/sign-in").json()
        assert (ways["provider"], ways["password"]) == (None, True)
        assert client.get("/api/sign-in/begin").status_code == 404
        assert refusal(client.get(RETURN, params={"state": "x", "code": "y"})) == "expired"
