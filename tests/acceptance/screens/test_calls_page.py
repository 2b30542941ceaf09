"""The first page: what goes on is seen as it goes on, also when the push or the whole network is away."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import expect

from callsvc.store import Connection, captions, demonstrations
from callsvc.store import calls as stored
from callsvc.store.captions import CaptionRow, StateRow
from callsvc.types import Profile, Role
from tests.acceptance.screens.conftest import OpenScreen, Screen
from tests.support import past_calls as calls
from tests.support.web import Served

pytestmark = [pytest.mark.screens, pytest.mark.acceptance]


def reads_along(screen: Screen, call: UUID) -> None:
    """Who supervises gives a reason and reads what is said while it is said; words are the operator's to put right."""
    page, site = screen.page, screen.site

    def say(*rows: CaptionRow) -> None:
        async def write(conn: Connection) -> None:
            await captions.put(conn, list(rows))
            now = site.clock.utc_now()
            await captions.set_states(conn, [StateRow(call, "on", "", 0, now + timedelta(minutes=5))])

        site.run(write)

    say(CaptionRow(call, "caller", 0, 2400, 5000, "Jag är hos min syster.", True))
    page.get_by_label("Kvalitetsgranskning").check()
    page.get_by_role("button", name="Visa textningen").click()
    panel = page.get_by_role("region", name="Textning")
    expect(panel.locator(".caption")).to_have_text(re.compile("Jag är hos min syster."))
    expect(panel.get_by_role("button")).to_have_count(0)
    say(CaptionRow(call, "caller", 1, 6000, 7000, "han vet inte", False))
    expect(panel.locator(".interim")).to_contain_text("han vet inte")
    screen.keep("reading-along")
    assert screen.faults(contrast_enhanced=True) == []


def test_a_call_is_seen_to_begin_run_and_end_without_touching_anything(
    site: Served, open_screen: OpenScreen
) -> None:
    screen = open_screen(site, color_scheme="dark", reduced_motion="reduce")
    screen.sign_in("omar", Role.QA)
    page = screen.page
    expect(page.get_by_text("Inget samtal pågår.")).to_be_visible()
    began = site.clock.utc_now() - timedelta(minutes=4, seconds=11)
    call = site.run(lambda conn: calls.live(conn, at=began, profile=Profile.EMERGENCY))
    expect(page.get_by_text("Spelar in 04:1")).to_be_visible()
    expect(page.get_by_text("Spelar in 04:13")).to_be_visible()  # the clock runs
    site.run(lambda conn: stored.degrade(conn, call, "suppressor", at=site.clock.utc_now()))
    expect(page.get_by_text("Nedsatt funktion: samtalet fortsätter")).to_be_visible()
    screen.keep("live")
    page.get_by_role("link", name="Visa").click()
    reads_along(screen, call)
    page.go_back()
    site.run(lambda conn: stored.end(conn, call, cause="hangup", length_ms=253_000, at=site.clock.utc_now()))
    expect(page.get_by_text("Inget samtal pågår.")).to_be_visible()
    expect(page.get_by_role("link", name="Nödsamtal")).to_contain_text("04:13")


def test_without_the_push_the_page_asks_by_itself(site: Served, open_screen: OpenScreen) -> None:
    screen = open_screen(site)
    screen.page.route("**/api/events", lambda route: route.abort())
    screen.sign_in("omar", Role.QA)
    expect(screen.page.get_by_text("Inget samtal pågår.")).to_be_visible()
    site.run(lambda conn: calls.live(conn, at=site.clock.utc_now()))
    expect(screen.page.get_by_text("Spelar in")).to_be_visible()


def test_a_lost_network_is_told_and_what_was_missed_is_there_when_it_is_back(
    site: Served, open_screen: OpenScreen
) -> None:
    screen = open_screen(site)
    screen.sign_in("omar", Role.QA)
    page = screen.page
    expect(page.get_by_text("Inget samtal pågår.")).to_be_visible()
    page.context.set_offline(True)
    page.route("**/api/**", lambda route: route.abort())  # and what was open already
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(page.get_by_text("Ingen kontakt med tjänsten")).to_be_visible(timeout=40_000)
    expect(page.get_by_text("Inget samtal pågår.")).to_be_visible()  # what was known stays
    screen.keep("lost")
    site.run(lambda conn: calls.live(conn, at=site.clock.utc_now()))
    page.unroute("**/api/**")
    page.context.set_offline(False)
    expect(page.get_by_text("Spelar in")).to_be_visible(timeout=40_000)
    expect(page.get_by_text("Ingen kontakt med tjänsten")).to_have_count(0)


def test_the_demonstration_call_is_placed_followed_and_leads_to_its_result(
    site: Served, call: str, open_screen: OpenScreen
) -> None:
    screen = open_screen(site)
    screen.sign_in("omar", Role.QA)
    page = screen.page
    page.get_by_role("button", name="Gör ett demonstrationssamtal").click()
    expect(page.get_by_text("Väntar på tur", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Samtalet görs")).to_be_visible()
    latest = site.run(demonstrations.latest)
    assert latest is not None
    now = site.clock.utc_now()
    site.run(
        lambda conn: demonstrations.update(conn, latest.id, "running", at=now, progress=0.5, step="calling")
    )
    expect(page.get_by_text("Samtalet pågår", exact=True)).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "50")
    screen.keep("running")
    done = UUID(call)
    site.run(lambda conn: demonstrations.update(conn, latest.id, "done", at=now, progress=1.0, call_id=done))
    page.get_by_role("link", name="Se hur det blev").click()
    expect(page.get_by_role("heading", name="Bevis på tystnad")).to_be_visible()


def test_many_calls_come_page_by_page(site: Served, open_screen: OpenScreen) -> None:
    async def many(conn) -> None:  # type: ignore[no-untyped-def]
        for n in range(60):
            await calls.finished(conn, at=calls.BEGAN + timedelta(hours=n))

    site.run(many)
    screen = open_screen(site)
    screen.sign_in("omar", Role.QA)
    rows = screen.page.locator(".call-row")
    expect(rows).to_have_count(50)
    screen.page.get_by_role("button", name="Visa fler").click()
    expect(rows).to_have_count(60)
    expect(screen.page.get_by_role("button", name="Visa fler")).to_have_count(0)
