"""Who else works on the microphone's sound, as the operator's page finds it: by the microphone's name, and by its pauses."""

from __future__ import annotations

import json

import pytest

from tests.callsvc.web.test_description import UI, node

pytestmark = pytest.mark.screens

PHONE = UI / "src/phone"
ASK = """
import { filterOf, Pauses } from "%s";
const [filters, labels, sounds] = JSON.parse(process.argv[1]);
const gated = (levels) => { const pauses = new Pauses(); return levels.map(([db, ms]) => pauses.hear(db, ms)).at(-1); };
console.log(JSON.stringify([labels.map((one) => filterOf(filters, one)?.name ?? null), sounds.map(gated)]));
"""
NAMED = {
    "Microphone (NVIDIA Broadcast)": "NVIDIA Broadcast",
    "krisp microphone": "Krisp",
    "Microphone (RTX Voice)": "NVIDIA Broadcast",
    "SteelSeries Sonar - Microphone (SteelSeries Sonar Virtual Audio Device)": "SteelSeries Sonar",
    "NoiseTorch Microphone for Headset": "NoiseTorch",
    "Echo-Cancel Source": "Echo Cancel",
    "Microphone (AI Noise-Canceling Input)": "AI Noise Cancelling",
    "Headset (Noise Cancelling)": "Noise Cancelling",
    "Headset Microphone (Jabra Evolve2 65)": None,
    "Headset Microphone (Poly Blackwire 5220 Series)": None,
    "Default - Microphone Array (Realtek Audio)": None,
    "": None,
}
STEP_MS = 20


def sound(*parts: tuple[float, int]) -> list[tuple[float, int]]:
    """A level each 20 ms: so loud in decibels, for so many milliseconds."""
    steps = [db for db, length_ms in parts for _ in range(length_ms // STEP_MS)]
    return [(db, n * STEP_MS) for n, db in enumerate(steps)]


WORD, ROOM, DEAD = (-20.0, 600), (-65.0, 400), (-120.0, 400)
SOUNDS = {
    "a gate closes after each word": (sound(*[WORD, DEAD] * 4, WORD), True),
    "a gate that opens slowly": (sound(*[WORD, (-70.0, 60), DEAD, (-55.0, 60)] * 4), True),
    "a room between the words": (sound(*[WORD, ROOM] * 10), False),
    "muted once in the middle": (sound(WORD, (-120.0, 3000), WORD, ROOM, WORD), False),
    "nothing at all": (sound((-120.0, 20_000)), False),
    "dead again and again without a word": (sound(*[DEAD, ROOM] * 10), False),
    "a breath of a moment": (sound(*[WORD, (-120.0, 60)] * 10), False),
}


def test_filters_are_found_by_name_and_gates_by_their_pauses_and_nothing_else_is() -> None:
    filters = json.loads((PHONE / "filters.json").read_text())
    asked = json.dumps([filters, list(NAMED), [levels for levels, _ in SOUNDS.values()]])
    done = node("--input-type=module", "-e", ASK % (PHONE / "filters.ts").as_uri(), asked)
    assert done.returncode == 0, done.stderr
    names, gated = json.loads(done.stdout)
    assert dict(zip(NAMED, names, strict=True)) == NAMED
    assert dict(zip(SOUNDS, gated, strict=True)) == {name: gates for name, (_, gates) in SOUNDS.items()}
