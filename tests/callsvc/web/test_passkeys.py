"""Passkeys over HTTP: they open the door and the locked screen, and nothing that was forged, kept or borrowed does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from callsvc.access import attempts, passkey_questions
from callsvc.access.relying_party import RelyingParty, WhyNot, relying_party
from callsvc.clock import FixedClock
from callsvc.store import Connection
from callsvc.types import Role
from tests.support.authenticator import Authenticator, text
from tests.support.web import PASSWORD, Served, settings_for

pytestmark = pytest.mark.screens


def device(site: Served, **options: Any) -> Authenticator:
    return Authenticator(f"http://localhost:{site.port}", **options)


def asked(
    client: httpx.Client, address: str = "/api/sign-in/passkey/question", **body: str
) -> dict[str, Any]:
    answer = client.post(address, json=body or None)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def added(site: Served, client: httpx.Client, **options: Any) -> Authenticator:
    """A device whose passkey opens this person's account."""
    made = device(site, **options)
    question = asked(client, "/api/me/passkeys/question", password=PASSWORD)
    answer = client.post("/api/me/passkeys", json=made.make(question))
    assert answer.status_code == 201, answer.text
    return made


def enter(client: httpx.Client, key: Authenticator, **forged: Any) -> httpx.Response:
    return client.post("/api/sign-in/passkey", json=key.answer(asked(client), **forged))


def code(answer: httpx.Response) -> str:
    return str(answer.json()["code"]) if answer.status_code >= 400 else "let in"


def pass_time(site: Served, seconds: float) -> None:
    assert isinstance(site.clock, FixedClock)
    site.clock.advance(seconds)


@contextmanager
def by_settings(conninfo: str, path: Path, **web: Any) -> Iterator[Served]:
    settings = settings_for(path)
    settings = settings.model_copy(update={"web": settings.web.model_copy(update=web)})
    served = Served(settings, conninfo, FixedClock())
    try:
        yield served
    finally:
        served.close()


def test_a_passkey_opens_the_door_and_then_the_password_alone_does_not(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.ADMIN) as anna, site.client() as elsewhere:
        assert anna.get("/api/me").json()["passkey"] is False
        key = added(site, anna)
        assert anna.get("/api/me").json()["passkey"] is True
        (listed,) = anna.get("/api/me/passkeys").json()["passkeys"]
        assert (listed["label"], listed["used_at"]) == ("Arbetsdatorn", None)
        let_in = enter(elsewhere, key)
        assert let_in.json()["name"] == "anna"
        assert "httponly" in let_in.headers["set-cookie"].lower()
        assert elsewhere.get("/api/users").status_code == 200
        assert anna.get("/api/me/passkeys").json()["passkeys"][0]["used_at"] is not None
        with site.client() as stranger:
            told = stranger.post("/api/login", json={"name": "anna", "password": PASSWORD})
            assert (told.status_code, code(told)) == (401, "passkey_required")
            # Who does not know the password is not told that there is a passkey.
            assert (
                code(stranger.post("/api/login", json={"name": "anna", "password": "gissning"}))
                == "wrong_password"
            )
        removal = f"/api/me/passkeys/{listed['id']}/removal"
        assert code(anna.post(removal, json={"password": "gissning"})) == "wrong_present_password"
        assert anna.post(removal, json={"password": PASSWORD}).status_code == 204
        assert code(enter(elsewhere, key)) == "passkey_not_accepted"
        assert elsewhere.post("/api/login", json={"name": "anna", "password": PASSWORD}).status_code == 200
        log = anna.get("/api/access-events").json()["events"]
        assert [one["action"] for one in reversed(log)] == [
            "session.open", "user.passkey_on", "session.open", "user.passkey_off", "session.open",
        ]  # fmt: skip


def test_what_was_forged_opens_nothing_and_the_same_unforged_does(still_site: Served) -> None:
    site = still_site
    forged: list[tuple[dict[str, Any], str]] = [
        ({"origin": "https://samtal.example.evil"}, "passkey_other_address"),
        ({"origin": f"http://127.0.0.1:{site.port}"}, "passkey_other_address"),
        ({"rp_id": "evil.example"}, "passkey_not_accepted"),
        ({"verified": False}, "passkey_not_accepted"),
        ({"signed": False}, "passkey_not_accepted"),
        ({"kind": "webauthn.create"}, "passkey_not_accepted"),
        ({"user_handle": b"somebody else"}, "passkey_not_accepted"),
        ({"challenge": text(b"never asked" * 3)}, "passkey_not_asked"),
    ]
    with site.signed_in("anna") as anna, site.client() as client:
        key = added(site, anna)
        for how, told in forged:
            assert code(enter(client, key, **how)) == told, how
            assert client.get("/api/me").status_code == 401, how
            assert code(enter(client, key)) == "let in", how
            client.post("/api/logout")


def test_an_answer_is_good_once_soon_in_this_browser_and_for_this_purpose(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna") as anna, site.client() as client, site.client() as thief:
        key = added(site, anna)
        asked(thief)
        given = key.answer(asked(client))
        # Overheard: another browser cannot use it, nor can anybody once it was used.
        assert code(thief.post("/api/sign-in/passkey", json=given)) == "passkey_not_asked"
        assert client.post("/api/sign-in/passkey", json=given).status_code == 200
        assert code(client.post("/api/sign-in/passkey", json=given)) == "passkey_not_asked"
        refused = key.answer(asked(client), verified=False)
        assert code(client.post("/api/sign-in/passkey", json=refused)) == "passkey_not_accepted"
        assert code(client.post("/api/sign-in/passkey", json=refused)) == "passkey_not_asked"
        question = asked(client)
        pass_time(site, passkey_questions.GOOD_FOR.total_seconds() + 1)
        assert code(client.post("/api/sign-in/passkey", json=key.answer(question))) == "passkey_not_asked"
        unlocking = asked(anna, "/api/me/unlock/passkey/question")
        assert code(client.post("/api/sign-in/passkey", json=key.answer(unlocking))) == "passkey_not_asked"


def test_a_copied_passkey_is_found_by_its_counter_and_that_is_logged(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna", Role.ADMIN) as anna, site.client() as client:
        key, synchronised = added(site, anna), added(site, anna, counts=False)
        assert code(enter(client, key, count=7)) == "let in"
        for count in (7, 3, 0):
            assert code(enter(client, key, count=count)) == "passkey_not_accepted"
        assert code(enter(client, key, count=8)) == "let in"
        # One that never counts says 0 each time, and is told by that.
        assert [code(enter(client, synchronised)) for _ in range(2)] == ["let in", "let in"]
        log = anna.get("/api/access-events").json()["events"]
        assert [one["action"] for one in log].count("user.passkey_copied") == 3


def test_a_key_of_another_opens_ones_own_account_only(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna") as anna, site.signed_in("omar") as omar, site.client() as client:
        hers, his = added(site, anna), added(site, omar)
        assert enter(client, his).json()["name"] == "omar"
        borrowed = his.answer(asked(client)) | {"id": text(hers.id), "user_handle": text(hers.user_handle)}
        assert code(client.post("/api/sign-in/passkey", json=borrowed)) == "passkey_not_accepted"
        # Nor can one remove another's, or take it as one's own.
        (listed,) = anna.get("/api/me/passkeys").json()["passkeys"]
        gone = omar.post(f"/api/me/passkeys/{listed['id']}/removal", json={"password": PASSWORD})
        assert gone.status_code == 404
        question = asked(omar, "/api/me/passkeys/question", password=PASSWORD)
        assert code(omar.post("/api/me/passkeys", json=hers.make(question))) == "conflict"
        assert len(omar.get("/api/me/passkeys").json()["passkeys"]) == 1


def test_a_closed_account_has_no_passkey_and_a_lost_one_is_removed_by_an_administrator(
    still_site: Served,
) -> None:
    site = still_site
    with site.signed_in("vera", Role.ADMIN) as vera, site.signed_in("anna") as anna, site.client() as client:
        key = added(site, anna)
        who = anna.get("/api/me").json()["id"]
        vera.patch(f"/api/users/{who}", json={"disabled": True})
        assert code(enter(client, key)) == "passkey_not_accepted"
        vera.patch(f"/api/users/{who}", json={"disabled": False})
        assert code(enter(client, key)) == "let in"
        assert vera.post(f"/api/users/{who}/second-factor/removal").status_code == 204
        assert code(enter(client, key)) == "passkey_not_accepted"


def test_wrong_tries_are_counted_with_those_by_password(still_site: Served) -> None:
    site = still_site
    with site.signed_in("anna") as anna, site.client() as client:
        key = added(site, anna)
        for _ in range(attempts.PER_NAME_AND_ADDRESS - 1):
            assert code(enter(client, key, signed=False)) == "passkey_not_accepted"
        wrong = client.post("/api/login", json={"name": "anna", "password": "gissning"})
        assert code(wrong) == "wrong_password"
        stopped = enter(client, key)
        assert (stopped.status_code, code(stopped)) == (429, "too_many_attempts")
        assert int(stopped.headers["retry-after"]) > 0
        pass_time(site, attempts.WINDOW.total_seconds() + 1)
        assert code(enter(client, key)) == "let in"


def test_a_stranger_cannot_ask_without_end(still_site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passkey_questions, "OPEN_PER_ADDRESS", 3)
    with still_site.client() as client:
        told = [client.post("/api/sign-in/passkey/question").status_code for _ in range(4)]
        assert told == [200, 200, 200, 429]
        pass_time(still_site, passkey_questions.GOOD_FOR.total_seconds() + 1)
        asked(client)


def test_a_locked_screen_is_opened_by_a_passkey_of_its_person_alone(still_site: Served) -> None:
    site = still_site
    where = "/api/me/unlock/passkey"
    with site.signed_in("anna", Role.QA) as anna, site.signed_in("omar") as omar:
        hers, his = added(site, anna), added(site, omar)
        anna.post("/api/me/lock")
        assert anna.get("/api/me/passkeys").status_code == 423
        assert anna.post("/api/me/passkeys/question", json={"password": PASSWORD}).status_code == 423
        question = asked(anna, f"{where}/question")
        assert [one["id"] for one in question["allowed"]] == [text(hers.id)]
        assert code(anna.post(where, json=his.answer(question))) == "passkey_not_accepted"
        # Asked of one session, answered in another.
        there = asked(omar, f"{where}/question")
        assert code(anna.post(where, json=hers.answer(there))) == "passkey_not_asked"
        assert code(anna.post("/api/me/unlock", json={"password": PASSWORD})) == "passkey_required"
        assert anna.get("/api/calls?state=live").status_code == 423
        opened = anna.post(where, json=hers.answer(asked(anna, f"{where}/question")))
        assert opened.json()["locked"] is False
        assert anna.get("/api/calls?state=live").status_code == 200


def test_a_new_passkey_asks_for_the_password_and_is_looked_at_as_closely(still_site: Served) -> None:
    site = still_site
    where = "/api/me/passkeys"
    with site.signed_in("anna") as anna, site.signed_in("omar") as omar:
        wrong = anna.post(f"{where}/question", json={"password": "gissning"})
        assert code(wrong) == "wrong_present_password"

        def question(client: httpx.Client = anna) -> dict[str, Any]:
            return asked(client, f"{where}/question", password=PASSWORD)

        key = device(site)
        for forged, told in (
            (key.make(question(omar)), "passkey_not_asked"),
            (key.make(question(), verified=False), "passkey_not_accepted"),
            (key.make(question(), origin="https://evil.example"), "passkey_other_address"),
            (key.make(question()) | {"attestation": "AAAA"}, "passkey_not_accepted"),
            (key.make(question()) | {"client_data": "e30"}, "passkey_not_accepted"),
            (key.make(question()) | {"client_data": "A"}, "invalid"),
            (key.make(question()) | {"label": "\u0000"}, "invalid"),
        ):
            assert code(anna.post(where, json=forged)) == told
        assert anna.get(where).json()["passkeys"] == []
        assert asked(anna, f"{where}/question", password=PASSWORD)["known"] == []
        once = key.make(question())
        assert anna.post(where, json=once).status_code == 201
        assert code(anna.post(where, json=once)) == "passkey_not_asked"
        assert [one["id"] for one in question()["known"]] == [text(key.id)]


def test_who_must_have_a_second_factor_gets_nowhere_without_and_keeps_the_last(
    conninfo: str, tmp_path: Path, quick_passwords: None
) -> None:
    with (
        by_settings(conninfo, tmp_path, lock_after_min=0.0, second_factor_roles=(Role.QA,)) as site,
        site.signed_in("anna", Role.QA, Role.OPERATOR) as anna,
        site.signed_in("omar", Role.OPERATOR) as omar,
    ):
        me = anna.get("/api/me").json()
        assert (me["must_add_factor"], me["rights"]) == (True, [])
        for path in ("/api/calls?state=live", "/api/events", "/api/reviews"):
            assert code(anna.get(path)) == "second_factor_required", path
        assert omar.get("/api/calls?state=live").status_code == 200
        added(site, anna)
        assert anna.get("/api/me").json()["must_add_factor"] is False
        assert anna.get("/api/calls?state=live").status_code == 200
        (listed,) = anna.get("/api/me/passkeys").json()["passkeys"]
        removal = f"/api/me/passkeys/{listed['id']}/removal"
        assert code(anna.post(removal, json={"password": PASSWORD})) == "last_factor"
        added(site, anna)
        assert anna.post(removal, json={"password": PASSWORD}).status_code == 204
        assert len(anna.get("/api/me/passkeys").json()["passkeys"]) == 1


def test_where_browsers_have_no_passkeys_that_is_told_and_nothing_is_asked(
    conninfo: str, tmp_path: Path, quick_passwords: None
) -> None:
    plain = {"public_url": "http://samtal.example"}
    with by_settings(conninfo, tmp_path, **plain) as site, site.client() as client:
        ways = client.get("/api/sign-in").json()
        assert (ways["passkeys_at"], ways["no_passkeys"]) == (None, "insecure")
        assert code(client.post("/api/sign-in/passkey/question")) == "passkeys_unavailable"


def test_the_database_alone_makes_no_answer(still_site: Served) -> None:
    async def rows(conn: Connection) -> str:
        cursor = await conn.execute("select q::text as row from passkey_questions q")
        return str(await cursor.fetchall())

    with still_site.client() as client:
        question = asked(client)
        kept = still_site.run(rows)
        assert question["challenge"] not in kept
        assert client.cookies["callsvc-passkey"] not in kept


@pytest.mark.parametrize(
    ("public_url", "reached_at", "found"),
    [
        ("https://Samtal.example/", "http://10.0.0.5:8080/", RelyingParty("samtal.example", "https://samtal.example")),
        ("https://samtal.example:443", "", RelyingParty("samtal.example", "https://samtal.example")),
        ("https://samtal.example:8443", "", RelyingParty("samtal.example", "https://samtal.example:8443")),
        ("", "http://127.0.0.1:8080/", RelyingParty("localhost", "http://localhost:8080")),
        ("", "http://[::1]:8080/", RelyingParty("localhost", "http://localhost:8080")),
        ("", "http://samtal.local:8080/", WhyNot.INSECURE),
        ("http://samtal.example", "http://localhost:8080/", WhyNot.INSECURE),
        ("https://10.0.0.5", "", WhyNot.NO_NAME),
        ("https://[2001:db8::5]", "", WhyNot.NO_NAME),
    ],
)  # fmt: skip
def test_the_address_that_passkeys_are_good_for(
    public_url: str, reached_at: str, found: RelyingParty | WhyNot
) -> None:
    assert relying_party(public_url, reached_at) == found
