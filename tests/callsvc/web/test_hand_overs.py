"""Handing a call to a colleague by name: with its place, into the colleague's list, and without giving any right away."""

from __future__ import annotations

from uuid import UUID

import pytest

from callsvc.access import trail
from callsvc.review.rules import CHOSEN
from callsvc.review.sampling import enter
from callsvc.store import Connection
from callsvc.types import Role
from tests.support import past_calls as calls
from tests.support.web import Served

pytestmark = pytest.mark.screens


def names(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["display_name"] for one in answer["people"]]


def test_a_call_is_handed_to_somebody_with_the_right_and_found_at_its_place(site: Served) -> None:
    call = site.run(calls.finished)
    site.person("olle", Role.OPERATOR)
    admin = site.person("adam", Role.ADMIN)
    vera = site.person("vera", Role.QA, shown="Vera Lind")
    with site.signed_in("inga", Role.INVESTIGATOR) as inga, site.client() as other:
        other.post("/api/login", json={"name": "vera", "password": "fyra gula hästar äter"})
        assert names(inga.get(f"/api/calls/{call}/colleagues").json()) == ["Vera Lind"]
        asked = {"to": str(vera.id), "place_ms": 65_000, "word": "Hör från\n01:05."}
        assert inga.post(f"/api/calls/{call}/hand-overs", json=asked).status_code == 204
        refused = inga.post(f"/api/calls/{call}/hand-overs", json=asked | {"to": str(admin.id)})
        assert refused.json()["code"] == "cannot_take_over"
        (found,) = other.get("/api/hand-overs").json()["hand_overs"]
        assert (found["from_name"], found["place_ms"], found["word"]) == ("Inga", 65_000, "Hör från 01:05.")
        assert inga.get("/api/hand-overs").json()["hand_overs"] == []
        # The reason is asked for all the same: what is handed over is the matter, not the leave to look.
        assert other.get(f"/api/calls/{call}/transcript").json()["code"] == "reason_required"
        taking = f"/api/hand-overs/{found['id']}/taking"
        assert inga.post(taking).json()["code"] == "missing"
        assert other.post(taking).status_code == 204
        assert other.get("/api/hand-overs").json()["hand_overs"] == []

    async def log(conn: Connection) -> list[tuple[str, str]]:
        return [(one.action, one.object_id) for one in await trail.events(conn, call_id=call)]

    assert [told for told in site.run(log) if told[0].startswith("handover")] == [
        ("handover.take", str(call)),
        ("handover.give", str(vera.id)),
    ]


def test_a_review_is_given_back_to_somebody_who_may_review(site: Served) -> None:
    call = site.run(calls.finished)
    review = site.run(lambda conn: enter(conn, call, CHOSEN, 1, at=calls.BEGAN))
    inga = site.person("inga", Role.INVESTIGATOR)
    mona = site.person("mona", Role.QA)
    with site.signed_in("vera", Role.QA) as vera, site.client() as other:
        other.post("/api/login", json={"name": "mona", "password": "fyra gula hästar äter"})
        assert names(vera.get(f"/api/calls/{call}/colleagues?review=true").json()) == ["Mona"]
        vera.post(f"/api/reviews/{review}/taking")
        back = {"place_ms": 9000, "word": "Tungt."}
        refused = vera.post(f"/api/reviews/{review}/giving-back", json=back | {"to": str(inga.id)})
        assert refused.json()["code"] == "cannot_take_over"
        assert vera.get(f"/api/reviews/{review}").json()["mine"] is not None
        assert vera.post(f"/api/reviews/{review}/giving-back", json=back | {"to": str(mona.id)}).is_success
        (found,) = other.get("/api/hand-overs").json()["hand_overs"]
        assert (UUID(found["review_id"]), found["place_ms"]) == (review, 9000)


def test_an_operator_asks_for_review_of_a_call_of_their_own_and_it_waits_once(site: Served) -> None:
    other = site.run(calls.finished)
    with site.signed_in("olle", Role.OPERATOR) as olle, site.signed_in("vera", Role.QA) as vera:
        me = UUID(olle.get("/api/me").json()["id"])

        async def answered(conn: Connection) -> UUID:
            call = await calls.finished(conn)
            await conn.execute("update calls set answered_by = %s where id = %s", [me, call])
            return call

        own = site.run(answered)
        assert olle.post(f"/api/calls/{other}/review-request").json()["code"] == "missing"
        for _ in range(2):
            assert olle.post(f"/api/calls/{own}/review-request").status_code == 204
        waiting = vera.get("/api/reviews").json()["reviews"]
        assert [(one["call_id"], one["rule"]) for one in waiting] == [(str(own), CHOSEN)]
