"""The machine itself: Python, room on the disk, scheduling, the clock."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from pathlib import Path
from typing import Final

from callsvc.doctor.finding import Finding, degraded, fault, good
from callsvc.media.realtime import may_lock

OLDEST: Final = (3, 11)
NEWEST: Final = (3, 13)
COMFORTABLE_MB: Final = 5_000
"""Some 40 hours of calls, with three tracks each."""
TIME_ERROR: Final = 5  # adjtimex(2): the clock is not synchronised


def python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    """Whether this Python is one that the service is made for."""
    values = {"version": ".".join(map(str, version)), "oldest": "3.11", "newest": "3.13"}
    if OLDEST <= version[:2] <= NEWEST:
        return good("python", **values)
    return fault("python", "version", **values)


def disk(path: Path, least_mb: int) -> Finding:
    """Whether there is room for recordings where `path` is, or will be made."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    free_mb = shutil.disk_usage(place).free // 1_000_000
    values = {"path": place, "free_mb": free_mb, "least_mb": least_mb, "comfortable_mb": COMFORTABLE_MB}
    if free_mb < least_mb:
        return fault("disk", "full", **values)
    if free_mb < COMFORTABLE_MB:
        return degraded("disk", "tight", **values)
    return good("disk", **values)


def scheduling() -> Finding:
    """Whether the media node may ask for real-time scheduling; asked for, and given back at once."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        return degraded("scheduling", "denied")
    os.sched_setscheduler(0, policy, parameters)
    return good("scheduling")


def memory() -> Finding:
    """Whether the media node may keep its memory from being written out to a disk."""
    return good("memory") if may_lock() else degraded("memory", "denied")


def clock(state: int | None = None) -> Finding:
    """Whether the time of day is kept right. `state` is what adjtimex(2) answers."""
    if state is None:
        state = _clock_state()
    return degraded("clock", "adrift") if state == TIME_ERROR else good("clock")


def _clock_state() -> int:
    # struct timex with `modes` 0 asks and sets nothing; it is far smaller than this.
    return int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512)))
