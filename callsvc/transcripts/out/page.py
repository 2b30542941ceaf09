"""One page of HTML, and the tagged PDF (PDF/UA-1) that is made from it: headings, lists and language are in both."""

from __future__ import annotations

import html
from typing import Any, NoReturn

from callsvc.errors import MissingPart
from callsvc.locale import text
from callsvc.transcripts.out.document import Document, clock, runs, said

STYLE = """
@page { size: A4; margin: 22mm 20mm; @bottom-center { content: counter(page) " / " counter(pages); font-size: 9pt } }
body { font-family: "DejaVu Sans", "Noto Sans", sans-serif; font-size: 10.5pt; line-height: 1.45; color: #000 }
h1 { font-size: 17pt } h2 { font-size: 12.5pt }
.warning { border: 1.5pt solid #000; padding: 2mm 3mm; font-weight: bold }
dt { font-weight: bold; float: left; clear: left; width: 42mm } dd { margin: 0 0 1mm 44mm }
p { margin: 0 0 1.6mm; page-break-inside: avoid }
.time { font-variant-numeric: tabular-nums } .who { font-weight: bold } .pause { font-style: italic }
.unsure { text-decoration: underline dotted } .redacted { font-style: italic }
"""


def page(document: Document, lang: str) -> str:
    """HTML that needs nothing from elsewhere."""
    title = text("transcript.title", lang)
    parts = [
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{_(title)}</title>',
        f"<style>{STYLE}</style></head><body><h1>{_(title)}</h1>",
        "" if document.verified else f'<p class="warning">{_(document.review(lang))}</p>',
        "<dl>",
        *(f"<dt>{_(name)}</dt><dd>{_(value)}</dd>" for name, value in document.statements(lang)),
        f"</dl><h2>{_(text('transcript.said', lang))}</h2>",
    ]
    for pause, line in document.spoken():
        if pause:
            parts.append(
                f'<p class="pause">{_(text("transcript.pause", lang, seconds=round(pause / 1000)))}</p>'
            )
        words = " ".join(f'<span class="{kind}">{_(word)}</span>' for kind, word in runs(line.words, lang))
        if not words:
            words = f'<span class="redacted">{_(said(line, lang))}</span>'
        who = text(f"transcript.legs.{line.leg}", lang)
        spoken = f' lang="{html.escape(line.language)}"' if line.language.isalpha() else ""
        parts.append(
            f'<p><span class="time">[{clock(line.start_ms)}]</span> <span class="who">{_(who)}:</span>'
            f' <span{spoken} dir="auto">{words}</span></p>'
        )
    if document.stretches:
        parts.append(f"<h2>{_(text('transcript.reasons', lang))}</h2><ol>")
        parts += [
            f"<li>{clock(one.start_ms)}–{clock(one.end_ms)}: {_(one.reason)}</li>"
            for one in document.stretches
        ]
        parts.append("</ol>")
    return "".join([*parts, "</body></html>"])


def pdf(document: Document, lang: str) -> bytes:
    """Raises `MissingPart` when the libraries that draw text are not on this machine."""
    made: bytes = (
        _weasyprint()
        .HTML(string=page(document, lang), url_fetcher=_nothing)
        .write_pdf(pdf_variant="pdf/ua-1")
    )
    return made


def _weasyprint() -> Any:
    try:
        import weasyprint
    except OSError:
        raise MissingPart(
            "PDF needs Pango, which is not on this machine.",
            hint="Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core",
        ) from None
    return weasyprint


def _nothing(url: str, *_args: object, **_kwargs: object) -> NoReturn:
    raise ValueError("a transcript fetches nothing")


def _(words: str) -> str:
    return html.escape(words)
