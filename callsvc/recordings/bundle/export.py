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
from callsvc.locale.said import Several
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
        raise VerificationFailed("{findings}", findings=Several(report.findings, " "))
    recording = open_recording(source, keys)
    if recording.manifest is None:
        raise VerificationFailed("The recording is not sealed yet.")
    length_ms = max(t.samples * 1000 // t.rate_hz for t in recording.tracks.values())
    part = stretch or Stretch(0, length_ms)
    if not 0 <= part.from_ms < part.to_ms <= length_ms:
        raise UsageError(
            "The stretch must lie in the call, which is {length_ms} ms long.", length_ms=length_ms
        )
    heard = [line for line in lines if line.end_ms > part.from_ms and line.start_ms < part.to_ms]
    copy = _Copy(source, recording, recording.manifest, part, stretch is None, target, keys, stamps)
    try:
        target.mkdir(parents=True)
    except FileExistsError:
        raise UsageError(
            "{target} is there already.", hint="Name a directory that does not exist yet.", target=target
        ) from None
    try:
        original = copy.original()
        tracks, stereo = copy.sound(hear(recording), done)
        about: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "call": copy.manifest.call,
            "recording": copy.manifest.recording,
            "created_at": isoformat(clock.utc_now()),
            "stretch": {"from_ms": part.from_ms, "to_ms": part.to_ms, "whole": copy.whole},
            "original": original,
            "continues": str(continues.recording) if (continues := recording.head.continues) else "",
            "signer": keys.signer,
            "tracks": tracks,
            "stereo": stereo,
            "notes": [
                {"at_ms": at, **note} for at, note in recording.notes() if part.from_ms <= at <= part.to_ms
            ],
            "utterances": len(heard),
        }
        if silenced:
            about["silenced"] = [{"from_ms": one.from_ms, "to_ms": one.to_ms} for one in silenced]
        copy.papers(about, heard, lang)
        copy.sign()
    except BaseException:
        # Nobody is to take part of a copy for a copy.
        shutil.rmtree(target, ignore_errors=True)
        raise
    return about


@dataclass(frozen=True, slots=True)
class _Copy:
    """What is copied, and where to."""

    source: Source
    recording: Recording
    manifest: Manifest
    part: Stretch
    whole: bool
    target: Path
    keys: KeyRing
    stamps: Authority | None

    def original(self) -> dict[str, Any]:
        """Write what the sealed recording vouches for itself with; what paket.json says of it."""
        folder = self.target / "original"
        folder.mkdir()
        for name in (MANIFEST, SIGNATURE, TIMESTAMP):
            if name in self.source.names():
                (folder / name).write_bytes(self.source.whole(name))
        (folder / "nyckel.pub").write_bytes(public_pem(self.keys.trusted()[self.manifest.signer]))
        stamped_at = ""
        if self.stamps is not None:
            (self.target / AUTHORITY).write_bytes(self.stamps.pem)
            if (folder / TIMESTAMP).exists():
                answer, signed = self.source.whole(TIMESTAMP), self.source.whole(SIGNATURE)
                stamped_at = isoformat(self.stamps.check(answer, signed))
        return {
            "manifest_sha256": hashlib.sha256(self.source.whole(MANIFEST)).hexdigest(),
            "chain": self.manifest.chain,
            "outcome": str(self.manifest.outcome),
            "opened_at": self.manifest.opened_at,
            "sealed_at": self.manifest.sealed_at,
            "signer": self.manifest.signer,
            "stamped_at": stamped_at,
        }

    def sound(
        self, sound: Sound, done: Callable[[float], None]
    ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Write the tracks, and both in one to listen to; what paket.json says of them."""
        folder = self.target / "ljud"
        folder.mkdir()
        infos = [info for name, info in self.recording.tracks.items() if name in (LEFT, RIGHT)]
        tracks = []
        for n, info in enumerate(infos):
            first, last = _samples(self.part, info, self.whole)
            path = folder / f"{info.name}.flac"
            write_track(sound, info, first, last, path, _part(done, n, len(infos) + 1))
            tracks.append(
                {
                    "file": f"ljud/{path.name}",
                    "name": info.name,
                    "rate_hz": info.rate_hz,
                    "start": first,
                    "samples": last - first,
                    "gaps": _gaps(info.gaps, first, last),
                }
            )
        stereo = folder / "stereo.flac"
        rate_hz = write_stereo(sound, LEFT, RIGHT, self.part.from_ms, self.part.to_ms, stereo)
        return tracks, {
            "file": f"ljud/{stereo.name}",
            "rate_hz": rate_hz,
            "derived_from": [info.name for info in infos],
        }

    def papers(self, about: dict[str, Any], heard: Sequence[Line], lang: str) -> None:
        """Write what the copy is: for programs, for a browser, and for whoever opens the directory."""
        pages_of = {
            "paket.json": json.dumps(about, indent=1, ensure_ascii=False) + "\n",
            "spela.html": pages.player(about, heard, lang),
            pages.README: pages.readme(about, lang),
        }
        if heard:
            pages_of["transkript.txt"] = pages.transcript(heard, lang)
        for name, text in pages_of.items():
            (self.target / name).write_text(text, encoding="utf-8")
        (self.target / "nyckel.pub").write_bytes(public_pem(self.keys.trusted()[self.keys.signer]))

    def sign(self) -> None:
        """SHA256SUMS in the form of sha256sum(1), and the signature over it: the last thing but its timestamp."""
        files = sorted(path for path in self.target.rglob("*") if path.is_file())
        sums = "".join(
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(self.target).as_posix()}\n"
            for path in files
        )
        write_whole(self.target / "SHA256SUMS", sums.encode(), mode=0o644)
        write_whole(self.target / "SHA256SUMS.sig", self.keys.sign(sums.encode()), mode=0o644)
        if self.stamps is not None and self.stamps.answers:
            # The copy can be checked without; the original's timestamp is the one that matters.
            with contextlib.suppress(Unavailable):
                write_whole(self.target / "SHA256SUMS.tsr", self.stamps.stamp(sums.encode()), mode=0o644)


def _part(done: Callable[[float], None], n: int, of: int) -> Callable[[float], None]:
    """How far the whole is, when part `n` of so many is so far."""
    return lambda share: done((n + share) / of)


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
