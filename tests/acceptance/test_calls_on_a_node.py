"""Two clients, each a process of its own, on a media node with nothing beside it: who heard what, by correlation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import correlate, resample_poly

from audio import codecs, files
from audio.resample import to_int16
from callsvc.demo.composition import compose
from callsvc.demo.placing import Invitation, Line, Side, place
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.reader import open_recording
from callsvc.recordings.source import DirectorySource
from callsvc.types import Leg
from tests.support.hearing import alike, kept_share
from tests.support.node import Node, running_node

pytestmark = [pytest.mark.call, pytest.mark.acceptance]

LENGTH_S = 5.0
PATIENCE_S = 60.0
RATE = 16_000


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running_node(tmp_path_factory.mktemp("node")) as running:
        yield running


@pytest.fixture(scope="module")
def microphones(tmp_path_factory: pytest.TempPathFactory) -> dict[Leg, Path]:
    """Five seconds of both parties of the demonstration, the operator typing."""
    folder = tmp_path_factory.mktemp("microphones")
    scene = compose().cut(LENGTH_S)
    written = {}
    for leg, sound in ((Leg.OPERATOR, scene.operator), (Leg.CALLER, scene.caller)):
        written[leg] = folder / f"{leg}.wav"
        with files.WavWriter(written[leg], 48_000) as file:
            file.write(to_int16(np.asarray(sound, np.float32)))
    return written


CALLS = {
    "browser and telephone": {Leg.OPERATOR: Line("webrtc", "PCMA"), Leg.CALLER: Line("rtp", "PCMA")},
    "browser and wideband telephone": {Leg.OPERATOR: Line("webrtc", "G722"), Leg.CALLER: Line("rtp", "G722")},
    "two browsers": {Leg.OPERATOR: Line("webrtc", "opus"), Leg.CALLER: Line("webrtc", "opus")},
    "no common codec": {Leg.OPERATOR: Line("webrtc", "opus"), Leg.CALLER: Line("rtp", "PCMU")},
}


@dataclass(frozen=True)
class Placed:
    call: str
    sides: dict[Leg, Side]


@pytest.fixture(scope="module")
def placed(
    node: Node, microphones: dict[Leg, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Placed]:
    """All calls at once, each with clients of its own; nobody speaks before all are there."""

    async def a_call(lines: dict[Leg, Line], work: Path, here: asyncio.Barrier) -> Placed:
        call = str(uuid4())
        invitation = Invitation(call, node.url, {leg: node.token(call, leg) for leg in Leg})
        sides = await place(invitation, lines, microphones, work, LENGTH_S, ready=here.wait)
        await asyncio.to_thread(node.wait_for, "recording.sealed", call, PATIENCE_S)
        return Placed(call, sides)

    async def all_of_them() -> list[Placed]:
        here = asyncio.Barrier(len(CALLS))
        folders = [tmp_path_factory.mktemp("call") for _ in CALLS]
        return await asyncio.gather(
            *(a_call(lines, work, here) for lines, work in zip(CALLS.values(), folders, strict=True))
        )

    return dict(zip(CALLS, asyncio.run(all_of_them()), strict=True))


def sound(path: Path) -> NDArray[np.float64]:
    """A file at 16 kHz."""
    return np.asarray(files.read(path, RATE), np.float64)


@pytest.mark.parametrize("name", [name for name in CALLS if name != "no common codec"])
def test_the_operator_hears_the_callers_payloads_and_the_caller_hears_the_operator(
    placed: dict[str, Placed], microphones: dict[Leg, Path], name: str
) -> None:
    sides = placed[name].sides
    spoken, heard = sides[Leg.CALLER].notes.sent, sides[Leg.OPERATOR].notes.received
    begin = heard.index(spoken[0])
    assert heard[begin : begin + len(spoken)] == spoken
    assert alike(sound(microphones[Leg.OPERATOR]), sound(sides[Leg.CALLER].heard)) > 0.8


def test_without_a_common_codec_both_are_still_heard(
    placed: dict[str, Placed], microphones: dict[Leg, Path]
) -> None:
    sides = placed["no common codec"].sides

    for speaker, listener in ((Leg.CALLER, Leg.OPERATOR), (Leg.OPERATOR, Leg.CALLER)):
        assert alike(sound(microphones[speaker]), sound(sides[listener].heard)) > 0.8


def test_the_recording_holds_what_was_sent_and_what_was_heard(
    node: Node, placed: dict[str, Placed], microphones: dict[Leg, Path]
) -> None:
    one = placed["no common codec"]
    recording = open_recording(
        DirectorySource(node.data_dir / "spool" / one.call), FileKeyRing(node.data_dir / "keys")
    )
    tracks = {name: recording.read(name, 0, info.samples) for name, info in recording.tracks.items()}

    lengths = {name: len(track) / recording.tracks[name].rate_hz for name, track in tracks.items()}
    assert set(lengths) == {"caller.rx", "operator.rx", "operator.tx"}
    assert max(lengths.values()) - min(lengths.values()) < 0.001
    # The caller's track is the caller's sound as the telephone coded it, sample for sample.
    coded = codecs.PCMU.decoder().decode(
        codecs.PCMU.encoder().encode(files.read(microphones[Leg.CALLER], 8000))
    )
    lag = int(correlate(tracks["caller.rx"].astype(float), coded.astype(float), "valid").argmax())
    assert np.array_equal(tracks["caller.rx"][lag : lag + len(coded)], coded)
    # The operator's raw microphone and what the caller heard of it lie on one clock.
    raw, heard = tracks["operator.rx"].astype(float), tracks["operator.tx"].astype(float)
    middle = slice(RATE, 3 * RATE)
    around = heard[middle.start - 800 : middle.stop + 800]
    assert abs(int(correlate(around, raw[middle], "valid").argmax()) - 800) <= RATE // 1000
    # And what the caller heard is what was recorded as heard.
    at_caller = np.asarray(resample_poly(files.read(one.sides[Leg.CALLER].heard, 8000), 2, 1), np.float64)
    assert kept_share(heard, at_caller) > 0.8
