"""The words of the screens: in both catalogues, with the same fields, all used, and none outside them."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest

from audio.taps import GapCause
from callsvc.access.rights import Action
from callsvc.locale import catalogue
from callsvc.types import Leg, Profile, RecordingState, Role, Track, TranscriptState
from callsvc.web.catalogues import KINDS
from tests.callsvc.web.test_description import UI, node

pytestmark = pytest.mark.screens

SOURCES = sorted(path for path in (UI / "src").rglob("*.ts*") if path.name != "schema.d.ts")
KEYMAP = json.loads((UI / "src/keymap.json").read_text())


@cache
def words(lang: str) -> dict[str, str]:
    return dict(json.loads((UI / f"src/locale/{lang}.json").read_text(encoding="utf-8")))


def test_both_languages_have_the_same_keys_and_fields() -> None:
    assert words("sv").keys() == words("en").keys()
    for key, text in words("sv").items():
        assert text.strip(), key
        assert words("en")[key].strip(), key
        fields = [sorted(set(re.findall(r"\{(\w+)\}", words(lang)[key]))) for lang in ("sv", "en")]
        assert fields[0] == fields[1], key


# Reads the sources with the compiler and prints every text that a person would see and that no catalogue holds.
FIND_TEXTS = r"""
const ts = require(process.argv[1]);
const fs = require("node:fs");
const attributes = new Set(["title", "alt", "placeholder", "label", "aria-label", "aria-valuetext", "aria-description"]);
const letters = /\p{L}{2,}/u;
for (const file of process.argv.slice(2)) {
  const source = ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const say = (text) => letters.test(text) && text.trim() !== "callsvc" && console.log(`${file}: ${text.trim()}`);
  const visit = (node) => {
    if (ts.isJsxText(node)) say(node.text);
    if (ts.isJsxExpression(node) && node.expression && ts.isStringLiteralLike(node.expression) && ts.isJsxElement(node.parent)) say(node.expression.text);
    if (ts.isJsxAttribute(node) && attributes.has(node.name.getText()) && node.initializer) {
      if (ts.isStringLiteral(node.initializer)) say(node.initializer.text);
      const inside = node.initializer.expression;
      if (inside && ts.isStringLiteralLike(inside)) say(inside.text);
      if (inside && ts.isTemplateExpression(inside)) { say(inside.head.text); inside.templateSpans.forEach((span) => say(span.literal.text)); }
    }
    if (ts.isStringLiteralLike(node) && /[åäöÅÄÖ]/.test(node.text)) say(node.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
}
"""


def texts_outside(*files: str) -> list[str]:
    done = node("-e", FIND_TEXTS, str(UI / "node_modules/typescript"), *files)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_no_text_stands_outside_the_catalogues() -> None:
    # What is configured is named as it is written in the file, in no language.
    outside = [line for line in texts_outside(*map(str, SOURCES)) if "[transcripts] model_dir" not in line]
    assert outside == []


@pytest.mark.parametrize(
    "guilty",
    [
        "<p>Hej du</p>",
        '<input aria-label="Namn" />',
        "<p>{'Hej du'}</p>",
        "<b title={`Ring ${1}`} />",
        "f('på')",
    ],
)
def test_a_text_outside_the_catalogues_is_found(tmp_path, guilty: str) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "Guilty.tsx"
    file.write_text(f"export const guilty = {guilty};\n")
    assert len(texts_outside(str(file))) == 1


def test_every_text_is_used_and_every_text_that_is_asked_for_is_there() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    literal = set(re.findall(r'"([a-zA-Z][\w.#]*)"', code))
    patterns = [
        re.escape(stem).replace(r"\$\{\}", ".+")
        for stem in (re.sub(r"\$\{[^}]*\}", "${}", found) for found in re.findall(r"`([a-z]+\.[^`]*)`", code))
    ]
    literal |= {f"{key}#{form}" for key in literal for form in ("one", "other")}
    unused = [
        key for key in words("sv") if key not in literal and not any(re.fullmatch(p, key) for p in patterns)
    ]
    assert unused == []


@pytest.mark.parametrize(
    "keys",
    [
        [f"profile.{one}" for one in Profile],
        [f"role.{one}" for one in Role] + [f"role.{one}.hint" for one in Role],
        [f"leg.{one}" for one in Leg],
        [f"track.{one}" for one in Track] + [f"object.{one}" for one in Track],
        [f"gap.{one}" for one in GapCause],
        [f"{what}.{one}" for one in KINDS for what in ("catalogue", "object")],
        ["recording.sealed", "recording.archived", "recording.failed", "recording.running"][
            : len(RecordingState)
        ],
        [f"transcript.{one}" for one in TranscriptState if one != TranscriptState.RUNNING],
        [f"action.{one}" for one in (Action.CALL_OPEN, Action.AUDIO_READ, Action.TRANSCRIPT_READ)],
        [f"key.{binding['action']}" for binding in KEYMAP],
        [
            f"help.{page}"
            for page in (
                "signin",
                "password",
                "calls",
                "call",
                "users",
                "log",
                "health",
                "retention",
                "models",
                "missing",
                "desk",
                "cases",
                "case",
                "reviews",
                "review",
                "reviewFigures",
                "told",
            )
        ],
        [f"{key}" for key in catalogue("sv") if re.fullmatch(r"demo\.step\.\w+", key)],
    ],
    ids=lambda keys: keys[0].split(".")[0],
)
def test_everything_that_the_service_can_name_has_words(keys: list[str]) -> None:
    assert keys
    assert [key for key in keys if key not in words("sv")] == []


def test_one_key_does_one_thing_in_one_place() -> None:
    for where in {binding["where"] for binding in KEYMAP}:
        here = [
            key for binding in KEYMAP if binding["where"] in (where, "everywhere") for key in binding["keys"]
        ]
        assert len(here) == len(set(here))
    # A key that begins a chord does nothing by itself.
    starts = {key.split(" ")[0] for binding in KEYMAP for key in binding["keys"] if " " in key}
    assert starts.isdisjoint(key for binding in KEYMAP for key in binding["keys"])
