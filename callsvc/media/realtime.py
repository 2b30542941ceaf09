"""What the machine allows a process that must not be late: real-time scheduling, locked memory, no collector pauses."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PRIORITY = 10
MCL_CURRENT, MCL_FUTURE = 1, 2
CAP_IPC_LOCK = 14


@dataclass(frozen=True, slots=True)
class Privileges:
    """What was granted."""

    realtime: bool
    locked: bool


def claim(threads: Sequence[str] = ()) -> Privileges:
    """Ask for real-time scheduling of this thread and of the named ones, and for locked memory.

    A refusal is noted, not an error.
    """
    wanted = [one.native_id for one in threading.enumerate() if one.name in threads and one.native_id]
    granted = [_realtime(thread) for thread in (0, *wanted)]
    return Privileges(all(granted), may_lock() and _lock())


def _realtime(thread: int) -> bool:
    try:
        os.sched_setscheduler(thread, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError:
        return False
    return True


def may_lock() -> bool:
    """Whether memory can be locked without a bound: under one, a later allocation would fail."""
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY:
        return True
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> CAP_IPC_LOCK & 1)
    return False


def _lock() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.mlockall(MCL_CURRENT | MCL_FUTURE)) == 0


def settle() -> None:
    """Everything that is loaded stays: the collector need never look at it again.

    At the rest it looks by little and little, at some 100 ns an object. Calls leave next to nothing to it, those by WebRTC
    some hundred small things that know one another: they are found within a hundred calls, not all at once after thousands.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(1000, 1, 8)
