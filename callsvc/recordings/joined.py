"""A call's recording as one sound, also where it had to go on in another spool while the call ran."""

from __future__ import annotations

from callsvc import logs
from callsvc.config import Settings
from callsvc.recordings import place
from callsvc.recordings.errors import KeyMissing, NoRecording
from callsvc.recordings.keys import KeyRing
from callsvc.recordings.reader import Recording, open_recording


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
