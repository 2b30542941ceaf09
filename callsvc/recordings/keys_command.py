"""`callsvc keys`: which keys the installation has, new ones, and the end of a recording's key."""

from __future__ import annotations

import asyncio
import getpass
import hashlib
import json
import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from cryptography.hazmat.primitives import serialization

from callsvc.access import trail
from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.errors import Conflict, UsageError
from callsvc.ids import parse_id
from callsvc.locale import text
from callsvc.recordings import credential_keys, key_work
from callsvc.recordings.key_source import existing, key_directory, key_ring, rotating
from callsvc.recordings.keys import FileKeyRing
from callsvc.store import Database, address, recordings, standing

app = typer.Typer(
    no_args_is_help=True, help="Show the installation's keys, change them, destroy a recording's."
)
DataDir = Annotated[Path | None, typer.Option(help="Directory for everything that the service keeps.")]
Call = Annotated[str, typer.Argument(metavar="CALL_ID", help="The call.")]
Copy = Annotated[Path, typer.Argument(help="The copy, as a directory.", exists=True, file_okay=False)]
Reason = Annotated[
    str, typer.Option(help="Why it is destroyed; kept in the trail. Asked for when it is not given.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask again.")]
Rotate = Annotated[bool, typer.Option("--rotate", help="Read the present credential from standard input.")]
Files = Annotated[bool, typer.Option("--from-files", help="Take the keys that lie in data_dir/keys.")]


@app.command()
def show(data_dir: DataDir = None) -> None:
    """Say where the keys are, which are in use, and the fingerprint that a bundle's receiver compares."""
    settings = load(data_dir=data_dir)
    ring = existing(settings)
    if ring is None:
        typer.echo(text("recordings.keys.none", settings.language))
        return
    key = ring.trusted()[ring.signer]
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    typer.echo(
        text(
            "recordings.keys.show",
            settings.language,
            source=settings.keys.source,
            wraps=ring.wraps_with,
            signs=ring.signer,
            fingerprint=hashlib.sha256(raw).hexdigest(),
        )
    )


@app.command()
def rotate(data_dir: DataDir = None) -> None:
    """Make new keys, and wrap every recording's key with the new one. No sound is encrypted anew.

    Restart the service afterwards, so that it uses the new ones; what is running goes on with the old ones until then.
    """
    settings = load(data_dir=data_dir)
    rotating(settings).rotate()
    _wrap_anew(settings)


@app.command()
def rewrap(data_dir: DataDir = None) -> None:
    """Wrap every recording's key with the key in use, and destroy earlier keys that wrap nothing any more."""
    settings = load(data_dir=data_dir)
    if not _wrap_anew(settings):
        return
    used = key_work.wrap_anew(settings, key_ring(settings)).by
    gone = rotating(settings).forget(set(used))
    typer.echo(text("recordings.keys.forgotten", settings.language, count=len(gone)))


def _wrap_anew(settings: Settings) -> bool:
    done = key_work.wrap_anew(settings, key_ring(settings))
    typer.echo(text("recordings.keys.wrapped", settings.language, count=done.anew, all=done.by.total()))
    for label in done.failed:
        typer.echo(text("recordings.keys.not_wrapped", settings.language, label=label), err=True)
    if done.failed:
        raise typer.Exit(1)
    return True


@app.command()
def credential(rotate: Rotate = False, from_files: Files = False, data_dir: DataDir = None) -> None:
    """Print keys for a systemd credential: new ones, those in data_dir/keys, or the next after the present."""
    settings = load(data_dir=data_dir)
    if rotate and from_files:
        raise UsageError("--rotate and --from-files do not go together.")
    earlier = None
    if rotate:
        try:
            earlier = json.loads(sys.stdin.read())
        except ValueError:
            raise UsageError("Standard input holds no credential of ours.") from None
    content = (
        credential_keys.content_of_files(key_directory(settings))
        if from_files
        else credential_keys.new_content(earlier)
    )
    typer.echo(json.dumps(content))


@app.command()
def restore(copy: Copy, data_dir: DataDir = None) -> None:
    """Add the keys of a copy of data_dir/keys to those in use, so that what they wrapped can be heard again."""
    settings = load(data_dir=data_dir)
    ring = rotating(settings)
    if not isinstance(ring, FileKeyRing):
        raise UsageError("A security module's keys are restored with its own tools.")
    count = ring.take_back(copy)
    typer.echo(text("recordings.keys.restored", settings.language, count=count))


@app.command()
def destroy(call: Call, reason: Reason = "", yes: Yes = False, data_dir: DataDir = None) -> None:
    """Destroy the key of a call's recording: its sound can never be heard again. The seals can still be checked.

    Needs the database: nothing is destroyed that leaves no line in the trail. Words that were transcribed stay.
    """
    settings = load(data_dir=data_dir)
    reason = reason or typer.prompt(text("cli.reason", settings.language))
    if len(reason.strip()) < 3:
        raise UsageError("Destroying needs a reason.", hint="--reason 'retention time over, rule ...'")
    if not yes:
        typer.confirm(text("recordings.keys.sure", settings.language), abort=True)
    gone = asyncio.run(dispose(settings, parse_id(call), reason.strip()))
    typer.echo(text("recordings.keys.destroyed", settings.language, count=len(gone.recordings)))
    if gone.versions:
        typer.echo(text("recordings.keys.versions", settings.language, count=len(gone.versions)), err=True)
        raise typer.Exit(1)


async def dispose(settings: Settings, call: UUID, reason: str) -> key_work.Destroyed:
    """Write into the trail that a call's recordings' keys are destroyed, and destroy them."""
    clock = SystemClock()
    async with Database(address(settings), pool_max=2) as database:
        # The line first: a key is never destroyed without one. Done again, it leaves a second line and no harm.
        async with database.transaction() as conn:
            if await standing.held(conn, call):
                raise Conflict(
                    "The call is held: somebody has ordered that it be kept.",
                    hint="An administrator can lift the order, under Drift > Gallring.",
                )
            await trail.record(
                conn,
                user_id=None,
                action="recording.destroy",
                object_kind="call",
                object_id=str(call),
                call_id=call,
                reason=reason,
                at=clock.utc_now(),
                detail={"account": getpass.getuser()},
            )
        gone = await asyncio.to_thread(key_work.destroy, settings, str(call), clock)
        async with database.transaction() as conn:
            for recording in gone.recordings:
                await recordings.fail(conn, UUID(recording), outcome="destroyed")
    return gone
