"""What a person reads in a bundle: the LÄSMIG, the transcript, the player."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, Protocol

from callsvc.locale import text
from callsvc.recordings.findings import clock_time

README = "LÄSMIG.txt"


class Said(Protocol):
    @property
    def leg(self) -> str: ...
    @property
    def start_ms(self) -> int: ...
    @property
    def text(self) -> str: ...


def readme(about: Mapping[str, Any], lang: str) -> str:
    """How to check this bundle with sha256sum and openssl alone."""
    stretch = about["stretch"]
    which = text(
        "bundle.whole" if stretch["whole"] else "bundle.part",
        lang,
        start=clock_time(stretch["from_ms"] / 1000),
        end=clock_time(stretch["to_ms"] / 1000),
    )
    gaps = [
        text(
            "bundle.gap",
            lang,
            track=track["name"],
            at=clock_time((track["start"] + gap["start"]) / track["rate_hz"]),
            length=f"{gap['length'] / track['rate_hz']:.2f}",
            cause=text(f"bundle.cause.{gap['cause']}", lang),
        )
        for track in about["tracks"]
        for gap in track["gaps"]
    ]
    gaps += [
        text(
            "bundle.silenced",
            lang,
            at=clock_time(one["from_ms"] / 1000),
            length=f"{(one['to_ms'] - one['from_ms']) / 1000:.2f}",
        )
        for one in about.get("silenced", ())
    ]
    return text(
        "bundle.readme",
        lang,
        call=about["call"],
        recording=about["recording"],
        created=about["created_at"],
        opened=about["original"]["opened_at"],
        sealed=about["original"]["sealed_at"],
        outcome=text(f"bundle.outcome.{about['original']['outcome']}", lang),
        signer=about["signer"],
        original_signer=about["original"]["signer"],
        manifest=about["original"]["manifest_sha256"],
        which=which,
        time=text(
            "bundle.stamped" if about["original"]["stamped_at"] else "bundle.not_stamped",
            lang,
            at=about["original"]["stamped_at"],
        ),
        gaps="\n".join(gaps) or text("bundle.no_gaps", lang),
        continues=text("bundle.continues", lang, recording=about["continues"]) if about["continues"] else "",
    )


def transcript(lines: Sequence[Said], lang: str) -> str:
    """One utterance a line, with the time of the call and the side that spoke."""
    head = text("bundle.transcript", lang)
    return head + "".join(
        f"[{clock_time(line.start_ms / 1000)}] {text(f'bundle.leg.{line.leg}', lang)}: {line.text}\n"
        for line in lines
    )


def player(about: Mapping[str, Any], lines: Sequence[Said], lang: str) -> str:
    """A page that plays the call from the disk, without network."""
    page = resources.files("callsvc.recordings.bundle").joinpath("player.html").read_text(encoding="utf-8")
    start_ms = int(about["stretch"]["from_ms"])
    rows = "\n".join(
        f'<li><button type="button" data-s="{max(0, line.start_ms - start_ms) / 1000:.3f}">'
        f"{clock_time(line.start_ms / 1000)}</button> <b>{html.escape(text(f'bundle.leg.{line.leg}', lang))}</b> "
        f"{html.escape(line.text)}</li>"
        for line in lines
    )
    sources = [("ljud/stereo.flac", text("bundle.both", lang))]
    sources += [(track["file"], text(f"bundle.track.{track['name']}", lang)) for track in about["tracks"]]
    choices = "\n".join(
        f'<option value="{html.escape(file)}">{html.escape(name)}</option>' for file, name in sources
    )
    values = {
        "lang": lang,
        "title": html.escape(text("bundle.title", lang, call=about["call"])),
        "about": html.escape(text("bundle.about", lang, sealed=about["original"]["sealed_at"])),
        "listen": html.escape(text("bundle.listen", lang)),
        "choices": choices,
        "heading": html.escape(text("bundle.heading", lang)),
        "rows": rows or f"<li>{html.escape(text('bundle.no_transcript', lang))}</li>",
        "offset": json.dumps(start_ms / 1000),
    }
    for key, value in values.items():
        page = page.replace("{{" + key + "}}", value)
    return page
