"""The access log over HTTP: pages, one person's lines, and a chain that tells when it was touched."""

from __future__ import annotations

import pytest

from callsvc.access import trail
from callsvc.store import Connection
from callsvc.types import Role
from tests.support.web import Served

pytestmark = pytest.mark.screens


def fill(site: Served, n: int) -> None:
    async def lines(conn: Connection) -> None:
        for number in range(n):
            await trail.record(
                conn,
                user_id=None,
                action="call.open",
                object_kind="call",
                object_id=str(number),
                at=site.clock.utc_now(),
                reason=f"skäl {number}",
            )

    site.run(lines)


def test_the_log_comes_page_by_page_newest_first(site: Served) -> None:
    with site.signed_in("vera", Role.ADMIN) as vera:
        fill(site, 130)
        first = vera.get("/api/access-events").json()
        rest = vera.get("/api/access-events", params={"before": first["next"]}).json()
    ids = [event["id"] for event in first["events"] + rest["events"]]
    assert ids == list(range(131, 0, -1))
    assert rest["next"] is None


def test_one_persons_lines_can_be_seen_alone(site: Served) -> None:
    with site.signed_in("vera", Role.ADMIN) as vera, site.signed_in("omar", Role.OPERATOR):
        fill(site, 3)
        people = {one["name"]: one["id"] for one in vera.get("/api/access-events/people").json()["people"]}
        events = vera.get("/api/access-events", params={"user_id": people["omar"]}).json()["events"]
        assert [(event["person"]["name"], event["action"]) for event in events] == [("omar", "session.open")]
        assert vera.get("/api/access-events", params={"user_id": "nobody"}).json()["code"] == "invalid"


def test_a_whole_chain_is_said_to_be_whole_and_where_it_ends(site: Served) -> None:
    with site.signed_in("vera", Role.ADMIN) as vera:
        fill(site, 5)
        told = vera.get("/api/access-events/chain").json()
    head = site.run(trail.head)
    assert (told["whole"], told["events"], told["head"]) == (True, 6, head.hash.hex())


@pytest.mark.parametrize(
    ("touch", "line"),
    [
        ("update access_events set reason = 'annat' where id = 4", 4),
        ("delete from access_events where id = 3", 3),
        ("update access_events set id = id + 100 where id = 5", 5),
    ],
)
def test_a_line_that_was_touched_is_named(site: Served, touch: str, line: int) -> None:
    async def tamper(conn: Connection) -> None:
        await conn.execute("alter table access_events disable trigger access_events_stay")
        await conn.execute(touch)
        await conn.execute("alter table access_events enable trigger access_events_stay")

    with site.signed_in("vera", Role.ADMIN) as vera:
        fill(site, 5)
        site.run(tamper)
        told = vera.get("/api/access-events/chain").json()
    assert (told["whole"], told["broken_at"], told["head"]) == (False, line, None)
