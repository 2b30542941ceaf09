"""A bundle can be kept, played and checked by somebody who has nothing of ours."""

from __future__ import annotations

import html.parser
import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from callsvc.clock import FixedClock
from callsvc.errors import UsageError, VerificationFailed
from callsvc.recordings.bundle import Line, Stretch, export
from callsvc.recordings.layout import SEGMENTS
from callsvc.recordings.source import DirectorySource
from tests.support.house import ROOT
from tests.support.recordings import TRACKS, Made, make_recording, sound

pytestmark = pytest.mark.evidence

CHECKER = ROOT / "deploy" / "check_bundle.py"
LINES = [
    Line("caller", 400, 1900, "Det är <b>bråttom</b> & jag är rädd."),
    Line("operator", 2100, 2900, "Jag lyssnar."),
    Line("caller", 4100, 4900, "Åh, tack."),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_recording(tmp_path_factory.mktemp("made"), seconds=25, lost=range(100, 110))


@pytest.fixture(scope="module")
def whole(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("bundle") / "paket"
    export(DirectorySource(made.directory), target, made.keys, FixedClock(), lines=LINES)
    return target


def check(bundle: Path, *more: str | Path) -> tuple[int, str]:
    """Run the checker as anybody would: with a bare Python that knows none of our packages."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", CHECKER, bundle, *more], capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def test_the_checker_is_small_and_knows_nothing_of_ours() -> None:
    text = CHECKER.read_text()
    assert len(text.splitlines()) <= 300
    imported = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert imported <= set(sys.stdlib_module_names)


def test_a_bundle_of_a_whole_call_is_as_it_was_signed(whole: Path) -> None:
    code, said = check(whole)
    assert code == 0, said
    assert "caller.rx: 25.00 s, of which 0.20 s are missing and said to be" in said
    assert said.endswith("All is as it was signed.\n")


def test_the_steps_of_the_readme_work_as_they_are_written(whole: Path) -> None:
    readme = (whole / "LÄSMIG.txt").read_text(encoding="utf-8")
    commands = [line.strip() for line in readme.splitlines() if line.startswith("     ")]
    assert len(commands) == 5
    said = []
    for command in commands:
        done = subprocess.run(["bash", "-c", command], cwd=whole, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
        said.append(done.stdout)
    assert set(re.findall(r": (\w+)$", said[0], re.MULTILINE)) == {"OK"}
    assert said[1] == said[3] == "Signature Verified Successfully\n"
    assert f"De första sexton tecknen ska vara {said[2][:16]}." in readme
    assert f"Den senare ska ge {said[4].split()[0]}" in readme
    assert "caller.rx: vid 00:02 saknas 0.20 s (kom inte fram över nätet)" in readme


def test_each_track_is_bit_for_bit_what_was_sealed(whole: Path) -> None:
    for track in TRACKS:
        heard, rate = soundfile.read(whole / "ljud" / f"{track.name}.flac", dtype="int16")
        expected = sound(track, 0, 25 * track.rate_hz)
        expected[2 * track.rate_hz : 2 * track.rate_hz + track.rate_hz // 5] = 0
        assert rate == track.rate_hz
        assert np.array_equal(heard, expected)


def test_the_stereo_file_has_the_caller_left_and_the_operator_right(whole: Path) -> None:
    both, rate = soundfile.read(whole / "ljud" / "stereo.flac", dtype="int16")
    assert (rate, len(both)) == (16_000, 25 * 16_000)
    operator = sound(TRACKS[1], 0, 25 * 16_000)
    operator[32_000:35_200] = 0
    assert np.array_equal(both[:, 1], operator)
    caller = sound(TRACKS[0], 0, 25 * 8000).astype(float)
    caller[16_000:17_600] = 0
    likeness = np.corrcoef(both[::2, 0].astype(float), caller)[0, 1]
    assert likeness > 0.99


def test_a_stretch_holds_only_that_stretch_and_says_where_it_lies(made: Made, tmp_path: Path) -> None:
    target = tmp_path / "utdrag"
    source = DirectorySource(made.directory)
    about = export(source, target, made.keys, FixedClock(), stretch=Stretch(2100, 12_500), lines=LINES)
    assert check(target)[0] == 0
    for track in TRACKS:
        heard, _ = soundfile.read(target / "ljud" / f"{track.name}.flac", dtype="int16")
        first, last = 2100 * track.rate_hz // 1000, 12_500 * track.rate_hz // 1000
        expected = sound(track, 0, last)
        expected[2 * track.rate_hz : 2 * track.rate_hz + track.rate_hz // 5] = 0
        assert np.array_equal(heard, expected[first:])
    assert about["tracks"][0]["gaps"] == [{"start": 0, "length": 800, "cause": "loss"}]
    told = (target / "transkript.txt").read_text(encoding="utf-8")
    assert "Jag lyssnar." in told
    assert "bråttom" not in told
    assert "ett utdrag, 00:02 till 00:12" in (target / "LÄSMIG.txt").read_text(encoding="utf-8")


def test_the_player_needs_no_network_and_shows_text_as_text(whole: Path) -> None:
    page = (whole / "spela.html").read_text(encoding="utf-8")
    assert "http:" not in page
    assert "https:" not in page
    assert "//" not in re.sub(r"data:\S+", "", page)
    assert "{{" not in page
    assert "&lt;b&gt;bråttom&lt;/b&gt; &amp; jag" in page
    found: list[str] = []

    class Sources(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            found.extend(
                value or "" for name, value in attributes if name in ("src", "value") and tag != "meta"
            )

    Sources().feed(page)
    assert found
    assert all((whole / name).is_file() for name in found)


def test_a_key_that_is_not_the_authoritys_is_found(whole: Path, made: Made) -> None:
    assert check(whole, "--key", made.keys.signer)[0] == 0
    code, said = check(whole, "--key", "0123456789abcdef")
    assert code == 1
    assert "another key" in said


def flip(path: Path, rng: random.Random) -> str:
    raw = bytearray(path.read_bytes())
    at = rng.randrange(len(raw))
    raw[at] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(raw))
    return f"bit at {at}"


def cut(path: Path, rng: random.Random) -> str:
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])
    return "cut"


def grow(path: Path, rng: random.Random) -> str:
    path.write_bytes(path.read_bytes() + rng.randbytes(3))
    return "grown"


def drop(path: Path, _rng: random.Random) -> str:
    path.unlink()
    return "gone"


def stray(path: Path, _rng: random.Random) -> str:
    path.with_name("mer.txt").write_text("mer")
    return "a stray beside it"


def test_every_file_that_is_changed_cut_grown_dropped_or_added_is_found(whole: Path, tmp_path: Path) -> None:
    rng = random.Random(11)
    files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file())
    assert len(files) == 13
    missed = []
    edits = (cut, grow, drop, stray)
    for n, name in enumerate(files):
        for edit in (flip, edits[n % len(edits)]):
            copy = shutil.copytree(whole, tmp_path / f"{n}-{edit.__name__}")
            what = edit(copy / name, rng)
            code, said = check(copy)
            if code != 1 or "NOT RIGHT: " not in said:
                missed.append(f"{name}: {what}")
            shutil.rmtree(copy)
    assert missed == []


def resign(bundle: Path, made: Made) -> None:
    """Sign anew with the authority's own key: what an insider could do."""
    lines = []
    for line in (bundle / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        name = line[66:]
        done = subprocess.run(["sha256sum", bundle / name], capture_output=True, text=True, check=True)
        lines.append(f"{done.stdout[:64]}  {name}\n")
    (bundle / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    (bundle / "SHA256SUMS.sig").write_bytes(made.keys.sign((bundle / "SHA256SUMS").read_bytes()))


@pytest.mark.parametrize("lie", ["gap", "length", "original", "whole"])
def test_a_copy_that_lies_about_its_original_is_found_even_when_it_is_well_signed(
    whole: Path, made: Made, tmp_path: Path, lie: str
) -> None:
    copy = shutil.copytree(whole, tmp_path / "copy")
    about = json.loads((copy / "paket.json").read_text(encoding="utf-8"))
    if lie == "gap":
        about["tracks"][0]["gaps"] = []
    elif lie == "length":
        heard, rate = soundfile.read(copy / "ljud" / "caller.rx.flac", dtype="int16")
        soundfile.write(copy / "ljud" / "caller.rx.flac", heard[:-rate], rate, subtype="PCM_16")
        about["tracks"][0]["samples"] -= rate
    elif lie == "original":
        manifest = (copy / "original" / "manifest.json").read_text()
        (copy / "original" / "manifest.json").write_text(manifest.replace('"complete"', '"ended_by_failure"'))
    else:
        about["stretch"]["whole"] = False
        about["stretch"]["to_ms"] = 9000
    (copy / "paket.json").write_text(json.dumps(about), encoding="utf-8")
    resign(copy, made)
    code, said = check(copy)
    assert code == 1, said


def test_no_copy_is_made_of_a_recording_that_is_not_what_was_sealed(made: Made, tmp_path: Path) -> None:
    broken = shutil.copytree(made.directory, tmp_path / "broken")
    (broken / SEGMENTS).write_bytes((broken / SEGMENTS).read_bytes()[:-1])
    with pytest.raises(VerificationFailed):
        export(DirectorySource(broken), tmp_path / "paket", made.keys, FixedClock())
    assert not (tmp_path / "paket").exists()


def test_a_stretch_outside_the_call_or_a_place_that_is_taken_is_refused(made: Made, tmp_path: Path) -> None:
    source = DirectorySource(made.directory)
    for stretch in (Stretch(0, 25_001), Stretch(5000, 5000), Stretch(-1, 10)):
        with pytest.raises(UsageError):
            export(source, tmp_path / "paket", made.keys, FixedClock(), stretch=stretch)
        assert not (tmp_path / "paket").exists()
    (tmp_path / "paket").mkdir()
    with pytest.raises(UsageError, match="there already"):
        export(source, tmp_path / "paket", made.keys, FixedClock())
