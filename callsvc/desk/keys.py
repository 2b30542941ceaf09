"""Key times from this computer's own keyboard: when, and never which. Linux only, and only if asked for twice.

An event of the kernel's input layer is (time, kind, code, value). Kind and value say that a key went down; the code,
which would say which key, is cut off before the event is looked at.
"""

from __future__ import annotations

import os
import select
import struct
import threading
from collections.abc import Callable
from pathlib import Path

EVENT = struct.Struct("llHHi")
KIND = slice(16, 18)
VALUE = slice(20, 24)
KEY = (1).to_bytes(2, "little")
DOWN = (1).to_bytes(4, "little")
PLACE = Path("/dev/input/by-path")


def keyboards(place: Path = PLACE) -> list[Path]:
    """Keyboards that this person may read."""
    return [path for path in sorted(place.glob("*-event-kbd")) if os.access(path, os.R_OK)]


def presses(data: bytes) -> int:
    """How many keys went down in a run of whole events."""
    return sum(
        data[at : at + EVENT.size][KIND] == KEY and data[at : at + EVENT.size][VALUE] == DOWN
        for at in range(0, len(data) - EVENT.size + 1, EVENT.size)
    )


class KeyWatch:
    """Calls `pressed` at each key press, from a thread of its own, until it is closed."""

    def __init__(self, paths: list[Path], pressed: Callable[[], None]) -> None:
        self._pressed = pressed
        self._open = {os.open(path, os.O_RDONLY | os.O_NONBLOCK) for path in paths}
        self._wake, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._watch, name="key-times", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while True:
            ready, _, _ = select.select([*self._open, self._wake], [], [])
            if self._wake in ready:
                return
            for keyboard in ready:
                try:
                    data = os.read(keyboard, EVENT.size * 64)
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                if not data:
                    os.close(keyboard)
                    self._open.discard(keyboard)
                for _ in range(presses(data)):
                    self._pressed()

    def close(self) -> None:
        """Watch no more."""
        os.write(self._stop, b".")
        self._thread.join(5)
        for descriptor in (*self._open, self._wake, self._stop):
            os.close(descriptor)
