"""The format outlives the code: a golden recording of each version stays readable, and its page tells the truth."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from audio.taps import Gap, GapCause
from callsvc.recordings.errors import FormatUnknown
from callsvc.recordings.head import load_head
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.layout import CAUSES, HEADER_BYTES, HEADERS, Coding, Header, Kind, unpack
from callsvc.recordings.reader import open_recording
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify
from tests.support.house import ROOT
from tests.support.recordings import TRACKS, sound

pytestmark = pytest.mark.evidence

GOLDEN = ROOT / "tests" / "fixtures" / "recordings" / "v1"
PAGE = ROOT / "docs" / "reference" / "recording-format.md"


@pytest.fixture
def keys(tmp_path: Path) -> FileKeyRing:
    return FileKeyRing(shutil.copytree(GOLDEN / "keys", tmp_path / "keys"))


def test_the_golden_recording_of_version_1_is_whole_and_says_what_it_always_said(keys: FileKeyRing) -> None:
    source = DirectorySource(GOLDEN / "recording")
    report = verify(source, keys=keys)
    assert (report.findings, report.decrypted) == ([], True)
    recording = open_recording(source, keys)
    for track in TRACKS:
        size = track.rate_hz // 50
        expected = sound(track, 0, 75 * size)
        expected[20 * size : 22 * size] = 0
        expected[40 * size : 50 * size] = 0
        assert np.array_equal(recording.read(track.name, 0, 75 * size), expected)
        assert recording.tracks[track.name].gaps == (
            Gap(20 * size, 2 * size, GapCause.LOSS),
            Gap(40 * size, 10 * size, GapCause.MASK),
        )
        assert len(recording.peaks(track.name).high) == 30
    assert recording.notes() == [(750, {"kind": "marker", "text": "här"})]


def test_openssl_and_sha256_alone_check_the_golden_recording() -> None:
    directory = GOLDEN / "recording"
    manifest = json.loads((directory / "manifest.json").read_text())
    done = subprocess.run(
        [
            "openssl", "pkeyutl", "-verify", "-rawin", "-pubin",
            "-inkey", GOLDEN / "keys" / f"signing-{manifest['signer']}.pub",
            "-sigfile", directory / "manifest.sig", "-in", directory / "manifest.json",
        ],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == "Signature Verified Successfully"
    for key, name in (("head", "head.json"), ("segments", "segments"), ("index", "index")):
        assert hashlib.sha256((directory / name).read_bytes()).hexdigest() == manifest[key]


def test_the_chain_is_as_the_page_tells_it() -> None:
    """Written from the page, with nothing of ours."""
    directory = GOLDEN / "recording"
    segments = (directory / "segments").read_bytes()
    link, at, n = hashlib.sha256((directory / "head.json").read_bytes()).digest(), 0, 0
    ends: dict[int, int] = {}
    while at < len(segments):
        magic, kind, track, _, _, number, size, start, length, _, prev = struct.unpack_from(
            "<4s4BIIQQ8s32s", segments, at
        )
        assert (magic, number, prev) == (b"CSR1", n, link)
        if kind in (1, 2):
            assert start == ends.get(track, 0)
            ends[track] = start + length
        link = hashlib.sha256(segments[at : at + 72 + size]).digest()
        at, n = at + 72 + size, n + 1
    manifest = json.loads((directory / "manifest.json").read_text())
    assert (link.hex(), n, at) == (manifest["chain"], manifest["records"], manifest["segments_bytes"])
    assert [ends[i] for i, _ in enumerate(manifest["tracks"])] == [t["samples"] for t in manifest["tracks"]]


def test_the_page_and_the_code_name_the_same_causes_and_kinds() -> None:
    page = PAGE.read_text()
    named = re.findall(r"^\| `(\w+)` \| (\d) \|", page, re.MULTILINE)
    assert {name: int(number) for name, number in named} == {str(c): n for c, n in CAUSES.items()}
    assert "1 sound, 2 gap, 3 note, 4 outline, 5 end, 6 masked sound" in page
    assert [int(kind) for kind in Kind] == [1, 2, 3, 4, 5, 6]
    assert [int(coding) for coding in Coding] == [0, 1, 2, 3, 4]
    assert f"| {HEADER_BYTES} | size | payload" in page


def test_the_two_descriptions_of_a_header_in_the_code_agree() -> None:
    header = Header(1, 2, 1, 0, 70_000, 5000, 1 << 40, 8000, b"saltsalt", bytes(range(32)))
    assert unpack(header.pack()) == header
    assert HEADERS.itemsize == HEADER_BYTES == len(header.pack())
    (row,) = np.frombuffer(header.pack(), dtype=HEADERS)
    assert (row["magic"], row["n"], row["size"], row["start"], row["length"]) == (
        b"CSR1", 70_000, 5000, 1 << 40, 8000,
    )  # fmt: skip
    assert bytes(row["prev"]) == bytes(range(32))


def test_a_later_version_is_refused_and_not_guessed_at() -> None:
    raw = (GOLDEN / "recording" / "head.json").read_bytes()
    with pytest.raises(FormatUnknown):
        load_head(raw.replace(b'"version": 1', b'"version": 2'))
