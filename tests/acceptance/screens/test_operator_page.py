"""The operator's page: a caller is heard and spoken with in the browser, and everything works by keys while one types."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

import numpy as np
import pytest
import soxr
from playwright.sync_api import Browser, Page, Playwright, expect
from scipy.signal import correlate

from audio.files import WavWriter, read
from audio.resample import to_int16
from callsvc.demo.composition import compose
from callsvc.recordings.key_source import key_ring
from callsvc.recordings.reader import open_recording
from callsvc.recordings.source import DirectorySource
from callsvc.store import Connection, captions
from callsvc.store.captions import CaptionRow, StateRow
from callsvc.telephony import announcements
from callsvc.types import Role
from tests.acceptance.screens.conftest import CHROMIUM, FLAGS, OpenScreen, Screen
from tests.support.on_air import OnAir, Telephone, on_air
from tests.support.packets import babble

pytestmark = [pytest.mark.screens, pytest.mark.acceptance]

SOUND_FLAGS = [
    "--mute-audio", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
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


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the operator says and types, over and over."""
    file = tmp_path_factory.mktemp("voice") / "microphone.wav"
    with WavWriter(file, 48_000) as writer:
        writer.write(to_int16(np.asarray(compose().cut(12.0).operator, np.float32)))
    return file


@pytest.fixture(scope="module")
def browser(playwright: Playwright, microphone: Path) -> Iterator[Browser]:
    flags = [*FLAGS, *SOUND_FLAGS, f"--use-file-for-fake-audio-capture={microphone}"]
    started = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    yield started
    started.close()


@pytest.fixture
def air(conninfo: str, tmp_path: Path, quick_passwords: None) -> Iterator[OnAir]:
    with on_air(conninfo, tmp_path) as running:
        yield running


@pytest.fixture
def telephone(air: OnAir) -> Iterator[Telephone]:
    """Somebody has called; nobody has answered."""
    phone = Telephone(air, air.call(), babble(8000, 20.0))
    yield phone
    phone.close()


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


def caption(air: OnAir, call: UUID, rows: list[CaptionRow], state: Literal["on", "behind", "off"]) -> None:
    """What the captions process would have written."""

    async def write(conn: Connection) -> None:
        await captions.put(conn, rows)
        now = air.site.clock.utc_now()
        await captions.set_states(conn, [StateRow(call, state, "", 4200, now + timedelta(minutes=5))])

    air.site.run(write)


def captioned(air: OnAir, telephone: Telephone, page: Page) -> None:
    """Both sides are read along, what may change is told apart, and a word is put right where it stands."""
    call = telephone.call
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


def comes(page: Page, true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, what
        page.wait_for_timeout(100)


def what_the_caller_is_left_with(telephone: Telephone, page: Page, spoken: np.ndarray) -> None:
    """Hold, mute, listening back and an announcement, from the screen, by what comes out of the telephone."""
    begun = 0

    def since() -> np.ndarray:
        return telephone.sound()[begun:]

    def silent() -> bool:
        return len(since()) > 8000 and bool(np.abs(since()[-4000:]).max() < 100)

    def hears_the_operator() -> bool:
        return len(since()) > 16_000 and likeness(since()[-16_000:], spoken) > 0.8

    for key, words in (("Shift+F8", "Samtalet är parkerat"), ("Shift+F9", "Mikrofonen är avstängd")):
        begun = len(telephone.sound())
        page.keyboard.press(key)
        expect(page.get_by_text(words, exact=True)).to_be_visible()
        comes(page, silent, f"the caller still hears the operator after {key}")
        if key == "Shift+F8":
            until(page, "Math.max(...window.heard.slice(-window.rate / 4).map(Math.abs)) < 0.01")
        page.keyboard.press(key)
        expect(page.get_by_text(words, exact=True)).to_have_count(0)
        begun = len(telephone.sound())
        comes(page, hears_the_operator, f"the caller does not hear the operator again after {key}")

    page.keyboard.press("F8")
    expect(page.get_by_text("Bara du hör det.")).to_be_visible()
    begun = len(telephone.sound())
    comes(page, hears_the_operator, "the caller does not hear the operator who listens back")
    assert likeness(since(), babble(8000, 20.0)[:40_000]) < 0.5  # nothing of what was said before
    page.keyboard.press("F8")

    page.keyboard.press("F9")
    page.get_by_role("button", name="Stanna kvar i telefonen").click()
    begun = len(telephone.sound())
    announced = (announcements.load()["wait"]["sv"].sound[::2] * 32767).astype(np.int16)[4000:24_000]
    comes(page, lambda: likeness(since(), announced) > 0.5, "the caller does not hear the announcement")
    expect(page.get_by_text("Den som ringer hör: Stanna kvar")).to_have_count(0)


def consents(page: Page) -> None:
    """The caller consents to something and takes it back, while the call runs."""
    page.locator("summary", has_text="Samtycke").click()
    page.get_by_label("Till vad").select_option("social_services")
    page.get_by_role("button", name="Samtycker", exact=True).click()
    expect(page.get_by_text("Uppringare samtycker: Uppgifter till socialtjänsten")).to_be_visible()
    page.get_by_role("button", name="Återkallas").click()
    expect(page.get_by_text("Uppringare har återkallat: Uppgifter till socialtjänsten")).to_be_visible()


def what_was_consented_to_is_sealed(air: OnAir, telephone: Telephone, page: Page) -> None:
    """It stands in the recording's own list, which needs no database; what was ticked after the call does not."""
    settings, call = air.site.settings, str(telephone.call)
    directory = settings.data_dir / "spool" / call
    comes(page, (directory / "manifest.json").exists, "the recording is not sealed")
    notes = open_recording(DirectorySource(directory), key_ring(settings)).notes()
    marked = [note["text"] for _, note in notes if note.get("marker") == "consent"]
    assert marked == ["social_services/given", "social_services/withdrawn"]


def test_a_caller_is_answered_spoken_with_and_hung_up_by_keys_alone(
    air: OnAir, telephone: Telephone, open_screen: OpenScreen, microphone: Path
) -> None:
    screen = open_screen(air.site)
    screen.page.add_init_script(RECORDER)
    page = start_shift(screen)
    expect(page.get_by_text("Någon ringer", exact=True)).to_be_visible()
    screen.keep("ringing")
    page.keyboard.press("Shift+F2")
    expect(page.get_by_text("Spelar in", exact=True)).to_be_visible(timeout=30_000)
    glance = page.get_by_role("region", name="Samtalet just nu")
    expect(glance).to_contain_text(re.compile("God|Märkbara störningar|Dålig"), timeout=30_000)
    page.keyboard.press("F4")
    expect(page.get_by_text("Markering satt vid")).to_be_visible()
    page.keyboard.press("F2")
    expect(page.get_by_text("Maskerad", exact=True)).to_be_visible()
    screen.keep("masked")
    page.keyboard.press("F2")
    expect(page.get_by_text("Spelar in", exact=True)).to_be_visible()
    until(page, "window.heard.length > window.rate * 4")
    expect(page.get_by_role("region", name="Tangentljud dämpat")).to_contain_text(
        re.compile(r"[1-9]\d* tangentslag")
    )
    screen.keep("in-call")

    caller = np.array(page.evaluate("window.heard.slice(-3 * window.rate, -window.rate)"), np.float32)
    caller = to_rate(caller, int(page.evaluate("window.rate")))
    assert likeness(np.tile(babble(8000, 20.0), 2), caller) > 0.9
    spoken = read(microphone, 8000)
    assert likeness(telephone.sound(), spoken) > 0.9

    what_the_caller_is_left_with(telephone, page, spoken)
    page.keyboard.press("Shift+F4")
    expect(page.get_by_role("button", name="Tryck igen för att lägga på")).to_be_visible()
    assert not telephone.left.is_set()
    page.keyboard.press("Shift+F4")
    assert telephone.left.wait(30)
    expect(page.get_by_role("button", name="Lägg på")).to_have_count(0)


def test_a_reload_and_a_lost_network_lose_neither_call_nor_text_and_the_call_is_written_up(
    air: OnAir, telephone: Telephone, open_screen: OpenScreen
) -> None:
    screen = open_screen(air.site, color_scheme="dark", reduced_motion="reduce")
    page = start_shift(screen)
    page.get_by_role("button", name="Svara").click()
    recording = page.get_by_text("Spelar in", exact=True)
    expect(recording).to_be_visible(timeout=30_000)
    notes = page.get_by_label("Anteckningar under samtalet")
    notes.press_sequentially("Hon är hos sin syster.\n")
    page.keyboard.press("F4")  # while one types
    expect(page.get_by_text("Markering satt vid")).to_be_visible()
    expect(notes).to_be_focused()
    expect(page.get_by_text("Sparat", exact=True)).to_be_visible()

    # The service is away, the node is not: the call goes on, and so does the text.
    page.route("**/api/**", lambda route: route.abort())
    notes.press_sequentially("Dörren är låst.")
    expect(page.get_by_text("Sparat på den här datorn", exact=True)).to_be_visible()
    page.unroute("**/api/**")
    page.reload()
    expect(notes).to_have_value("Hon är hos sin syster.\nDörren är låst.")
    expect(recording).to_be_visible(timeout=30_000)
    assert not telephone.left.is_set()
    expect(page.locator(".note-time")).to_have_count(2)
    captioned(air, telephone, page)
    page.get_by_label("Är i säkerhet och kan tala fritt").check()
    expect(page.get_by_text("1 av 3")).to_be_visible()
    screen.keep("in-call")
    assert screen.faults(contrast_enhanced=True) == []
    consents(page)

    page.get_by_role("button", name="Lägg på").click()
    page.get_by_role("button", name="Tryck igen för att lägga på").click()
    assert telephone.left.wait(30)
    expect(page.get_by_role("heading", name="Efter samtalet")).to_be_visible(timeout=30_000)
    page.get_by_label("Ärendenummer").fill("0201-k 1234-26")
    page.get_by_label("Våld i nära relation").check()
    page.get_by_role("button", name="Samtycker", exact=True).click()
    expect(page.get_by_text("Uppringare samtycker: Inspelning")).to_be_visible()
    what_was_consented_to_is_sealed(air, telephone, page)
    screen.keep("after")
    assert screen.faults(contrast_enhanced=True) == []
    page.keyboard.press("F10")
    expect(page.get_by_text("Du är tillgänglig", exact=True)).to_be_visible()
