"""A locked screen, over HTTP: it opens nothing until its person has shown who they are, and the call in hand goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from callsvc.access import attempts, lock, people, totp
from callsvc.access.sessions import Session
from callsvc.clock import FixedClock
from callsvc.ids import new_id
from callsvc.store import Connection
from callsvc.types import Role
from callsvc.web import door
from tests.callsvc.web.questions import QUESTIONS
from tests.callsvc.web.test_rights import ask
from tests.support import past_calls as calls
from tests.support.web import PASSWORD, Served, serving

pytestmark = pytest.mark.screens

MINUTES = 15  # as the settings have it


def test_a_session_whose_last_sign_of_life_is_still_to_come_counts_as_locked() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    who = people.Person(
        id=new_id(), name="eva", display_name="Eva", roles=(Role.QA,), must_change_password=False,
        created_at=at, last_login_at=at, disabled_at=None,
    )  # fmt: skip
    session = Session(id=new_id(), person=who, created_at=at, expires_at=at, active_at=at)
    after = timedelta(minutes=MINUTES)
    assert not lock.is_locked(session, after=after, at=at)
    assert lock.is_locked(session, after=after, at=at - timedelta(hours=1))
    assert not lock.is_locked(session, after=timedelta(0), at=at - timedelta(hours=1))


@pytest.fixture
def idle(conninfo: str, tmp_path: Path, quick_passwords: None) -> Iterator[Served]:
    with serving(conninfo, tmp_path / "data", FixedClock()) as served:
        yield served


def wait(site: Served, minutes: float) -> None:
    assert isinstance(site.clock, FixedClock)
    site.clock.advance(minutes * 60)


# What a locked screen may still ask: who it is, and the call in hand.
THOUGH_LOCKED = {("GET", "/api/shift"), ("POST", "/api/calls/{call}/answer")}


def test_a_locked_session_opens_nothing_until_the_password_is_given(idle: Served) -> None:
    call = idle.run(calls.finished)
    with idle.signed_in("anna", *Role) as anna:
        assert anna.get("/api/me").json()["lock_after_s"] == MINUTES * 60
        assert anna.post("/api/me/lock").status_code == 204
        for questions in QUESTIONS.values():
            for question in questions:
                if question[:2] not in THOUGH_LOCKED:
                    told = ask(anna, question, call)
                    assert (told.status_code, told.json()["code"]) == (423, "locked"), question
        for path in ("/api/events", "/api/me/sessions", "/api/me/second-factor"):
            assert anna.get(path).status_code == 423, path
        assert anna.post("/api/me/activity").status_code == 423  # moving the pointer is not enough
        assert anna.get("/api/me").json()["locked"] is True
        wrong = anna.post("/api/me/unlock", json={"password": "en gissning"})
        assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_present_password")
        right = anna.post("/api/me/unlock", json={"password": PASSWORD})
        assert right.json()["locked"] is False
        assert anna.get("/api/users").status_code == 200


def test_guessing_at_a_locked_screen_is_stopped(idle: Served) -> None:
    with idle.signed_in("anna", Role.QA) as anna:
        anna.post("/api/me/lock")
        for _ in range(attempts.PER_NAME_AND_ADDRESS):
            assert anna.post("/api/me/unlock", json={"password": "gissning"}).status_code == 403
        assert anna.post("/api/me/unlock", json={"password": PASSWORD}).status_code == 429


def test_where_a_second_factor_is_on_it_opens_the_screen_too(idle: Served) -> None:
    with idle.signed_in("anna", Role.QA) as anna:
        secret = anna.post("/api/me/second-factor").json()["secret"]

        def code() -> str:
            import base64

            raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
            return totp.code(raw, totp.step_of(idle.clock.utc_now()))

        assert anna.post("/api/me/second-factor/confirmation", json={"code": code()}).status_code == 204
        wait(idle, 2)
        anna.post("/api/me/lock")
        assert anna.post("/api/me/unlock", json={"password": PASSWORD}).json()["code"] == "code_required"
        answer = anna.post("/api/me/unlock", json={"password": PASSWORD, "code": "000000"})
        assert answer.json()["code"] == "wrong_code"
        assert anna.get("/api/me").json()["locked"] is True
        answer = anna.post("/api/me/unlock", json={"password": PASSWORD, "code": code()})
        assert answer.json()["locked"] is False


def test_a_screen_that_forgot_to_lock_counts_as_locked_and_one_that_is_used_does_not(idle: Served) -> None:
    longest = MINUTES + lock.SLACK / timedelta(minutes=1)
    with idle.signed_in("anna", Role.QA) as used, idle.signed_in("omar", Role.QA) as left:
        for _ in range(3):
            wait(idle, longest / 2)
            assert used.post("/api/me/activity").status_code == 204
            left.get("/api/calls?state=live")  # a page that fetches by itself is nobody's hand
        assert used.get("/api/calls?state=live").status_code == 200
        assert left.get("/api/calls?state=live").status_code == 423
        # What watches for changes ends with the lock, though it asks for nothing.
        token = left.cookies[door.PLAIN_COOKIE]
        assert not idle.wait(door.still_there(idle.site, token))
        assert idle.wait(door.still_there(idle.site, used.cookies[door.PLAIN_COOKIE]))
        assert left.post("/api/logout").status_code == 200
        assert left.get("/api/me").status_code == 401


def test_the_call_in_hand_is_taken_up_again_though_locked_and_no_other_is_answered(idle: Served) -> None:
    async def ringing(conn: Connection) -> UUID:
        return await calls.live(conn, at=idle.clock.utc_now(), recording=False)

    async def answered(conn: Connection) -> None:
        await conn.execute(
            "update calls set answered_by = %s, answered_at = created_at where id = %s", [me, call]
        )

    with idle.signed_in("omar", Role.OPERATOR) as omar:
        me = UUID(omar.get("/api/me").json()["id"])
        call = idle.run(ringing)
        omar.post("/api/me/lock")
        assert omar.post(f"/api/calls/{call}/answer").status_code == 423
        idle.run(answered)
        assert omar.get("/api/shift").json()["in_hand"]["call_id"] == str(call)
        assert omar.post(f"/api/calls/{call}/answer").json()["token"]
        assert omar.put("/api/shift", json={"available": True}).status_code == 423
        assert omar.put(f"/api/calls/{call}/notes", json={"revision": 0, "lines": []}).status_code == 423
