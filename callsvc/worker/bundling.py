"""The job `bundle_disclosure`: the signed copy of a disclosure that was granted, exactly as it was decided."""

from __future__ import annotations

import asyncio
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from callsvc import logs
from callsvc.clock import Clock
from callsvc.config import Settings
from callsvc.disclosures import bundles, record
from callsvc.errors import NotFound, VerificationFailed
from callsvc.jobs import Job, Work
from callsvc.recordings.bundle import Line, Stretch, export
from callsvc.recordings.bundle.export import LEFT, RIGHT
from callsvc.recordings.bundle.sound import Sound
from callsvc.recordings.cipher import new_key
from callsvc.recordings.joined import parts
from callsvc.recordings.key_source import key_ring
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.objects import objects
from callsvc.recordings.reader import Recording
from callsvc.recordings.sealed_file import seal
from callsvc.recordings.timestamps import authority
from callsvc.store import Connection, layers, recordings, transcripts
from callsvc.transcripts.layers import Silenced, in_force
from callsvc.transcripts.layers import Stretch as TakenOut
from callsvc.transcripts.layers.redacting import load, shown

ATTEMPTS: Final = 4
LOOK_EVERY_S: Final = 1.0


@dataclass(slots=True)
class Told:
    """What leaves, and how far its copy is."""

    recording: recordings.Recording
    lines: list[Line]
    taken_out: list[TakenOut] = field(default_factory=list)
    share: float = 0.0


async def bundle_disclosure(work: Work, disclosure: str) -> None:
    """What lies in the clear while it is made goes with the job, also with one that died."""
    mine = UUID(disclosure)
    folder = work.settings.data_dir / f".bundle-{mine}"
    keys = key_ring(work.settings)
    try:
        async with work.database.transaction() as conn:
            told = await _what_leaves(conn, mine)
            await bundles.run(conn, mine, 0.0)
        making = asyncio.create_task(
            asyncio.to_thread(_make, work.settings, keys, work.clock, told, folder, mine)
        )
        while not (await asyncio.wait({making}, timeout=LOOK_EVERY_S))[0]:
            async with work.database.transaction() as conn:
                await bundles.run(conn, mine, told.share)
        size, key = making.result()
        wrapped = await asyncio.to_thread(keys.wrap, key)
        async with work.database.transaction() as conn:
            await bundles.finish(
                conn, mine, size=size, wrapped_by=wrapped.by, wrapped=wrapped.wrapped, at=work.clock.utc_now()
            )
    except (VerificationFailed, NotFound) as error:
        logs.get("worker").error("bundle_refused", disclosure=disclosure, kind=type(error).__name__)
        async with work.database.transaction() as conn:
            lost = isinstance(error, NotFound)
            await bundles.fail(conn, mine, "no_sound" if lost else "not_as_sealed")
    except Exception:  # whatever it was: whoever waits for it is told once nothing will be tried any more
        if work.attempt >= ATTEMPTS:
            async with work.database.transaction() as conn:
                await bundles.fail(conn, mine, "fault")
        raise
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _what_leaves(conn: Connection, disclosure: UUID) -> Told:
    decided = await record.get(conn, disclosure)
    found = await recordings.of_call(conn, decided.call_id)
    if found is None or not decided.granted:
        raise NotFound("There is nothing to hand out.")
    if decided.copy_id is not None:
        copy = await layers.redaction(conn, decided.call_id, decided.copy_id)
        spoken = [load(one) for one in copy.utterances]
        taken_out = [TakenOut(**one) for one in copy.stretches]
    else:
        transcript = await transcripts.of_call(conn, decided.call_id)
        said = await transcripts.utterances(conn, transcript.id) if transcript else []
        spoken, taken_out = [in_force(one) for one in said], []
    return Told(found, [Line(one.leg, one.start_ms, one.end_ms, shown(one)) for one in spoken], taken_out)


def _make(
    settings: Settings, keys: KeyRing, clock: Clock, told: Told, folder: Path, disclosure: UUID
) -> tuple[int, bytes]:
    """Write it, and lay it encrypted into the object store; its size, and the key."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    row = told.recording
    sources = parts(settings, call=str(row.call_id), recording=str(row.id), location=row.location)
    for n, source in enumerate(sources):
        export(
            source,
            folder / "paket" / (f"del-{n + 1}" if len(sources) > 1 else ""),
            keys,
            clock,
            lines=told.lines,
            lang=settings.language,
            stamps=authority(settings),
            silenced=[Stretch(one.start_ms, one.end_ms) for one in told.taken_out],
            hear=_without(told.taken_out),
            done=_counted(told, n, len(sources)),
        )
    packed = folder / "paket.zip"
    with zipfile.ZipFile(packed, "x", zipfile.ZIP_STORED) as archive:
        for path in sorted((folder / "paket").rglob("*")):
            if path.is_file():
                archive.write(path, Path(f"samtal-{row.call_id}") / path.relative_to(folder / "paket"))
    key = new_key()
    seal(packed, folder / "sealed", key)
    objects(settings).put(bundles.place(disclosure), folder / "sealed")
    return packed.stat().st_size, key


def _without(taken_out: list[TakenOut]) -> Callable[[Recording], Sound]:
    def hear(recording: Recording) -> Sound:
        if not taken_out:
            return recording
        return Silenced(recording, taken_out, [name for name in (LEFT, RIGHT) if name in recording.tracks])

    return hear


def _counted(told: Told, n: int, of: int) -> Callable[[float], None]:
    def done(share: float) -> None:
        told.share = (n + share) / of

    return done


JOB_OF_BUNDLES: Final = Job(bundles.JOB, bundle_disclosure, attempts=ATTEMPTS, at_once=1)
