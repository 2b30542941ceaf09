"""What the tests of the operator's page do again and again; what their browser is made to do and to keep."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Literal
from uuid import UUID

import numpy as np
import soxr
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TooLate
from scipy.signal import correlate

from callsvc.recordings.key_source import key_ring
from callsvc.recordings.reader import open_recording
from callsvc.recordings.source import DirectorySource
from callsvc.store import Connection, captions, connections
from callsvc.store.captions import CaptionRow, StateRow
from callsvc.types import Role
from tests.acceptance.screens.conftest import Screen
from tests.acceptance.screens.looks import Looks
from tests.support.on_air import OnAir, Telephone
from tests.support.sip import Baresip
from tests.support.walk import Walk
from tests.support.web import PASSWORD

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


# Every connection that the page makes is at hand, so that one can be made to fail as ICE does when nobody answers.
PEERS = """
window.peers = [];
const Made = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Made {
  constructor(...given) {
    super(...given);
    window.peers.push(this);
  }
};
window.fail = () => {
  const last = window.peers.at(-1);
  Object.defineProperty(last, "connectionState", { get: () => "failed" });
  last.dispatchEvent(new Event("connectionstatechange"));
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


def shift_by_keys(screen: Screen, walk: Walk, looks: Looks) -> None:
    """The same by keyboard alone, and the headset chosen first."""
    page = screen.page
    screen.site.person("olle", Role.OPERATOR, shown="Olle Berg")
    page.goto(screen.site.url)
    expect(page.get_by_label("Användarnamn")).to_be_focused()
    looks.at("signed-out")
    walk.write("olle")
    walk.tab_to("Lösenord", "textbox")
    walk.write(PASSWORD, secret=True)
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Samtal", exact=True, level=1)).to_be_focused()
    walk.then()
    walk.tab_to("Prova", "button")
    walk.press("Enter")
    walk.tab_to("Mikrofon", "combobox")
    walk.press("ArrowDown")
    walk.tab_to("Hörlur eller högtalare", "combobox")
    looks.at("choosing-devices")
    walk.tab_to("Bli tillgänglig", "button", back=True)
    walk.press("Enter")
    expect(page.get_by_text("Du är tillgänglig", exact=True)).to_be_visible()
    looks.at("available")


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


def captioned(air: OnAir, call: UUID, walk: Walk) -> None:
    """Both sides are read along, what may change is told apart, and a word is put right where it stands."""
    page = walk.page
    panel = page.get_by_role("region", name="Textning")
    notes = page.get_by_label("Anteckningar under samtalet")
    stood = notes.bounding_box()
    expect(panel).to_contain_text("Ingen textning")
    said = [
        CaptionRow(call, "operator", 0, 300, 2000, "Var är du nu?", True),
        CaptionRow(call, "caller", 0, 2400, 5000, "Jag är hos min syster.", True),
        CaptionRow(call, "caller", 1, 6000, 7000, "han vet inte", False),
    ]
    caption(air, call, said, "on")
    expect(panel).to_contain_text("Textas medan det sägs")
    expect(panel.locator(".caption")).to_have_count(3)
    assert notes.bounding_box() == stood  # what is said moves nothing that somebody writes in
    expect(panel.locator(".interim")).to_have_text(re.compile("han vet inte.*kan ändras än"))
    walk.tab_to("Jag", "button")
    walk.press(*["ArrowRight"] * 4, "Enter")
    assert walk.focus() == ("textbox", "Rätt ord i stället för syster.")
    walk.write("moster.")
    walk.press("Enter")
    expect(panel.locator(".caption", has_text="Jag är hos min moster.")).to_contain_text("Rättad")
    assert walk.focus() == ("button", "moster.")
    caption(air, call, [CaptionRow(call, "caller", 1, 6000, 8000, "Han vet inte var.", True)], "behind")
    expect(panel).to_contain_text("Texten släpar 4 s efter")
    expect(panel.get_by_role("button", name="var.")).to_be_visible()
    expect(panel.locator(".interim")).to_have_count(0)


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


def keys_are_pressed_for_one_another(walk: Walk, phone: Baresip) -> None:
    """The keypad opens by its key and sends by keyboard and by mouse; what the caller presses is shown."""
    page = walk.page
    walk.press("Shift+F7")
    keypad = page.get_by_role("group", name="Knappsats")
    expect(keypad.get_by_role("button", name="1", exact=True)).to_be_focused()
    walk.press("5")
    assert phone.wait("CALL_DTMF_START")["param"] == "5"
    keypad.get_by_role("button", name="#").click()
    assert phone.wait("CALL_DTMF_START")["param"] == "#"
    expect(page.get_by_text("Skickade #.")).to_be_visible()
    phone.do("sndcode", "7")
    expect(page.get_by_text("Den som ringer tryckte: 7")).to_be_visible()


def what_was_played_is_known_again(walk: Walk) -> None:
    """By the line, by the operator, and by the service while the lid was closed, in which language and when."""
    walk.press("F9")
    known = walk.page.get_by_role("region", name="Information").locator(".played")
    expect(known).to_contain_text(re.compile(r"Samtalet spelas in, Svenska\s+spelat vid 00:00 av linjen"))
    expect(known).to_contain_text(
        re.compile(r"Vi ringer en tolk, Arabiska\s+spelat vid \d\d:\d\d av Olle Berg")
    )
    expect(known).to_contain_text(
        re.compile(
            r"Stanna kvar i telefonen, Arabiska\s+spelat vid \d\d:\d\d av tjänsten, medan operatören var"
        )
    )
    walk.press("Escape")


def consents(walk: Walk) -> None:
    """The caller consents to something and takes it back, while the call runs."""
    page = walk.page
    walk.tab_to("Samtycke", "DisclosureTriangle")
    walk.press("Enter")
    walk.tab_to("Till vad", "combobox")
    page.keyboard.type("Uppgifter till social")
    expect(page.get_by_label("Till vad")).to_have_value("social_services")
    walk.tab_to("Samtycker", "button")
    walk.press("Enter")
    expect(page.get_by_text("Uppringare samtycker: Uppgifter till socialtjänsten")).to_be_visible()
    walk.tab_to("Återkallas", "button", back=True)
    walk.press("Enter")
    expect(page.get_by_text("Uppringare har återkallat: Uppgifter till socialtjänsten")).to_be_visible()
    walk.then()


def what_was_consented_to_is_sealed(air: OnAir, call: UUID, page: Page) -> None:
    """It stands in the recording's own list, which needs no database; what was ticked after the call does not."""
    settings = air.site.settings
    directory = settings.data_dir / "spool" / str(call)
    comes(page, (directory / "manifest.json").exists, "the recording is not sealed")
    notes = open_recording(DirectorySource(directory), key_ring(settings)).notes()
    marked = [note["text"] for _, note in notes if note.get("marker") == "consent"]
    assert marked == ["social_services/given", "social_services/withdrawn"]


def every_control(page: Page, walk: Walk, phone: Baresip, looks: Looks) -> None:
    """Mask, listen back, mute, information, keypad, hold: each by its key, and the notes have the focus again after each."""
    notes, recording = (
        page.get_by_label("Anteckningar under samtalet"),
        page.get_by_text("Spelar in", exact=True),
    )
    for key, words, name in (
        ("F2", page.get_by_text("Maskerad", exact=True), "masked"),
        ("F8", page.get_by_text("Bara du hör det."), "listening-back"),
        ("Shift+F9", page.get_by_text("Mikrofonen är avstängd", exact=True), "muted"),
    ):
        walk.press(key)
        expect(words).to_be_visible()
        looks.at(name)
        page.keyboard.press(key)
        expect(words).to_have_count(0)
    keys_are_pressed_for_one_another(walk, phone)
    walk.press("F9", "ArrowRight", "ArrowRight")
    expect(page.get_by_role("radio", name="Arabiska")).to_be_checked()
    walk.press("Shift+F8")
    expect(page.get_by_text("Samtalet är parkerat", exact=True)).to_be_visible()
    looks.at("keypad-information-held")
    walk.press("Shift+F8")
    expect(recording).to_be_visible()
    expect(page.get_by_text("Den som ringer hör")).to_have_count(0)  # what the line plays itself is over
    walk.tab_to("Vi ringer en tolk", "button")
    walk.press("Enter")
    expect(page.get_by_role("region", name="Information")).to_have_count(0)
    walk.tab_to("1", "button", back=True)
    walk.press("Escape")
    expect(page.get_by_role("group", name="Knappsats")).to_have_count(0)
    walk.tab_to("Anteckningar under samtalet", "textbox")
    expect(notes).to_be_focused()


def answered_and_hung_up_by_mouse(page: Page, telephone: Telephone) -> None:
    page.get_by_role("alert").get_by_role("button", name="Svara").click()
    expect(page.get_by_text("Spelar in", exact=True)).to_be_visible(timeout=30_000)
    comes(page, lambda: len(telephone.heard) > 50, "the caller who was answered by mouse hears nothing")
    page.get_by_role("button", name="Lägg på").click()
    assert not telephone.left.is_set()  # one click is none: it might have been meant for something else
    again = page.get_by_role("button", name="Tryck igen för att lägga på")
    for _ in range(10):
        with contextlib.suppress(TooLate):
            # It lasts for some seconds; a slow machine may need another try.
            again.or_(page.get_by_role("button", name="Lägg på")).first.click(timeout=5000)
        if telephone.left.wait(1.0):
            break
    assert telephone.left.is_set()
    expect(page.get_by_role("heading", name="Efter samtalet")).to_be_visible(timeout=30_000)


def how_the_browser_found_the_line_is_kept(air: OnAir, call: UUID, page: Page) -> None:
    """What the browser itself measured, told to the node while the call went on, is with the call."""

    async def kept(conn: Connection) -> list[connections.Seen]:
        return await connections.of_call(conn, call)

    comes(page, lambda: bool(air.site.run(kept)), "nothing is kept of how the browser found the line")
    first = air.site.run(kept)[0]
    assert first.leg == "operator"
    assert first.received > 100
    assert first.buffer_ms > 0


def written_up_by_keyboard(walk: Walk) -> None:
    """No mouse: the case, a label, a consent, what is handed over, each reached with Tab."""
    page = walk.page
    walk.press("F7")
    expect(page.get_by_label("Ärendenummer")).to_be_focused()
    walk.write("0201-k 1234-26")
    walk.tab_to("Våld i nära relation", "checkbox")
    walk.press("Space")
    expect(page.get_by_label("Våld i nära relation")).to_be_checked()
    walk.tab_to("Samtycker", "button")
    walk.press("Enter")
    expect(page.get_by_text("Uppringare samtycker: Inspelning")).to_be_visible()
    walk.tab_to("Att lämna över", "textbox")
    walk.write("Ring före tolv.")
