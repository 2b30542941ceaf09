"""What is masked is gone, or kept so that two people together can hear it and one cannot."""

from __future__ import annotations

import asyncio
import json
from itertools import combinations
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import numpy as np
import pytest
import soundfile
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typer.testing import CliRunner

from audio.codecs import PCMA
from audio.taps import Continuous, GapCause
from callsvc.access import trail
from callsvc.clock import SystemClock
from callsvc.config import load
from callsvc.errors import ConfigurationError
from callsvc.recordings import archive, place
from callsvc.recordings.errors import Damaged, KeyMissing
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.layout import MASK
from callsvc.recordings.mask import load_holders, new_seal, open_seal
from callsvc.recordings.mask_command import app, open_masked
from callsvc.recordings.objects import objects
from callsvc.recordings.reader import open_recording
from callsvc.recordings.recorder import Condition, Recorder
from callsvc.recordings.recovery import recover
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.verify import verify
from callsvc.store import Database
from tests.support.calls import TwoLegs
from tests.support.legs import Tapes
from tests.support.packets import babble, payloads
from tests.support.recordings import TRACKS, Sink, lengths, play, sound, wait_for

pytestmark = pytest.mark.evidence

HOLDERS = [X25519PrivateKey.generate() for _ in range(3)]
PUBLIC = [key.public_key() for key in HOLDERS]
RECORDING = uuid4()


def test_any_two_holders_open_and_one_alone_does_not() -> None:
    seal = new_seal(RECORDING, PUBLIC)
    for two in combinations(HOLDERS, 2):
        assert open_seal(seal.document, RECORDING, two) == seal.key
    assert open_seal(seal.document, RECORDING, HOLDERS) == seal.key
    for few in ([], HOLDERS[:1], [HOLDERS[0], HOLDERS[0]], [HOLDERS[0], X25519PrivateKey.generate()]):
        with pytest.raises(KeyMissing, match="takes 2"):
            open_seal(seal.document, RECORDING, few)


def test_a_seal_of_another_recording_or_a_changed_one_is_none() -> None:
    seal = new_seal(RECORDING, PUBLIC)
    with pytest.raises(Damaged):
        open_seal(seal.document, uuid4(), HOLDERS)
    content = json.loads(seal.document)
    content["shares"][0]["x"] = 7
    for wrong in (json.dumps(content).encode(), b"{}", b"", seal.document[:-9]):
        with pytest.raises(Damaged):
            open_seal(wrong, RECORDING, HOLDERS)


def test_one_share_says_nothing_of_the_key() -> None:
    """Whatever the key is, each value of a share is as likely: here, over many seals of one bit of it."""
    ones = 0
    for _ in range(200):
        seal = new_seal(RECORDING, PUBLIC[:2])
        ones += open_seal(seal.document, RECORDING, HOLDERS)[0] & 1
    assert 50 < ones < 150


def pem(directory: Path, number: int) -> Path:
    file = directory / f"{number}.pub"
    raw = PUBLIC[number].public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    file.write_bytes(raw)
    return file


def test_fewer_than_two_holders_are_refused(tmp_path: Path) -> None:
    assert load_holders([]) == []
    assert len(load_holders([pem(tmp_path, 0), pem(tmp_path, 1)])) == 2
    (tmp_path / "no.pub").write_text("nothing")
    for wrong in ([pem(tmp_path, 0)], [pem(tmp_path, 0)] * 2, [pem(tmp_path, 0), tmp_path / "no.pub"]):
        with pytest.raises(ConfigurationError):
            load_holders(wrong)


def record(base: Path, *, holders: bool) -> tuple[Path, FileKeyRing, str]:
    """Five seconds, of which the second to the fourth are masked: two ways, as the node's two sides do it."""
    keys = FileKeyRing(base / "keys")
    recorder = Recorder(
        base / "spool", keys, node="node-1", sink=Sink(), mask_holders=PUBLIC if holders else ()
    )
    recorder.start()
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    play(call, TRACKS, frames=range(50))
    call.mask("health")
    play(call, TRACKS, frames=range(50, 125))
    wait_for(lambda: recorder.state(name).safe_ms >= 2500)
    call.unmask()
    for track in TRACKS:  # sound of the stretch that comes late, told as such
        size = track.rate_hz // 50
        tap = Continuous(call.tap(track.name))
        tap.position = 125 * size
        tap.masked(125 * size, sound(track, 125 * size, 75 * size))
    play(call, TRACKS, frames=range(200, 250))
    call.close(lengths(TRACKS, 250), "hangup")
    wait_for(lambda: recorder.state(name).condition == Condition.SEALED)
    recorder.stop()
    return base / "spool" / name, keys, name


@pytest.mark.parametrize("holders", [False, True])
def test_the_recording_itself_holds_a_gap_of_the_stretchs_length_either_way(
    tmp_path: Path, holders: bool
) -> None:
    directory, keys, _ = record(tmp_path, holders=holders)
    source = DirectorySource(directory)
    assert verify(source, keys=keys).findings == []
    recording = open_recording(source, keys)
    for track in TRACKS:
        info = recording.tracks[track.name]
        (gap,) = info.gaps
        assert (gap.start, gap.end, gap.cause) == (track.rate_hz, 4 * track.rate_hz, GapCause.MASK)
        assert not recording.read(track.name, gap.start, gap.length).any()
        assert np.array_equal(recording.read(track.name, 0, gap.start), sound(track, 0, gap.start))
    assert (directory / MASK).exists() is holders


def test_two_holders_hear_every_sample_that_was_masked(tmp_path: Path) -> None:
    directory, keys, _ = record(tmp_path, holders=True)
    recording = open_recording(DirectorySource(directory), keys)
    key = open_seal((directory / MASK).read_bytes(), recording.recording, HOLDERS[1:])
    for track in TRACKS:
        pieces = [(start, heard) for name, start, heard in recording.masked(key) if name == track.name]
        assert pieces[0][0] == track.rate_hz
        heard = np.concatenate([piece for _, piece in pieces])
        assert np.array_equal(heard, sound(track, track.rate_hz, 3 * track.rate_hz))
    with pytest.raises(Damaged):
        list(recording.masked(bytes(32)))


def test_a_changed_seal_of_the_mask_is_found(tmp_path: Path) -> None:
    directory, keys, _ = record(tmp_path, holders=True)
    document = (directory / MASK).read_bytes()
    for change in (document + b" ", None):
        (directory / MASK).unlink()
        if change is not None:
            (directory / MASK).write_bytes(change)
        report = verify(DirectorySource(directory), keys=keys)
        assert [finding.code for finding in report.findings] == ["mask_changed"]


def test_a_node_that_died_leaves_what_was_masked_to_its_holders(tmp_path: Path) -> None:
    keys = FileKeyRing(tmp_path / "keys")
    recorder = Recorder(tmp_path / "spool", keys, node="node-1", sink=Sink(), mask_holders=PUBLIC)
    recorder.start()
    name = str(uuid4())
    call = recorder.open(name, "report", TRACKS)
    call.mask("health")
    play(call, TRACKS, frames=range(100))
    wait_for(lambda: recorder.state(name).safe_ms >= 2000)
    recorder.stop()
    assert len(recover(tmp_path / "spool", keys, SystemClock(), Sink())) == 1
    directory = tmp_path / "spool" / name
    assert verify(DirectorySource(directory), keys=keys).findings == []
    recording = open_recording(DirectorySource(directory), keys)
    key = open_seal((directory / MASK).read_bytes(), recording.recording, HOLDERS)
    heard = [piece for track, _, piece in recording.masked(key) if track == "caller.rx"]
    assert np.array_equal(np.concatenate(heard), sound(TRACKS[0], 0, 16_000))


async def test_opening_is_in_the_trail_and_works_from_the_archive(
    tmp_path: Path, conninfo: str, database: Database
) -> None:
    settings = load(data_dir=tmp_path, database={"url": conninfo})
    directory, keys, name = record(tmp_path, holders=True)
    archive.archive(directory, objects(settings), keys)
    archive.free(directory)
    (source,) = place.of_call(settings, name)
    assert verify(source, keys=keys).findings == []
    with pytest.raises(KeyMissing):
        await open_masked(settings, UUID(name), tmp_path / "no", HOLDERS[:1], "court order")
    assert not (tmp_path / "no").exists()
    count = await open_masked(settings, UUID(name), tmp_path / "out", HOLDERS[:2], "court order")
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == count > 2
    first, rate = soundfile.read(files[0], dtype="int16")
    assert rate == 8000
    assert np.array_equal(first, sound(TRACKS[0], 8000, len(first)))
    async with database.transaction() as conn:
        (line,) = await trail.events(conn)
        assert (line.action, line.reason) == ("recording.unmask", "court order")
        assert len(str(line.detail["holders"]).split()) == 2


def test_a_holders_key_is_locked_with_a_passphrase(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["holder", str(tmp_path / "anna.pem")], input="hemligt ord\nhemligt ord\n")
    assert made.exit_code == 0, made.output
    private = (tmp_path / "anna.pem").read_bytes()
    with pytest.raises((TypeError, ValueError)):
        serialization.load_pem_private_key(private, None)
    assert isinstance(serialization.load_pem_private_key(private, b"hemligt ord"), X25519PrivateKey)
    assert (tmp_path / "anna.pem").stat().st_mode & 0o777 == 0o600
    assert len(load_holders([tmp_path / "anna.pub", pem(tmp_path, 0)])) == 2


async def test_what_an_operator_masks_in_a_call_is_kept_for_two_holders(tmp_path: Path) -> None:
    keys = FileKeyRing(tmp_path / "keys")
    recorder = Recorder(tmp_path / "spool", keys, node="node-1", sink=Sink(), mask_holders=PUBLIC)
    recorder.start()
    legs = TwoLegs(tapes=cast(Tapes, recorder)).join()
    spoken = payloads(babble(8000, 1.0, 1), PCMA)
    await legs.talk(caller=spoken, operator=spoken, tail_s=0.0)
    assert legs.command("mask", on=True, reason="private")["t"] == "done"
    await legs.talk(caller=spoken, operator=spoken, tail_s=0.0)
    legs.command("mask", on=False)
    await legs.talk(caller=spoken, operator=spoken)
    legs.call.end("hangup")
    name = str(legs.call.id)
    await asyncio.to_thread(wait_for, lambda: recorder.state(name).condition == Condition.SEALED)
    recorder.stop()
    directory = tmp_path / "spool" / name
    assert verify(DirectorySource(directory), keys=keys).findings == []
    recording = open_recording(DirectorySource(directory), keys)
    key = open_seal((directory / MASK).read_bytes(), recording.recording, HOLDERS[:2])
    for track in ("caller.rx", "operator.tx"):
        info = recording.tracks[track]
        (gap,) = [gap for gap in info.gaps if gap.cause == GapCause.MASK]
        pieces = [(start, heard) for found, start, heard in recording.masked(key) if found == track]
        heard = np.concatenate([piece for _, piece in pieces])
        assert pieces[0][0] == gap.start
        assert len(heard) == gap.length
        assert heard.std() > 300
    # The raw microphone is kept for nobody.
    assert {found for found, _, _ in recording.masked(key)} == {"caller.rx", "operator.tx"}
