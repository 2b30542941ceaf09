"""What goes wrong is told as problem+json, in the reader's language, with what to do; and tells nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from callsvc.bus.edition import Refusal, Standing
from callsvc.demo.outcome import NotInTheBooks
from callsvc.errors import PortTaken
from callsvc.ids import new_id
from callsvc.locale import LANGUAGES, text
from callsvc.store import Connection, demonstrations
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


ENGLISH = re.compile(
    r"\b(the|is|are|not|was|were|cannot|there|and|with|must|your|you|this|that|it|of)\b", re.I
)
NOBODY = "00000000-0000-7000-8000-000000000000"


def strings(content: object) -> Iterator[str]:
    """Every text of an answer that is for a person."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for key, value in content.items():
            if key not in ("type", "code", "field", "status"):
                yield from strings(value)
    elif isinstance(content, list):
        for value in content:
            yield from strings(value)


PROBLEMS: tuple[tuple[str, str, object, str], ...] = (
    ("GET", f"/api/calls/{NOBODY}", None, "missing"),
    ("GET", "/api/calls/no-id", None, "bad_id"),
    ("GET", "/api/nothing", None, "missing"),
    ("DELETE", "/api/me", None, "method"),
    ("GET", "/api/access-events?before=x", None, "invalid"),
    ("POST", "/api/login", {"name": "nobody", "password": "fel"}, "wrong_password"),
    ("POST", "/api/login", {"name": 7}, "invalid"),
    ("POST", "/api/users", {"name": "vera", "display_name": "V", "roles": ["admin"]}, "name_taken"),
    ("POST", "/api/users", {"name": "a b", "display_name": "V", "roles": ["admin"]}, "bad_user"),
    ("POST", "/api/users", {"name": "b", "display_name": "V", "roles": ["king"]}, "invalid"),
    ("POST", "/api/me/password", {"current": "fel", "wanted": PASSWORD}, "wrong_present_password"),
    ("POST", "/api/me/password", {"current": PASSWORD, "wanted": "kort"}, "weak_password"),
    ("POST", "/api/models/none/check", None, "missing"),
    ("PUT", "/api/models/uses/final", {"name": "kb-whisper-tiny"}, "model_damaged"),
    ("POST", "/api/models/uses/final", None, "method"),
    ("GET", "/api/search", None, "not_allowed"),
    ("GET", "/api/cases", None, "not_allowed"),
)


def test_what_goes_wrong_is_told_in_swedish_and_in_nothing_else(site: Served) -> None:
    """Not only as a problem: a model that is not whole, a node that refused a version, a demonstration that failed."""
    absent = NotInTheBooks("The service gave no proof for the call.")
    refusal = Refusal(
        2, PortTaken("Port {port} ({setting}) is taken by another program.", port=1, setting="x").said.dump()
    )

    async def failed(conn: Connection) -> None:
        demo_id = new_id()
        await demonstrations.create(conn, demo_id, created_by=None, at=site.clock.utc_now())
        await demonstrations.update(
            conn, demo_id, "failed", at=site.clock.utc_now(), error=absent.said.dump()
        )

    site.run(failed)
    site.site.nodes.hear("node-1", {"lines": Standing(refused=refusal)})
    (site.settings.data_dir / "models" / "kb-whisper-tiny").mkdir(parents=True)
    with site.signed_in("vera", Role.ADMIN) as vera:

        def ask(method: str, path: str, sent: object, lang: str) -> httpx.Response:
            return vera.request(method, path, json=sent, headers={"Accept-Language": lang})

        for method, path, sent, code in PROBLEMS:
            swedish, english = (ask(method, path, sent, lang) for lang in ("sv-SE,sv;q=0.9,en;q=0.5", "en"))
            assert swedish.json()["code"] == english.json()["code"] == code, (path, swedish.text)
            assert not [one for one in strings(swedish.json()) if ENGLISH.search(one)], path
            assert set(strings(swedish.json())) & set(strings(english.json())) == set(), path
        told = {
            lang: (
                ask("POST", "/api/models/kb-whisper-tiny/check", None, lang).json()["detail"],
                ask("GET", "/api/catalogues/lines", None, lang).json()["nodes"][0]["refused_why"],
                ask("GET", "/api/demo-calls", None, lang).json()["latest"]["error"],
            )
            for lang in LANGUAGES
        }
    assert told["en"][0].endswith("lacks config.json.")
    assert told["sv"][0].endswith("saknar config.json.")
    assert told["en"][1:] == (
        "Port 1 (x) is taken by another program.",
        "The service gave no proof for the call.",
    )
    assert told["sv"][1:] == (
        "Port 1 (x) används av ett annat program.",
        "Tjänsten gav inget bevis för samtalet.",
    )


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
