"""The access log over HTTP: pages, one person's lines, and a chain that tells when it was touched."""

from __future__ import annotations

import csv
import io

import pytest

from callsvc.access import trail
from callsvc.clock import FixedClock
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


def test_the_log_is_narrowed_by_what_and_when_and_fetched_as_a_file_with_its_chain(
    still_site: Served,
) -> None:
    fill(still_site, 2)
    assert isinstance(still_site.clock, FixedClock)
    still_site.clock.advance(3600)
    later = still_site.clock.utc_now()

    async def formula(conn: Connection) -> None:
        await trail.record(
            conn,
            user_id=None,
            action="audio.read",
            object_kind="track",
            object_id="caller.rx",
            at=later,
            reason='=cmd("x"), och "mer"',
        )

    still_site.run(formula)
    with still_site.signed_in("vera", Role.ADMIN) as vera:
        assert {"call.open", "audio.read"} <= set(vera.get("/api/access-events/people").json()["actions"])

        def found(**query: str) -> list[str]:
            told = vera.get("/api/access-events", params=query).json()["events"]
            return [one["action"] for one in told if one["action"] != "session.open"]

        assert found(action="call.open") == ["call.open"] * 2
        assert found(since=later.isoformat()) == ["audio.read"]
        assert found(until=later.isoformat()) == ["call.open"] * 2
        answer = vera.get("/api/access-events/export.csv", params={"action": "audio.read"})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in answer.headers["content-disposition"]
        (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
        # Opened in a spreadsheet, what somebody wrote stays text.
        assert row["reason"] == '\'=cmd("x"), och "mer"'
        head = still_site.run(lambda conn: trail.events(conn, action="audio.read"))[0]
        assert (row["number"], row["hash"], row["previous_hash"]) == (
            str(head.id),
            head.hash.hex(),
            head.prev_hash.hex(),
        )
        assert found(action="trail.export") == ["trail.export"]
        assert vera.get("/api/access-events/chain").json()["whole"] is True
