"""Figures as a table to read in a terminal, as JSON, and as a plot (SVG with a description for who cannot see it)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from html import escape

from callsvc.locale import text
from callsvc.transcripts.evaluating.measuring import Figures

COLUMNS = tuple(one.name for one in fields(Figures) if one.name != "model")
PLOTTED = ("wer_pct", "cer_pct", "critical_recall_pct", "invented_per_silent_hour")
BAR, GAP, LEFT, WIDTH = 18, 10, 220, 720
COLOURS = ("#0b5d8a", "#b5541c", "#3c7a3c", "#6a4c93", "#8a6d0b", "#444444")


def table(found: Sequence[Figures], lang: str) -> str:
    """A row a figure, a column a model."""
    names = [text(f"evaluate.figure.{one}", lang) for one in COLUMNS]
    wide = max(len(name) for name in names)
    columns = [max(12, len(one.model) + 2) for one in found]
    lines = [" " * wide + "".join(f"{one.model:>{w}}" for one, w in zip(found, columns, strict=True))]
    for name, column in zip(names, COLUMNS, strict=True):
        cells = [_cell(getattr(one, column)) for one in found]
        lines.append(f"{name:<{wide}}" + "".join(f"{c:>{w}}" for c, w in zip(cells, columns, strict=True)))
    return "\n".join(lines)


def as_json(found: Sequence[Figures]) -> str:
    return json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False) + "\n"


def plot(found: Sequence[Figures], lang: str) -> str:
    """Bars: a group a figure, a bar a model; the numbers stand beside them."""
    title = text("evaluate.title", lang)
    parts: list[str] = []
    y = 40
    for figure in PLOTTED:
        values = [(one.model, getattr(one, figure)) for one in found]
        most = max((value for _, value in values if value is not None), default=0) or 1
        parts.append(
            f'<text x="10" y="{y}" font-weight="bold">{escape(text(f"evaluate.figure.{figure}", lang))}</text>'
        )
        y += GAP
        for n, (model, value) in enumerate(values):
            length = round((WIDTH - LEFT - 80) * (value or 0) / most)
            parts.append(f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(model)}</text>')
            parts.append(
                f'<rect x="{LEFT}" y="{y}" width="{length}" height="{BAR}" fill="{COLOURS[n % len(COLOURS)]}"/>'
            )
            parts.append(f'<text x="{LEFT + length + 6}" y="{y + 13}">{_cell(value)}</text>')
            y += BAR + 4
        y += 26
    said = escape(table(found, lang))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" role="img" lang="{lang}"'
        f' font-family="sans-serif" font-size="13" aria-labelledby="t d"><title id="t">{escape(title)}</title>'
        f'<desc id="d">{said}</desc><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="10" y="20" font-size="16">{escape(title)}</text>{"".join(parts)}</svg>\n'
    )


def _cell(value: float | int | None) -> str:
    return "–" if value is None else f"{value:g}"
