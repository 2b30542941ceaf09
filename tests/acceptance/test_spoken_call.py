"""A spoken call, through the whole service and the real engine: the words come out, on their legs, in their time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest
import pytest_asyncio

from callsvc.demo.api import Api
from callsvc.demo.composition import RATE, Scene
from callsvc.demo.sound import Samples, read
from callsvc.types import TranscriptState
from models.recogniser import check, packaged
from models.recogniser.training.evaluate import errors
from tests.support.house import ROOT
from tests.support.whole_service import WholeService, whole_service

pytestmark = [pytest.mark.transcripts, pytest.mark.acceptance, pytest.mark.timeout(240)]

FIXTURE = ROOT / "tests/fixtures/recogniser"
MODEL = packaged.directory()


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

    offsets: list[float] = []
    for leg in ("caller", "operator"):
        said = [word for turn in _turns() if turn.leg == leg for word in turn.words]
        heard = [word for one in transcript["utterances"] if one["leg"] == leg for word in one["words"]]
        wrong = errors([word for word, _, _ in said], [word["text"] for word in heard])
        print(leg, wrong, len(said), [word["text"] for word in heard])
        # A small model in a call at real pace: what a busy machine loses of the sound costs it a word here and there.
        assert wrong <= len(said) // 10, (leg, [word["text"] for word in heard])
        if len(said) == len(heard):
            offsets += [w["start_ms"] / 1000 - start for w, (_, start, _) in zip(heard, said, strict=True)]
    assert len(offsets) > 10
    # The file begins some while into the call: that much, the same for all words, is no error.
    apart = np.asarray(offsets) - float(np.median(offsets))
    assert float(np.median(np.abs(apart))) < 0.2


def test_the_model_of_the_tests_says_what_it_is() -> None:
    card = json.loads((MODEL / "card.json").read_text(encoding="utf-8"))
    assert "test" in card["note"].lower()
    assert check(MODEL).size < 8_000_000


def test_the_sounds_say_where_they_come_from() -> None:
    assert "espeak-ng" in (FIXTURE / "ORIGIN.md").read_text(encoding="utf-8")
