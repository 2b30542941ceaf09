"""What came of the demonstration call: the figures, whether all went well, and the page that says so."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from callsvc.locale import text
from callsvc.types import TranscriptState

MOST_AUDIBLE_PCT = 10.0
LEAST_LOWERED_DB = 15.0
LEAST_SIMILAR = 0.8
MOST_PASSED_PCT = 2.0


@dataclass(frozen=True, slots=True)
class Proof:
    """What the service itself says about the strokes; levels and shares are None when it judged none."""

    strokes: int
    level_before_db: float | None
    level_after_db: float | None
    audible_before_pct: float | None
    audible_after_pct: float | None
    degraded: bool


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one demonstration call.

    Levels, shares and delay are measured from outside, on the operator's own file and on what the caller's client
    wrote down; `service` holds what the service said of itself.
    """

    call_id: str
    length_s: float
    strokes: int
    """Found by the service."""
    strokes_typed: int
    strokes_judged: int
    """Those in speech pauses, by which the shares are reckoned."""
    audible_before_pct: float
    audible_after_pct: float
    level_before_db: float
    level_after_db: float
    added_delay_ms: float
    """What taking the typing out adds, measured on the engine."""
    declared_delay_ms: float
    """What the suppressor declares that it adds."""
    detour_delay_ms: float
    """How much longer the way operator to caller is than the way back, which is only passed on: waiting for late
    packets, the suppressor, and coding anew."""
    whole_delay_ms: float
    """From the operator's microphone to the caller's ear."""
    similarity: float
    """Correlation of what the caller heard with the operator's words, 0 to 1."""
    caller_unchanged: bool
    """Whether the operator heard the caller's sound exactly as the caller's client sent it."""
    tracks: list[str]
    sealed: bool
    verified: bool
    transcript_state: str
    transcript_words: int
    transcript_said: int
    """Words of the scene that the packaged model of speech to text knows: the last two sentences."""
    transcript_right: int
    """How many of these the transcript has."""
    model: str
    """Of the suppressor."""
    passed_pct: float
    """Share of the operator's sound that went past the suppressor, in percent: what it had no time for."""
    service: Proof
    seconds: float
    """How long the demonstration took."""

    def faults(self) -> list[str]:
        """Catalogue keys of what did not go well; none when the call was quiet, recorded, sealed and verified."""
        checks = {
            "demo.fault.degraded": self.passed_pct > MOST_PASSED_PCT,
            "demo.fault.audible": self.audible_after_pct > MOST_AUDIBLE_PCT,
            "demo.fault.level": self.level_before_db - self.level_after_db < LEAST_LOWERED_DB,
            "demo.fault.words": self.similarity < LEAST_SIMILAR,
            "demo.fault.caller": not self.caller_unchanged,
            "demo.fault.sealed": not self.sealed,
            "demo.fault.verified": not self.verified,
            "demo.fault.transcript": self.transcript_state == TranscriptState.FAILED,
        }
        return [key for key, wrong in checks.items() if wrong]

    def json(self) -> str:
        """For report.json."""
        return json.dumps(self.content(), indent=2, ensure_ascii=False) + "\n"

    def content(self) -> dict[str, Any]:
        return asdict(self) | {"ok": not self.faults()}


def page(report: Report, out: str, lang: str = "sv") -> list[str]:
    """One page for the person who started the demonstration; `out` is where its files lie."""

    def line(key: str, **values: object) -> str:
        return text(f"demo.report.{key}", lang, **values)

    def number(value: float, digits: int) -> str:
        return _number(value, digits, lang)

    def row(label: str, value: str) -> str:
        return f"  {line(label):<22}{value}"

    lowered = report.level_before_db - report.level_after_db
    own = report.service
    rows = [
        line("title"),
        "",
        row("call", f"{report.call_id}  ({number(report.length_s, 1)} s)"),
        row("strokes", line("strokes_value", typed=report.strokes_typed, found=report.strokes)),
        row(
            "before",
            line("heard", pct=number(report.audible_before_pct, 0), db=number(report.level_before_db, 1)),
        ),
        row(
            "after",
            line("heard", pct=number(report.audible_after_pct, 0), db=number(report.level_after_db, 1)),
        ),
        row("lowered", line("lowered_value", db=number(lowered, 1), judged=report.strokes_judged)),
    ]
    if own.level_before_db is not None and own.level_after_db is not None:
        rows.append(
            row(
                "own",
                line(
                    "own_value",
                    before=number(own.level_before_db, 1),
                    after=number(own.level_after_db, 1),
                    pct=number(own.audible_after_pct or 0.0, 0),
                ),
            )
        )
    rows += [
        row("words", line("words_value", pct=number(100 * report.similarity, 0))),
        row("caller", line("caller_same" if report.caller_unchanged else "caller_changed")),
        row(
            "delay",
            line(
                "delay_value",
                declared=number(report.declared_delay_ms, 0),
                measured=number(report.added_delay_ms, 1),
            ),
        ),
        row(
            "way",
            line(
                "way_value", added=number(report.detour_delay_ms, 0), whole=number(report.whole_delay_ms, 0)
            ),
        ),
        row("tracks", ", ".join(report.tracks)),
        row(
            "seal",
            line("sealed" if report.sealed else "not_sealed")
            + ", "
            + line("verified" if report.verified else "not_verified"),
        ),
        row("transcript", _transcript(report, lang)),
        row(
            "model",
            report.model
            + (line("passed", pct=number(report.passed_pct, 1)) if report.service.degraded else ""),
        ),
        "",
    ]
    faults = report.faults()
    rows += [line("not_well"), *(f"  - {text(key, lang)}" for key in faults)] if faults else [line("well")]
    files = line("next_value").splitlines()
    return [*rows, "", line("next", out=out), *(f"  {file}" for file in files), "", line("run")]


def _number(value: float, digits: int, lang: str) -> str:
    shown = f"{value:.{digits}f}"
    return shown.replace(".", ",").replace("-", "−") if lang == "sv" else shown


def _transcript(report: Report, lang: str) -> str:
    return text(
        f"demo.report.transcript_{report.transcript_state}",
        lang,
        words=report.transcript_words,
        right=report.transcript_right,
        said=report.transcript_said,
    )
