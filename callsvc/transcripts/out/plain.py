"""Plain text: what must be known first, then who said what, when."""

from __future__ import annotations

from callsvc.locale import text
from callsvc.transcripts.out.document import Document, clock, said


def plain(document: Document, lang: str) -> str:
    lines = [text("transcript.title", lang), ""]
    lines += [f"{name}: {value}" for name, value in document.statements(lang)]
    lines.append("")
    for pause, line in document.spoken():
        if pause:
            lines.append(text("transcript.pause", lang, seconds=round(pause / 1000)))
        lines.append(
            f"[{clock(line.start_ms)}] {text(f'transcript.legs.{line.leg}', lang)}: {said(line, lang)}"
        )
    if document.stretches:
        lines += ["", text("transcript.reasons", lang)]
        lines += [
            f"{n}. {clock(one.start_ms)}–{clock(one.end_ms)}: {one.reason}"
            for n, one in enumerate(document.stretches, 1)
        ]
    return "\n".join(lines) + "\n"
