"""What the tests of the reviewer's pages put before the reviewer, and what they do there by keyboard alone."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import httpx
from playwright.sync_api import expect

from callsvc.review import assessments, figures, sampling, worklist
from callsvc.review.scorecard import scorecard
from callsvc.store import Connection, call_notes, captions, connections
from callsvc.store.captions import CaptionRow
from callsvc.types import Role
from tests.acceptance.screens.conftest import Screen
from tests.acceptance.screens.looks import Looks
from tests.support import past_calls as calls
from tests.support.recordings import Made
from tests.support.walk import Walk
from tests.support.web import PASSWORD, Served

TEN_S = 10_000
SEEN = "Jag är hos min syster."
ROUGH = connections.Seen("operator", 2 * TEN_S, 460, 40, 620, 44, 180, 310, 6, 35)
CALM = connections.Seen("operator", TEN_S, 500, 0, 0, 3, 42, 24, 0, 2)
LAST = connections.Seen("operator", 3 * TEN_S, 499, 1, 20, 5, 60, 31, None, None)


async def drawn(conn: Connection, made: Made, olle: UUID) -> UUID:
    """The recorded call of Olle's on the worklist, for one reviewer, with all that was kept while it went on."""
    call = await calls.recorded(conn, made)
    await calls.transcribed(conn, call)
    await conn.execute("update calls set answered_by = %s where id = %s", [olle, call])
    for seen in (CALM, ROUGH, LAST):
        await connections.add(conn, call, seen, at=calls.BEGAN)
    for at_ms, note, what in (
        (2000, "mask", {"on": True, "reason": "private"}),
        (4000, "mask", {"on": False}),
        (6000, "marker", {"marker": "threat"}),
        (9000, "announcement", {"announcement": "wait", "language": "sv", "state": "begun"}),
        (9200, "announcement", {"announcement": "wait", "language": "ar", "state": "begun", "by": "service"}),
        (9500, "digit", {"by": "caller"}),
    ):
        await call_notes.add(conn, call, note, at_ms, what, at=calls.BEGAN)
    await captions.put(conn, [CaptionRow(call, "caller", 0, 2400, 5000, SEEN, True)])
    return await sampling.enter(conn, call, "random", 1, at=calls.BEGAN)


def answered_otherwise(client: httpx.Client, review: str) -> None:
    """A second reviewer takes it, answers each question with its first choice, and is done."""
    whole = client.post(f"/api/reviews/{review}/taking").json()
    for question in whole["mine"]["questions"]:
        given = {"choice": question["choices"][0]["id"], "at_ms": None, "note": ""}
        client.put(f"/api/reviews/{review}/answers/{question['id']}", json=given)
    assert client.post(f"/api/reviews/{review}/conclusion", json={"comment": ""}).status_code == 200


def months_of_reviews(site: Served, reviewer: UUID, *operators: UUID) -> None:
    """So many calls of each operator, answered one well and the next less so, that a figure may be told of their line."""
    now = site.clock.utc_now()

    async def done(conn: Connection) -> None:
        for place, operator in enumerate(operators):
            for n in range(figures.LEAST):
                call = await calls.finished(conn, at=now - timedelta(hours=n + 1))
                await conn.execute("update calls set answered_by = %s where id = %s", [operator, call])
                review = await sampling.enter(conn, call, "random", 1, at=now)
                mine = await worklist.take(conn, review, reviewer, at=now)
                for one in scorecard().question:
                    choice = scorecard().choices(one.id)[place].id
                    await assessments.answer(conn, mine, assessments.Answer(one.id, choice, None, ""))
                await assessments.finish(conn, mine, "", at=now)

    site.run(done)


def signed_in_by_keys(screen: Screen, walk: Walk, name: str) -> UUID:
    """From the door to the empty worklist."""
    page = screen.page
    person = screen.site.person(name, Role.QA)
    page.goto(screen.site.url)
    expect(page.get_by_label("Användarnamn")).to_be_focused()
    walk.write(name)
    walk.tab_to("Lösenord", "textbox")
    walk.write(PASSWORD, secret=True)
    walk.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("^Samtal"), level=1)).to_be_focused()
    page.keyboard.press("g")  # the second of the two is not to wait for a picture
    walk.press("q")
    expect(page.get_by_role("heading", name="Granskning", exact=True)).to_be_focused()
    walk.then()
    return person.id


def taken_by_keys(walk: Walk, looks: Looks | None = None) -> None:
    """From the worklist to the opened call."""
    page = walk.page
    walk.tab_to("Ta granskningen", "button")
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Ljud och text är låsta")).to_be_visible()
    walk.then()
    if looks:
        looks.at("locked")
    walk.tab_to("Utredning", "radio")
    walk.press("Space", "ArrowRight")
    expect(page.get_by_label("Kvalitetsgranskning")).to_be_checked()
    walk.tab_to("Öppna samtalet", "button")
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Före och efter")).to_be_visible()
    walk.then()
