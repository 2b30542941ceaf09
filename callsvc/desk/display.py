"""The agent in the terminal: one line that stays, or a line a second for another program."""

from __future__ import annotations

import json
from dataclasses import asdict

from callsvc.desk.agent import Status
from callsvc.locale import text

METER = 16
QUIETEST_DB = -80.0
LOUDEST_DB = -8.0


def meter(level_db: float) -> str:
    """A level as a bar."""
    share = (level_db - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB)
    full = max(0, min(METER, round(share * METER)))
    return "▮" * full + "▯" * (METER - full)


def line(status: Status, lang: str) -> str:
    """State, levels, keystrokes and what went wrong, in words and bars."""
    proof = status.proof
    parts = [
        text(f"desk.state.{status.state}", lang),
        f"{meter(status.level_in_db)} → {meter(status.level_out_db)}",
        text("desk.strokes", lang, count=proof.strokes),
    ]
    if proof.judged:
        parts.append(text("desk.audible", lang, share=f"{proof.audible_after_pct:g}"))
    counts = {"restarts": status.restarts, "underruns": status.underruns, "overruns": status.overruns}
    parts += [text(f"desk.{what}", lang, count=count) for what, count in counts.items() if count]
    if status.cushion_grown:
        parts.append(text("desk.cushion", lang, ms=status.cushion_ms))
    return "  ".join(parts)


def end(status: Status, lang: str) -> str:
    """What there was, when it is over."""
    proof = status.proof
    said = [text("desk.end", lang, strokes=proof.strokes, seconds=proof.blocks // 100)]
    if status.underruns or status.overruns:
        said.append(
            text(
                "desk.end_gaps",
                lang,
                underruns=status.underruns,
                overruns=status.overruns,
                ms=status.cushion_ms,
            )
        )
    return "\n".join(said)


def as_json(status: Status) -> str:
    """All of it, in one line."""
    return json.dumps(asdict(status), ensure_ascii=False)
