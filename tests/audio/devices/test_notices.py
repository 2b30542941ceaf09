"""What PulseAudio's programs say beside the sound is counted, however it is cut."""

from __future__ import annotations

import os

import pytest

from audio.devices.notices import LONGEST, Notices

pytestmark = pytest.mark.quiet

SAID = (
    b"Opening a playback stream with sample specification 'float32le 1ch 16000Hz'.\n"
    b"Time: 0.050 sec; Latency: 20031 usec.  \rStream started.\n"
    b"Stream underrun.\x1b[K\nTime: 0.100 sec; Latency: 19000 usec.  \rStream underrun.\x1b[K\n"
    b"Stream overrun.\x1b[K\n"
)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_underruns_and_overruns_are_counted(size: int) -> None:
    out, into = os.pipe()
    notices = Notices(os.fdopen(out, "rb", buffering=0))
    for start in range(0, len(SAID), size):
        os.write(into, SAID[start : start + size])
    os.close(into)
    notices.close(60)
    assert (notices.underruns, notices.overruns) == (2, 1)


def test_what_never_ends_is_not_kept() -> None:
    out, into = os.pipe()
    notices = Notices(os.fdopen(out, "rb", buffering=0))
    for _ in range(20):
        os.write(into, b"." * LONGEST)
    os.write(into, b"\n" + SAID)
    os.close(into)
    notices.close(60)
    assert (notices.underruns, notices.overruns) == (2, 1)
