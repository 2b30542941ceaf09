"""The document that every form is written from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from callsvc.clock import isoformat
from callsvc.errors import NotFound
from callsvc.locale import text
from callsvc.store import Connection, calls, layers, transcripts
from callsvc.transcripts.layers import Layer, Line, Spoken, Stretch, in_force, machine
from callsvc.transcripts.layers.redacting import load
from callsvc.types import TranscriptState

PAUSE_MS = 3000
"""A pause that is shown."""


@dataclass(frozen=True, slots=True)
class Document:
    """A transcript in one layer, with all that a reader must know to judge it.

    `corrected` and `of` say how many utterances a person has corrected, of how many; `stretches` were taken out.
    """

    call_id: UUID
    at: datetime | None
    layer: Layer
    model: str
    model_sha256: str
    language: str
    made_at: datetime
    lines: tuple[Line, ...]
    corrected: int
    of: int
    stretches: tuple[Stretch, ...] = ()
    copy_id: UUID | None = None
    copy_sha256: str = ""

    @property
    def verified(self) -> bool:
        """Whether a person has been over every utterance. A redacted copy tells by the layer that it was made from."""
        return self.of > 0 and self.corrected == self.of

    def statements(self, lang: str) -> list[tuple[str, str]]:
        """What every form says of itself: name and value, in the reader's language."""
        found = [
            (text("transcript.call", lang), str(self.call_id)),
            (text("transcript.at", lang), "–" if self.at is None else isoformat(self.at)),
            (text("transcript.layer", lang), text(f"transcript.layers.{self.layer}", lang)),
            (text("transcript.model", lang), f"{self.model or '–'} (sha256 {self.model_sha256[:16] or '–'})"),
            (text("transcript.review", lang), self.review(lang)),
            (text("transcript.made_at", lang), isoformat(self.made_at)),
        ]
        if self.copy_id is not None:
            found.append((text("transcript.copy", lang), f"{self.copy_id} (sha256 {self.copy_sha256[:16]})"))
        return found

    def review(self, lang: str) -> str:
        """Whether this is machine text that nobody has verified, and how much of it."""
        if self.verified:
            return text("transcript.verified", lang)
        if not self.corrected or self.layer is Layer.MACHINE:
            return text("transcript.unverified", lang)
        return text("transcript.partly", lang, count=self.corrected, of=self.of)

    def spoken(self) -> Iterator[tuple[int, Line]]:
        """Each line with the pause before it, in milliseconds: 0 where it is too short to be shown."""
        end = 0
        for line in self.lines:
            pause = line.start_ms - end
            yield (pause if end and pause >= PAUSE_MS else 0), line
            end = max(end, line.end_ms)


async def gather(
    conn: Connection, call_id: UUID, layer: Layer, *, made_at: datetime, copy: UUID | None = None
) -> Document:
    """The call's transcript in a layer; in `redacted`, the copy. Raises `NotFound` when there is none."""
    call = await calls.get(conn, call_id)
    at = call.started_at or call.created_at
    if layer is Layer.REDACTED:
        if copy is None:
            raise NotFound("There is no such redacted copy.")
        made = await layers.redaction(conn, call_id, copy)
        found = await transcripts.get(conn, made.transcript_id)
        return redacted_copy(made, found, at, made_at)
    latest = await transcripts.of_call(conn, call_id)
    if latest is None or latest.state != TranscriptState.DONE:
        raise NotFound("The call has no transcript yet.")
    said = [one for one in await transcripts.utterances(conn, latest.id) if one.kind != "crosstalk"]
    lines = tuple((machine if layer is Layer.MACHINE else in_force)(one) for one in said)
    speech = [one for one in said if one.kind == "speech"]
    return Document(
        call_id,
        at,
        layer,
        latest.model or "",
        latest.model_sha256 or "",
        latest.language,
        made_at,
        lines,
        0 if layer is Layer.MACHINE else sum(one.corrected is not None for one in speech),
        len(speech),
    )


def redacted_copy(
    made: layers.Redaction, found: transcripts.Transcript, at: datetime | None, made_at: datetime
) -> Document:
    """The document of a redacted copy, as it was when the copy was made."""
    lines = tuple(load(one) for one in made.utterances if one["kind"] != "crosstalk")
    return Document(
        made.call_id,
        at,
        Layer.REDACTED,
        found.model or "",
        found.model_sha256 or "",
        found.language,
        made_at,
        tuple(replace(line, layer=Layer.REDACTED) for line in lines),
        0,
        sum(line.kind == "speech" for line in lines),
        tuple(Stretch(**one) for one in made.stretches),
        made.id,
        made.sha256,
    )


def clock(ms: int) -> str:
    """`4:05` or `1:04:05`."""
    seconds = ms // 1000
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def runs(words: Sequence[Spoken], lang: str) -> list[tuple[str, str]]:
    """The words of a line as (kind, text), kind being `sure`, `unsure` or `redacted`; what was taken out is said once."""
    found: list[tuple[str, str]] = []
    last: int | None = None
    for word in words:
        if word.redacted is not None:
            if word.redacted != last:
                found.append(("redacted", text("transcript.taken_out", lang, number=word.redacted + 1)))
        elif word.unsure:
            found.append(("unsure", text("transcript.unsure", lang, word=word.text)))
        else:
            found.append(("sure", word.text))
        last = word.redacted
    return found


def said(line: Line, lang: str) -> str:
    """A line as plain text."""
    if line.kind == "unknown_language":
        return text("transcript.unknown_language", lang)
    return " ".join(word for _, word in runs(line.words, lang))
