"""What the tests of the operator's page do again and again; what their browser is made to do and to keep."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Literal
from uuid import UUID

import numpy as np
import soxr
from playwright.sync_api import Page, expect
from scipy.signal import correlate

from callsvc.store import Connection, captions
from callsvc.store.captions import CaptionRow, StateRow
from callsvc.types import Role
from tests.acceptance.screens.conftest import Screen
from tests.support.on_air import OnAir

# Keeps what comes from the other end, before it reaches the ear.
RECORDER = """
const Peer = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Peer {
  constructor(...given) {
    super(...given);
    this.addEventListener("track", async (event) => {
      window.heard = [];
      const reader = new MediaStreamTrackProcessor({ track: event.track }).readable.getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const block = new Float32Array(value.numberOfFrames);
        value.copyTo(block, { planeIndex: 0, format: "f32-planar" });
        window.heard.push(...block);
        window.rate = value.sampleRate;
        value.close();
      }
    });
  }
};
"""


# A microphone that another program stands behind, whose noise suppression the browser has on in spite of all; and a gate
# that closes every other moment while `gated`.
FILTERED = """
Object.defineProperty(MediaStreamTrack.prototype, "label", { get: () => "Krisp Microphone" });
const settings = MediaStreamTrack.prototype.getSettings;
MediaStreamTrack.prototype.getSettings = function () { return { ...settings.call(this), noiseSuppression: true }; };
const look = AnalyserNode.prototype.getFloatTimeDomainData;
AnalyserNode.prototype.getFloatTimeDomainData = function (block) {
  look.call(this, block);
  if (window.gated && performance.now() % 800 < 400) block.fill(0);
};
"""


def start_shift(screen: Screen) -> Page:
    """An operator who has signed in and is available."""
    page = screen.page
    screen.site.person("olle", Role.OPERATOR, shown="Olle Berg")
    page.goto(screen.site.url)
    screen.enter("olle")
    expect(page.get_by_role("heading", name="Samtal", exact=True, level=1)).to_be_visible()
    page.get_by_role("button", name="Bli tillgänglig").click()
    expect(page.get_by_text("Du är tillgänglig", exact=True)).to_be_visible()
    return page


def to_rate(sound: np.ndarray, rate_hz: int) -> np.ndarray:
    return np.asarray(soxr.resample(sound, rate_hz, 8000))


def until(page: Page, condition: str, within_s: float = 60.0) -> None:
    """Wait for something that the page's own script knows; its policy forbids Playwright's way of asking."""
    deadline = time.monotonic() + within_s
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(100)


def comes(page: Page, true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, what
        page.wait_for_timeout(100)


def likeness(heard: np.ndarray, sound: np.ndarray) -> float:
    """How well half a second of a sound is found again in what was heard, 0 to 1.

    The best of several: a browser stretches and shortens what it plays where packets are late.
    """
    heard, n = heard.astype(float), 4000
    energy = np.convolve(heard**2, np.ones(n), "valid")
    best = 0.0
    for at in range(0, len(sound) - n, n):
        part = sound[at : at + n].astype(float)
        found = np.abs(correlate(heard, part, "valid")) / np.sqrt(energy * np.sum(part**2) + 1e-9)
        best = max(best, float(found.max()))
    return best


def caption(air: OnAir, call: UUID, rows: list[CaptionRow], state: Literal["on", "behind", "off"]) -> None:
    """What the captions process would have written."""

    async def write(conn: Connection) -> None:
        await captions.put(conn, rows)
        now = air.site.clock.utc_now()
        await captions.set_states(conn, [StateRow(call, state, "", 4200, now + timedelta(minutes=5))])

    air.site.run(write)


def captioned(air: OnAir, call: UUID, page: Page) -> None:
    """Both sides are read along, what may change is told apart, and a word is put right where it stands."""
    panel = page.get_by_role("region", name="Textning")
    expect(panel).to_contain_text("Ingen textning")
    said = [
        CaptionRow(call, "operator", 0, 300, 2000, "Var är du nu?", True),
        CaptionRow(call, "caller", 0, 2400, 5000, "Jag är hos min syster.", True),
        CaptionRow(call, "caller", 1, 6000, 7000, "han vet inte", False),
    ]
    caption(air, call, said, "on")
    expect(panel).to_contain_text("Textas medan det sägs")
    expect(panel.locator(".caption")).to_have_count(3)
    expect(panel.locator(".interim")).to_have_text(re.compile("han vet inte.*kan ändras än"))
    panel.get_by_role("button", name="syster.").click()
    page.get_by_label("Rätt ord i stället för syster.").fill("moster.")
    page.keyboard.press("Enter")
    expect(panel.locator(".caption", has_text="Jag är hos min moster.")).to_contain_text("Rättad")
    caption(air, call, [CaptionRow(call, "caller", 1, 6000, 8000, "Han vet inte var.", True)], "behind")
    expect(panel).to_contain_text("Texten släpar 4 s efter")
    expect(panel.get_by_role("button", name="var.")).to_be_visible()
    expect(panel.locator(".interim")).to_have_count(0)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what bears this name has the focus."""
    named = """(() => {
      const at = document.activeElement;
      return (at.getAttribute("aria-label") ?? at.labels?.[0]?.innerText ?? at.innerText ?? "").trim();
    })()"""
    for _ in range(60):
        if str(page.evaluate(named)).startswith(name):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {name}")


def fonts_of(page: Page, selector: str) -> set[str]:
    """The fonts whose glyphs the first such element is really drawn with."""
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    used = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    session.detach()
    return {str(one["familyName"]) for one in used}
