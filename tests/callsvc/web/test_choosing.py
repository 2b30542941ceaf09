"""What a person is shown while choosing words is what the service then takes out; and how a stretch to repeat is set."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callsvc.transcripts.layers.redacting import Choice, redact
from callsvc.transcripts.layers.text import Layer, Line, Spoken
from tests.callsvc.web.test_description import UI, node

pytestmark = pytest.mark.screens

CALL = UI / "src/call"
LENGTH_MS = 6000
SHOWN = """
import { between, edge, next, runs, takenOut } from "%s";
const asked = JSON.parse(process.argv[1]);
console.log(JSON.stringify(asked.map(([text, chosen, length]) => {
  const keys = new Set(chosen);
  const gone = takenOut(text, keys, length);
  return {
    runs: runs(text, keys), silenced: gone.silencedMs, words: [...gone.words].sort(),
    stretches: gone.stretches.map((one) => [one.start_ms, one.end_ms]),
    listed: gone.stretches.flatMap((one) => one.words).length,
  };
})));
"""

words = st.tuples(st.integers(0, 5000), st.integers(0, 700), st.booleans())
lines = st.lists(st.lists(words, min_size=1, max_size=5), min_size=1, max_size=4)


def line(n: int, timed: list[tuple[int, int, bool]]) -> Line:
    spoken = tuple(
        Spoken(start, start + long, f"ord{n}", None, estimated=guess) for start, long, guess in sorted(timed)
    )
    return Line(
        n * 10, "caller", spoken[0].start_ms, spoken[-1].end_ms, "speech", "sv", Layer.MACHINE, spoken
    )


def as_the_page_has_it(one: Line) -> dict[str, Any]:
    told = [
        {"start_ms": w.start_ms, "end_ms": w.end_ms, "text": w.text, "estimated": w.estimated}
        for w in one.words
    ]
    return {"n": one.n, "version": 3, "start_ms": one.start_ms, "end_ms": one.end_ms, "words": told}


def test_what_the_page_shows_as_gone_is_what_the_service_takes_out() -> None:
    cases: list[tuple[list[Line], list[str]]] = []

    @settings(
        max_examples=100,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(lines, st.data())
    def collect(text: list[list[tuple[int, int, bool]]], data: st.DataObject) -> None:
        told = [line(n, timed) for n, timed in enumerate(text)]
        places = [f"{one.n} {word}" for one in told for word in range(len(one.words))]
        cases.append((told, data.draw(st.lists(st.sampled_from(places), min_size=1, unique=True))))

    collect()
    asked = [[[as_the_page_has_it(one) for one in text], chosen, LENGTH_MS] for text, chosen in cases]
    done = node("--input-type=module", "-e", SHOWN % (CALL / "redacting.ts").as_uri(), json.dumps(asked))
    assert done.returncode == 0, done.stderr
    for (text, chosen), shown in zip(cases, json.loads(done.stdout), strict=True):
        made = redact(text, [Choice(run["n"], run["first"], run["last"], "skäl") for run in shown["runs"]])
        gone = {
            f"{one.n} {at}" for one in made.lines for at, w in enumerate(one.words) if w.redacted is not None
        }
        assert shown["words"] == sorted(gone)
        assert set(chosen) <= gone
        assert shown["listed"] == len(gone)
        ends = [(s.start_ms, min(s.end_ms, LENGTH_MS)) for s in made.stretches]
        assert [tuple(one) for one in shown["stretches"]] == ends
        assert shown["silenced"] == sum(end - start for start, end in ends)


def test_a_short_word_at_the_very_beginning_goes_too() -> None:
    text = [line(0, [(0, 50, False), (200, 100, False)])]
    assert [w.text for w in redact(text, [Choice(0, 0, 0, "skäl")]).lines[0].words] == ["", "ord0"]


WAYS = """
import { between, edge, next, runs } from "%s";
import * as loop from "%s";
const word = (n) => ({ start_ms: n, end_ms: n, text: "x", estimated: false });
const text = [3, 0, 2].map((many, n) => ({ n: 10 + n, version: 0, start_ms: 0, end_ms: 0, words: Array.from({ length: many }, (_, k) => word(k)) }));
const at = (line, word) => ({ line, word });
console.log(JSON.stringify({
  over: between(text, at(2, 0), at(0, 1)),
  runs: runs(text, new Set(between(text, at(0, 1), at(2, 0)))).map((one) => [one.n, one.first, one.last]),
  next: [next(text, at(0, 2), 1), next(text, at(2, 0), -1), next(text, at(2, 1), 1)],
  edge: [edge(text, at(0, 0), 1), edge(text, at(0, 2), 1), edge(text, at(2, 1), -1), edge(text, at(2, 0), -1)],
  loop: [
    loop.beginAt(null, 4), loop.beginAt({ from: 1, to: 9 }, 4), loop.beginAt({ from: 1, to: 3 }, 4),
    loop.endAt({ from: 4, to: null }, 6), loop.endAt(null, 12), loop.endAt({ from: 8, to: null }, 6), loop.endAt(null, 0),
    loop.between(7, 3), loop.between(3, 3.1),
  ],
  back: [[4, 5.9, 6.1], [4, 6.2, 6.3], [4, 1, 6.1], [4, 3.9, 6]].map(([from, before, now]) => loop.goesBack({ from, to: 6 }, before, now)),
  open: loop.goesBack({ from: 1, to: null }, 1, 9),
}));
"""


def test_a_stretch_of_words_goes_over_lines_and_a_stretch_of_sound_either_way() -> None:
    script = WAYS % ((CALL / "redacting.ts").as_uri(), (CALL / "repeating.ts").as_uri())
    done = node("--input-type=module", "-e", script)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["over"] == ["10 1", "10 2", "12 0"]
    assert told["runs"] == [[10, 1, 2], [12, 0, 0]]

    def places(name: str) -> list[tuple[int, int]]:
        return [(one["line"], one["word"]) for one in told[name]]

    assert places("next") == [(2, 0), (0, 2), (2, 1)]
    assert places("edge") == [(0, 2), (2, 1), (2, 0), (0, 0)]

    def stretch(start: float, end: float | None) -> dict[str, float | None]:
        return {"from": start, "to": end}

    assert told["loop"] == [
        stretch(4, None), stretch(4, 9), stretch(4, None),
        stretch(4, 6), stretch(7, 12), stretch(1, 6), None,
        stretch(3, 7), None,
    ]  # fmt: skip
    # Who leaves the stretch, or comes from elsewhere, is not taken back into it.
    assert told["back"] == [True, False, False, True]
    assert told["open"] is False
