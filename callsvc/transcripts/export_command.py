"""`callsvc transcript export`: a call's transcript as a file; each one leaves a line in the trail."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from callsvc.access import trail
from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.errors import UsageError
from callsvc.ids import parse_id
from callsvc.locale import text
from callsvc.store import Database, address
from callsvc.transcripts.layers import Layer
from callsvc.transcripts.out import Form, gather, render

app = typer.Typer(no_args_is_help=True, help="Write a call's transcript as a file.")


@app.callback()
def root() -> None:
    """Write a call's transcript as a file."""


@app.command()
def export(
    call: Annotated[str, typer.Argument(metavar="CALL_ID", help="The call.")],
    target: Annotated[
        Path,
        typer.Argument(
            help="A file that does not exist yet; its ending names the form: txt vtt srt json html docx pdf."
        ),
    ],
    reason: Annotated[
        str, typer.Option(help="Why it is handed out; kept in the trail. Asked for when it is not given.")
    ] = "",
    layer: Annotated[
        Layer,
        typer.Option(help="corrected: the text in force. machine: what the machine heard. redacted: a copy."),
    ] = Layer.CORRECTED,
    copy: Annotated[
        str, typer.Option(metavar="COPY_ID", help="The redacted copy, for --layer redacted.")
    ] = "",
    data_dir: Annotated[
        Path | None, typer.Option(help="Directory for everything that the service keeps.")
    ] = None,
) -> None:
    """Write a call's transcript. Needs the database: nothing is handed out that leaves no line in the trail."""
    settings = load(data_dir=data_dir)
    try:
        form = Form(target.suffix.removeprefix(".").lower())
    except ValueError:
        raise UsageError(
            "{name} does not end in a form that can be written.",
            hint="One of: {forms}",
            forms=" ".join(Form),
            name=target.name,
        ) from None
    reason = reason or typer.prompt(text("cli.reason", settings.language))
    if len(reason.strip()) < 3:
        raise UsageError("A transcript needs a reason.", hint="--reason 'the prosecutor's request, case ...'")
    if target.exists():
        raise UsageError(
            "{target} is there already.", hint="Name a file that does not exist yet.", target=target
        )
    copy_id = parse_id(copy) if copy else None
    asyncio.run(hand_out(settings, parse_id(call), target, form, layer, copy_id, reason.strip()))
    lang = settings.language
    typer.echo(text("transcript.written", lang, path=target, layer=text(f"transcript.layers.{layer}", lang)))


async def hand_out(
    settings: Settings, call: UUID, target: Path, form: Form, layer: Layer, copy: UUID | None, reason: str
) -> None:
    """Write the file, and the trail's line, or neither."""
    clock = SystemClock()
    part = target.with_name(f".{target.name}.part")
    async with Database(address(settings), pool_max=2) as database:
        async with database.transaction() as conn:
            document = await gather(conn, call, layer, made_at=clock.utc_now(), copy=copy)
        made = await asyncio.to_thread(render, document, form, settings.language)
        try:
            await asyncio.to_thread(part.write_bytes, made)
            async with database.transaction() as conn:
                await trail.record(
                    conn,
                    user_id=None,
                    action="transcript.export",
                    object_kind="transcript",
                    object_id=str(copy or layer),
                    call_id=call,
                    reason=reason,
                    at=clock.utc_now(),
                    detail={"form": str(form), "account": getpass.getuser()},
                )
            await asyncio.to_thread(part.rename, target)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)
