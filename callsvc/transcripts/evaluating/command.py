"""`callsvc evaluate`: how many words a model gets wrong on recordings of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from callsvc.config import Settings, load
from callsvc.errors import MissingPart
from callsvc.locale import text
from callsvc.transcripts import models
from callsvc.transcripts.evaluating import report
from callsvc.transcripts.evaluating.measuring import Figures, measure
from callsvc.transcripts.evaluating.references import Reference, references
from models.recogniser.directory import check
from models.recogniser.errors import ModelUnusable
from models.recogniser.whisper import Whisper

app = typer.Typer(help="Measure a model on recordings of your own.")


@app.command()
def run(
    directory: Annotated[
        Path,
        typer.Argument(
            help="Sounds with their words: call.flac and call.json (as exported), word.wav and word.txt."
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model's name or directory; several are compared. Left out: the one for transcripts."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Directory for figures.json and plot.svg.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Directory for everything that the service keeps.")
    ] = None,
) -> None:
    """Word and letter errors, lost names, numbers and negations, words invented in silence, errors of word times."""
    settings = load(data_dir=data_dir)
    found = references(directory)
    paths = [_place(name, settings) for name in model or []] or [models.card(settings).path]
    figures = [_measured(path, found, settings) for path in paths]
    lang = settings.language
    typer.echo(text("evaluate.of", lang, count=len(found), seconds=round(sum(one.seconds for one in found))))
    typer.echo(report.table(figures, lang))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "figures.json").write_text(report.as_json(figures), encoding="utf-8")
        (out / "plot.svg").write_text(report.plot(figures, lang), encoding="utf-8")
        typer.echo(text("evaluate.written", lang, path=out))


def _measured(path: Path, found: list[Reference], settings: Settings) -> Figures:
    try:
        card = check(path)
        card.require(settings.transcripts.language)
    except ModelUnusable as error:
        raise MissingPart.of(error) from None

    def told(reference: str) -> None:
        typer.echo(f"{card.name}: {reference}", err=True)

    return measure(card.name, Whisper(card), found, models.languages(settings), told)


def _place(name: str, settings: Settings) -> Path:
    path = Path(name)
    return path if path.is_dir() else models.folder(settings) / path.name
