"""A call's recording as one sound, also where it had to go on in another spool while the call ran."""

from __future__ import annotations

from callsvc import logs
from callsvc.config import Settings
from callsvc.recordings import place
from callsvc.recordings.errors import KeyMissing, NoRecording
from callsvc.recordings.head import load_head
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.layout import HEAD
from callsvc.recordings.reader import Recording, open_recording
from callsvc.recordings.source import Source


def open_joined(
    settings: Settings, keys: KeyRing, *, call: str, recording: str, location: str | None = None
) -> Recording:
    """Open a recording and all that it continues. What cannot be found of those is the gap that it begins with.

    Raises as `place.find` and `open_recording` do for the recording itself.
    """
    opened = open_recording(place.find(settings, call=call, recording=recording, location=location), keys)
    if opened.head.continues is not None:
        before = str(opened.head.continues.recording)
        try:
            opened.join(open_joined(settings, keys, call=call, recording=before))
        except (NoRecording, KeyMissing) as error:
            logs.get("recordings").warning("earlier_part_away", call=call, kind=type(error).__name__)
    return opened


def parts(settings: Settings, *, call: str, recording: str, location: str | None = None) -> list[Source]:
    """A recording and all that it continues, as far as that is found; the first first. Raises `NoRecording`."""
    found = [place.find(settings, call=call, recording=recording, location=location)]
    while (continues := load_head(found[0].whole(HEAD)).continues) is not None:
        try:
            found.insert(0, place.find(settings, call=call, recording=str(continues.recording)))
        except NoRecording:
            break
    return found
