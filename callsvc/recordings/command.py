"""`callsvc verify`: check that a recording is whole and unchanged."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from callsvc.access import trail as access_trail
from callsvc.access.trail import Head
from callsvc.config import Settings, load
from callsvc.errors import UsageError
from callsvc.ids import parse_id
from callsvc.locale import text
from callsvc.recordings.findings import Report, clock_time
from callsvc.recordings.key_source import existing
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.objects import objects
from callsvc.recordings.source import DirectorySource
from callsvc.recordings.trail_witness import Kept, latest
from callsvc.recordings.whole_call import check_call, check_directory
from callsvc.store import Database, address

app = typer.Typer(help="Check that a recording is whole and unchanged.")


What = Annotated[
    str, typer.Argument(metavar="PATH|CALL_ID", help="A recording's directory, or the id of a call.")
]
Trail = Annotated[bool, typer.Option("--trail", help="Check the trail of accesses instead.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
DataDir = Annotated[Path | None, typer.Option(help="Directory for everything that the service keeps.")]


@app.command()
def run(what: What = "", as_json: AsJson = False, trail: Trail = False, data_dir: DataDir = None) -> None:
    """Check a recording's seals, and its sound where the keys are at hand.

    Names every byte, record or file that was changed, moved, doubled, added or lost. Exit code 5 when there is one.
    """
    settings = load(data_dir=data_dir)
    keys = existing(settings)
    if trail:
        head, kept = asyncio.run(check_trail(settings, keys))
        kept_at = kept.at if kept else ""
        typer.echo(text("recordings.command.trail", settings.language, events=head.id))
        known = "trail_known" if kept else "trail_unknown"
        typer.echo(text(f"recordings.command.{known}", settings.language, at=kept_at))
        return
    if not what:
        raise UsageError("What is to be checked?", hint="callsvc verify --help shows how.")
    reports = check(settings, what, keys)
    if as_json:
        typer.echo(
            json.dumps(
                [report.as_json(settings.language) for report in reports], indent=1, ensure_ascii=False
            )
        )
    else:
        for report in reports:
            typer.echo("\n".join(lines(report, settings.language)))
    if not all(report.ok for report in reports):
        raise typer.Exit(5)


async def check_trail(settings: Settings, keys: KeyRing | None) -> tuple[Head, Kept | None]:
    """Hold the whole trail against itself and against the head that was kept. Raises `VerificationFailed`."""
    kept = None if keys is None else await asyncio.to_thread(latest, objects(settings), keys)
    async with Database(address(settings), pool_max=2) as database, database.transaction() as conn:
        return await access_trail.verify(conn, known=kept.head if kept else None), kept


def check(settings: Settings, what: str, keys: KeyRing | None) -> list[Report]:
    """Check a directory, or all that there is of a call, against what the database was told, where that answers."""
    if Path(what).is_dir():
        return [check_directory(settings, DirectorySource(Path(what)), keys)]
    try:
        call = str(parse_id(what))
    except UsageError:
        raise UsageError(
            "That is neither a directory nor the id of a call.", hint="callsvc verify --help shows both."
        ) from None
    return check_call(settings, call, keys)


def lines(report: Report, lang: str) -> list[str]:
    """The report for a person."""
    if report.ok:
        found = [
            text("recordings.command.ok", lang, recording=report.recording, call=report.call),
            text(
                "recordings.command.facts",
                lang,
                records=report.records,
                length=clock_time(report.sound_s),
                outcome=text(f"recordings.command.outcome_{report.outcome}", lang),
                chain=report.chain,
            ),
        ]
        if report.stamped_at:
            found.append(text("recordings.command.stamped", lang, stamped=report.stamped_at))
    else:
        found = [text("recordings.command.bad", lang, label=report.label)]
    found += [text("recordings.command.fault", lang, sentence=f.sentence(lang)) for f in report.findings]
    return found + [text("recordings.command.note", lang, sentence=f.sentence(lang)) for f in report.notes]
