"""Captions over HTTP: for the operator of the call and for a supervisor with a reason, with their state."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import ExitStack, closing
from uuid import UUID

import httpx
import pytest

from callsvc.access import trail
from callsvc.ids import new_id
from callsvc.store import Connection, calls, captions
from callsvc.store.captions import CaptionRow, StateRow
from callsvc.types import Profile, Role
from tests.support import past_calls
from tests.support.web import PASSWORD, Served

pytestmark = pytest.mark.transcripts


def events(client: httpx.Client, call: UUID) -> Generator[tuple[str, dict[str, object]], None, None]:
    with client.stream("GET", f"/api/calls/{call}/captions", timeout=30) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        kind = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield kind, json.loads(line.removeprefix("data: "))


def say(site: Served, call: UUID, text: str, *, final: bool, state: str = "on") -> None:
    async def write(conn: Connection) -> None:
        await captions.put(conn, [CaptionRow(call, "caller", 0, 500, 900, text, final)])
        row = StateRow(call, state, "ended" if state == "off" else "", 0, site.clock.utc_now())  # type: ignore[arg-type]
        await captions.set_states(conn, [row])

    site.run(write)


def own_call(site: Served, person: UUID) -> UUID:
    call = new_id()

    async def make(conn: Connection) -> None:
        await calls.create(conn, call, Profile.REPORT, at=site.clock.utc_now(), created_by=person)
        await calls.start(conn, call, profile=Profile.REPORT, node="node-1", at=site.clock.utc_now())

    site.run(make)
    return call


def signed_in(site: Served, name: str, role: Role) -> tuple[httpx.Client, UUID]:
    person = site.person(name, role)
    client = site.client()
    client.post("/api/login", json={"name": name, "password": PASSWORD})
    return client, person.id


def test_an_operator_reads_along_in_a_call_of_their_own_until_it_is_over(site: Served) -> None:
    client, person = signed_in(site, "olle", Role.OPERATOR)
    with closing(client), ExitStack() as listening:
        call = own_call(site, person)
        stream = listening.enter_context(closing(events(client, call)))
        assert next(stream) == ("state", {"state": "off", "why": "none", "delay_ms": 0})
        say(site, call, "hej jag", final=False)
        assert next(stream)[1]["state"] == "on"
        kind, told = next(stream)
        assert (kind, told["text"], told["final"], told["leg"]) == ("caption", "hej jag", False, "caller")
        say(site, call, "Hej, jag heter Anna.", final=True)
        assert next(stream)[1]["text"] == "Hej, jag heter Anna."
        say(site, call, "Hej, jag heter Anna.", final=True, state="off")
        site.run(lambda conn: calls.end(conn, call, cause="hangup", length_ms=9, at=site.clock.utc_now()))
        rest = [kind for kind, _ in stream]
        assert rest[-1] == "over"

    async def log(conn: Connection) -> list[trail.AccessEvent]:
        return await trail.events(conn, call_id=call)

    assert [(one.action, one.user_id) for one in site.run(log)] == [("captions.read", person)]


def test_a_call_of_somebody_else_is_not_there_for_an_operator(site: Served) -> None:
    client, _ = signed_in(site, "olle", Role.OPERATOR)
    with closing(client):
        call = site.run(lambda conn: past_calls.live(conn, at=past_calls.BEGAN))
        assert client.get(f"/api/calls/{call}/captions").json()["code"] == "missing"


def test_a_supervisor_gives_a_reason_first(site: Served) -> None:
    client, _ = signed_in(site, "qarin", Role.QA)
    with closing(client), ExitStack() as listening:
        call = site.run(lambda conn: past_calls.live(conn, at=past_calls.BEGAN))
        assert client.get(f"/api/calls/{call}/captions").json()["code"] == "reason_required"
        client.post(f"/api/calls/{call}/access", json={"reason": "Stöd i pågående samtal"})
        assert next(listening.enter_context(closing(events(client, call))))[0] == "state"


def test_captions_that_fell_silent_are_said_to_be_off(still_site: Served) -> None:
    client, person = signed_in(still_site, "olle", Role.OPERATOR)
    with closing(client), ExitStack() as listening:
        call = own_call(still_site, person)
        say(still_site, call, "ja", final=True)
        stream = listening.enter_context(closing(events(client, call)))
        assert next(stream)[1]["state"] == "on"
        assert next(stream)[0] == "caption"
        still_site.clock.advance(9)  # type: ignore[union-attr]
        assert next(stream) == ("state", {"state": "off", "why": "silent", "delay_ms": 0})
        still_site.run(
            lambda conn: calls.end(conn, call, cause="hangup", length_ms=9, at=still_site.clock.utc_now())
        )
        assert next(stream)[0] == "over"


def test_a_word_that_is_put_right_reads_so_for_everybody_and_what_was_heard_stays_beside_it(
    site: Served,
) -> None:
    client, person = signed_in(site, "olle", Role.OPERATOR)
    with closing(client), ExitStack() as listening:
        call = own_call(site, person)
        say(site, call, "hos min syster", final=False)
        place = f"/api/calls/{call}/captions/caller/0"
        right = {"word": 2, "heard": "syster", "meant": " moster "}
        assert (
            client.put(place, json=right).json()["code"] == "edited_meanwhile"
        )  # it may still change by itself
        say(site, call, "hos min syster", final=True)
        assert client.put(place, json=right | {"word": 3}).json()["code"] == "edited_meanwhile"
        assert client.put(place, json=right).json()["text"] == "hos min moster"
        assert client.put(place, json=right).json()["code"] == "edited_meanwhile"  # somebody did so before
        stream = listening.enter_context(closing(events(client, call)))
        told = next(one for kind, one in stream if kind == "caption")
        assert (told["text"], told["machine"]) == ("hos min moster", "hos min syster")

    async def kept(conn: Connection) -> list[tuple[str, str, UUID]]:
        log = [one.action for one in await trail.events(conn, call_id=call)]
        assert log.count("captions.correct") == 1
        return [(one.heard, one.meant, one.user_id) for one in await captions.corrections(conn, call)]

    assert site.run(kept) == [("syster", "moster", person)]
