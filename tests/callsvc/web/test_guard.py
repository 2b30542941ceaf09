"""What holds for every answer and every question: headers, origin, host, size."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from callsvc.types import Role
from callsvc.web.guard import MAX_BODY, hosts_for
from tests.support.web import PASSWORD, Served

pytestmark = pytest.mark.screens


def paths(site: Served) -> list[str]:
    with site.client() as client:
        asset = re.search(r'src="(/assets/[^"]+)"', client.get("/").text)
    assert asset
    return ["/", "/drift", asset[1], "/mark.svg", "/api/me", "/api/nothing", "/healthz", "/metrics"]


def test_every_answer_forbids_what_is_not_ours(site: Served) -> None:
    with site.client() as client:
        for path in paths(site):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy, path
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert "server" not in headers


def test_nothing_but_built_files_is_kept_by_a_cache(site: Served) -> None:
    with site.client() as client:
        for path in paths(site):
            kept = client.get(path).headers["cache-control"]
            if path.startswith("/assets/"):
                assert "immutable" in kept
            elif path == "/mark.svg":
                assert kept == "no-cache"
            else:
                assert "no-store" in kept, path


def test_the_page_has_no_script_or_style_of_its_own_and_a_fresh_nonce_each_time(site: Served) -> None:
    nonces = set()
    with site.client() as client:
        for _ in range(3):
            answer = client.get("/")
            assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)
            assert not re.search(r"<style|style=|\bon\w+=|https?://", answer.text)
            nonce = re.search(r'name="csp-nonce" content="([^"]+)"', answer.text)
            assert nonce
            assert f"'nonce-{nonce[1]}'" in answer.headers["content-security-policy"]
            nonces.add(nonce[1])
    assert len(nonces) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "{own}"},
    ],
    ids=str,
)
def test_a_forged_origin_changes_nothing(site: Served, headers: dict[str, str]) -> None:
    with site.signed_in("anna", Role.ADMIN) as client:
        sent = {name: value.replace("{own}", site.url) for name, value in headers.items()}
        forged = client.post(
            "/api/users", json={"name": "mallory", "display_name": "M", "roles": ["admin"]}, headers=sent
        )
        assert (forged.status_code, forged.json()["code"]) == (403, "foreign_origin")
        assert client.post("/api/logout", headers=sent).status_code == 403
        assert [user["name"] for user in client.get("/api/users").json()["users"]] == ["anna"]


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "{own}"}, {}], ids=str)
def test_our_own_pages_and_programs_may_change_things(site: Served, headers: dict[str, str]) -> None:
    site.person("anna", Role.QA)
    with site.client() as client:
        sent = {name: value.replace("{own}", site.url) for name, value in headers.items()}
        answer = client.post("/api/login", json={"name": "anna", "password": PASSWORD}, headers=sent)
        assert answer.status_code == 200


def test_a_foreign_name_that_points_here_is_not_answered(site: Served) -> None:
    with site.client() as client:
        answer = client.get("/", headers={"Host": "rebound.example"})
        assert (answer.status_code, answer.json()["code"]) == (421, "unknown_host")
        assert client.get("/", headers={"Host": f"localhost:{site.port}"}).status_code == 200


def test_the_names_it_answers_to_follow_the_settings() -> None:
    assert hosts_for("10.0.0.5", "https://samtal.example") == {
        "127.0.0.1", "localhost", "::1", "10.0.0.5", "samtal.example",
    }  # fmt: skip
    assert hosts_for("0.0.0.0", "") == frozenset()


def test_a_question_that_is_too_large_is_refused_declared_or_not(site: Served) -> None:
    def dripping() -> Iterator[bytes]:
        for _ in range(MAX_BODY // 1000 + 2):
            yield b" " * 1000

    headers = {"Content-Type": "application/json"}
    with site.client() as client:
        declared = client.post("/api/login", content=b" " * (MAX_BODY + 1), headers=headers)
        undeclared = client.post("/api/login", content=dripping(), headers=headers)
    assert declared.status_code == undeclared.status_code == 413
    assert undeclared.json()["code"] == "too_large"
