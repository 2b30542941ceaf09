"""Makes the golden recording of the present format version, once for ever.

python -m tests.support.golden DIRECTORY
"""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import UUID

from audio.taps import GapCause
from callsvc.clock import FixedClock
from callsvc.recordings.cipher import key_check
from callsvc.recordings.head import Head
from callsvc.recordings.keys import FileKeyRing
from callsvc.recordings.opening import Opening
from callsvc.recordings.writing import Writing
from tests.support.recordings import TRACKS, sound

CALL = UUID("11111111-1111-4111-8111-111111111111")
RECORDING = UUID("22222222-2222-4222-8222-222222222222")


def main() -> None:
    base = Path(sys.argv[1])
    keys, clock, key = FileKeyRing(base / "keys"), FixedClock(), bytes(range(32))
    head = Head(RECORDING, CALL, "node-1", "report", "2026-01-01T00:00:00.000Z", TRACKS, key_check(key))
    writing = Writing([base], Opening(head, key))
    writing.begin(keys)
    for frame in range(75):
        for track in TRACKS:
            size = track.rate_hz // 50
            tap = writing.taps[track.name]
            if frame in (20, 21):
                tap.gap(frame * size, size, GapCause.LOSS)
            elif frame in range(40, 50):
                tap.gap(frame * size, size, GapCause.MASK)
            else:
                tap.write(frame * size, sound(track, frame * size, size))
        if frame == 37:
            writing.note(750, {"kind": "marker", "text": "här"})
            writing.flush()
    clock.advance(2)
    writing.seal({track.name: track.rate_hz * 3 // 2 for track in TRACKS}, "hangup", keys, clock)
    (base / str(CALL)).rename(base / "recording")


if __name__ == "__main__":
    main()
