"""`callsvc demo`, as a newcomer runs it, checked against its sounds by means of the test's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.io import wavfile
from scipy.signal import butter, correlate, resample_poly, sosfilt

from callsvc.demo.composition import Scene, compose
from tests.support.house import ROOT

pytestmark = [pytest.mark.call, pytest.mark.acceptance, pytest.mark.timeout(240)]

RATE = 16_000
Sound = NDArray[np.float64]


@dataclass(frozen=True)
class Ran:
    """A demonstration that is over."""

    out: Path
    code: int
    page: str
    report: dict[str, Any]
    scene: Scene

    def sound(self, name: str) -> Sound:
        return _read(self.out / name)


def _read(file: Path) -> Sound:
    rate, raw = wavfile.read(file)
    return np.asarray(resample_poly(raw / 32768.0, RATE, rate), np.float64)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    base = tmp_path_factory.mktemp("demo")
    environment = {key: value for key, value in os.environ.items() if key != "HOME"} | {"HOME": str(base)}
    ended = subprocess.run(
        [sys.executable, "-m", "callsvc", "demo", "--out", str(base / "demo")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    file = base / "demo" / "report.json"
    assert file.exists(), ended.stdout + ended.stderr
    return Ran(base / "demo", ended.returncode, ended.stdout, json.loads(file.read_text()), compose())


def _lag(source: Sound, heard: Sound) -> int:
    return int(np.argmax(np.abs(correlate(heard, source, "full", "fft")))) - (len(source) - 1)


def _moved(heard: Sound, lag: int, length: int) -> Sound:
    assert lag >= 0
    return np.pad(heard[lag:], (0, length))[:length]


def test_it_ends_well_and_says_so_on_one_page(ran: Ran) -> None:
    assert ran.code == 0, ran.page
    assert ran.report["ok"] is True
    assert ran.report["call_id"] in ran.page
    assert len(ran.page.splitlines()) < 45


def test_the_call_was_recorded_sealed_and_verified_with_every_track(ran: Ran) -> None:
    assert ran.report["sealed"] is True
    assert ran.report["verified"] is True
    assert set(ran.report["tracks"]) == {"caller.rx", "operator.rx", "operator.tx"}
    assert ran.report["length_s"] > ran.scene.length_s


def test_the_transcript_has_the_words_that_the_packaged_model_knows(ran: Ran) -> None:
    assert ran.report["transcript_state"] == "done"
    assert ran.report["transcript_said"] == 7
    # A small model, over a network: one of the seven may be misheard.
    assert ran.report["transcript_right"] >= 6
    assert ran.report["transcript_words"] >= ran.report["transcript_right"]


def test_the_caller_heard_the_operators_words(ran: Ran) -> None:
    said, heard = ran.sound("before.wav"), ran.sound("caller_heard.wav")
    heard = _moved(heard, _lag(said, heard), len(said))
    alike = []
    for start, end in ran.scene.speech_s:
        part = said[int(start * RATE) : int(end * RATE)]
        there = heard[int(start * RATE) - 800 : int(end * RATE) + 800]
        shape = correlate(there, part, "valid", "fft")
        alike.append(np.abs(shape).max() / np.sqrt(np.sum(part**2) * np.sum(there[800:-800] ** 2)))
    assert np.median(alike) > 0.85


def test_the_strokes_went_down_where_nothing_else_was_to_be_heard(ran: Ran) -> None:
    said, heard = ran.sound("before.wav"), ran.sound("caller_heard.wav")
    heard = _moved(heard, _lag(said, heard), len(said))
    high = butter(4, 1500, "high", fs=RATE, output="sos")
    said, heard = sosfilt(high, said), sosfilt(high, heard)
    lowered = []
    for t in ran.scene.strokes_s:
        if not any(a - 0.1 < t < b + 0.1 for a, b in ran.scene.speech_s):
            window = slice(int((t - 0.005) * RATE), int((t + 0.06) * RATE))
            lowered.append(10 * np.log10(np.sum(said[window] ** 2) / np.sum(heard[window] ** 2)))
    assert len(lowered) > 40
    assert np.median(lowered) > 15.0
    assert ran.report["audible_before_pct"] == 100.0
    assert ran.report["audible_after_pct"] <= 10.0
    assert ran.report["level_before_db"] - ran.report["level_after_db"] > 15.0


def test_the_service_found_about_as_many_strokes_as_were_typed(ran: Ran) -> None:
    typed = ran.report["strokes_typed"]
    assert typed == len(ran.scene.strokes_s)
    assert 0.8 * typed < ran.report["strokes"] < 1.25 * typed


def test_the_operator_heard_the_caller_unchanged(ran: Ran) -> None:
    """Packet by packet, and so sample by sample once decoded."""
    notes = {
        leg: json.loads((ran.out / "work" / f"{leg}_notes.json").read_text())
        for leg in ("caller", "operator")
    }
    sent, received = notes["caller"]["sent"], notes["operator"]["received"]
    assert notes["caller"]["codec"] == notes["operator"]["codec"] == "opus"
    assert len(sent) == round(ran.scene.length_s * 50)
    assert len(set(sent)) > 1000
    start = received.index(sent[0])
    assert received[start : start + len(sent)] == sent

    spoken, heard = _read(ran.out / "work" / "caller_says.wav"), ran.sound("operator_heard.wav")
    heard = _moved(heard, _lag(spoken, heard), len(spoken))
    assert np.corrcoef(spoken, heard)[0, 1] > 0.95


def test_the_filters_delay_is_what_it_declares(ran: Ran) -> None:
    assert ran.report["declared_delay_ms"] == 20.0
    assert ran.report["added_delay_ms"] == pytest.approx(ran.report["declared_delay_ms"], abs=0.5)
    assert ran.report["detour_delay_ms"] >= ran.report["declared_delay_ms"]


def test_it_leaves_a_picture_and_both_sounds(ran: Ran) -> None:
    with Image.open(ran.out / "picture.png") as picture:
        assert picture.width >= 1000
        assert len(np.unique(np.asarray(picture.convert("L")))) > 50
    before, after = ran.sound("before.wav"), ran.sound("after.wav")
    assert len(before) == round(ran.scene.length_s * RATE)
    assert len(after) > len(before)


def test_a_directory_that_no_demonstration_made_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "demo" / "data"
    data.mkdir(parents=True)
    (data / "letters.txt").write_text("mine")
    ended = subprocess.run(
        [sys.executable, "-m", "callsvc", "demo", "--out", str(tmp_path / "demo")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert (data / "letters.txt").read_text() == "mine"
    assert [entry.name for entry in data.iterdir()] == ["letters.txt"]
