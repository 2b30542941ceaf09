"""`callsvc media`: the media node as a process of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from callsvc import logs
from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.media import loop

app = typer.Typer(help="Run the media node: calls and their sound.")


@app.command()
def run(
    data_dir: Path = typer.Option(  # noqa: B008  typer's way; nothing is shared between calls
        None, help="Directory for everything that the service keeps."
    ),
    host: str = typer.Option(None, help="Address for signalling, RTP and WebRTC."),
    port: int = typer.Option(None, help="Port for signalling; 0 takes any free one."),
) -> None:
    """Run the media node until it is told to stop.

    SIGTERM lets running calls end by themselves and takes no new ones; a second SIGTERM, or Ctrl-C, ends them.
    """
    settings = load(data_dir=data_dir, media={"host": host, "port": port})
    logs.follow("media", settings.log)
    with asyncio.Runner(loop_factory=loop.new) as runner:
        runner.run(serve(settings))


async def serve(settings: Settings) -> None:
    """One node, from its start to its end."""
    # Loading numpy, PyAV and onnxruntime takes a while: only whoever serves needs them.
    from callsvc.media.node import Node

    await Node(settings, SystemClock()).run()
