"""Every cell of the table role x action x own or another's call, over HTTP: what it allows works, and nothing else does."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from callsvc.access.rights import Action, Scope, scope
from callsvc.store import Connection
from callsvc.types import Role
from callsvc.web.describe import FILE
from tests.callsvc.web.questions import OPEN, QUESTIONS, Question
from tests.support import past_calls as calls
from tests.support.web import Served

pytestmark = pytest.mark.screens

# What somebody is told who may ask, where there is little to be had.
ALLOWED = {
    None, "reason_required", "missing", "no_sound", "no_transcript", "call_over", "nothing_to_undo", "captions_off",
    "demo_running", "name_taken", "edited_meanwhile", "bad_choice", "conflict", "nothing_sought", "invalid",
    "cannot_take_over",
}  # fmt: skip


def ask(client: httpx.Client, question: Question, call: UUID) -> httpx.Response:
    method, path, body = question
    told = body and {key: str(call) if value == "{call}" else value for key, value in body.items()}
    return client.request(method, path.replace("{call}", str(call)), json=told)


def code(answer: httpx.Response) -> str | None:
    return str(answer.json()["code"]) if answer.status_code >= 400 else None


async def answered(conn: Connection, person: UUID) -> UUID:
    """A call of this person's, which is over."""
    call = await calls.finished(conn, at=calls.BEGAN + timedelta(hours=1))
    await conn.execute(
        "update calls set answered_by = %s, answered_at = created_at where id = %s", [person, call]
    )
    return call


def test_every_address_of_the_api_belongs_to_an_action_of_the_table() -> None:
    asked = {path.split("?")[0] for questions in QUESTIONS.values() for _, path, _ in questions}
    known = set(json.loads(FILE.read_text(encoding="utf-8"))["paths"])  # which is current: test_description

    def template(path: str) -> str:
        fits = [one for one in known if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path)]
        # An address that is spelt out goes before one with a place in it.
        return min(fits, key=lambda one: one.count("{"), default=path)

    assert {template(path) for path in asked} | OPEN == known
    assert set(QUESTIONS) == set(Action)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_the_table_says_with_the_calls_that_it_says(site: Served, role: Role) -> None:
    other = site.run(calls.finished)
    with site.signed_in("someone", role) as client:
        me = UUID(client.get("/api/me").json()["id"])
        own = site.run(lambda conn: answered(conn, me))
        for action, questions in QUESTIONS.items():
            may = scope([role], action)
            for question in questions:
                for call in (own, other) if "{call}" in f"{question}" else (other,):
                    told = code(ask(client, question, call))
                    cell = (action, question[:2], "own" if call == own else "another's")
                    if may is None:
                        if action is Action.NOTES_READ and call == own and role is Role.OPERATOR:
                            assert told is None, cell  # one's own notes are one's own
                        else:
                            assert told == "not_allowed", cell
                    elif may is Scope.OWN and call == other and "{call}" in question[1]:
                        assert told == "missing", cell
                    else:
                        assert told in ALLOWED, cell
                        if may is Scope.OWN and "{call}" in question[1] and "consents/" not in question[1]:
                            assert told not in {"missing"}, cell


def test_what_one_may_not_know_of_is_in_no_list_and_no_count(site: Served) -> None:
    site.run(lambda conn: calls.live(conn, at=site.clock.utc_now()))
    site.run(calls.finished)
    with site.signed_in("olle", Role.OPERATOR) as olle, site.signed_in("inga", Role.INVESTIGATOR) as inga:
        me = UUID(olle.get("/api/me").json()["id"])
        own = site.run(lambda conn: answered(conn, me))
        assert olle.get("/api/calls?state=live").json()["calls"] == []
        listed = olle.get("/api/calls?state=finished&limit=1").json()
        assert [one["id"] for one in listed["calls"]] == [str(own)]
        assert listed["next"] is None
        assert len(inga.get("/api/calls?state=finished").json()["calls"]) == 2


def test_somebody_without_a_role_may_do_nothing(site: Served) -> None:
    call = site.run(calls.finished)
    with site.signed_in("someone") as client:
        for questions in QUESTIONS.values():
            for question in questions:
                assert ask(client, question, call).status_code == 403, question


def test_nobody_is_told_anything_without_signing_in(site: Served) -> None:
    call = site.run(calls.finished)
    with site.client() as client:
        for questions in QUESTIONS.values():
            for question in questions:
                assert ask(client, question, call).status_code == 401, question
        for path in ("/api/me", "/api/events"):
            assert client.get(path).status_code == 401


def test_a_role_that_is_taken_away_is_gone_at_the_next_question(site: Served) -> None:
    with site.signed_in("boss", Role.ADMIN) as boss, site.signed_in("omar", Role.INVESTIGATOR) as omar:
        assert omar.get("/api/calls?state=live").status_code == 200
        boss.patch(f"/api/users/{omar.get('/api/me').json()['id']}", json={"roles": []})
        assert omar.get("/api/calls?state=live").status_code == 403
