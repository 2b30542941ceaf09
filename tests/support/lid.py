"""A computer whose lid is closed: every process of a program stops at once, and goes on later as if nothing had been."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path


def _family(word: str) -> list[int]:
    """Ours that were started with this word, and all that they started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if word.encode() in (folder / "cmdline").read_bytes() and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    for pid in found:
        with contextlib.suppress(OSError):
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split() if int(child) not in found]
    return found


@contextlib.contextmanager
def closed_lid(word: str) -> Iterator[int]:
    """Everything that was started with a word that nothing else on the machine has; how many processes it is."""
    stopped = []
    try:
        for pid in _family(word):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
        yield len(stopped)
    finally:
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
