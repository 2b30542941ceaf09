"""`callsvc clean`: take the typing out of a sound file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callsvc.errors import MissingPart, UsageError
from callsvc.locale import text

if TYPE_CHECKING:
    from audio.suppressor import Network
    from callsvc.clean.cleaning import Outcome

app = typer.Typer(help="Take the typing out of a sound file.")

Paths = Annotated[
    list[Path],
    typer.Argument(metavar="IN OUT", help="A sound file, and a name for the result.", show_default=False),
]
Batch = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Clean every sound file in this directory; OUT is a directory then."),
]
OneChannel = Annotated[
    int | None,
    typer.Option(
        "--channel", metavar="N", help="Clean this channel (from 1) and leave the others as they are."
    ),
]
ReportTo = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write a report: .html with pictures, or .json."),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite results that are already there.")]
Comfort = Annotated[
    bool, typer.Option("--comfort", help="Fill what was taken out with noise like the room's, as in calls.")
]
Still = Annotated[bool, typer.Option("--quiet", help="Say nothing but what went wrong.")]


@app.command()
def run(
    paths: Paths,
    batch: Batch = None,
    channel: OneChannel = None,
    report: ReportTo = None,
    force: Force = False,
    comfort: Comfort = False,
    quiet: Still = False,
) -> None:
    """Take the sound of typing out of IN and write OUT.

    Reads what FFmpeg reads, at any rate; writes WAV (16 bits), FLAC, Ogg, Opus, MP3 or M4A by OUT's extension. OUT is
    as long as IN and in step with it. Nothing is overwritten without --force, and IN never.

    callsvc clean call.wav quiet.wav --report report.html

    callsvc clean --batch recordings/ quiet/
    """
    from callsvc.clean import report as reports
    from callsvc.clean.cleaning import check, clean
    from callsvc.clean.report import number
    from callsvc.config import language

    lang = language()
    work = jobs(paths, batch)
    if report is not None:
        reports.check(report)
        if report.exists() and not force:
            check(report, report.with_suffix(".wav"), force)
    for source, result in work:
        check(source, result, force)
    network = _network()
    outcomes: list[Outcome] = []
    faults: list[UsageError] = []
    for source, result in work:
        try:
            with _bar(source, quiet) as progress:
                outcomes.append(
                    clean(
                        network,
                        source,
                        result,
                        channel=channel,
                        comfort=comfort,
                        force=force,
                        pictures=report is not None and report.suffix.lower() == ".html",
                        progress=progress,
                    )
                )
        except UsageError as fault:
            if batch is None:
                raise
            faults.append(fault)
            typer.echo(text("cli.error", lang, message=fault.told(lang)[0]), err=True)
            continue
        if not quiet:
            typer.echo("\n".join(lines(outcomes[-1], lang)))
        if outcomes[-1].missing_s:
            missing = number(round(outcomes[-1].missing_s, 1), lang)
            typer.echo(text("clean.missing", lang, file=source.name, seconds=missing), err=True)
    if report is not None:
        reports.write(report, outcomes, lang)
    if faults:
        raise typer.Exit(1)


def jobs(paths: list[Path], batch: Path | None) -> list[tuple[Path, Path]]:
    """Which file becomes which. Raises UsageError when the arguments don't say."""
    from callsvc.clean.sound import READABLE, WRITABLE

    if batch is None:
        if len(paths) != 2:
            raise UsageError(
                "Give a file and a name for the result, or --batch DIRECTORY and a directory for the results.",
                hint="callsvc clean --help shows examples.",
            )
        return [(paths[0], paths[1])]
    if len(paths) != 1:
        raise UsageError(
            "Give a file and a name for the result, or --batch DIRECTORY and a directory for the results.",
            hint="callsvc clean --help shows examples.",
        )
    out = paths[0].resolve()
    found = [
        p
        for p in sorted(batch.rglob("*"))
        if p.is_file() and p.suffix.lower() in READABLE and not p.resolve().is_relative_to(out)
    ]
    if not found:
        raise UsageError(
            "The directory {directory} holds no sound files.",
            hint="Give a directory with sound files, or a single file.",
            directory=batch.name,
        )
    results = []
    for source in found:
        result = paths[0] / source.relative_to(batch)
        if result.suffix.lower() not in WRITABLE:
            result = result.with_name(f"{result.name}.wav")
        results.append((source, result))
    return results


def lines(outcome: Outcome, lang: str) -> list[str]:
    """What became of a file, for a person."""
    from callsvc.clean.report import clock_time, number

    said = []
    for cleaned in outcome.channels:
        proof = cleaned.proof
        name = outcome.source.name
        if outcome.shape.channels > 1:
            name = f"{name}, {text('clean.channel_name', lang, channel=cleaned.channel)}"
        speed = round(outcome.seconds / max(outcome.took_s, 1e-3))
        length = clock_time(outcome.seconds)
        said.append(text("clean.done", lang, file=name, strokes=proof.strokes, seconds=length, speed=speed))
        if proof.judged:
            said.append(
                text(
                    "clean.judged",
                    lang,
                    before=number(proof.audible_before_pct or 0.0, lang),
                    after=number(proof.audible_after_pct or 0.0, lang),
                    level_before=number(proof.level_before_db or 0.0, lang),
                    level_after=number(proof.level_after_db or 0.0, lang),
                )
            )
    return said


def _network() -> Network:
    from models.suppressor import WeightsError, load

    try:
        return load()
    except WeightsError as error:
        raise MissingPart(
            "The network's weights are missing or changed.",
            hint="Install the program again: the weights are part of the package.",
        ) from error


class _bar:  # noqa: N801  used as a function
    """A progress bar on the terminal; nothing where there is none."""

    def __init__(self, source: Path, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self._source = source
        self._percent = -1

    def __enter__(self) -> _bar:
        from callsvc.clean.sound import Source

        self._length = Source(self._source).shape.seconds if self._shown else None
        return self

    def __call__(self, seconds: float) -> None:
        if not self._shown:
            return
        if self._length is None:
            sys.stderr.write(f"\r{self._source.name}  {seconds:.0f} s")
        elif (percent := min(100, int(100 * seconds / self._length))) != self._percent:
            self._percent = percent
            full = percent * 30 // 100
            sys.stderr.write(f"\r{self._source.name}  {'█' * full}{'░' * (30 - full)} {percent:3d} %")
        sys.stderr.flush()

    def __exit__(self, *failure: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
