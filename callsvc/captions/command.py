"""`callsvc captions`: text beside calls that go on, as a process of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from callsvc import logs
from callsvc.captions import process
from callsvc.config import load

app = typer.Typer(help="Write captions of calls that go on.")


@app.command()
def run(
    data_dir: Annotated[
        Path | None, typer.Option(help="Directory for everything that the service keeps.")
    ] = None,
) -> None:
    """Write captions until Ctrl-C. It runs on the media node's machine; calls lack nothing without it."""
    settings = load(data_dir=data_dir)
    logs.follow("captions", settings.log)
    asyncio.run(process.run(settings))
