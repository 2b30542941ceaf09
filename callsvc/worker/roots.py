"""Which jobs there are: each feature's own, put together with what they need of each other."""

from __future__ import annotations

from callsvc.config import Settings
from callsvc.jobs import Job
from callsvc.worker.process import Chore


def jobs(settings: Settings) -> list[Job]:
    """Every kind of job that this version knows."""
    return []


def chores(settings: Settings) -> list[Chore]:
    """What is looked after once a minute."""
    return []
