"""The screen locks itself: nothing can be read behind the lock, and nothing that was written is lost."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from callsvc.types import Role
from tests.acceptance.screens.conftest import OpenScreen
from tests.acceptance.screens.looks import Looks
from tests.support.provider import Provider
from tests.support.web import PASSWORD, Served

pytestmark = [pytest.mark.screens, pytest.mark.acceptance]

HALF = "Begäran från åklagaren, halvskriv"


def test_a_screen_that_nobody_sits_before_warns_and_locks_and_opens_as_it_was(
    site: Served, call: str, open_screen: OpenScreen
) -> None:
    screen = open_screen(site)
    page = screen.page
    began = datetime.now(UTC)
    # The browser's clock stands still but for this, so that a slow machine locks nothing by itself.
    page.clock.set_fixed_time(began)
    screen.sign_in("birgitta", Role.INVESTIGATOR)
    screen.go(f"/samtal/{call}")
    page.get_by_label("Ärendenummer eller egna ord").fill(HALF)
    page.clock.set_fixed_time(began + timedelta(minutes=14, seconds=20))
    expect(page.get_by_text("Skärmen låses strax")).to_be_visible()
    assert screen.faults() == []
    screen.keep("warning")
    page.keyboard.press("Shift")
    expect(page.get_by_text("Skärmen låses strax")).to_have_count(0)
    page.clock.set_fixed_time(began + timedelta(minutes=30))
    expect(page.get_by_role("heading", name="Skärmen är låst")).to_be_visible()
    assert screen.faults() == []
    screen.keep("locked")
    # It is not only covered: it is not there, in the page, its title or its address; nor does the service give it.
    for told in (page.content(), page.title(), page.url):
        assert not re.search(f"{HALF}|{call}|Bevis på tystnad|Utredning", told)
    assert page.request.get(f"{site.url}/api/calls?state=live").status == 423
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.get_by_label("Lösenord", exact=True).fill("en gissning")
    page.get_by_role("button", name="Lås upp").click()
    expect(page.get_by_role("alert")).to_contain_text("stämmer inte")
    page.get_by_label("Lösenord", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Lås upp").click()
    expect(page.get_by_label("Ärendenummer eller egna ord")).to_have_value(HALF)
    assert page.url.endswith(call)
    page.get_by_role("button", name="Öppna samtalet").click()
    expect(page.get_by_role("heading", name="Lyssna")).to_be_visible()
    # Locked by hand, loaded anew: as locked as before, and the same page behind it.
    page.get_by_role("button", name="Lås skärmen").click()
    expect(page.get_by_role("heading", name="Skärmen är låst")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Skärmen är låst")).to_be_visible()
    expect(page.get_by_text("Bevis på tystnad")).to_have_count(0)
    page.get_by_label("Lösenord", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Lyssna")).to_be_visible()
    assert page.url.endswith(call)


def test_two_windows_of_one_person_lock_and_open_together(site: Served, open_screen: OpenScreen) -> None:
    screen = open_screen(site)
    page = screen.page
    began = datetime.now(UTC)
    page.context.clock.set_fixed_time(began)
    screen.sign_in("birgitta", Role.INVESTIGATOR)
    other = page.context.new_page()
    other.goto(f"{site.url}/arenden")
    search = other.get_by_role("searchbox")
    search.fill("halvskrivet")
    told: list[str] = []
    page.context.on("request", lambda request: told.append(request.url.rpartition("/api/")[2]))
    soon = "Skärmen låses strax"

    def at(minutes: float) -> None:
        page.context.clock.set_fixed_time(began + timedelta(minutes=minutes))

    at(14.5)
    for window in (page, other):
        expect(window.get_by_text(soon)).to_be_visible()
    # A hand in one window is a hand before the screen.
    page.keyboard.press("Shift")
    for window in (page, other):
        expect(window.get_by_text(soon)).to_have_count(0)
    at(15.25)
    for _ in range(3):
        page.keyboard.press("Shift")
    other.keyboard.press("Shift")
    assert told.count("me/activity") == 1  # the service hears of it once a minute
    at(30.5)
    for window in (page, other):
        expect(window.get_by_role("heading", name="Skärmen är låst")).to_be_visible()
    page.get_by_label("Lösenord", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Lås upp").click()
    expect(page.get_by_role("heading", name="Samtalslista")).to_be_visible()
    expect(search).to_have_value("halvskrivet")
    # Locked by hand in the one, it is locked in the other; signed out in the one, there is nothing left to unlock.
    other.get_by_role("button", name="Lås skärmen").click()
    expect(page.get_by_role("heading", name="Skärmen är låst")).to_be_visible()
    page.get_by_role("button", name="Logga ut i stället").click()
    expect(page.get_by_label("Användarnamn")).to_be_visible()
    other.get_by_label("Lösenord", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Lås upp").click()
    expect(other.get_by_label("Användarnamn")).to_be_visible()


def test_the_organisations_account_opens_the_door_and_the_locked_screen(
    sso: Served, provider: Provider, open_screen: OpenScreen
) -> None:
    provider.person("runa", "Runa Berg", "chef")
    provider.person("ulla", "Ulla Utan", "annat")
    screen = open_screen(sso)
    page = screen.page
    page.goto(sso.url + "/drift")
    by = page.get_by_role("link", name="Logga in med Polisens konto")
    expect(by).to_be_visible()
    assert screen.faults() == []
    screen.keep("door")
    provider.sits("ulla")
    by.click()
    expect(page.get_by_role("alert")).to_contain_text("Ditt konto har ingen roll här.")
    assert page.url == sso.url + "/drift"
    looks = Looks(screen)
    looks.at("refused")
    looks.say()
    provider.sits("runa")
    by.click()
    expect(page.get_by_role("heading", name="Drift", level=1)).to_be_visible()
    page.get_by_role("link", name="Mitt konto").click()
    expect(page.get_by_text("Du loggar in med organisationens konto.")).to_be_visible()
    expect(page.get_by_label("Lösenord")).to_have_count(0)
    page.get_by_role("button", name="Lås skärmen").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Lås upp").click()
    expect(opened.value.get_by_role("heading", name="Skärmen är upplåst")).to_be_visible()
    opened.value.close()
    page.bring_to_front()
    expect(page.get_by_text("Du loggar in med organisationens konto.")).to_be_visible()
    # Somebody else at the provider does not open what this one locked.
    page.get_by_role("button", name="Lås skärmen").click()
    provider.sits("ulla")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Lås upp").click()
    expect(opened.value.get_by_role("alert")).to_contain_text("Skärmen låstes av någon annan.")
