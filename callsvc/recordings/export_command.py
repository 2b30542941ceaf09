"""`callsvc export`: write a bundle that its receiver can check alone; each one leaves a line in the trail."""

from __future__ import annotations

import asyncio
import getpass
import re
import shutil
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from callsvc.access import trail
from callsvc.clock import Clock, SystemClock
from callsvc.config import Settings, load
from callsvc.errors import NotFound, UsageError
from callsvc.ids import parse_id
from callsvc.locale import text
from callsvc.recordings.bundle import Line, Stretch, export
from callsvc.recordings.head import load_head
from callsvc.recordings.joined import parts
from callsvc.recordings.key_source import key_ring
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.layout import HEAD
from callsvc.recordings.reader import open_recording
from callsvc.recordings.source import Source
from callsvc.recordings.timestamps import authority
from callsvc.store import Connection, Database, address, recordings, transcripts

app = typer.Typer(help="Write a bundle that its receiver can check alone.")

Call = Annotated[str, typer.Argument(metavar="CALL_ID", help="The call.")]
Target = Annotated[Path, typer.Argument(help="A directory that does not exist yet.")]
Reason = Annotated[
    str, typer.Option(help="Why it is handed out; kept in the trail. Asked for when it is not given.")
]
From = Annotated[
    str, typer.Option("--from", metavar="M:SS", help="Begin of the stretch; the call's when left out.")
]
To = Annotated[
    str, typer.Option("--to", metavar="M:SS", help="End of the stretch; the call's when left out.")
]
DataDir = Annotated[Path | None, typer.Option(help="Directory for everything that the service keeps.")]


@app.command()
def run(
    call: Call, target: Target, reason: Reason = "", begin: From = "", end: To = "", data_dir: DataDir = None
) -> None:
    """Write a call, or a stretch of it, with all that is needed to check it with sha256sum and openssl.

    Needs the database: nothing is handed out that leaves no line in the trail.
    """
    settings = load(data_dir=data_dir)
    reason = reason or typer.prompt(text("cli.reason", settings.language))
    if len(reason.strip()) < 3:
        raise UsageError("A bundle needs a reason.", hint="--reason 'the prosecutor's request, case ...'")
    about = asyncio.run(hand_out(settings, parse_id(call), target, reason.strip(), begin, end))
    lang = settings.language
    typer.echo(text("bundle.made", lang, target=target, signer=about["signer"]))


async def hand_out(
    settings: Settings, call: UUID, target: Path, reason: str, begin: str = "", end: str = ""
) -> dict[str, Any]:
    """Write the bundle, and the trail's line, or neither; what paket.json says.

    A call that went on in another spool gets a bundle for each part, `del-1` and so on: each is signed and checked by itself.
    """
    clock = SystemClock()
    keys = key_ring(settings)
    if await asyncio.to_thread(target.exists):
        raise UsageError(
            "{target} is there already.", hint="Name a directory that does not exist yet.", target=target
        )
    # It gets its name when the line is in the trail, and not before.
    part = target.with_name(f".{target.name}.part")
    try:
        async with Database(address(settings), pool_max=2) as database:
            async with database.transaction() as conn:
                row = await recordings.of_call(conn, call)
                if row is None:
                    raise NotFound("That call has no recording.")
                lines = await _lines(conn, call)
            about = await asyncio.to_thread(_write, settings, keys, clock, row, part, begin, end, lines)
            async with database.transaction() as conn:
                await trail.record(
                    conn,
                    user_id=None,
                    action="call.export",
                    object_kind="recording",
                    object_id=str(row.id),
                    call_id=call,
                    reason=reason,
                    at=clock.utc_now(),
                    detail={"from": begin, "to": end, "account": getpass.getuser()},
                )
        part.rename(target)
        return about
    finally:
        shutil.rmtree(part, ignore_errors=True)


def milliseconds(moment: str) -> int:
    """`75`, `1:15`, `1:02:03.5` as milliseconds. Raises `UsageError`."""
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d{1,3})?)", moment)
    if match is None:
        raise UsageError("{moment} is no time of a call.", hint="Write it as M:SS or H:MM:SS.", moment=moment)
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3_600_000 + int(minutes or 0) * 60_000 + round(float(seconds) * 1000)


async def _lines(conn: Connection, call: UUID) -> list[Line]:
    transcript = await transcripts.of_call(conn, call)
    if transcript is None:
        return []
    spoken = await transcripts.utterances(conn, transcript.id)
    return [Line(u.leg, u.start_ms, u.end_ms, u.text) for u in spoken]


def _write(
    settings: Settings,
    keys: KeyRing,
    clock: Clock,
    row: recordings.Recording,
    target: Path,
    begin: str,
    end: str,
    lines: list[Line],
) -> dict[str, Any]:
    found = parts(settings, call=str(row.call_id), recording=str(row.id), location=row.location)
    last_ms = _length_ms(found[-1], keys)
    stretch = None
    if begin or end:
        stretch = Stretch(milliseconds(begin) if begin else 0, milliseconds(end) if end else last_ms)
    about: dict[str, Any] = {}
    for number, source in enumerate(found, start=1):
        mine = stretch
        if stretch is not None and number < len(found):
            mine = Stretch(stretch.from_ms, min(stretch.to_ms, _goes_on_ms(found[number])))
            if mine.from_ms >= mine.to_ms:
                continue  # the next part had begun before
        about = export(
            source,
            target if len(found) == 1 else target / f"del-{number}",
            keys,
            clock,
            stretch=mine,
            lines=lines,
            lang=settings.language,
            stamps=authority(settings),
        )
    return about


def _goes_on_ms(source: Source) -> int:
    """Where a recording takes over from the one that it continues."""
    head = load_head(source.whole(HEAD))
    if head.continues is None:
        return 0
    positions = zip(head.continues.samples, head.tracks, strict=True)
    return max(position * 1000 // track.rate_hz for position, track in positions)


def _length_ms(source: Source, keys: KeyRing) -> int:
    tracks = open_recording(source, keys).tracks.values()
    return max(t.samples * 1000 // t.rate_hz for t in tracks)
