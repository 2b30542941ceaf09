"""What was done during a call, as stretches and points on its clock: for the lanes under its waveform.

A stretch begins with a note that says `on` and ends with the next that does not; one that was never ended lasts until
the call does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from callsvc.store.call_notes import CallNote

Lane = Literal["mask", "hold", "mute", "marker", "announcement", "recall"]
_ON_AND_OFF = ("mask", "hold", "mute")


@dataclass(frozen=True, slots=True)
class Done:
    """Something that was done; a point has `end_ms` where it begins. `what` is why, which or in what language."""

    lane: Lane
    start_ms: int
    end_ms: int
    what: str


def lanes(notes: Sequence[CallNote], length_ms: int) -> list[Done]:
    """In the order in which they began."""
    found: list[Done] = []
    begun: dict[str, CallNote] = {}

    def end(kind: Lane, at_ms: int) -> None:
        if (first := begun.pop(kind, None)) is not None:
            found.append(Done(kind, first.at_ms, max(first.at_ms, at_ms), _which(first)))

    for note in sorted(notes, key=lambda one: one.at_ms):
        if note.note not in get_args(Lane):
            continue
        kind = cast(Lane, note.note)
        if kind in _ON_AND_OFF:
            end(kind, note.at_ms)
            if note.what.get("on"):
                begun[kind] = note
        elif kind == "announcement":
            end(kind, note.at_ms)
            if note.what.get("state") == "begun":
                begun[kind] = note
        else:
            found.append(Done(kind, note.at_ms, note.at_ms, _which(note)))
    for left in list(begun):
        end(cast(Lane, left), length_ms)
    return sorted(found, key=lambda one: (one.start_ms, one.lane))


def _which(note: CallNote) -> str:
    what = note.what
    if note.note == "announcement":
        return f"{what.get('announcement', '')} {what.get('language', '')}".strip()
    return str(what.get("reason") or what.get("marker") or "")
