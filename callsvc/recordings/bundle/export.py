"""Writes the bundle: sound, what was said, what it is, and one signature over all of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from audio.taps import Gap
from callsvc.clock import Clock, isoformat
from callsvc.errors import Unavailable, UsageError, VerificationFailed
from callsvc.recordings.bundle import pages
from callsvc.recordings.bundle.sound import Sound, write_stereo, write_track
from callsvc.recordings.durable import write_whole
from callsvc.recordings.keys import KeyRing, public_pem
from callsvc.recordings.layout import MANIFEST, SIGNATURE, TIMESTAMP
from callsvc.recordings.manifest import Manifest
from callsvc.recordings.reader import Recording, TrackInfo, open_recording
from callsvc.recordings.source import Source
from callsvc.recordings.timestamps import Authority
from callsvc.recordings.verify import verify

FORMAT: Final = "callsvc-bundle"
VERSION: Final = 1
# The raw microphone stays inside: what was typed can be guessed from it.
LEFT: Final = "caller.rx"
RIGHT: Final = "operator.tx"
AUTHORITY: Final = "tidsstamplare.pem"


@dataclass(frozen=True, slots=True)
class Line:
    """An utterance as it goes into the copy; times are of the call."""

    leg: str
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a call, in milliseconds of the call."""

    from_ms: int
    to_ms: int


def export(
    source: Source,
    target: Path,
    keys: KeyRing,
    clock: Clock,
    *,
    stretch: Stretch | None = None,
    lines: Sequence[Line] = (),
    lang: str = "sv",
    stamps: Authority | None = None,
    silenced: Sequence[Stretch] = (),
    hear: Callable[[Recording], Sound] = lambda recording: recording,
    done: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Write a bundle into the new directory `target`; what paket.json says.

    `silenced` are stretches that were taken out of the copy, and `hear` gives its sound without them. `done` is told how
    far it is, from 0 to 1.

    `stamps` countersigns the copy, too; while it is away the copy is made without, and says so. Raises
    `VerificationFailed` for a recording that is not what was sealed: no copy is made of it. `UsageError` when
    `target` is there already or the stretch is outside the call.
    """
    report = verify(source, keys=keys, authority=stamps)
    if not report.ok:
        raise VerificationFailed(" ".join(finding.sentence(lang) for finding in report.findings))
    recording = open_recording(source, keys)
    if recording.manifest is None:
        raise VerificationFailed("The recording is not sealed yet.")
    length_ms = max(t.samples * 1000 // t.rate_hz for t in recording.tracks.values())
    part = stretch or Stretch(0, length_ms)
    if not 0 <= part.from_ms < part.to_ms <= length_ms:
        raise UsageError(f"The stretch must lie in the call, which is {length_ms} ms long.")
    try:
        target.mkdir(parents=True)
    except FileExistsError:
        raise UsageError(
            f"{target} is there already.", hint="Name a directory that does not exist yet."
        ) from None
    try:
        (target / "ljud").mkdir()
        made = _fill(
            source,
            recording,
            recording.manifest,
            target,
            keys,
            clock,
            part,
            stretch is None,
            lines,
            lang,
            stamps,
            silenced,
            hear(recording),
            done,
        )
        _sign(target, keys, stamps)
        return made
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _fill(
    source: Source,
    recording: Recording,
    manifest: Manifest,
    target: Path,
    keys: KeyRing,
    clock: Clock,
    part: Stretch,
    whole: bool,
    lines: Sequence[Line],
    lang: str,
    stamps: Authority | None,
    silenced: Sequence[Stretch],
    sound: Sound,
    done: Callable[[float], None],
) -> dict[str, Any]:
    original = target / "original"
    original.mkdir()
    for name in (MANIFEST, SIGNATURE, TIMESTAMP):
        if name in source.names():
            (original / name).write_bytes(source.whole(name))
    (original / "nyckel.pub").write_bytes(public_pem(keys.trusted()[manifest.signer]))
    stamped_at = ""
    if stamps is not None:
        (target / AUTHORITY).write_bytes(stamps.pem)
        if (original / TIMESTAMP).exists():
            answer, signed = source.whole(TIMESTAMP), source.whole(SIGNATURE)
            stamped_at = isoformat(stamps.check(answer, signed))
    tracks = [info for name, info in recording.tracks.items() if name in (LEFT, RIGHT)]
    told = []
    for at, info in enumerate(tracks):
        first, last = _samples(part, info, whole)
        path = target / "ljud" / f"{info.name}.flac"
        write_track(sound, info, first, last, path, _part(done, at, len(tracks) + 1))
        told.append(
            {
                "file": f"ljud/{info.name}.flac",
                "name": info.name,
                "rate_hz": info.rate_hz,
                "start": first,
                "samples": last - first,
                "gaps": _gaps(info.gaps, first, last),
            }
        )
    stereo = write_stereo(sound, LEFT, RIGHT, part.from_ms, part.to_ms, target / "ljud" / "stereo.flac")
    heard = [line for line in lines if line.end_ms > part.from_ms and line.start_ms < part.to_ms]
    about: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "call": manifest.call,
        "recording": manifest.recording,
        "created_at": isoformat(clock.utc_now()),
        "stretch": {"from_ms": part.from_ms, "to_ms": part.to_ms, "whole": whole},
        "original": {
            "manifest_sha256": hashlib.sha256(source.whole(MANIFEST)).hexdigest(),
            "chain": manifest.chain,
            "outcome": str(manifest.outcome),
            "opened_at": manifest.opened_at,
            "sealed_at": manifest.sealed_at,
            "signer": manifest.signer,
            "stamped_at": stamped_at,
        },
        "continues": str(continues.recording) if (continues := recording.head.continues) else "",
        "signer": keys.signer,
        "tracks": told,
        "stereo": {"file": "ljud/stereo.flac", "rate_hz": stereo, "derived_from": [t.name for t in tracks]},
        "notes": [
            {"at_ms": at, **note} for at, note in recording.notes() if part.from_ms <= at <= part.to_ms
        ],
        "utterances": len(heard),
    }
    if silenced:
        about["silenced"] = [{"from_ms": one.from_ms, "to_ms": one.to_ms} for one in silenced]
    (target / "paket.json").write_text(
        json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    if heard:
        (target / "transkript.txt").write_text(pages.transcript(heard, lang), encoding="utf-8")
    (target / "spela.html").write_text(pages.player(about, heard, lang), encoding="utf-8")
    (target / pages.README).write_text(pages.readme(about, lang), encoding="utf-8")
    (target / "nyckel.pub").write_bytes(public_pem(keys.trusted()[keys.signer]))
    return about


def _part(done: Callable[[float], None], n: int, of: int) -> Callable[[float], None]:
    """How far the whole is, when part `n` of so many is so far."""
    return lambda share: done((n + share) / of)


def _sign(target: Path, keys: KeyRing, stamps: Authority | None) -> None:
    """SHA256SUMS in the form of sha256sum(1), and the signature over it: the last thing but its timestamp."""
    files = sorted(path for path in target.rglob("*") if path.is_file())
    sums = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(target).as_posix()}\n"
        for path in files
    )
    write_whole(target / "SHA256SUMS", sums.encode(), mode=0o644)
    write_whole(target / "SHA256SUMS.sig", keys.sign(sums.encode()), mode=0o644)
    if stamps is not None and stamps.answers:
        # The copy can be checked without; the original's timestamp is the one that matters.
        with contextlib.suppress(Unavailable):
            write_whole(target / "SHA256SUMS.tsr", stamps.stamp(sums.encode()), mode=0o644)


def _samples(part: Stretch, info: TrackInfo, whole: bool) -> tuple[int, int]:
    if whole:
        return 0, info.samples
    first = min(part.from_ms * info.rate_hz // 1000, info.samples)
    return first, min(-(-part.to_ms * info.rate_hz // 1000), info.samples)


def _gaps(gaps: Sequence[Gap], first: int, last: int) -> list[dict[str, Any]]:
    """The gaps that reach into `first` to `last`, counted from `first`."""
    found = []
    for gap in gaps:
        begin, end = max(gap.start, first), min(gap.end, last)
        if begin < end:
            found.append({"start": begin - first, "length": end - begin, "cause": str(gap.cause)})
    return found
