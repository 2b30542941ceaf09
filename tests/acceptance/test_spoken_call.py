"""A spoken call, through the whole service and the real engine: the words come out, on their legs, in their time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pytest
import pytest_asyncio
from scipy.signal import correlate

from callsvc.demo.api import Api
from callsvc.demo.composition import RATE, Scene
from callsvc.demo.outcome import Books
from callsvc.demo.sound import Samples, read, resample
from callsvc.recordings import place
from callsvc.recordings.key_source import key_ring
from callsvc.recordings.reader import open_recording
from callsvc.transcripts.evaluating.aligning import align, distance
from callsvc.types import Track, TranscriptState
from models.recogniser import check, packaged
from tests.support.house import ROOT
from tests.support.whole_service import WholeService, whole_service

pytestmark = [pytest.mark.transcripts, pytest.mark.acceptance, pytest.mark.timeout(240)]

FIXTURE = ROOT / "tests/fixtures/recogniser"
MODEL = packaged.directory()
HEARD_RATE = 16_000
STRAIGHT = 0.9


@dataclass(frozen=True)
class Turn:
    """What one party says at one go: (word, start, end) in seconds of the call's sound."""

    leg: str
    words: list[tuple[str, float, float]]


def _turns() -> list[Turn]:
    found = json.loads((FIXTURE / "call.json").read_text(encoding="utf-8"))
    return [Turn(turn["leg"], [(w, a, b) for w, a, b in turn["words"]]) for turn in found]


def _sound(leg: str) -> Samples:
    said = read(FIXTURE / f"{leg}.flac", RATE)
    return said + np.random.default_rng(1).normal(0.0, 2e-4, len(said))


def _recorded(service: WholeService, call_id: UUID, found: Books) -> dict[str, Samples]:
    """Both legs as they were recorded, at 16 kHz: what the transcript is made of."""
    source = place.find(
        service.settings,
        call=str(call_id),
        recording=str(found.recording.id),
        location=found.recording.location,
    )
    opened = open_recording(source, key_ring(service.settings))
    legs: dict[str, Samples] = {}
    for leg, track in (("caller", Track.CALLER_RX), ("operator", Track.OPERATOR_TX)):
        info = opened.tracks[track]
        raw = opened.read(info.name, 0, info.samples).astype(np.float64) / 32768.0
        legs[leg] = resample(raw, info.rate_hz, HEARD_RATE)
    return legs


def _straight(turn: Turn, kept: Samples) -> bool:
    """Whether what one party said at one go lies in the recording as it was said, moved as a whole."""
    said = read(FIXTURE / f"{turn.leg}.flac", HEARD_RATE)
    part = said[int(turn.words[0][1] * HEARD_RATE) : int(turn.words[-1][2] * HEARD_RATE)]
    found = correlate(kept, part, "valid", "fft")
    at = int(np.argmax(np.abs(found)))
    there = kept[at : at + len(part)]
    alike = abs(found[at]) / (np.linalg.norm(part) * np.linalg.norm(there) + 1e-9)
    return bool(alike > STRAIGHT)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeService]:
    settings = {
        "CALLSVC_TRANSCRIPTS__MODEL_DIR": str(MODEL),
        "CALLSVC_TRANSCRIPTS__LIVE_MODEL_DIR": str(MODEL),
    }
    async with whole_service(tmp_path_factory.mktemp("spoken"), settings) as service:
        yield service


@pytest.mark.asyncio(loop_scope="module")
async def test_every_word_comes_out_on_its_leg_and_in_its_time(running: WholeService) -> None:
    captioned: set[str] = set()

    async def read_along_and_kill_the_captions() -> None:
        """Words of both legs while the call goes on; then the process that wrote them dies, and nobody misses it."""
        async with asyncio.timeout(60):
            while not {"caller", "operator"} <= captioned:
                async with running.database.transaction() as conn:
                    cursor = await conn.execute("select leg, text from captions where final and text <> ''")
                    for row in await cursor.fetchall():
                        said = {
                            word for turn in _turns() if turn.leg == row["leg"] for word, _, _ in turn.words
                        }
                        if len(said & set(row["text"].split())) >= 3:
                            captioned.add(row["leg"])
                await asyncio.sleep(0.1)
        await running.kill("captions")

    scene = Scene(_sound("operator"), _sound("caller"), (), (), -70.0)
    placed = await running.call(scene, read_along_and_kill_the_captions)
    assert captioned == {"caller", "operator"}
    found = await running.books(placed.id)
    assert found.transcript is not None
    assert found.transcript.state == TranscriptState.DONE
    assert found.transcript.model_sha256 == check(MODEL).sha256

    api = Api(running.url("web"))
    await api.sign_in(running.who.name, running.who.password)
    await api.post(f"/api/calls/{placed.id}/access", {"reason": "kontroll av utskriften"})
    transcript = await api.get(f"/api/calls/{placed.id}/transcript")

    kept = await asyncio.to_thread(_recorded, running, placed.id, found)
    offsets: list[float] = []
    for leg in ("caller", "operator"):
        said = [word for turn in _turns() if turn.leg == leg for word in turn.words]
        heard = [word for one in transcript["utterances"] if one["leg"] == leg for word in one["words"]]
        wrong = distance([word for word, _, _ in said], [word["text"] for word in heard])
        # Where the machine had no time, the sound itself arrived bent (stretched by tens of milliseconds to and fro),
        # which a small model may mishear. Elsewhere one word at most is wrong; cut in two, it counts twice.
        bent = sum(len(turn.words) for turn in _turns() if turn.leg == leg and not _straight(turn, kept[leg]))
        assert wrong <= 2 + bent // 2, (leg, bent, [word["text"] for word in heard])
        pairs = align([word for word, _, _ in said], [word["text"] for word in heard])
        offsets += [
            heard[pair.heard]["start_ms"] / 1000 - said[pair.spoken][1]
            for pair in pairs
            if pair.same and pair.spoken is not None and pair.heard is not None
        ]
    assert len(offsets) > 10
    # The file begins some while into the call: that much, the same for all words, is no error.
    apart = np.asarray(offsets) - float(np.median(offsets))
    assert float(np.median(np.abs(apart))) < 0.15


def test_the_sounds_say_where_they_come_from() -> None:
    assert "espeak-ng" in (FIXTURE / "ORIGIN.md").read_text(encoding="utf-8")
