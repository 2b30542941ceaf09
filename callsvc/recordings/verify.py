"""Checks that a recording is what was sealed: every file, every record, and who signed it.

manifest.sig ─ signs ─► manifest.json ─ digests ─► head.json, segments, index
                                      └ last link ─► the chain through every record
with the keys at hand: every record decrypts, and its sound is as long as its header says
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audio.taps import Track
from callsvc.clock import isoformat
from callsvc.recordings.cipher import RecordCipher, key_check
from callsvc.recordings.comparing import Expected, compare
from callsvc.recordings.errors import Damaged, FormatUnknown, KeyDestroyed, KeyMissing, NoRecording
from callsvc.recordings.findings import Report, clock_time
from callsvc.recordings.head import Head, dump_key, genesis, load_head, load_key
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.layout import (
    HEAD,
    INDEX,
    KEY,
    MANIFEST,
    MASK,
    MAY_BE_THERE,
    SEALED_FILES,
    SEGMENTS,
    SIGNATURE,
    TIMESTAMP,
    WHOLE,
    Coding,
    Header,
    Kind,
)
from callsvc.recordings.manifest import Manifest, load_manifest, summaries
from callsvc.recordings.peaks import PER_SECOND
from callsvc.recordings.scan import Walk, Window, walk
from callsvc.recordings.sound import decode
from callsvc.recordings.source import Source
from callsvc.recordings.timestamps import Authority

BLOCK = 1 << 20


def verify(
    source: Source,
    *,
    keys: KeyRing | None = None,
    trusted: Mapping[str, Ed25519PublicKey] | None = None,
    call: str | None = None,
    chain: str | None = None,
    told: tuple[int, str] | None = None,
    continued: tuple[int, str] | None = None,
    authority: Authority | None = None,
) -> Report:
    """Check a sealed recording; the report says in sentences what is wrong and where.

    `keys` lets the sound itself be checked; `trusted` are the public keys that may sign (those of `keys` when left
    out). `call` and `chain` are what the recording should be, by somebody else's books, and `told` is how
    many records there were, and the link of the last, at some time while the call ran; `continued` is the same as the
    recording says that goes on where this one had to stop. `authority` checks the timestamp. Raises `NoRecording` when there is nothing to check.
    """
    report = Report(source.label)
    names = source.names()
    if HEAD not in names and MANIFEST not in names and SEGMENTS not in names:
        raise NoRecording("There is no recording in {place}.", place=source.label)
    _files(names, report)
    if trusted is None and keys is not None:
        trusted = keys.trusted()
    manifest = _manifest(source, names, trusted, report)
    head, start = _head(source, names, manifest, report)
    if manifest is not None:
        _identity(manifest, call, chain, report)
    _time(source, names, authority, report)
    if head is None or SEGMENTS not in names:
        return report
    _mask(source, names, head, report)
    found = walk(source, SEGMENTS, head, start)
    report.records = len(found.placed)
    report.sound_s = max(
        (n / t.rate_hz for n, t in zip(found.samples, head.tracks, strict=True)), default=0.0
    )
    _segments(source, names, manifest, head, found, report)
    if told is not None:
        _witness(found, told, report)
    if continued is not None and not _begins(found, *continued):
        report.find("continued_otherwise", n=continued[0] - 1)
    if keys is not None and KEY in names:
        _sound(source, head, keys, found, report)
    elif keys is None:
        report.note("not_decrypted")
    return report


def _files(names: list[str], report: Report) -> None:
    for name in SEALED_FILES:
        if name not in names:
            report.find("file_missing", name=name)
    for name in names:
        if name not in (*SEALED_FILES, *MAY_BE_THERE):
            report.find("file_strange", name=name)


def _manifest(
    source: Source, names: list[str], trusted: Mapping[str, Ed25519PublicKey] | None, report: Report
) -> Manifest | None:
    """The manifest, if it can be believed."""
    if MANIFEST not in names:
        return None
    raw = source.whole(MANIFEST)
    try:
        manifest = load_manifest(raw)
    except (Damaged, FormatUnknown):
        report.find("manifest_unreadable")
        return None
    report.recording, report.call = manifest.recording, manifest.call
    report.outcome, report.chain = str(manifest.outcome), manifest.chain
    if trusted is None:
        report.note("signature_not_checked")
        return manifest
    if manifest.signer not in trusted:
        report.find("signer_unknown", signer=manifest.signer[:16])
        return None
    try:
        trusted[manifest.signer].verify(source.whole(SIGNATURE), raw)
    except NoRecording:
        return None
    except InvalidSignature:
        report.find("signature_wrong")
        return None
    return manifest


def _time(source: Source, names: list[str], authority: Authority | None, report: Report) -> None:
    """What the time-stamping authority says of the signature."""
    if TIMESTAMP not in names:
        if authority is not None and MANIFEST in names:
            report.note("not_stamped")
        return
    if authority is None:
        report.note("timestamp_not_checked")
        return
    try:
        report.stamped_at = isoformat(authority.check(source.whole(TIMESTAMP), source.whole(SIGNATURE)))
    except (Damaged, NoRecording):
        report.find("timestamp_wrong")


def _head(
    source: Source, names: list[str], manifest: Manifest | None, report: Report
) -> tuple[Head | None, bytes]:
    """The head and the first link; from the manifest where head.json does not agree with it."""
    raw = source.whole(HEAD) if HEAD in names else b""
    if manifest is not None and genesis(raw).hex() != manifest.head:
        if HEAD in names:
            report.find("head_changed")
        tracks = tuple(Track(t.name, t.rate_hz) for t in manifest.tracks)
        head = Head(
            UUID(manifest.recording),
            UUID(manifest.call),
            manifest.node,
            manifest.profile,
            manifest.opened_at,
            tracks,
            "",
        )
        return head, bytes.fromhex(manifest.head)
    try:
        head = load_head(raw)
    except (Damaged, FormatUnknown):
        if HEAD in names:
            report.find("head_unreadable")
        return None, b""
    if manifest is None:
        report.recording, report.call = str(head.recording), str(head.call)
    return head, genesis(raw)


def _mask(source: Source, names: list[str], head: Head, report: Report) -> None:
    document = source.whole(MASK) if MASK in names else b""
    if (head.mask or document) and hashlib.sha256(document).hexdigest() != head.mask:
        report.find("mask_changed")


def _identity(manifest: Manifest, call: str | None, chain: str | None, report: Report) -> None:
    if call is not None and manifest.call != call:
        report.find("call_other", call=manifest.call)
    if chain is not None and manifest.chain != chain:
        report.find("chain_other", told=chain[:16], found=manifest.chain[:16])


def _witness(found: Walk, told: tuple[int, str], report: Report) -> None:
    """What had been told of the chain while the call ran must still be its beginning."""
    records, chain = told
    if records > len(found.placed):
        report.find("head_missing", told=records, found=len(found.placed))
    elif not _begins(found, records, chain):
        report.find("head_other", n=records - 1)


def _begins(found: Walk, records: int, chain: str) -> bool:
    """Whether so many records are there, and the last of them has this link."""
    if records > len(found.placed):
        return False
    link = found.placed[records].header.prev if records < len(found.placed) else found.link
    return link.hex() == chain


def _segments(
    source: Source, names: list[str], manifest: Manifest | None, head: Head, found: Walk, report: Report
) -> None:
    size = source.size(SEGMENTS)
    index = source.whole(INDEX) if INDEX in names else b""
    if manifest is None:
        # Nobody vouches for a length; the chain itself must hold to the end.
        if found.offset != size:
            report.find("chain_broken", n=len(found.placed), at=_reached(found, head), offset=found.offset)
        if not found.ended:
            report.find("not_ended", at=_reached(found, head))
        return
    index_good = hashlib.sha256(index).hexdigest() == manifest.index
    if INDEX in names and not index_good:
        report.find("index_changed")
    if size != manifest.segments_bytes or _digest(source, SEGMENTS) != manifest.segments:
        before = len(report.findings)
        expected = Expected.of(index, bytes.fromhex(manifest.chain)) if index_good else None
        if expected is not None:
            compare(source, expected, [(t.name, t.rate_hz) for t in head.tracks], report)
        elif found.offset < size:
            report.find("chain_broken", n=len(found.placed), at=_reached(found, head), offset=found.offset)
        if len(report.findings) == before:
            report.find("segments_changed", at=_reached(found, head))
        return
    # The very bytes that were signed: then they must also agree with what the manifest says of them.
    summary = summaries(head, found.samples, found.gaps)
    agrees = (
        found.offset == size
        and found.ended
        and found.link.hex() == manifest.chain
        and len(found.placed) == manifest.records
        and summary == manifest.tracks
    )
    if not agrees:
        report.find("manifest_disagrees", n=len(found.placed))


def _sound(source: Source, head: Head, keys: KeyRing, found: Walk, report: Report) -> None:
    raw = source.whole(KEY)
    try:
        wrapped = load_key(raw)
        if dump_key(wrapped) != raw:
            raise Damaged
        key = keys.unwrap(wrapped)
    except KeyDestroyed:
        report.note("key_destroyed")
        return
    except (KeyMissing, Damaged):
        report.find("key_unusable")
        return
    if head.key_check and key_check(key) != head.key_check:
        report.find("key_foreign")
        return
    named = {finding.values.get("n") for finding in report.findings}
    cipher = RecordCipher(key, head.recording)
    window = Window(source, SEGMENTS)
    for placed in found.placed:
        header = placed.header
        if header.kind == Kind.MASKED:
            continue  # only two holders can; the chain vouches for its bytes
        payload = window.read(placed.payload_offset, header.size)
        try:
            _sensible(head, header, cipher.decrypt(header, payload))
        except (Damaged, ValueError):
            if header.n in named:
                continue
            name, at = "", ""
            if header.track != WHOLE:
                track = head.tracks[header.track]
                name, at = track.name, clock_time(header.start / track.rate_hz)
            report.find("record_undecryptable", n=header.n, track=name, at=at)
    report.decrypted = True


def _sensible(head: Head, header: Header, plain: bytes) -> None:
    """Raises `Damaged` or `ValueError` for a content that is not of its kind."""
    if header.kind == Kind.SOUND:
        decode(header.coding, plain, header.length)
    elif header.kind == Kind.PEAKS:
        rate = head.tracks[header.track].rate_hz
        if len(plain) != 2 * -(-header.length // max(1, rate // PER_SECOND)):
            raise Damaged
    elif header.coding == Coding.JSON:
        json.loads(plain)


def _reached(found: Walk, head: Head) -> str:
    return clock_time(max(n / t.rate_hz for n, t in zip(found.samples, head.tracks, strict=True)))


def _digest(source: Source, name: str) -> str:
    whole = hashlib.sha256()
    size, at = source.size(name), 0
    while at < size:
        block = source.read(name, at, BLOCK)
        if not block:
            break
        whole.update(block)
        at += len(block)
    return whole.hexdigest()
