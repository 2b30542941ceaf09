"""Passkeys in a real browser, with the authenticator that it brings for tests."""

from __future__ import annotations

import pytest
from playwright.sync_api import CDPSession, Page, expect

from callsvc.types import Role
from tests.acceptance.screens.conftest import OpenScreen
from tests.support.web import PASSWORD, Served

pytestmark = [pytest.mark.screens, pytest.mark.acceptance]


class Device:
    """A virtual authenticator of the page's browser: it has a PIN or a finger, and its owner is there."""

    def __init__(self, page: Page) -> None:
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = str(made["authenticatorId"])

    def knows_its_owner(self, known: bool) -> None:
        self._cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": known})

    def passkeys(self) -> int:
        return len(self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": self._id})["credentials"])


def test_a_passkey_is_added_opens_the_door_and_the_locked_screen_and_is_removed(
    site: Served, open_screen: OpenScreen
) -> None:
    site.person("birgitta", Role.INVESTIGATOR)
    screen = open_screen(site)
    page = screen.page
    device = Device(page)
    page.goto(f"http://localhost:{site.port}/losenord")
    screen.enter("birgitta")
    page.get_by_role("button", name="Lägg till en nyckel").click()
    page.get_by_label("Nyckelns namn").fill("Arbetsdatorn")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Nuvarande lösenord").fill(PASSWORD)
    page.get_by_role("button", name="Fortsätt till enheten").click()
    listed = page.get_by_role("listitem").filter(has_text="Arbetsdatorn")
    expect(listed).to_contain_text("Inte använd än.")
    assert device.passkeys() == 1
    assert screen.faults() == []
    screen.keep("account")
    # The same device twice would be of no use: it says so, and the list stays as it is.
    page.get_by_role("button", name="Lägg till en nyckel").click()
    page.get_by_label("Nyckelns namn").fill("En till")
    dialog.get_by_label("Nuvarande lösenord").fill(PASSWORD)
    page.get_by_role("button", name="Fortsätt till enheten").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Enheten har redan en nyckel")
    dialog.get_by_role("button", name="Avbryt").click()
    page.get_by_role("button", name="Lås skärmen").click()
    page.get_by_role("button", name="Lås upp med nyckel").click()
    expect(page.get_by_role("heading", name="Mitt konto")).to_be_visible()
    page.get_by_role("button", name="Logga ut", exact=True).last.click()
    # A wrong PIN at the device, and the password alone: neither is enough.
    device.knows_its_owner(False)
    by_passkey = page.get_by_role("button", name="Logga in med nyckel")
    by_passkey.click()
    expect(page.get_by_role("alert")).to_contain_text("Enheten gav inget svar.")
    screen.enter("birgitta")
    expect(page.get_by_role("alert")).to_contain_text("Lösenordet räcker inte")
    assert screen.faults() == []
    screen.keep("door")
    device.knows_its_owner(True)
    by_passkey.click()
    expect(listed).to_contain_text("Senast använd")
    page.get_by_role("button", name="Ta bort Arbetsdatorn").click()
    dialog.get_by_label("Nuvarande lösenord").fill(PASSWORD)
    dialog.get_by_role("button", name="Ta bort", exact=True).click()
    expect(listed).to_have_count(0)
    page.get_by_role("button", name="Logga ut", exact=True).last.click()
    by_passkey.click()
    expect(page.get_by_role("alert")).to_contain_text("Inloggningsnyckeln godtogs inte.")
    # At another address of the same service they are not offered, and one is told where they are good.
    page.goto(f"{site.url}/losenord")
    screen.enter("birgitta")
    told = page.get_by_text(
        f"Inloggningsnycklar fungerar bara när tjänsten öppnas på http://localhost:{site.port}"
    )
    expect(told).to_be_visible()
    expect(page.get_by_role("button", name="Lägg till en nyckel")).to_have_count(0)
