"""`callsvc demo`: the command line of the demonstration call."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from callsvc import data_dir, store
from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.demo import attached, run, service
from callsvc.demo import caller as ringing
from callsvc.demo.progress import OnScreen
from callsvc.demo.report import Report, page
from callsvc.locale import text
from callsvc.store import Database
from models.recogniser import packaged

app = typer.Typer(help="Place a demonstration call and report what came of it.")
NOT_WELL = 1


@app.command()
def command(
    out: Annotated[Path, typer.Option(help="Directory for the report, the sounds and the picture.")] = Path(
        "var/demo"
    ),
    keep_running: Annotated[
        bool, typer.Option(help="Leave the service up afterwards, until Ctrl-C, to look around.")
    ] = False,
    within: Annotated[
        str, typer.Option(hidden=True, help="Run inside a service that is up, for this demonstration's id.")
    ] = "",
    caller: Annotated[
        str, typer.Option(hidden=True, help="Ring inside a service that is up, for the person of this id.")
    ] = "",
) -> None:
    """Start a service of its own, place a call in it with real voices and real typing, and report.

    Ends with 0 only if the caller was spared the typing and the call was recorded, sealed and verified.
    """
    if within:
        asyncio.run(attached.run(load(), within))
        return
    if caller:
        asyncio.run(ringing.run(load(), caller))
        return
    report = asyncio.run(_demonstrate(out, keep_running))
    if report.faults():
        raise typer.Exit(NOT_WELL)


async def _demonstrate(out: Path, keep_running: bool) -> Report:
    clock = SystemClock()
    lang = load().language
    with OnScreen(lang) as teller:
        teller.step("service")
        directory = await asyncio.to_thread(service.fresh, out / "data")
        async with service.running(directory, clock, _recogniser(load())) as settings:
            database = Database(store.address(settings), pool_max=2)
            async with database:
                who = await run.account(database, clock, lang)
                base = _pages(settings)
                report = await run.demonstrate(
                    settings, database, clock, lambda: run.invite_by_api(base, who), out, teller, lang
                )
            teller.__exit__(None, None, None)
            typer.echo("\n".join(page(report, str(out), lang)))
            if keep_running:
                typer.echo("")
                typer.echo(text("demo.kept", lang, url=base, name=who.name, password=who.password))
                await asyncio.Event().wait()
    return report


def _recogniser(settings: Settings) -> dict[str, str]:
    """The packaged model of speech to text, where no other is set: the demonstration ends with words that it knows."""
    chosen = settings.transcripts
    named = {"MODEL_DIR": chosen.model_dir, "LIVE_MODEL_DIR": chosen.live_model_dir}
    return {
        f"CALLSVC_TRANSCRIPTS__{name}": str(packaged.directory())
        for name, path in named.items()
        if path is None
    }


def _pages(settings: Settings) -> str:
    found = data_dir.addresses(settings.data_dir)["web"]
    return f"http://{found['host']}:{found['port']}"
