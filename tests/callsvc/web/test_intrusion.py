"""Attempts to get in, walked over every address: a forged origin, a token that is none, another call's parts, an odd upload."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from callsvc.clock import FixedClock
from callsvc.types import Role
from callsvc.web.describe import FILE
from callsvc.web.door import PLAIN_COOKIE, SECURE_COOKIE
from tests.callsvc.web.test_disclosures import decide, opened
from tests.support.web import PASSWORD, Served, settings_for

pytestmark = pytest.mark.screens

# A sound file, so it says, and what a browser's form would make of it.
RIFF = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00<script>alert(1)</script>"
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="../a.wav"\r\n\r\n' + RIFF + b"\r\n--x--\r\n"
)


def changing(*, with_words: bool) -> Iterator[tuple[str, str]]:
    """Every address that something is sent to, with ids that are nobody's; or those alone that take more than an id."""
    for path, methods in json.loads(FILE.read_text(encoding="utf-8"))["paths"].items():
        for method, told in methods.items():
            if method != "get" and (not with_words or "requestBody" in told):
                yield method.upper(), re.sub(r"\{\w+\}", str(uuid4()), path)


def test_no_address_takes_anything_from_a_page_elsewhere(site: Served) -> None:
    forged = itertools.cycle(({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}))
    with site.signed_in("anna", *Role) as anna:
        for method, path in changing(with_words=False):
            told = anna.request(method, path, headers=next(forged))
            assert (told.status_code, told.json()["code"]) == (403, "foreign_origin"), path
        assert anna.get("/api/me").json()["locked"] is False


def test_no_address_takes_a_file_whatever_it_is_called(site: Served) -> None:
    files = itertools.cycle(
        (("audio/wav", RIFF), ("multipart/form-data; boundary=x", FORM), ("application/json", RIFF))
    )
    read = 0
    with site.signed_in("anna", *Role) as anna:
        for method, path in changing(with_words=True):
            kind, body = next(files)
            told = anna.request(method, path, content=body, headers={"Content-Type": kind})
            # Some name a thing by number or kind, and there is none of that name to begin with.
            assert told.json()["code"] in ("invalid", "bad_id", "missing"), (path, kind)
            assert b"script" not in told.content, path
            read += told.status_code == 422
    assert read > 30


def test_a_token_that_is_none_opens_nothing(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.ADMIN) as anna, site.client() as thief:
        token = anna.cookies[PLAIN_COOKIE]
        for made_up in (token[:-1], token + "A", token.swapcase(), "x" * 43, '" or 1=1 --', "%00"):
            answer = thief.get("/api/users", headers={"Cookie": f"{PLAIN_COOKIE}={made_up}"})
            assert (answer.status_code, answer.json()["code"]) == (401, "signed_out"), made_up
        # Nor the right one under another name, nor as a header of another kind.
        assert thief.get("/api/users", headers={"Cookie": f"{SECURE_COOKIE}={token}"}).status_code == 401
        assert thief.get("/api/users", headers={"Authorization": f"Bearer {token}"}).status_code == 401
        assert thief.get(f"/api/users?{PLAIN_COOKIE}={token}").status_code == 401
        assert thief.get("/api/users", headers={"Cookie": f"{PLAIN_COOKIE}={token}"}).status_code == 200


def test_whoever_stole_a_session_is_out_when_its_owner_signs_out_everywhere(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.ADMIN) as anna, site.client() as thief, site.client() as phone:
        thief.cookies.set(PLAIN_COOKIE, anna.cookies[PLAIN_COOKIE])
        assert thief.get("/api/users").status_code == 200
        phone.post("/api/login", json={"name": "anna", "password": PASSWORD})
        with site.signed_in("omar") as omar:
            # From the telephone: every other session ends, the stolen one with them, and nobody else's.
            assert phone.post("/api/me/sessions/end").status_code == 204
            assert omar.get("/api/me").status_code == 200
        assert [one["current"] for one in phone.get("/api/me/sessions").json()["sessions"]] == [True]
        for client in (anna, thief):
            assert client.get("/api/me").status_code == 401
        assert (
            thief.post("/api/me/password", json={"current": PASSWORD, "wanted": "x" * 20}).status_code == 401
        )


def test_behind_https_the_cookie_is_for_this_host_alone_and_never_in_the_clear(
    conninfo: str, tmp_path: Path, quick_passwords: None
) -> None:
    settings = settings_for(tmp_path)
    web = settings.web.model_copy(update={"public_url": "https://samtal.example"})
    served = Served(settings.model_copy(update={"web": web}), conninfo, FixedClock())
    try:
        served.person("anna", Role.QA)
        with served.client() as client:
            answer = client.post("/api/login", json={"name": "anna", "password": PASSWORD})
            cookie = answer.headers["set-cookie"]
            assert cookie.startswith(f"{SECURE_COOKIE}=")
            for needed in ("Secure", "HttpOnly", "Path=/"):
                assert needed in cookie
            assert "Domain" not in cookie
            token = cookie.split(";")[0].partition("=")[2]
            # One that somebody planted under the plain name is not looked at.
            planted = client.get("/api/me", headers={"Cookie": f"{PLAIN_COOKIE}={token}"})
            assert planted.status_code == 401
    finally:
        served.close()


def test_parts_of_a_call_are_not_had_under_the_address_of_another(site: Served) -> None:
    with site.signed_in("inga", Role.INVESTIGATOR) as inga, site.signed_in("bo", Role.INVESTIGATOR) as bo:
        hers, his = opened(site, inga), opened(site, bo)
        chosen = {"n": 5, "version": 0, "first": 4, "last": 5, "reason": "Var hon är."}
        copy = inga.post(
            f"/api/calls/{hers}/redactions", json={"title": "Utan vistelseort", "chosen": [chosen]}
        ).json()["id"]
        handed_out = decide(inga, hers, copy_id=copy).json()["id"]
        assert inga.get(f"/api/calls/{hers}/disclosures/{handed_out}/bundle").status_code == 200
        under = f"/api/calls/{his}"
        for path in (
            f"{under}/redactions/{copy}/playback.wav",
            f"{under}/transcript/export?form=txt&copy={copy}",
            f"{under}/leaving?copy={copy}",
            f"{under}/disclosures/{handed_out}/bundle",
            f"{under}/disclosures/{handed_out}/bundle.zip",
        ):
            assert bo.get(path).status_code == 404, path
        assert decide(bo, his, copy_id=copy).status_code == 404
        assert bo.post(f"{under}/disclosures/{handed_out}/bundle").status_code == 404
        # And under its own address it needs a reason of one's own.
        for path in (f"/api/calls/{hers}/redactions", f"/api/calls/{hers}/disclosures/{handed_out}/bundle"):
            assert bo.get(path).json()["code"] == "reason_required", path
