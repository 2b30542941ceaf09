"""Accounts over HTTP: one-time passwords, roles, closing; and that somebody is always left to administer."""

from __future__ import annotations

import pytest

from callsvc.types import Role
from tests.support.web import PASSWORD, Served

pytestmark = pytest.mark.screens

NOOR = {"name": "noor", "display_name": "Noor Yusuf", "roles": ["qa"]}


def test_a_new_account_gets_a_password_that_works_once(site: Served) -> None:
    with site.signed_in("boss", Role.ADMIN) as boss, site.client() as noor:
        made = boss.post("/api/users", json=NOOR).json()
        once = made["one_time_password"]
        assert made["user"]["must_change_password"] is True
        assert once not in boss.get("/api/users").text
        noor.post("/api/login", json={"name": "noor", "password": once})
        own = "sju blå valar simmar"
        assert noor.post("/api/me/password", json={"current": once, "wanted": own}).status_code == 200
        assert noor.post("/api/login", json={"name": "noor", "password": once}).status_code == 401


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "boss"}, "name_taken"),
        ({"name": "../../etc"}, "bad_user"),
        ({"name": "a b"}, "bad_user"),
        ({"display_name": "   "}, "bad_user"),
        ({"roles": ["root"]}, "invalid"),
        ({"name": ""}, "invalid"),
        ({"is_admin": True}, "invalid"),
    ],
    ids=str,
)
def test_an_account_that_cannot_be_is_refused_with_why(
    site: Served, change: dict[str, object], code: str
) -> None:
    with site.signed_in("boss", Role.ADMIN) as boss:
        answer = boss.post("/api/users", json=NOOR | change)
        assert answer.json()["code"] == code
        assert len(boss.get("/api/users").json()["users"]) == 1


def test_a_closed_account_is_out_at_once_and_can_be_opened_again(site: Served) -> None:
    with site.signed_in("boss", Role.ADMIN) as boss, site.signed_in("omar", Role.OPERATOR) as omar:
        path = f"/api/users/{omar.get('/api/me').json()['id']}"
        assert boss.patch(path, json={"disabled": True}).json()["disabled_at"] is not None
        assert omar.get("/api/me").status_code == 401
        assert omar.post("/api/login", json={"name": "omar", "password": PASSWORD}).status_code == 401
        assert boss.patch(path, json={"disabled": False}).json()["disabled_at"] is None
        assert omar.post("/api/login", json={"name": "omar", "password": PASSWORD}).status_code == 200


def test_a_new_one_time_password_ends_the_old_one_and_its_sessions(site: Served) -> None:
    with site.signed_in("boss", Role.ADMIN) as boss, site.signed_in("omar", Role.OPERATOR) as omar:
        me = omar.get("/api/me").json()["id"]
        once = boss.post(f"/api/users/{me}/password").json()["one_time_password"]
        assert omar.get("/api/me").status_code == 401
        assert omar.post("/api/login", json={"name": "omar", "password": PASSWORD}).status_code == 401
        assert omar.post("/api/login", json={"name": "omar", "password": once}).status_code == 200


def test_somebody_is_always_left_to_administer(site: Served) -> None:
    with site.signed_in("boss", Role.ADMIN) as boss, site.signed_in("vera", Role.ADMIN) as vera:
        path, hers = (f"/api/users/{client.get('/api/me').json()['id']}" for client in (boss, vera))
        assert boss.patch(path, json={"disabled": True}).json()["code"] == "own_account"
        assert boss.post(f"{path}/password").json()["code"] == "own_account"
        assert boss.patch(hers, json={"roles": []}).status_code == 200
        assert boss.patch(path, json={"roles": ["qa"]}).json()["code"] == "last_administrator"
        assert boss.get("/api/me").json()["roles"] == ["admin"]


def test_what_is_done_to_accounts_is_in_the_log(site: Served) -> None:
    with site.signed_in("boss", Role.ADMIN) as boss:
        user = boss.post("/api/users", json=NOOR).json()["user"]["id"]
        boss.patch(f"/api/users/{user}", json={"roles": ["operator", "qa"]})
        boss.patch(f"/api/users/{user}", json={"disabled": True})
        events = boss.get("/api/access-events").json()["events"]
    assert [(event["action"], event["object"]) for event in reversed(events)] == [
        ("session.open", "boss"),
        ("user.create", "noor: qa"),
        ("user.roles", "noor: operator qa"),
        ("user.disable", "noor"),
    ]
    assert {event["person"]["name"] for event in events} == {"boss"}
