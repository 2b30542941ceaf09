"""`callsvc web`: the pages and the API as a process of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from callsvc import logs
from callsvc.config import load
from callsvc.web import process

app = typer.Typer(help="Run the pages and the API.")


@app.command()
def run(
    data_dir: Annotated[
        Path | None, typer.Option(help="Directory for everything that the service keeps.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address that the pages are served on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the pages; 0 takes any free one.")] = None,
) -> None:
    """Run the pages and the API until Ctrl-C."""
    settings = load(data_dir=data_dir, web={"host": host, "port": port})
    logs.follow("web", settings.log)
    asyncio.run(process.run(settings))
