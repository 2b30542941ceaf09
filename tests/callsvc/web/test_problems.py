"""What goes wrong is told as problem+json, in the reader's language, with what to do; and tells nothing else."""

from __future__ import annotations

import pytest

from callsvc.locale import LANGUAGES, text
from callsvc.types import Role
from callsvc.web import problems
from tests.support.web import PASSWORD, Served

pytestmark = pytest.mark.screens


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_problem_says_what_and_what_to_do(lang: str) -> None:
    for code in problems.STATUS:
        assert text(f"web.problem.{code}.title", lang).endswith("."), code
        assert text(f"web.problem.{code}.hint", lang).endswith((".", "@.")), code


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        ("", "sv"),
        ("en-GB,en;q=0.9", "en"),
        ("de,en;q=0.5", "en"),
        ("fi", "sv"),
        ("SV-se", "sv"),
        (";;,", "sv"),
    ],
)
def test_the_language_is_the_readers_and_else_swedish(site: Served, accepted: str, lang: str) -> None:
    with site.client() as client:
        answer = client.get("/api/me", headers={"Accept-Language": accepted})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == text("web.problem.signed_out.title", lang)


def test_what_was_sent_is_not_sent_back(site: Served) -> None:
    with site.client() as client:
        secret = "hemligt lösenord"
        for body in ({"name": "anna", "password": [secret]}, {"name": {}, "password": secret}, secret):
            answer = client.post("/api/login", json=body)
            assert answer.status_code == 422
            assert secret not in answer.text


@pytest.mark.parametrize("sent", [b"", b"{", b"\xff\xfe", b"[" * 5000, b"null", b"1e999"], ids=repr)
def test_garbage_is_answered_calmly(site: Served, sent: bytes) -> None:
    with site.client() as client:
        answer = client.post("/api/login", content=sent, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422
        assert answer.json()["code"] == "invalid"
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"/api/access-events?before={2**63}",
        "/api/access-events?action=a%00b",
        "/api/access-events/export.csv?action=a%00b",
        f"/api/retention?offset={2**70}",
        "/api/retention/export.csv?rule=a%00b",
    ],
)
def test_what_no_database_could_keep_is_no_fault_of_ours(site: Served, path: str) -> None:
    with site.signed_in("vera", Role.ADMIN) as client:
        answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_an_address_or_method_that_is_not_there_is_a_problem_too(site: Served) -> None:
    with site.client() as client:
        assert client.get("/api/nothing").json()["code"] == "missing"
        assert client.put("/api/calls", json={}).json()["code"] == "method"
        assert client.delete("/api/me").json()["code"] == "method"


def test_a_fault_of_ours_tells_no_inside(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("hemligt inre")

    with site.signed_in("vera", Role.ADMIN) as client:
        monkeypatch.setattr(type(site.site.probe), "look", broken)
        answer = client.get("/api/health")
    assert (answer.status_code, answer.json()["code"]) == (500, "fault")
    assert "hemligt" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_without_its_database_it_says_so_and_finds_it_again(site: Served) -> None:
    site.person("anna", Role.QA)
    pool = site.site.database.pool
    with site.client() as client:
        site.wait(pool.close())
        away = client.post("/api/login", json={"name": "anna", "password": PASSWORD})
        assert (away.status_code, away.json()["code"]) == (503, "away")
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").json() == {"ready": False, "missing": ["database"]}
        assert client.get("/").status_code == 200
