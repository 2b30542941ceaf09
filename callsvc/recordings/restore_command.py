"""`callsvc restore`: books that are lost are written anew from the object store, the spool and the keys."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import typer

from callsvc.access import trail
from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.errors import UsageError
from callsvc.locale import text
from callsvc.recordings.key_source import existing
from callsvc.recordings.rebooking import Rebooked, rebook
from callsvc.store import Database, address

app = typer.Typer(help="Write lost books anew from the object store.")
DataDir = Annotated[Path | None, typer.Option(help="Directory for everything that the service keeps.")]


@app.command()
def run(data_dir: DataDir = None) -> None:
    """Write calls and recordings that the database lacks, from what the object store and the spool hold.

    Each recording is checked against its signature first. What is in the database stays as it is, so it may be run
    again. Needs the keys and the database. Exit code 5 when a recording is not as sealed: it is named and not written.
    """
    settings = load(data_dir=data_dir)
    done = asyncio.run(restore(settings))
    typer.echo(text("recordings.restore.done", settings.language, written=done.written, known=done.known))
    for label, sentences in done.bad:
        typer.echo(text("recordings.command.bad", settings.language, label=label), err=True)
        for sentence in sentences:
            typer.echo(text("recordings.command.fault", settings.language, sentence=sentence), err=True)
    if done.bad:
        raise typer.Exit(5)


async def restore(settings: Settings) -> Rebooked:
    """Rebook, with a line in the trail that says so. Raises `UsageError` without keys."""
    keys = existing(settings)
    if keys is None:
        raise UsageError(
            "The keys are not here, so no signature can be checked.",
            hint="callsvc keys restore COPY brings them back.",
        )
    clock = SystemClock()
    async with Database(address(settings), pool_max=2) as database:
        done = await rebook(settings, database, keys, clock)
        if done.written:
            async with database.transaction() as conn:
                await trail.record(
                    conn,
                    user_id=None,
                    action="recordings.restore",
                    object_kind="store",
                    object_id="",
                    call_id=None,
                    reason="",
                    at=clock.utc_now(),
                    detail={"account": getpass.getuser(), "written": done.written, "bad": len(done.bad)},
                )
    return done
