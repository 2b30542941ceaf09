"""A real browser on the real pages. What it complains of fails the test; what it showed is kept under var/screens."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from audio.taps import Samples, Track
from callsvc.review import care
from callsvc.store import Connection
from callsvc.types import Role
from tests.support import past_calls, recordings
from tests.support.house import ROOT
from tests.support.recordings import Made
from tests.support.web import PASSWORD, Served

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
SHOWN = ROOT / "var" / "screens"
AXE = ROOT / "callsvc/web/ui/node_modules/axe-core/axe.min.js"
# What each track of the recording sounds like, so that one can hear which are played.
TONES = {"caller.rx": 500, "operator.tx": 1000, "operator.rx": 3000}
SECONDS = 30

expect.set_options(timeout=40_000)


# While it is started, an event loop counts as running in this thread, and no coroutine of another test could run: so it
# lives no longer than a module.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield started
    started.close()


@dataclass
class Screen:
    """A page of somebody, and what it complained of."""

    page: Page
    site: Served
    name: str
    measured: bool = False
    """While axe-core looks: the styles that it tries on are not the page's."""

    @cached_property
    def _cdp(self) -> CDPSession:
        # Left open: one that is detached takes the page's virtual authenticator along.
        return self.page.context.new_cdp_session(self.page)

    def sign_in(self, name: str, *roles: Role) -> None:
        self.site.person(name, *roles)
        self.page.goto(self.site.url)
        self.enter(name)
        expect(self.page.get_by_role("heading", name=re.compile("^Samtal"), level=1)).to_be_visible()

    def enter(self, name: str, password: str = PASSWORD) -> None:
        self.page.get_by_label("Användarnamn").fill(name)
        self.page.get_by_label("Lösenord", exact=True).fill(password)
        self.page.get_by_role("button", name="Logga in", exact=True).click()

    def go(self, path: str) -> None:
        self.page.goto(self.site.url + path)
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def keep(self, name: str = "") -> None:
        """A picture for people to look at."""
        SHOWN.mkdir(parents=True, exist_ok=True)
        clip = self._cdp.send("Page.getLayoutMetrics")["cssContentSize"] | {"scale": 1}
        how = {"clip": clip, "captureBeyondViewport": True, "optimizeForSpeed": True}
        taken = self._cdp.send("Page.captureScreenshot", how)["data"]
        (SHOWN / f"{self.name}{'-' if name else ''}{name}.png").write_bytes(base64.b64decode(taken))

    def sound_on(self, name: str) -> None:
        """This person has chosen to open recordings with sound, without a hint of what comes."""
        chosen = care.Choices(sound_off=False, marked=False)

        async def choose(conn: Connection) -> None:
            row = await (await conn.execute("select id from users where name = %s", [name])).fetchone()
            assert row is not None
            await care.choose(conn, row["id"], chosen)

        self.site.run(choose)

    def open_call(self, call: object, reason: str = "Utredning") -> None:
        self.go(f"/samtal/{call}")
        self.page.get_by_label(reason).check()
        self.page.get_by_role("button", name="Öppna samtalet").click()
        expect(self.page.get_by_role("heading", name="Lyssna")).to_be_visible()

    def faults(self, *, contrast_enhanced: bool = False, only: Sequence[str] = ()) -> list[str]:
        """What axe-core finds wrong with what is shown now; by all its rules, or by `only` these."""
        self.page.evaluate(
            """document.getAnimations()
              .filter((one) => one.effect?.getComputedTiming().endTime !== Infinity)
              .forEach((one) => one.finish())"""
        )
        self.measured = True
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate(
            """([enhanced, only]) => axe.run(document, {
                runOnly: only.length > 0 ? { type: "rule", values: only } :
                  { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
                // What passes the one passes the other; and what is right is not asked for.
                rules: enhanced ? { "color-contrast-enhanced": { enabled: true }, "color-contrast": { enabled: false } } : {},
                resultTypes: ["violations"],
                selectors: false,
                preload: false,
            })""",
            [contrast_enhanced, list(only)],
        )
        self.measured = False
        return [
            f"{rule['id']}: {node['html'][:160]} {[check['message'] for check in node['any'] + node['all']]}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]


OpenScreen = Callable[..., Screen]


@pytest.fixture
def open_screen(browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenScreen]:
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    name = re.sub(r"\W+", "-", request.node.name).strip("-")

    def opened(site: Served, **options: Any) -> Screen:
        settings = {
            "viewport": {"width": 1280, "height": 860},
            "locale": "sv-SE",
            "color_scheme": "light",
        } | options
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        screen = Screen(page, site, name)

        def hear(message: ConsoleMessage) -> None:
            # An answer such as 401 is part of the matter; the browser lists it all the same.
            told = message.type in ("error", "warning") and "Failed to load resource" not in message.text
            if told and not screen.measured:
                complaints.append(message.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return screen

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A recording whose tracks are tones that can be told apart, with a lost stretch."""

    def tone(track: Track, start: int, length: int) -> Samples:
        at = np.arange(start, start + length)
        heard: Samples = (9000 * np.sin(2 * np.pi * TONES[track.name] * at / track.rate_hz)).astype(np.int16)
        return heard

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recordings, "sound", tone)
        return past_calls.record(tmp_path_factory.mktemp("made"), seconds=SECONDS, lost=range(1000, 1020))
