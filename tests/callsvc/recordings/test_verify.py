"""Whatever is done to a sealed recording is found, and said in a sentence."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audio.taps import Track
from callsvc.locale import LANGUAGES
from callsvc.recordings.findings import Report
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.layout import link
from callsvc.recordings.manifest import load_manifest
from callsvc.recordings.verify import verify
from tests.support.recordings import Made, MemorySource, make_recording
from tests.support.tampering import EDITS, records

pytestmark = pytest.mark.evidence

SMALL = (Track("caller.rx", 8000), Track("operator.tx", 8000))
SEED = 20_260_101
EDITS_TRIED = 10_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_recording(tmp_path_factory.mktemp("one"), seconds=6, lost=[20, 21, 90])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Made]:
    """Two short recordings, quick to check thousands of times."""
    base = tmp_path_factory.mktemp("small")
    one = make_recording(base, seconds=2, lost=[20, 21, 45], tracks=SMALL)
    return one, make_recording(base, seconds=2, lost=[40], tracks=SMALL)


@pytest.fixture(scope="module")
def other(made: Made) -> Made:
    """Another recording of the same installation."""
    return make_recording(made.keys.directory.parent, seconds=6, lost=[40])


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


def test_an_untouched_recording_is_whole(made: Made) -> None:
    report = verify(MemorySource.of(made.directory), keys=made.keys, call=made.call)
    assert (report.findings, report.notes, report.decrypted) == ([], [], True)
    assert report.sound_s == 6.0


def test_every_one_of_many_seeded_edits_is_found_and_named(small: tuple[Made, Made]) -> None:
    made, other = small
    rng = random.Random(SEED)
    whole = MemorySource.of(made.directory).files
    foreign = MemorySource.of(other.directory).files
    missed, tried = [], 0
    for n in range(EDITS_TRIED):
        files = dict(whole)
        edit = EDITS[n % len(EDITS)]
        what = edit(files, rng, foreign)
        if files == whole:
            continue
        tried += 1
        # Most are found by the digests alone; opening the sound each time would only take longer.
        with_keys = n % 5 == 0 or files.get("key.json") != whole["key.json"]
        report = verify(
            MemorySource(files), keys=made.keys if with_keys else None, trusted=made.keys.trusted()
        )
        sentences = [finding.sentence(lang) for finding in report.findings for lang in LANGUAGES]
        if not sentences or not all(s.strip() for s in sentences):
            missed.append(f"{edit.__name__}: {what}")
    assert missed == []
    assert tried > EDITS_TRIED * 0.95


def test_without_any_keys_the_chain_and_the_digests_still_tell(made: Made) -> None:
    rng = random.Random(SEED)
    whole = MemorySource.of(made.directory).files
    assert verify(MemorySource(whole), trusted=made.keys.trusted()).findings == []
    for _ in range(100):
        files = dict(whole)
        at = rng.randrange(len(files["segments"]))
        files["segments"] = files["segments"][:at] + b"?!" + files["segments"][at + 2 :]
        if files != whole:
            assert not verify(MemorySource(files), trusted=made.keys.trusted()).ok


def with_records(made: Made, change: object) -> Report:
    files = MemorySource.of(made.directory).files
    found = records(files["segments"])
    change(found)  # type: ignore[operator]
    files["segments"] = b"".join(found)
    return verify(MemorySource(files), keys=made.keys)


def test_a_changed_record_is_named_with_its_number_track_and_time(made: Made) -> None:
    def change(found: list[bytes]) -> None:
        found[9] = found[9][:-20] + bytes([found[9][-20] ^ 1]) + found[9][-19:]

    report = with_records(made, change)
    assert codes(report) == ["record_changed"]
    values = report.findings[0].values
    assert values["n"] == 9
    assert values["track"] in ("caller.rx", "operator.tx")
    assert report.findings[0].sentence().startswith("Post 9 är ändrad (")


def test_a_changed_header_is_a_changed_record(made: Made) -> None:
    def change(found: list[bytes]) -> None:
        found[4] = found[4][:20] + bytes([found[4][20] ^ 1]) + found[4][21:]

    assert codes(with_records(made, change)) == ["record_changed"]


def test_dropped_moved_doubled_and_foreign_records_are_told_apart(made: Made, other: Made) -> None:
    def drop(found: list[bytes]) -> None:
        del found[3:5]

    def cut_tail(found: list[bytes]) -> None:
        del found[-4:]

    def move(found: list[bytes]) -> None:
        found.insert(8, found.pop(3))

    def double(found: list[bytes]) -> None:
        found.insert(7, found[2])

    strange = records((other.directory / "segments").read_bytes())

    def put_foreign(found: list[bytes]) -> None:
        found.insert(5, strange[5])

    dropped = with_records(made, drop)
    assert codes(dropped) == ["records_missing"]
    assert dropped.findings[0].values["count"] == 2
    tail = with_records(made, cut_tail)
    assert codes(tail) == ["tail_missing"]
    assert tail.findings[0].values["count"] == 4
    assert "record_moved" in codes(with_records(made, move))
    assert codes(with_records(made, double)) == ["record_twice"]
    assert codes(with_records(made, put_foreign)) == ["bytes_strange"]


def test_a_file_cut_in_the_middle_of_a_record_says_so(made: Made) -> None:
    files = MemorySource.of(made.directory).files
    files["segments"] = files["segments"][:-5]
    assert codes(verify(MemorySource(files), keys=made.keys)) == ["record_cut"]


def test_a_recording_signed_anew_by_a_stranger_is_not_believed(made: Made, tmp_path: Path) -> None:
    files = MemorySource.of(made.directory).files
    stranger = FileKeyRing(tmp_path / "keys")
    files["manifest.json"] = files["manifest.json"].replace(
        made.keys.signer.encode(), stranger.signer.encode()
    )
    files["manifest.sig"] = stranger.sign(files["manifest.json"])
    assert codes(verify(MemorySource(files), keys=made.keys)) == ["signer_unknown"]


def test_a_stolen_signers_name_does_not_help(made: Made) -> None:
    files = MemorySource.of(made.directory).files
    files["manifest.sig"] = Ed25519PrivateKey.generate().sign(files["manifest.json"])
    assert codes(verify(MemorySource(files), keys=made.keys)) == ["signature_wrong"]


def test_a_manifest_that_lies_under_a_good_signature_is_found(made: Made) -> None:
    files = MemorySource.of(made.directory).files
    content = json.loads(files["manifest.json"])
    content["tracks"][0]["gaps"] = []
    files["manifest.json"] = json.dumps(content).encode()
    files["manifest.sig"] = made.keys.sign(files["manifest.json"])
    assert codes(verify(MemorySource(files), keys=made.keys)) == ["manifest_disagrees"]


def test_another_call_or_another_chain_than_the_books_say_is_found(made: Made, other: Made) -> None:
    source = MemorySource.of(made.directory)
    assert codes(verify(source, keys=made.keys, call=other.call)) == ["call_other"]
    chain = load_manifest(source.files["manifest.json"]).chain
    assert verify(source, keys=made.keys, chain=chain).ok
    assert codes(verify(source, keys=made.keys, chain="0" * 64)) == ["chain_other"]


def test_a_tail_that_was_removed_while_the_call_ran_is_found_by_what_had_been_told(made: Made) -> None:
    source = MemorySource.of(made.directory)
    raw = records(source.files["segments"])
    told = (6, link(raw[5]).hex())
    assert verify(source, keys=made.keys, told=told).ok
    assert verify(source, keys=made.keys, told=(len(raw), link(raw[-1]).hex())).ok
    assert codes(verify(source, keys=made.keys, told=(6, link(raw[4]).hex()))) == ["head_other"]
    assert codes(verify(source, keys=made.keys, told=(len(raw) + 1, "0" * 64))) == ["head_missing"]


def test_a_recording_without_its_seal_says_how_far_it_reaches(made: Made) -> None:
    files = MemorySource.of(made.directory).files
    for name in ("manifest.json", "manifest.sig", "index"):
        del files[name]
    files["segments"] = b"".join(records(files["segments"])[:-3])
    report = verify(MemorySource(files), keys=made.keys)
    assert codes(report) == ["file_missing", "file_missing", "file_missing", "not_ended"]


def test_rotated_keys_still_open_and_vouch_for_what_they_sealed(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=1)
    before = made.keys.signer
    made.keys.rotate()
    assert made.keys.signer != before
    report = verify(MemorySource.of(made.directory), keys=made.keys)
    assert report.ok
    assert report.decrypted


def test_a_destroyed_key_leaves_the_seals_to_be_checked(tmp_path: Path) -> None:
    made = make_recording(tmp_path, seconds=1)
    files = MemorySource.of(made.directory).files
    files["key.json"] = b'{"destroyed_at": "2026-01-01T00:00:00.000Z"}\n'
    report = verify(MemorySource(files), keys=made.keys)
    assert report.ok
    assert not report.decrypted
    assert [note.code for note in report.notes] == ["key_destroyed"]
