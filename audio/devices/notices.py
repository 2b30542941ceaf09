"""What PulseAudio's own programs say while sound runs: how often the server had none to play, or nobody took it."""

from __future__ import annotations

import threading
from typing import IO

LONGEST = 4096
"""Bytes without an end of a line after which nothing is waited for any more."""


class Notices:
    """Reads what pacat or parec, told to be verbose, writes beside the sound; in a thread of its own until it ends.

    Besides underruns and overruns they say where they are, twenty times a second, which is thrown away.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self.underruns = self.overruns = 0
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Wait for the end of what is read; the program has ended."""
        self._thread.join(timeout_s)

    def _read(self, pipe: IO[bytes]) -> None:
        rest = b""
        with pipe:
            while piece := pipe.read(LONGEST):
                *lines, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
                rest = rest[-LONGEST:]
                for line in lines:
                    self.underruns += b"Stream underrun" in line
                    self.overruns += b"Stream overrun" in line
