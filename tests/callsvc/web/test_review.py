"""Quality review over HTTP: drawn, taken, given back, answered, compared, told to the operator; and nobody is ranked."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from callsvc.review import assessments, figures, sampling, worklist
from callsvc.review.rules import rules
from callsvc.review.scorecard import scorecard
from callsvc.store import Connection, captions
from callsvc.store.captions import CaptionRow
from callsvc.types import Role
from callsvc.web.app import describe
from tests.support import past_calls as calls
from tests.support.web import Served

pytestmark = pytest.mark.screens


async def drawn(
    conn: Connection, by: str = "random", *, n: int = 1, answered_by: UUID | None = None
) -> list[str]:
    """Calls on the worklist; the first is the oldest."""
    made = []
    for minutes in range(n):
        call = await calls.finished(conn, at=calls.BEGAN + timedelta(minutes=minutes))
        await conn.execute("update calls set answered_by = %s where id = %s", [answered_by, call])
        review = await sampling.enter(conn, call, by, 1, at=calls.BEGAN + timedelta(minutes=minutes))
        made.append(str(review))
    return made


def answer_all(client: httpx.Client, review: str, place: int = 0) -> None:
    for question in client.get(f"/api/reviews/{review}").json()["mine"]["questions"]:
        given = {"choice": question["choices"][place]["id"], "at_ms": 4000, "note": ""}
        assert client.put(f"/api/reviews/{review}/answers/{question['id']}", json=given).status_code == 204


def waiting(client: httpx.Client) -> list[str]:
    return [one["id"] for one in client.get("/api/reviews?which=waiting").json()["reviews"]]


def test_a_call_is_drawn_when_it_is_over_and_recorded_with_what_the_operator_read(site: Served) -> None:
    async def hidden(conn: Connection) -> tuple[bool, bool, bool]:
        over = await calls.finished(conn, degraded=True)
        await captions.put(conn, [CaptionRow(over, "caller", 0, 0, 900, "Hej", True)])
        without = await sampling.consider(conn, over, at=calls.BEGAN)
        await conn.execute(
            "insert into recordings (id, call_id, state, started_at) values (%s, %s, 'sealed', now())",
            [over, over],
        )
        at_last = await sampling.consider(conn, over, at=calls.BEGAN)
        await conn.execute("update calls set demo = true where id = %s", [over])
        return without, at_last, await sampling.consider(conn, over, at=calls.BEGAN)

    assert site.run(hidden) == (False, True, False)
    with site.signed_in("kim", Role.QA) as kim:
        told = kim.get("/api/reviews").json()
        assert [one["degraded"] for one in told["reviews"]] == [True]
        assert [rule["id"] for rule in told["rules"]] == [one.id for one in rules().rule]
        call = told["reviews"][0]["call_id"]
        assert kim.get(f"/api/calls/{call}/replay").json()["code"] == "reason_required"
        kim.post(f"/api/calls/{call}/access", json={"reason": "Kvalitetsgranskning"})
        assert [one["text"] for one in kim.get(f"/api/calls/{call}/replay").json()["captions"]] == ["Hej"]


def test_a_review_is_one_persons_until_it_is_given_back_with_its_place(site: Served) -> None:
    [review] = site.run(drawn)
    with site.signed_in("kim", Role.QA) as kim, site.signed_in("lo", Role.QA) as lo:
        assert kim.post(f"/api/reviews/{review}/taking").status_code == 200
        assert waiting(lo) == []
        assert lo.post(f"/api/reviews/{review}/taking").json()["code"] == "review_taken"
        given = {"choice": "fully", "at_ms": None, "note": ""}
        assert lo.put(f"/api/reviews/{review}/answers/room", json=given).json()["code"] == "review_taken"
        assert kim.put(f"/api/reviews/{review}/answers/room", json=given).status_code == 204
        kim.post(f"/api/reviews/{review}/giving-back", json={"place_ms": 12_300, "word": " Orkar inte mer. "})
        whole = lo.post(f"/api/reviews/{review}/taking").json()
        assert (whole["review"]["place_ms"], whole["review"]["handed_over"]) == (12_300, "Orkar inte mer.")
        assert whole["mine"]["answers"] == []


def test_a_card_is_answered_whole_and_then_stays_as_it_is(site: Served) -> None:
    [review] = site.run(drawn)
    with site.signed_in("kim", Role.QA) as kim:
        kim.post(f"/api/reviews/{review}/taking")
        wrong = {"choice": "perhaps", "at_ms": None, "note": ""}
        assert kim.put(f"/api/reviews/{review}/answers/room", json=wrong).json()["code"] == "invalid"
        told = kim.post(f"/api/reviews/{review}/conclusion", json={"comment": ""}).json()
        assert told["code"] == "review_unanswered"
        answer_all(kim, review)
        done = kim.post(f"/api/reviews/{review}/conclusion", json={"comment": "Lugnt samtal."}).json()
        assert done["mine"]["comment"] == "Lugnt samtal."
        assert {one["at_ms"] for one in done["mine"]["answers"]} == {4000}
        right = wrong | {"choice": "not"}
        assert kim.put(f"/api/reviews/{review}/answers/room", json=right).json()["code"] == "review_finished"
        back = kim.post(f"/api/reviews/{review}/giving-back", json={"place_ms": 0, "word": ""})
        assert back.json()["code"] == "review_taken"


def test_a_card_keeps_the_words_that_it_was_asked_in(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    [review] = site.run(drawn)
    with site.signed_in("kim", Role.QA) as kim:
        before = kim.post(f"/api/reviews/{review}/taking").json()["mine"]
        newer = scorecard().model_copy(update={"version": "2", "question": scorecard().question[:1]})
        monkeypatch.setattr("callsvc.review.worklist.scorecard", lambda: newer)
        after = kim.get(f"/api/reviews/{review}").json()["mine"]
        assert (after["version"], len(after["questions"])) == (before["version"], len(before["questions"]))


def test_two_reviewers_answer_unseen_and_are_compared_when_both_are_done(site: Served) -> None:
    [review] = site.run(drawn)
    with site.signed_in("kim", Role.QA) as kim, site.signed_in("lo", Role.QA) as lo:
        kim.post(f"/api/reviews/{review}/taking")
        answer_all(kim, review, 0)
        kim.post(f"/api/reviews/{review}/conclusion", json={"comment": "Ett."})
        assert waiting(lo) == []
        assert kim.post(f"/api/reviews/{review}/pairing").status_code == 204
        unseen = lo.post(f"/api/reviews/{review}/taking")
        assert unseen.json()["compared"] is None
        assert "Ett." not in unseen.text
        answer_all(lo, review, 0)
        given = {"choice": "partly", "at_ms": None, "note": ""}
        lo.put(f"/api/reviews/{review}/answers/room", json=given)
        assert kim.get(f"/api/reviews/{review}").json()["compared"] is None
        told = lo.post(f"/api/reviews/{review}/conclusion", json={"comment": "Två."}).json()["compared"]
        asked = len(scorecard().question)
        assert (told["agreement"]["asked"], told["agreement"]["same"]) == (asked, asked - 1)
        assert told["other"]["comment"] == "Ett."
        assert kim.get(f"/api/reviews/{review}").json()["compared"]["other"]["comment"] == "Två."


def test_an_operator_reads_what_was_said_of_their_own_calls_and_answers(site: Served) -> None:
    with (
        site.signed_in("kim", Role.QA, Role.OPERATOR) as kim,
        site.signed_in("olle", Role.OPERATOR) as olle,
        site.signed_in("maja", Role.OPERATOR) as maja,
    ):
        me = UUID(olle.get("/api/me").json()["id"])
        [review] = site.run(lambda conn: drawn(conn, answered_by=me))
        call = kim.post(f"/api/reviews/{review}/taking").json()["review"]["call_id"]
        answer_all(kim, review)
        assert olle.get(f"/api/calls/{call}/assessment").json()["assessment"] is None
        early = olle.put(f"/api/calls/{call}/assessment/reply", json={"words": "Tack."})
        assert early.json()["code"] == "conflict"
        kim.post(f"/api/reviews/{review}/conclusion", json={"comment": "Bra."})
        assert [one["call_id"] for one in olle.get("/api/own-reviews").json()["calls"]] == [call]
        told = olle.get(f"/api/calls/{call}/assessment")
        assert told.json()["assessment"]["comment"] == "Bra."
        assert "Kim" not in told.text
        assert olle.put(f"/api/calls/{call}/assessment/reply", json={"words": "Tack."}).status_code == 204
        assert kim.get(f"/api/reviews/{review}").json()["mine"]["reply"] == "Tack."
        assert maja.get("/api/own-reviews").json()["calls"] == []
        for asked in (
            maja.get(f"/api/calls/{call}/assessment"),
            maja.put(f"/api/calls/{call}/assessment/reply", json={"words": "x"}),
        ):
            assert asked.json()["code"] == "missing"


def test_nobody_reviews_a_call_of_their_own(site: Served) -> None:
    with site.signed_in("kim", Role.QA, Role.OPERATOR) as kim:
        me = UUID(kim.get("/api/me").json()["id"])
        [review] = site.run(lambda conn: drawn(conn, answered_by=me))
        assert waiting(kim) == []
        assert kim.post(f"/api/reviews/{review}/taking").json()["code"] == "own_call"


def test_a_call_that_was_asked_for_is_reviewed_like_any_other_and_counted_in_nothing(site: Served) -> None:
    call = str(site.run(calls.finished))
    with site.signed_in("kim", Role.QA) as kim:
        made = kim.post("/api/reviews", json={"call_id": call}).json()
        assert (made["rule"], waiting(kim)) == ("chosen", [made["id"]])
        kim.post(f"/api/reviews/{made['id']}/taking")
        answer_all(kim, made["id"])
        kim.post(f"/api/reviews/{made['id']}/conclusion", json={"comment": ""})
        assert site.run(lambda conn: figures.figures(conn, since=calls.BEGAN - timedelta(days=1))).cells == []


def reviewed(site: Served, kim: httpx.Client, by: UUID, place: int, n: int) -> None:
    """So many calls of an operator, each answered with the choice of this place."""
    me = UUID(kim.get("/api/me").json()["id"])

    async def done(conn: Connection) -> None:
        for review in await drawn(conn, n=n, answered_by=by):
            mine = await worklist.take(conn, UUID(review), me, at=calls.BEGAN)
            card = scorecard()
            for one in card.question:
                choice = card.choices(one.id)[place].id
                await assessments.answer(conn, mine, assessments.Answer(one.id, choice, None, ""))
            await assessments.finish(conn, mine, "", at=calls.BEGAN)

    site.run(done)


def test_figures_are_by_line_and_month_and_few_calls_are_not_told(site: Served) -> None:
    with site.signed_in("kim", Role.QA) as kim, site.signed_in("olle", Role.OPERATOR) as olle:
        me = UUID(olle.get("/api/me").json()["id"])
        reviewed(site, kim, me, 0, figures.LEAST - 1)
        found = site.run(lambda conn: figures.figures(conn, since=calls.BEGAN))
        assert {(cell.calls, cell.mean) for cell in found.cells} == {(None, None)}
        reviewed(site, kim, me, 1, 1)
        found = site.run(lambda conn: figures.figures(conn, since=calls.BEGAN))
        assert {(cell.profile, cell.calls, cell.mean) for cell in found.cells} == {("report", 5, 0.9)}


# Words that would tell of a person in the name of a field or of a parameter.
PERSONAL = (
    "operator",
    "reviewer",
    "user",
    "person",
    "author",
    "answered_by",
    "agent",
    "rank",
    "name",
    "score",
)


def test_no_address_of_review_tells_counts_or_sorts_by_person() -> None:
    told = describe().openapi()
    paths = {path: asked for path, asked in told["paths"].items() if "review" in path or "assessment" in path}
    assert len(paths) >= 9

    def shapes(of: Any) -> set[str]:
        return {
            name.rsplit("/", 1)[1]
            for name in json.dumps(of).split('"')
            if name.startswith("#/components/schemas/")
        }

    known = told["components"]["schemas"]
    found = shapes(paths)
    while more := {inner for name in found for inner in shapes(known[name])} - found:
        found |= more
    fields = {(name, field) for name in found for field in known[name].get("properties", {})}
    asked = {
        (path, one["name"])
        for path, by in paths.items()
        for method in by.values()
        for one in method.get("parameters", [])
    }
    guilty = [(where, field) for where, field in fields | asked for word in PERSONAL if word in field.lower()]
    assert guilty == []


def test_no_answer_of_review_holds_a_name_or_an_id_of_anybody(site: Served) -> None:
    with (
        site.signed_in("kim", Role.QA) as kim,
        site.signed_in("olle", Role.OPERATOR) as olle,
        site.signed_in("maja", Role.OPERATOR) as maja,
        site.signed_in("vera", Role.ADMIN) as vera,
    ):
        people = {who: UUID(who.get("/api/me").json()["id"]) for who in (kim, olle, maja, vera)}
        reviewed(site, kim, people[olle], 0, 5)
        reviewed(site, kim, people[maja], 2, 5)
        [review] = [one["id"] for one in kim.get("/api/reviews?which=done").json()["reviews"]][:1]
        answers = [
            kim.get("/api/review-figures"),
            kim.get("/api/review-figures?operator=olle&user_id=1&by=operator"),
            *(kim.get(f"/api/reviews?which={which}") for which in ("waiting", "mine", "done")),
            kim.get(f"/api/reviews/{review}"),
        ]
        for told in answers:
            assert told.status_code == 200
            words = ["olle", "maja", "kim", *map(str, people.values())]
            assert not [word for word in words if word in told.text.lower()]
        assert answers[0].json() == answers[1].json()
        assert vera.get("/api/review-figures").json()["code"] == "not_allowed"


def test_how_long_somebody_listens_is_nowhere_in_the_service_and_what_they_chose_is_theirs(
    site: Served,
) -> None:
    async def columns(conn: Connection) -> set[str]:
        cursor = await conn.execute(
            "select table_name || '.' || column_name as name from information_schema.columns"
            " where table_schema = 'public'"
        )
        return {row["name"] for row in await cursor.fetchall()}

    assert not [
        name for name in site.run(columns) if "listen" in name or "heard_s" in name or "exposure" in name
    ]
    care = [path for path in describe().openapi()["paths"] if "care" in path or "listen" in path]
    assert care == ["/api/me/care"]
    with site.signed_in("kim", Role.QA) as kim, site.signed_in("vera", Role.ADMIN) as vera:
        first = kim.get("/api/me/care").json()
        assert first == {"sound_off": True, "softened": False, "marked": True, "counted": True}
        mine = first | {"softened": True, "counted": False}
        assert kim.put("/api/me/care", json=mine).status_code == 204
        assert kim.get("/api/me/care").json() == mine
        assert vera.get("/api/me/care").json() == first


def test_what_reviewers_do_is_in_the_access_log(site: Served) -> None:
    [review] = site.run(drawn)
    with site.signed_in("kim", Role.QA) as kim, site.signed_in("vera", Role.ADMIN) as vera:
        kim.post(f"/api/reviews/{review}/taking")
        kim.post(f"/api/reviews/{review}/giving-back", json={"place_ms": 0, "word": ""})
        told = [event["action"] for event in vera.get("/api/access-events").json()["events"]]
        assert {"review.take", "review.give_back"} <= set(told)
