"""Every cell of the table role x action, over HTTP: what the table allows works, and nothing else does."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from callsvc.access.rights import RIGHTS, Action
from callsvc.types import Role
from callsvc.web.app import describe
from tests.support import past_calls as calls
from tests.support.web import Served

pytestmark = pytest.mark.screens

NOBODY = str(uuid4())
# One question or more for each action; what an allowed one is answered with, here where there is little.
QUESTIONS: dict[Action, list[tuple[str, str, dict[str, object] | None]]] = {
    Action.CALL_TAKE: [
        ("GET", "/api/shift", None),
        ("PUT", "/api/shift", {"available": True}),
        ("POST", "/api/calls/{call}/answer", None),
        ("POST", "/api/calls", {"profile": "report"}),
    ],
    Action.CALL_LIST: [
        ("GET", "/api/calls?state=live", None),
        ("GET", "/api/calls?state=finished", None),
        ("GET", "/api/calls/{call}", None),
    ],
    Action.CALL_OPEN: [("POST", "/api/calls/{call}/access", {"reason": "Utredning"})],
    Action.AUDIO_READ: [
        ("GET", "/api/calls/{call}/audio/caller.rx.wav", None),
        ("GET", "/api/calls/{call}/playback.wav", None),
        ("GET", "/api/calls/{call}/peaks", None),
    ],
    Action.TRANSCRIPT_READ: [("GET", "/api/calls/{call}/transcript", None)],
    Action.DEMO_PLACE: [
        ("GET", "/api/demo-calls", None),
        ("GET", f"/api/demo-calls/{NOBODY}", None),
        ("POST", "/api/demo-calls", None),
        ("POST", "/api/demo-callers", None),
    ],
    Action.TRAIL_READ: [
        ("GET", "/api/access-events", None),
        ("GET", "/api/access-events/people", None),
        ("GET", "/api/access-events/chain", None),
    ],
    Action.USERS_ADMIN: [
        ("GET", "/api/users", None),
        ("POST", "/api/users", {"name": "new", "display_name": "New", "roles": []}),
        ("PATCH", f"/api/users/{NOBODY}", {"roles": []}),
        ("POST", f"/api/users/{NOBODY}/password", None),
    ],
    Action.HEALTH_READ: [("GET", "/api/health", None)],
}
# For everybody who is signed in, or not even that.
OPEN = {"/api/login", "/api/logout", "/api/me", "/api/me/password", "/api/events"}


def ask(
    client: httpx.Client, question: tuple[str, str, dict[str, object] | None], call: str
) -> httpx.Response:
    method, path, body = question
    return client.request(method, path.replace("{call}", call), json=body)


def test_every_address_of_the_api_belongs_to_an_action_of_the_table() -> None:
    asked = {
        path.split("?")[0].replace("{call}", "{call_id}").replace("caller.rx", "{track}")
        for questions in QUESTIONS.values()
        for _, path, _ in questions
    }
    asked = {
        path.replace(f"/demo-calls/{NOBODY}", "/demo-calls/{demo_id}").replace(NOBODY, "{user_id}")
        for path in asked
    }
    assert asked | OPEN == set(describe().openapi()["paths"])
    assert set(QUESTIONS) == set(Action)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_the_table_says_and_nothing_else(site: Served, role: Role) -> None:
    call = str(site.run(calls.finished))
    with site.signed_in("someone", role) as client:
        for action, questions in QUESTIONS.items():
            for question in questions:
                answer = ask(client, question, call)
                if action in RIGHTS[role]:
                    told = answer.json().get("code") if answer.status_code >= 400 else None
                    assert told in (
                        None,
                        "reason_required",
                        "missing",
                        "no_sound",
                        "no_transcript",
                        "call_over",
                    ), (
                        question,
                        told,
                    )
                else:
                    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), question


def test_somebody_without_a_role_may_do_nothing(site: Served) -> None:
    call = str(site.run(calls.finished))
    with site.signed_in("someone") as client:
        for questions in QUESTIONS.values():
            for question in questions:
                assert ask(client, question, call).status_code == 403, question


def test_nobody_is_told_anything_without_signing_in(site: Served) -> None:
    call = str(site.run(calls.finished))
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
