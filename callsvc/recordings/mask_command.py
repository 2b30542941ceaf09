"""`callsvc mask`: people who can open what was masked, two of them together; and the opening."""

from __future__ import annotations

import asyncio
import getpass
import os
from pathlib import Path
from typing import Annotated
from uuid import UUID

import soundfile
import typer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from callsvc.access import trail
from callsvc.clock import SystemClock
from callsvc.config import Settings, load
from callsvc.errors import UsageError
from callsvc.ids import parse_id
from callsvc.locale import text
from callsvc.recordings import place
from callsvc.recordings.errors import NoRecording
from callsvc.recordings.key_source import key_ring
from callsvc.recordings.layout import MASK
from callsvc.recordings.mask import holder_id, open_seal
from callsvc.recordings.reader import Recording, open_recording
from callsvc.recordings.source import Source
from callsvc.store import Database, address

app = typer.Typer(no_args_is_help=True, help="Open what was masked, by two people; make their keys.")
DataDir = Annotated[Path | None, typer.Option(help="Directory for everything that the service keeps.")]
File = Annotated[Path, typer.Argument(help="Where the private key goes; the public one beside it, as .pub.")]
Call = Annotated[str, typer.Argument(metavar="CALL_ID", help="The call.")]
Target = Annotated[Path, typer.Argument(help="A directory that does not exist yet.")]
Holders = Annotated[list[Path], typer.Option("--holder", help="A holder's private key; given twice.")]
Reason = Annotated[
    str, typer.Option(help="Why it is opened; kept in the trail. Asked for when it is not given.")
]


@app.command()
def holder(file: File, data_dir: DataDir = None) -> None:
    """Make a holder's key, locked with a passphrase that is asked for. The file is the holder's, and nobody else's."""
    settings = load(data_dir=data_dir)
    if file.exists():
        raise UsageError("{file} is there already.", file=file)
    if not os.access(file.absolute().parent, os.W_OK | os.X_OK):
        raise UsageError(
            "Nothing can be written in {directory}.",
            hint="Name another place.",
            directory=file.absolute().parent,
        )
    phrase = typer.prompt(
        text("recordings.mask.phrase", settings.language, file=file.name),
        hide_input=True,
        confirmation_prompt=True,
    )
    if len(phrase) < 8:
        raise UsageError("A passphrase needs eight characters at least.")
    key = X25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(phrase.encode()),
    )
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as written:
        written.write(private)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    file.with_suffix(".pub").write_bytes(public)
    typer.echo(text("recordings.mask.made", settings.language, holder=holder_id(key.public_key())))


@app.command("open")
def opening(
    call: Call, target: Target, holder: Holders, reason: Reason = "", data_dir: DataDir = None
) -> None:
    """Write what was masked in a call as FLAC files. It takes two holders, and leaves a line in the trail."""
    settings = load(data_dir=data_dir)
    reason = reason or typer.prompt(text("cli.reason", settings.language))
    if len(reason.strip()) < 3:
        raise UsageError("Opening needs a reason.")
    if target.exists():
        raise UsageError(
            "{target} is there already.", hint="Name a directory that does not exist yet.", target=target
        )
    call_id = parse_id(call)
    # Nobody is asked for a passphrase in vain.
    if missing := [str(file) for file in holder if not file.is_file()]:
        raise UsageError("There is no holder's key in {files}.", files=", ".join(missing))
    keys = [_private(settings, file) for file in holder]
    count = asyncio.run(open_masked(settings, call_id, target, keys, reason.strip()))
    typer.echo(text("recordings.mask.opened", settings.language, count=count, target=target))


async def open_masked(
    settings: Settings, call: UUID, target: Path, holders: list[X25519PrivateKey], reason: str
) -> int:
    """Write each masked stretch of a call's recordings, once the trail says so; how many there were."""
    found = [s for s in await asyncio.to_thread(place.of_call, settings, str(call)) if MASK in s.names()]
    if not found:
        raise NoRecording("Nothing that was masked in that call was kept.")
    # Before the line: two who are not the holders have opened nothing.
    ring = key_ring(settings)
    recordings = [open_recording(source, ring) for source in found]
    keys = [_mask_key(s, r.recording, holders) for s, r in zip(found, recordings, strict=True)]
    async with Database(address(settings), pool_max=2) as database, database.transaction() as conn:
        await trail.record(
            conn,
            user_id=None,
            action="recording.unmask",
            object_kind="call",
            object_id=str(call),
            call_id=call,
            reason=reason,
            at=SystemClock().utc_now(),
            detail={
                "account": getpass.getuser(),
                "holders": " ".join(sorted(holder_id(key.public_key()) for key in holders)),
            },
        )
    return await asyncio.to_thread(_write, target, list(zip(recordings, keys, strict=True)))


def _write(target: Path, found: list[tuple[Recording, bytes]]) -> int:
    target.mkdir(parents=True)
    count = 0
    for recording, key in found:
        for track, start, sound in recording.masked(key):
            rate = recording.tracks[track].rate_hz
            name = f"{track}-{start * 1000 // rate:08d}ms.flac"
            soundfile.write(target / name, sound, rate, subtype="PCM_16")
            count += 1
    return count


def _mask_key(source: Source, recording: UUID, holders: list[X25519PrivateKey]) -> bytes:
    return open_seal(source.whole(MASK), recording, holders)


def _private(settings: Settings, file: Path) -> X25519PrivateKey:
    phrase = typer.prompt(text("recordings.mask.phrase", settings.language, file=file.name), hide_input=True)
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), phrase.encode())
    except (OSError, ValueError, TypeError):
        raise UsageError("{file} cannot be opened with that passphrase.", file=file) from None
    if not isinstance(key, X25519PrivateKey):
        raise UsageError("{file} holds no holder's key.", file=file)
    return key
