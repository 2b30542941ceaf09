"""`callsvc serve`: the command line."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from callsvc import data_dir as directory
from callsvc import logs
from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.locale import text
from callsvc.serve.supervisor import Supervisor

app = typer.Typer(help="Run the whole service on this machine.")


@app.command()
def run(
    data_dir: Annotated[
        Path | None, typer.Option(help="Directory for everything that the service keeps.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port of the pages; 0 takes any free one.")] = None,
) -> None:
    """Run the whole service on this machine until Ctrl-C.

    Starts media node, message broker, database, pages and worker, each in a process of its own, and starts again
    what dies. Prints the address, and at the first start the one-time password of the first administrator.
    """
    settings = load(data_dir=data_dir, web={"port": port})
    path = directory.prepare(settings.data_dir)
    lock = directory.lock(path)
    try:
        asyncio.run(_run(settings, path))
    finally:
        os.close(lock)


async def _run(settings: Settings, path: Path) -> None:
    logs.configure(
        "serve",
        level=settings.log.level,
        form=settings.log.format,
        file=path / "logs" / "serve.jsonl",
        personal=settings.log.personal,
    )

    def say(key: str, **values: object) -> None:
        # Whoever read what we say may be gone; that is no reason to stop.
        with suppress(OSError):
            typer.echo(text(key, settings.language, **values))

    await Supervisor(settings, path, SystemClock(), say).run()
