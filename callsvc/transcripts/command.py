"""`callsvc models`: which models there are, fetching one when told to, looking one through, choosing one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from callsvc import data_dir as layout
from callsvc.config import Settings, load
from callsvc.errors import MissingPart, UsageError
from callsvc.locale import text
from callsvc.transcripts import models
from callsvc.transcripts.models import Purpose
from models.recogniser import packaged
from models.recogniser.catalogue import Entry, catalogue
from models.recogniser.directory import check
from models.recogniser.errors import ModelUnusable
from models.recogniser.fetching import fetch as fetch_model

app = typer.Typer(no_args_is_help=True, help="List, fetch, check and choose models of speech to text.")
DataDir = Annotated[Path | None, typer.Option(help="Directory for everything that the service keeps.")]
Name = Annotated[str, typer.Argument(help="A model's name, as `callsvc models list` shows it.")]


@app.command("list")
def listing(data_dir: DataDir = None) -> None:
    """List the models that are known: size, licence, published word errors, what for; and those that lie here."""
    settings = load(data_dir=data_dir)
    lang = settings.language
    typer.echo(text("models.head", lang))
    for entry in catalogue().values():
        typer.echo(_line(entry, settings))
    typer.echo(_packaged(settings))
    for extra in sorted(_here(settings) - catalogue().keys()):
        typer.echo(f"{extra:<18} {_state(extra, settings)}")
    typer.echo(text("models.foot", lang))


@app.command()
def fetch(name: Name, data_dir: DataDir = None) -> None:
    """Fetch a model over the network, on from where an earlier try ended, and check every file of it."""
    settings = load(data_dir=data_dir)
    entry = catalogue().get(name)
    if entry is None:
        raise UsageError("No model is called {name}.", hint="`callsvc models list` names them.", name=name)
    layout.prepare(settings.data_dir)
    lang = settings.language
    typer.echo(text("models.fetching", lang, name=name, mb=entry.size_mb, licence=entry.licence))
    told: dict[str, int] = {}

    def progress(file: str, done: int, size: int) -> None:
        percent = 100 if done >= size else 10 * (10 * done // max(1, size))
        if told.get(file) != percent:
            told[file] = percent
            typer.echo(f"  {file}  {percent} %")

    try:
        card = fetch_model(entry, models.folder(settings), progress)
    except ModelUnusable as error:
        raise MissingPart.of(error) from None
    typer.echo(text("models.fetched", lang, name=card.name, path=card.path))
    typer.echo(text("models.then", lang, name=name))


@app.command("check")
def checking(
    name: Annotated[str, typer.Argument(help="A model's name, or a directory.")], data_dir: DataDir = None
) -> None:
    """Look through every file of a model: is it whole, is it what was fetched, which languages does it know?"""
    settings = load(data_dir=data_dir)
    path = _place(name, settings)
    try:
        card = check(path)
    except ModelUnusable as error:
        raise MissingPart.of(error) from None
    typer.echo(
        text(
            "models.whole",
            settings.language,
            name=card.name,
            path=path,
            mb=round(card.size / 1_000_000),
            sha256=card.sha256,
            languages=len(card.languages),
        )
    )
    if settings.transcripts.language not in card.languages:
        typer.echo(text("models.no_language", settings.language, language=settings.transcripts.language))
        raise typer.Exit(MissingPart.exit_code)


@app.command()
def use(
    purpose: Annotated[Purpose, typer.Argument(help="final: transcripts. live: captions during the call.")],
    name: Name,
    data_dir: DataDir = None,
) -> None:
    """Choose a model that lies here for transcripts or for captions. Calls that waited for one are taken up."""
    settings = load(data_dir=data_dir)
    try:
        card = check(models.place(settings, _plain(name)))
        card.require(settings.transcripts.language)
    except ModelUnusable as error:
        raise MissingPart.of(error) from None
    models.choose(settings, purpose, name)
    lang = settings.language
    typer.echo(text(f"models.used.{purpose}", lang, name=card.name))
    named = (
        settings.transcripts.model_dir if purpose is Purpose.FINAL else settings.transcripts.live_model_dir
    )
    if named is not None:
        typer.echo(text("models.overruled", lang, path=named))


def _line(entry: Entry, settings: Settings) -> str:
    lang = settings.language
    wer = " / ".join(f"{one:.1f}" for one in entry.wer) + ("" if entry.wer_confirmed else " ?")
    return (
        f"{entry.name:<18} {entry.size_mb:>5} MB  {entry.licence:<11} {wer:<20}"
        f" {text(f'models.use.{entry.use}', lang)}; {text(f'models.languages.{entry.languages}', lang)}"
        f"  {_state(entry.name, settings)}"
    ).rstrip()


def _packaged(settings: Settings) -> str:
    lang, lies = settings.language, packaged.directory()
    mb = round(sum(one.stat().st_size for one in lies.iterdir()) / 1_000_000)
    used = _state(packaged.NAME, settings)
    return (
        f"{packaged.NAME:<18} {mb:>5} MB  {'EUPL-1.2':<11} {text('models.packaged', lang)}  {used}".rstrip()
    )


def _state(name: str, settings: Settings) -> str:
    lang = settings.language
    found = []
    if name in _here(settings):
        found.append(text("models.here", lang))
    elif (models.folder(settings) / f"{name}.part").exists():
        found.append(text("models.part", lang))
    found += [text(f"models.in_use.{p}", lang) for p, n in models.chosen(settings).items() if n == name]
    return f"[{', '.join(found)}]" if found else ""


def _here(settings: Settings) -> set[str]:
    folder = models.folder(settings)
    if not folder.is_dir():
        return set()
    return {one.name for one in folder.iterdir() if one.is_dir() and one.suffix != ".part"}


def _plain(name: str) -> str:
    """A name of one directory, never a way to another place."""
    if not name or name.startswith(".") or "/" in name or "\\" in name:
        raise UsageError("{name} is no model's name.", hint="`callsvc models list` names them.", name=name)
    return name


def _place(name: str, settings: Settings) -> Path:
    path = Path(name)
    return path if path.is_dir() or "/" in name else models.place(settings, _plain(name))
