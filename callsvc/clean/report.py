"""What was done to some files, as a page for a person or as JSON for a program."""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from urllib.parse import quote

from audio.suppressor import RATE
from callsvc.clean.cleaning import Cleaned, Outcome, stroke_seconds
from callsvc.clean.errors import ReportFormat
from callsvc.locale import text
from callsvc.pictures import Labels, before_after

SUFFIXES = (".html", ".json")

STYLE = """
:root{color-scheme:light dark;--ground:#fbfaf7;--ink:#1b2130;--faint:#5a6478;--line:#d9d6cc;--mark:#b4501a}
@media(prefers-color-scheme:dark){:root{--ground:#0e111e;--ink:#e8ecf4;--faint:#a4aec4;--line:#343c54;--mark:#ff9e5e}}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:1400px;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-weight:600;margin:0 0 .25rem}h2{font-weight:600;margin:3rem 0 .75rem;overflow-wrap:anywhere}
p{max-width:70ch;color:var(--faint);margin:.25rem 0 1rem}
img{width:100%;height:auto;border-radius:10px;display:block}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:1rem;margin:1.25rem 0}
dl div{border-top:2px solid var(--line);padding-top:.4rem}dt{color:var(--faint);font-size:.875rem}
dd{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums}dd.small{font-size:.8rem;overflow-wrap:anywhere}
.key dd{color:var(--mark)}
.listen{display:flex;flex-wrap:wrap;gap:1rem 2rem}.listen label{display:grid;gap:.3rem;color:var(--faint)}
details{margin:1rem 0}summary{cursor:pointer;padding:.4rem 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.15rem 1.5rem .15rem 0;border-bottom:1px solid var(--line)}
"""


def check(path: Path) -> None:
    """Whether a report can be written under this name. Raises ReportFormat."""
    if path.suffix.lower() not in SUFFIXES:
        raise ReportFormat(path)


def write(path: Path, outcomes: Sequence[Outcome], lang: str) -> None:
    """Write the report whose form the name's extension tells."""
    check(path)
    made = as_json(outcomes) if path.suffix.lower() == ".json" else as_html(path, outcomes, lang)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(made, encoding="utf-8")
    os.replace(part, path)


def as_json(outcomes: Sequence[Outcome]) -> str:
    """Figures and strokes."""
    files = [
        {
            "source": outcome.source.name,
            "result": outcome.result.name,
            "seconds": round(outcome.seconds, 3),
            "rate_hz": outcome.shape.rate_hz,
            "channels": outcome.shape.channels,
            "took_s": round(outcome.took_s, 3),
            "missing_s": round(outcome.missing_s, 3),
            "cleaned": [
                {
                    "channel": cleaned.channel,
                    **asdict(cleaned.proof),
                    "found": [
                        {"at_s": round(s.at_samples / RATE, 3), "level_db": round(s.level_db, 1)}
                        for s in cleaned.strokes
                    ],
                }
                for cleaned in outcome.channels
            ],
        }
        for outcome in outcomes
    ]
    return json.dumps({"version": 1, "files": files}, ensure_ascii=False, indent=1) + "\n"


def as_html(path: Path, outcomes: Sequence[Outcome], lang: str) -> str:
    """One page that stands alone, but for the sound files themselves."""

    def word(key: str, **values: object) -> str:
        return escape(text(f"clean.report.{key}", lang, **values))

    parts = [_file(path, outcome, lang) for outcome in outcomes]
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{word("title")}</title>'
        f"<style>{STYLE}</style></head><body><main><h1>{word('title')}</h1>"
        f"<p>{word('lead' if len(outcomes) != 1 else 'lead_one', count=len(outcomes))} {word('criterion')}</p>"
        f"{''.join(parts)}</main></body></html>\n"
    )


def picture(outcome: Outcome, lang: str) -> bytes:
    """Both spectrograms of the first cleaned channel, as WebP."""
    assert outcome.before is not None
    assert outcome.after is not None
    first = outcome.channels[0]
    labels = Labels(
        title=outcome.source.name,
        before=text("clean.report.before", lang),
        after=text("clean.report.after", lang),
        strokes=text("clean.report.strokes", lang, count=len(first.strokes)),
    )
    out = io.BytesIO()
    before_after(outcome.before, outcome.after, stroke_seconds(first), labels).save(out, "WEBP", quality=85)
    return out.getvalue()


def _file(path: Path, outcome: Outcome, lang: str) -> str:
    def word(key: str, **values: object) -> str:
        return escape(text(f"clean.report.{key}", lang, **values))

    figure = ""
    if outcome.before is not None:
        data = base64.b64encode(picture(outcome, lang)).decode()
        figure = f'<img alt="{word("picture")}" src="data:image/webp;base64,{data}">'
    sounds = "".join(
        f'<label>{word(key)}<audio controls preload="none" src="{_link(path, file)}"></audio></label>'
        for key, file in (("before", outcome.source), ("after", outcome.result))
    )
    channels = "".join(_channel(cleaned, outcome, lang) for cleaned in outcome.channels)
    return (
        f"<section><h2>{escape(outcome.source.name)}</h2>{figure}{channels}"
        f'<div class="listen" aria-label="{word("listen")}">{sounds}</div></section>'
    )


def _channel(cleaned: Cleaned, outcome: Outcome, lang: str) -> str:
    def word(key: str, **values: object) -> str:
        return escape(text(f"clean.report.{key}", lang, **values))

    def figure(value: float | None, unit: str) -> str:
        if value is None:
            return word("none")
        return f"{number(value, lang)} {unit}".replace("-", "\N{MINUS SIGN}")

    proof = cleaned.proof
    rows = [
        ("found", str(proof.strokes), ""),
        ("judged", str(proof.judged), ""),
        ("audible_before", figure(proof.audible_before_pct, "%"), ""),
        ("audible_after", figure(proof.audible_after_pct, "%"), ""),
        ("level_before", figure(proof.level_before_db, "dBFS"), ""),
        ("level_after", figure(proof.level_after_db, "dBFS"), ""),
        ("length", clock_time(outcome.seconds), ""),
        ("rate", f"{outcome.shape.rate_hz} Hz", ""),
        ("model", escape(proof.model), ""),
        ("hash", escape(proof.model_sha256), ' class="small"'),
    ]
    if outcome.missing_s:
        rows.insert(7, ("missing", clock_time(outcome.missing_s), ""))
    if outcome.shape.channels > 1:
        rows.insert(0, ("channel", f"{cleaned.channel} / {outcome.shape.channels}", ""))
    facts = "".join(f"<div><dt>{word(key)}</dt><dd{style}>{value}</dd></div>" for key, value, style in rows)
    times = "".join(
        f"<tr><td>{s.at_samples / RATE:.3f}</td><td>{s.level_db:.1f}</td></tr>" for s in cleaned.strokes
    )
    table = (
        f"<details><summary>{word('times')}</summary><table><thead><tr><th>{word('time')}</th>"
        f"<th>{word('level')}</th></tr></thead><tbody>{times}</tbody></table></details>"
        if times
        else ""
    )
    return f"<dl>{facts}</dl>{table}"


def number(value: float, lang: str) -> str:
    """A figure as the language writes it."""
    return f"{value:g}".replace(".", "," if lang == "sv" else ".")


def clock_time(seconds: float) -> str:
    """0:07.4, 12:03.0 or 1:02:03.0."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def _link(report: Path, file: Path) -> str:
    return quote(Path(os.path.relpath(file.resolve(), report.resolve().parent)).as_posix())
