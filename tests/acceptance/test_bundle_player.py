"""The player page of a bundle, as its receiver opens it: from the disk, in a browser, without network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from callsvc.clock import FixedClock
from callsvc.recordings.bundle import Line, export
from callsvc.recordings.source import DirectorySource
from tests.acceptance.screens.conftest import CHROMIUM, FLAGS
from tests.support.recordings import make_recording, wait_for

pytestmark = pytest.mark.evidence

LINES = [Line("caller", 400, 1900, "Hjälp mig."), Line("operator", 12_000, 13_000, "Jag lyssnar.")]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    made = make_recording(tmp_path, seconds=20)
    export(DirectorySource(made.directory), tmp_path / "paket", made.keys, FixedClock(), lines=LINES)
    return tmp_path / "paket"


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page()
        browser.close()


def test_it_plays_every_track_from_the_disk_and_finds_what_was_said(bundle: Path, page: Page) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((bundle / "spela.html").as_uri())

    def sound(field: str) -> float:
        value: float = page.evaluate(f"document.getElementById('sound').{field}")
        return value

    def playable() -> None:
        wait_for(lambda: sound("readyState") >= 2, 60)
        assert abs(sound("duration") - 20) < 0.1

    playable()
    # An utterance leads to its place, and the sound goes on from there.
    page.get_by_role("button", name="00:12").click()
    wait_for(lambda: sound("currentTime") > 12.2, 60)
    expect(page.locator("li.now")).to_contain_text("Jag lyssnar.", timeout=30_000)
    for name in ("Den som ringer", "Operatören, så som det hördes"):
        page.get_by_label("Lyssna på").select_option(name)
        wait_for(lambda: sound("currentTime") > 12.2, 60)
        playable()
    assert complaints == []
    assert all(url.startswith("file:") for url in asked)
    assert {url.rsplit("/", 1)[-1] for url in asked} >= {"stereo.flac", "caller.rx.flac", "operator.tx.flac"}
