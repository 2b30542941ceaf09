"""The operator's page: a caller is heard and spoken with in the browser, and everything works by keys while one types."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr
from playwright.sync_api import Browser, Page, Playwright, expect
from scipy.signal import correlate

from audio.files import WavWriter, read
from audio.resample import to_int16
from callsvc.demo.composition import compose
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


def likeness(heard: np.ndarray, part: np.ndarray) -> float:
    """How well a part is found again in what was heard, 0 to 1."""
    heard, part = heard.astype(float), part.astype(float)
    cross = correlate(heard, part, "valid")
    at = int(np.abs(cross).argmax())
    here = heard[at : at + len(part)]
    return float(abs(cross[at]) / (np.sqrt(np.sum(part**2) * np.sum(here**2)) + 1e-9))


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
    expect(page.get_by_role("region", name="Tangentljud dämpat")).to_contain_text("dB lägre")
    screen.keep("in-call")

    caller = np.array(page.evaluate("window.heard.slice(-3 * window.rate, -window.rate)"), np.float32)
    caller = to_rate(caller, int(page.evaluate("window.rate")))
    assert likeness(np.tile(babble(8000, 20.0), 2), caller) > 0.9
    spoken = read(microphone, 8000)
    assert likeness(np.concatenate([telephone.sound()] * 2), spoken[2 * 8000 : 4 * 8000]) > 0.6

    page.keyboard.press("Shift+F4")
    expect(page.get_by_role("button", name="Tryck igen för att lägga på")).to_be_visible()
    assert not telephone.left.is_set()
    page.keyboard.press("Shift+F4")
    assert telephone.left.wait(30)
    expect(page.get_by_role("button", name="Lägg på")).to_have_count(0)
