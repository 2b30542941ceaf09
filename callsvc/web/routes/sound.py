"""The sound of a call: only for a session that has opened the call with a reason."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Header
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from callsvc.access.rights import Action, allowed
from callsvc.access.sessions import Session
from callsvc.types import Role, Track
from callsvc.web import door, ranges
from callsvc.web.door import CallId, OneSite
from callsvc.web.playback import Playback
from callsvc.web.problems import Problem
from callsvc.web.shapes import Lane, Peaks

router = APIRouter(prefix="/api/calls", tags=["reading"])
Listener = Annotated[Session, Depends(door.may(Action.AUDIO_READ))]
Range = Annotated[str | None, Header(alias="Range", description="One range of bytes (RFC 9110).")]

# As many stretches as a wide screen has room to show.
MOST_PEAKS = 4000
_WAV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/wav": {}}},
    206: {"content": {"audio/wav": {}}},
}
# The order of the channels of playback.wav.
CHANNELS = (Track.CALLER_RX, Track.OPERATOR_TX, Track.OPERATOR_RX)


@router.get("/{call_id}/audio/{track}.wav", response_class=Response, responses=_WAV)
async def audio(
    here: OneSite, session: Listener, call_id: CallId, track: Track, asked: Range = None
) -> Response:
    """One track, as it was recorded, at its own rate. The raw microphone is for quality review alone."""
    action = Action.RAW_READ if track is Track.OPERATOR_RX else Action.AUDIO_READ
    await here.readings.ask(session, call_id, action, kind="track", name=track)
    recording = await here.library.open(call_id)
    if track not in recording.tracks:
        raise Problem("no_sound")
    return ranges.wav(recording.wav(track), asked)


@router.get("/{call_id}/playback.wav", response_class=Response, responses=_WAV)
async def playback(here: OneSite, session: Listener, call_id: CallId, asked: Range = None) -> Response:
    """All tracks that this person may hear, in step, a channel each, in the order that `peaks` names."""
    await here.readings.ask(session, call_id, Action.AUDIO_READ, kind="track", name="playback")
    recording = await here.library.open(call_id)
    return ranges.wav(Playback(recording, channels(recording.tracks, session.person.roles)), asked)


@router.get("/{call_id}/peaks")
async def peaks(here: OneSite, session: Listener, call_id: CallId) -> Peaks:
    """The outline of every track that this person may hear, for the waveform; and which channel of playback.wav is which."""
    await here.readings.ask(session, call_id, Action.AUDIO_READ, kind="track", name="peaks")
    recording = await here.library.open(call_id)
    names = channels(recording.tracks, session.person.roles)
    longest = max(recording.tracks[name].samples / recording.tracks[name].rate_hz for name in names)
    lanes = []
    for name in names:
        outline = await run_in_threadpool(recording.peaks, name)
        low, high = fewer(outline.low, outline.high)
        lanes.append(Lane(track=name, low=low.tolist(), high=high.tolist()))
    return Peaks(duration_ms=round(1000 * longest), channels=names, lanes=lanes)


def channels(tracks: Container[str], roles: Iterable[Role]) -> list[str]:
    """The tracks that there are for these roles, in the order of the channels. Raises `Problem` when there is none."""
    raw_too = allowed(roles, Action.RAW_READ)
    names = [str(name) for name in CHANNELS if name in tracks and (raw_too or name is not Track.OPERATOR_RX)]
    if not names:
        raise Problem("no_sound")
    return names


def fewer(low: NDArray[np.int8], high: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """The same outline in at most `MOST_PEAKS` stretches."""
    step = -(-len(low) // MOST_PEAKS)
    if step <= 1:
        return low, high
    edges = np.arange(0, len(low), step)
    return np.minimum.reduceat(low, edges), np.maximum.reduceat(high, edges)
