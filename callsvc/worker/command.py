"""`callsvc worker`: background jobs as a process of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from callsvc import logs
from callsvc.config import load
from callsvc.worker import process, roots

app = typer.Typer(help="Run background jobs: archive, transcribe, demonstrate.")


@app.command()
def run(
    data_dir: Annotated[
        Path | None, typer.Option(help="Directory for everything that the service keeps.")
    ] = None,
) -> None:
    """Run background jobs until Ctrl-C; those that run then are finished or put back."""
    settings = load(data_dir=data_dir)
    logs.follow("worker", settings.log)
    asyncio.run(process.run(settings, roots.jobs, roots.CHORES))
