"""What the machine allows a process that must not be late: real-time scheduling, locked memory, no collector pauses."""

from __future__ import annotations

import ctypes
import gc
import os
from dataclasses import dataclass

PRIORITY = 10
MCL_CURRENT, MCL_FUTURE = 1, 2


@dataclass(frozen=True, slots=True)
class Privileges:
    """What was granted."""

    realtime: bool
    locked: bool


def claim(*, lock: bool = True) -> Privileges:
    """Ask for real-time scheduling of this thread and locked memory; a refusal is noted, not an error."""
    return Privileges(_realtime(), lock and _lock())


def _realtime() -> bool:
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError:
        return False
    return True


def _lock() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.mlockall(MCL_CURRENT | MCL_FUTURE)) == 0


def settle() -> None:
    """Everything that is loaded stays: the collector need never look at it again, and looks less often at the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)
