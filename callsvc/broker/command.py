"""`callsvc broker`: the embedded broker as a process of its own."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from callsvc import data_dir as directory
from callsvc import logs
from callsvc.broker.gate import Credentials
from callsvc.broker.server import running
from callsvc.bus.address import SECRET
from callsvc.config import Settings, load

app = typer.Typer(help="Run the embedded MQTT broker.")


@app.command()
def run(
    data_dir: Annotated[
        Path | None, typer.Option(help="Directory for everything that the service keeps.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port on loopback; 0 takes any free one.")] = None,
) -> None:
    """Run the embedded MQTT broker on loopback until Ctrl-C."""
    settings = load(data_dir=data_dir, mqtt={"port": port})
    logs.follow("broker", settings.log)
    asyncio.run(serve(settings))


async def serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT. Raises `PortTaken`, and `BrokerFault` when the broker stops working."""
    log = logs.get("broker")
    loop = asyncio.get_running_loop()
    data_dir = directory.prepare(settings.data_dir)
    async with running(credentials(settings, data_dir), port=settings.mqtt.port) as (broker, bound):
        log.info("broker_listens", port=bound)
        watching = asyncio.create_task(broker.watch())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, watching.cancel)
        try:
            await watching
        except asyncio.CancelledError:
            log.info("broker_stops")


def credentials(settings: Settings, data_dir: Path) -> Credentials:
    """What a client must say: the password of the settings, else the one in the data directory."""
    password = settings.mqtt.password.get_secret_value() or directory.secret(data_dir, SECRET)
    return Credentials(settings.mqtt.user, password)
